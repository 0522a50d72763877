"""bioRxiv and medRxiv by their details API. Source: https://api.biorxiv.org/.

The service answers 200 to errors too: the status stands in `messages`. Numbers come as text or as
numbers; `NA` is nothing; a preprint comes once for each version.
"""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from digest.model import Announce, Listing, Source
from digest.sources import feed
from digest.sources.batch import Batch, Request, UnreadableError, spans
from digest.sources.dates import day_in, moment
from digest.sources.ids import doi
from digest.sources.jsons import load
from digest.sources.names import split_names
from digest.sources.shape import MAX_ITEMS, link, mapping, sequence, shape

API = "https://api.biorxiv.org/details"
_DAYS = 2  # looked back at each fetch
_MOST_MISSED = 14  # days that are made up for
_STRETCH = 4  # days a request: some thousand preprints, in pages of thirty or a hundred
_EMPTY = ("no posts found", "no articles found", "no papers found")
# Marks that their conversion leaves in abstracts: O_LI … C_LI, O_SCPLOW …, O_ST_ABSAimsC_ST_ABS.
_HEADING = re.compile(r"O_ST_ABS(.{0,60}?)C_ST_ABS\s*")
_MARKS = "LI|SCPLOW|SCPCAP|FIG|TBL|UL|OL|TEXTBOX|BOX|BQ|HTML|FD|INLINEFIG|Q"
_RESIDUE = re.compile(rf"[OC]_(?:{_MARKS})\b")
_STUCK = re.compile(r"[OC]_(?:LI|SCPLOW|SCPCAP|UL|OL)(?=[A-Z][a-z]|[A-Z]\s|\d)")


def parse(body: bytes, source: Source, now: datetime) -> Batch:
    """One page of the interval; a body that is a feed is read as one. Raises: UnreadableError."""
    if body.lstrip()[:1] == b"<":
        batch = feed.parse(body, source, now)
        if batch.next:  # a page of the site names feeds of its own
            raise UnreadableError("a web page, where a details answer was expected")
        return batch
    answer = load(body)
    message = next(iter(sequence(mapping(answer).get("messages"))), None)
    if not isinstance(message, dict) or "collection" not in answer:
        raise UnreadableError("not a details answer: messages and collection were expected")
    status = str(message.get("status", "")).lower()
    if status.startswith(_EMPTY):
        return Batch(announced=0)
    if status != "ok":
        raise UnreadableError(f"the service answered with an error: {status[:200] or 'no status'}")
    records = [r for r in sequence(answer["collection"])[:MAX_ITEMS] if isinstance(r, dict)]
    named = [record for record in records if doi(_text(record, "doi"))]
    if records and not named:
        raise UnreadableError("not a details answer: no record has a DOI")
    wanted = {_folded(name) for name in source.categories}
    listings = [
        _listing(record, source, now)
        for record in named
        if not wanted or _folded(_text(record, "category")) in wanted
    ]
    # Asked for one category the service counts it alone, for several it counts everything.
    counts = len(wanted) < 2 and not _number(message.get("cursor"))
    days = [listing.listed_on for listing in listings if listing.listed_on]
    return Batch(
        tuple(listings),
        announced=_number(message.get("total")) if counts else None,
        batch_on=max(days, default=None),
        next=_next(message, len(records), source),
    )


def _listing(record: dict[str, Any], source: Source, now: datetime) -> Listing:
    name = doi(_text(record, "doi"))
    version = _number(record.get("version")) or 1
    journal = doi(_text(record, "published"))
    server = "medrxiv" if "med" in _text(record, "server").lower() else "biorxiv"
    notes = [f"version {version}"] if version > 1 else []
    notes += [f"published as doi:{journal}"] if journal else []
    if "withdraw" in _text(record, "type").lower():
        notes.append("withdrawn")
    return shape(
        source,
        title=_text(record, "title"),
        abstract=clean(_text(record, "abstract")),
        authors=split_names(_text(record, "authors")),
        ids=[f"doi:{name}", *([f"doi:{journal}"] if journal else [])],
        url=f"https://www.{server}.org/content/{name}v{version}",
        subjects=[_text(record, "category")],
        published_at=moment(_text(record, "date"), now),
        listed_on=day_in(_text(record, "date"), now),
        organization=_text(record, "author_corresponding_institution"),
        announce=Announce.REPLACE if version > 1 else Announce.NEW,
        links=link("pdf", f"https://www.{server}.org/content/{name}v{version}.full.pdf"),
        note="; ".join(notes),
    )


def _folded(category: str) -> str:
    """A category as compared: `Cell Biology` and `cell_biology` are one."""
    return category.lower().replace("_", " ").strip()


def clean(abstract: str) -> str:
    """The abstract without the marks that a conversion left in it."""
    abstract = _HEADING.sub(r"\n\n\1: ", abstract)
    return _STUCK.sub("", _RESIDUE.sub("", abstract))


def _text(record: dict[str, Any], name: str) -> str:
    """A field's text; `NA` is none."""
    value = record.get(name)
    return value if isinstance(value, str) and value != "NA" else ""


def _number(value: object) -> int | None:
    """A count, which comes as a number or as text."""
    text = str(value)
    return int(text) if text.isdecimal() and len(text) < 10 else None


# --- what to ask ----------------------------------------------------------------------------


def _next(message: dict[str, Any], count: int, source: Source) -> Request | None:
    """The request for the next page of the same interval, None on the last."""
    cursor, total = _number(message.get("cursor")), _number(message.get("total"))
    first, _, last = str(message.get("interval", "")).partition(":")
    if cursor is None or total is None or not count or cursor + count >= total or not last:
        return None
    return _ask(source, first, last, cursor + count)


def _ask(source: Source, first: str, last: str, cursor: int = 0) -> Request:
    server = "medrxiv" if source.kind == "medrxiv" else "biorxiv"
    url = f"{API}/{server}/{first}/{last}/{cursor}/json"
    if len(source.categories) == 1:
        url += "?" + urlencode({"category": source.categories[0].replace(" ", "_").lower()})
    return Request(url, "application/json")


def requests(source: Source, now: datetime) -> list[Request]:
    """The last days' preprints, first page."""
    if source.url or source.path:
        return [Request(source.url)] if source.url else []
    return [_ask(source, f"{now - timedelta(days=_DAYS):%Y-%m-%d}", f"{now:%Y-%m-%d}")]


def backfill(source: Source, since: date, now: datetime) -> list[Request]:
    """The preprints since a day, a few days a request, first pages."""
    return _window(source, since, now.date())


def missed(source: Source, after: date, until: date) -> list[Request]:
    """The preprints before the days that every fetch looks back over, at most fourteen days ago."""
    if source.url or source.path:
        return []
    first = max(after, until - timedelta(days=_MOST_MISSED))
    return _window(source, first, until - timedelta(days=_DAYS + 1))


def _window(source: Source, first: date, last: date) -> list[Request]:
    return [_ask(source, a.isoformat(), b.isoformat()) for a, b in spans(first, last, _STRETCH)]
