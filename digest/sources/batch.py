"""What a kind of source is, what it asks for and what a parse gives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from digest.errors import SourceError
from digest.model import Listing, Source

MAX_PAGES = 40  # pages followed in one fetch; a source that names ever new pages ends here


class UnreadableError(Exception):
    """A body is not what its kind expects; the message says what that is."""


class ExpiredError(UnreadableError):
    """The place where we stood in a list is no longer known: it is to be read from its start."""


class RestartError(SourceError):
    """A list of pages broke off and has to be asked for again from its first page."""


@dataclass(frozen=True, slots=True)
class Request:
    """One address to ask, `page` counted from 0; `accept` is the media type wished for.

    What was read less than `rest_s` seconds ago is left in peace. An address that begins with `?`
    is the one that was asked with these parameters put into it, `{page}` being the number of the
    next page and `{500page}` five hundred times that.
    """

    url: str
    accept: str = "*/*"
    page: int = 0
    rest_s: int = 0


@dataclass(frozen=True, slots=True)
class Batch:
    """What one body held.

    `announced` is the count that the source states for the whole list (None where it states none),
    `found` the hits of a whole search, of which a batch is one page. `batch_on` is the list's own
    day. `next` asks for what belongs to this batch and is not in it, `also` for parts of it that
    need not come in turn. `notes` are for the operator. `sources` are the feeds that a list names.
    """

    listings: tuple[Listing, ...] = ()
    announced: int | None = None
    batch_on: date | None = None
    next: Request | None = None
    also: tuple[Request, ...] = ()
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


def _nothing_missed(source: Source, after: date, until: date) -> list[Request]:
    """Nothing to ask for: what the source shows reaches back far enough, or cannot be asked."""
    return []


@dataclass(frozen=True, slots=True)
class Kind:
    """One format: how it is read, what is asked for, and what a config may get wrong.

    `backfill` gives the requests that bring what was announced since a day, each a stretch of days
    of its own. `missed` gives those that make up for lists between the one read last and the one
    at hand. `max_age_days` is the age that suits a source of this kind where the config names none;
    None lets every age through. `patience_s` is how long one look at such a source may take.
    """

    parse: Callable[[bytes, Source, datetime], Batch]
    requests: Callable[[Source, datetime], list[Request]] = _no_requests
    fault: Callable[[Source], str] = _no_fault
    backfill: Callable[[Source, date, datetime], list[Request]] = _no_backfill
    missed: Callable[[Source, date, date], list[Request]] = _nothing_missed
    max_age_days: int | None = 7
    patience_s: int = 120

    def reaches_back(self, source: Source) -> bool:
        """Whether the past of this source can be asked for; own addresses and files have none."""
        return self.backfill is not _no_backfill and not source.url and not source.path

    def follow(self, batch: Batch) -> Request | None:
        """The next page to ask for, or None at the end and after `MAX_PAGES` pages."""
        return batch.next if batch.next and batch.next.page < MAX_PAGES else None


def spans(since: date, until: date, days: int) -> list[tuple[date, date]]:
    """The time from one day to another in stretches of so many days, both ends included."""
    starts = range(0, (until - since).days + 1, days)
    firsts = [since + timedelta(days=start) for start in starts]
    return [(first, min(first + timedelta(days=days - 1), until)) for first in firsts]


def needs_address(source: Source) -> str:
    """The fault of a source that has neither `url` nor `path`, or both."""
    if source.url and source.path:
        return "has both url and path: keep one of them"
    if source.url and not source.url.lower().startswith(("https://", "http://")):
        return f"url {source.url!r} is no web address; the nearest form is https://…"
    return "" if source.url or source.path else "needs a url or a path"
