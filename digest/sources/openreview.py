"""OpenReview's notes, API 2 (fields wrapped as `{"value": …}`) and API 1 (plain fields).

Source: https://docs.openreview.net/.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from digest.model import Link, Listing, Source
from digest.sources.batch import Batch, Request, UnreadableError
from digest.sources.dates import reasonable
from digest.sources.jsons import load
from digest.sources.shape import MAX_ITEMS, link, mapping, sequence, shape

API = "https://api2.openreview.net/notes"
SITE = "https://openreview.net"
_LIMIT = 1_000


def parse(body: bytes, source: Source, now: datetime) -> Batch:
    """The submissions among the notes. Raises: UnreadableError."""
    answer = load(body)
    notes = mapping(answer).get("notes")
    if not isinstance(notes, list):
        words = mapping(answer).get("message") or "an object with notes was expected"
        raise UnreadableError(f"not an OpenReview answer: {str(words)[:200]}")
    papers = [note for note in notes[:MAX_ITEMS] if _is_paper(note)]
    others = len(notes[:MAX_ITEMS]) - len(papers)
    count = mapping(answer).get("count")
    return Batch(
        tuple(_listing(note, source, now) for note in papers),
        found=count if isinstance(count, int) else None,
        notes=(f"{others} notes are no submissions",) if others else (),
    )


def _is_paper(note: object) -> bool:
    """True for a submission: it has a title, and opens its own forum."""
    own = mapping(note)
    is_first = own.get("forum") in {None, own.get("id")}
    return isinstance(own.get("id"), str) and bool(_field(own, "title")) and is_first


def _field(note: dict[str, Any], name: str) -> Any:  # JSON; `shape` looks at it
    """A field of the content, out of its wrapping."""
    value = mapping(note.get("content")).get(name)
    return value.get("value") if isinstance(value, dict) else value


def _listing(note: dict[str, Any], source: Source, now: datetime) -> Listing:
    name = str(note["id"])
    summary = _field(note, "TLDR") or _field(note, "TL;DR")
    return shape(
        source,
        title=_field(note, "title"),
        abstract=_field(note, "abstract") or summary,
        authors=sequence(_field(note, "authors")),
        guid=name,
        url=f"{SITE}/forum?id={name}",
        subjects=[_field(note, "venue"), *sequence(_field(note, "keywords"))],
        published_at=_published(note, now),
        links=_links(note),
        note="withdrawn" if "withdrawn" in str(_field(note, "venueid")).lower() else "",
    )


def _published(note: dict[str, Any], now: datetime) -> datetime | None:
    """The first of the note's dates, which count milliseconds since 1970."""
    for name in ("pdate", "cdate", "tcdate"):
        stamp = note.get(name)
        if isinstance(stamp, int) and 0 < stamp < 10**14:
            return reasonable(datetime.fromtimestamp(stamp / 1000, UTC), now)
    return None


def _links(note: dict[str, Any]) -> Iterator[Link]:
    yield from link("pdf", _field(note, "pdf"), SITE)
    yield from link("code", _field(note, "code"))


def requests(source: Source, now: datetime) -> list[Request]:
    """The newest submissions to each venue that `categories` names."""
    if source.url or source.path:
        return [Request(source.url, "application/json")] if source.url else []
    return [
        Request(f"{API}?{urlencode(_newest(venue))}", "application/json")
        for venue in source.categories
    ]


def _newest(venue: str) -> dict[str, str | int]:
    return {"content.venueid": venue, "sort": "cdate:desc", "limit": _LIMIT}


def fault(source: Source) -> str:
    """Why the options do not fit."""
    if source.url or source.path or source.categories:
        return ""
    return 'needs categories with the ids of venues, such as ["ICLR.cc/2027/Conference"]'
