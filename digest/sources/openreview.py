"""OpenReview's notes, API 2 (fields wrapped as `{"value": …}`) and API 1 (plain fields).

A venue's submissions answer to its invitation; under the venue's own id only what was accepted
stands. Source: https://docs.openreview.net/.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from digest.model import Announce, Link, Listing, Source
from digest.sources.batch import Batch, Request, UnreadableError
from digest.sources.dates import midnight, reasonable
from digest.sources.jsons import load
from digest.sources.shape import MAX_ITEMS, link, mapping, sequence, shape

API = "https://api2.openreview.net/notes"
SITE = "https://openreview.net"
_LIMIT = 500  # notes a page; 1,000 are given at most, which may take more than 5 MB
_NEW_FOR = timedelta(days=14)  # how far back each look follows what was changed


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
        next=_next([mapping(note) for note in notes], source, now),
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
    fate = _fate(str(_field(note, "venueid")).lower())
    return shape(
        source,
        title=_field(note, "title"),
        abstract=_field(note, "abstract") or summary,
        authors=sequence(_field(note, "authors")),
        guid=name,
        url=f"{SITE}/forum?id={name}",
        subjects=[_field(note, "venue"), *sequence(_field(note, "keywords"))],
        published_at=_published(note, now),
        announce=Announce.REPLACE if fate else Announce.NEW,
        links=_links(note),
        note=fate,
    )


def _fate(venue: str) -> str:
    """What became of a submission that is out of the running, by the id of where it stands."""
    if "withdrawn" in venue:
        return "withdrawn"
    return "desk rejected" if "desk_reject" in venue else ""


def _published(note: dict[str, Any], now: datetime) -> datetime | None:
    """The first of the note's dates: when it went online, came out, was written."""
    moments = (_moment(note, name, now) for name in ("odate", "pdate", "cdate", "tcdate"))
    return next(filter(None, moments), None)


def _moment(note: dict[str, Any], name: str, now: datetime) -> datetime | None:
    """A date of the note, which counts milliseconds since 1970."""
    stamp = note.get(name)
    if isinstance(stamp, int) and 0 < stamp < 10**14:
        return reasonable(datetime.fromtimestamp(stamp / 1000, UTC), now)
    return None


def _links(note: dict[str, Any]) -> Iterator[Link]:
    yield from link("pdf", _field(note, "pdf"), SITE)
    yield from link("code", _field(note, "code"))


# --- what to ask ----------------------------------------------------------------------------


def _next(notes: list[dict[str, Any]], source: Source, now: datetime) -> Request | None:
    """The next page after a full one, while there is something new.

    A list in the order of creation is one of the past, which is read to its end. Any other is in
    the order of the last change, and of no interest from where it is old.
    """
    if len(notes) < _LIMIT or source.url or source.path:
        return None
    created = [stamp for note in notes if isinstance(stamp := note.get("tcdate"), int)]
    changed = _moment(notes[-1], "tmdate", now)
    if created != sorted(created) and changed and changed < now - _NEW_FOR:
        return None
    return Request(f"?offset={{{_LIMIT}page}}", "application/json")


def requests(source: Source, now: datetime) -> list[Request]:
    """What was changed last among the submissions to each venue that `categories` names.

    By the last change, since a submission goes online long after it was handed in.
    """
    if source.url or source.path:
        return [Request(source.url, "application/json")] if source.url else []
    return _ask(source, {"sort": "tmdate:desc"})


def backfill(source: Source, since: date, now: datetime) -> list[Request]:
    """What was handed in since a day, oldest first."""
    start = midnight(since)
    first = int(start.timestamp() * 1000) if start else 0
    return _ask(source, {"mintcdate": first, "sort": "tcdate:asc"})


def _ask(source: Source, how: Mapping[str, str | int]) -> list[Request]:
    """A request for each way to a venue's notes, first pages."""
    paging = {"limit": _LIMIT, "offset": 0}
    return [
        Request(f"{API}?{urlencode({**way, **how, **paging})}", "application/json")
        for venue in source.categories
        for way in _ways(venue)
    ]


def _ways(venue: str) -> Iterator[dict[str, str]]:
    """How the notes of a venue are found; a name with `/-/` is an invitation already."""
    if "/-/" in venue:
        yield {"invitation": venue}
    else:
        yield {"invitation": f"{venue}/-/Submission"}
        yield {"content.venueid": venue}


def fault(source: Source) -> str:
    """Why the options do not fit."""
    if source.url or source.path or source.categories:
        return ""
    return 'needs categories with the ids of venues, such as ["ICLR.cc/2027/Conference"]'
