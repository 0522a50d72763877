"""What a kind of source is, what it asks for and what a parse gives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

from digest.model import Listing, Source

MAX_PAGES = 40  # pages followed in one fetch; a source that names ever new pages ends here


class UnreadableError(Exception):
    """A body is not what its kind expects; the message says what that is."""


@dataclass(frozen=True, slots=True)
class Request:
    """One address to ask, `page` counted from 0; `accept` is the media type wished for."""

    url: str
    accept: str = "*/*"
    page: int = 0


@dataclass(frozen=True, slots=True)
class Batch:
    """What one body held.

    `announced` is the count that the source states for the whole list (None where it states none),
    `found` the hits of a whole search, of which a batch is one page. `batch_on` is the list's own
    day. `next` asks for what belongs to this batch and is not in it. `notes` are for the operator.
    `sources` are the feeds that a list of feeds names.
    """

    listings: tuple[Listing, ...] = ()
    announced: int | None = None
    batch_on: date | None = None
    next: Request | None = None
    notes: tuple[str, ...] = ()
    found: int | None = None
    sources: tuple[Source, ...] = ()


def _no_requests(source: Source, now: datetime) -> list[Request]:
    """Nothing to ask for: the source is a file; or its address where it has one."""
    return [Request(source.url)] if source.url else []


def _no_fault(source: Source) -> str:
    """No fault."""
    return ""


def _no_backfill(source: Source, since: date, now: datetime) -> list[Request]:
    """Nothing to ask for: the source has no past."""
    return []


@dataclass(frozen=True, slots=True)
class Kind:
    """One format: how it is read, what is asked for, and what a config may get wrong.

    `backfill` gives the requests that bring what was announced since a day. `max_age_days` is the
    age that suits a source of this kind where the config names none; None lets every age through.
    """

    parse: Callable[[bytes, Source, datetime], Batch]
    requests: Callable[[Source, datetime], list[Request]] = _no_requests
    fault: Callable[[Source], str] = _no_fault
    backfill: Callable[[Source, date, datetime], list[Request]] = _no_backfill
    max_age_days: int | None = 7

    def follow(self, batch: Batch) -> Request | None:
        """The next page to ask for, or None at the end and after `MAX_PAGES` pages."""
        return batch.next if batch.next and batch.next.page < MAX_PAGES else None


def needs_address(source: Source) -> str:
    """The fault of a source that has neither `url` nor `path`, or both."""
    if source.url and source.path:
        return "has both url and path: keep one of them"
    if source.url and not source.url.lower().startswith(("https://", "http://")):
        return f"url {source.url!r} is no web address; the nearest form is https://…"
    return "" if source.url or source.path else "needs a url or a path"
