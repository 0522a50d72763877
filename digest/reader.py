"""One source read to its end: its files, or its pages on the web, into listings.

Raises nothing for a source's own faults: what could be read is kept beside the first error.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from operator import itemgetter
from pathlib import Path

from digest.errors import SourceError
from digest.fetcher import Fetcher, FetchError, Remembered, patience, read_files
from digest.model import Listing, Source
from digest.sources import Batch, Request, RestartError, kind_of, read_batch

logger = logging.getLogger("digest")

AT_ONCE = 8
"""Addresses of one source that are asked at once; those of one host wait for each other."""

RESTARTS = 2
"""How often a list of pages that broke off is begun again."""

_FILES, _ASIDE = -1, sys.maxsize
"""The place of files before what they lead to, and of what is made up for behind all else."""

TOLD_FAULTS = 3
"""How many faults of one source are spelled out."""


Place = tuple[int, ...]
"""Where a body stands in a source: its page of which address, or of which one that led to."""


@dataclass(slots=True)
class Reading:
    """What one source gave: listings in its order, and `error`, empty when all of it was read.

    Its addresses answer in any order; their listings go by their place. `remember` is what the next
    fetch needs to know of each URL, as JSON. `answered` is true when some list or file could be
    read, be it empty or unchanged; `unreadable` when a fault was something else than no answer.
    """

    source: Source
    parts: dict[Place, Sequence[Listing]] = field(default_factory=dict)
    announced: int | None = None
    batch_on: date | None = None
    error: str = ""
    remember: dict[str, str] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    answered: bool = False
    unreadable: bool = False

    @property
    def listings(self) -> list[Listing]:
        """All listings, in the source's order."""
        return [one for _, part in sorted(self.parts.items(), key=itemgetter(0)) for one in part]

    def fail(self, fault: str, *, unanswered: bool = False) -> None:
        """Note a fault; the first ones are told, with how many more there are.

        Pages of one address whose site cannot be found have one fault in common.
        """
        self.unreadable |= not unanswered
        if fault not in self.faults:
            self.faults.append(fault)
        more = len(self.faults) - TOLD_FAULTS
        told = "; ".join(self.faults[:TOLD_FAULTS])
        self.error = told + (f" (and {more} more)" if more > 0 else "")

    def take(self, batch: Batch, place: Place) -> None:
        """Add what one file or page held."""
        self.parts[place] = batch.listings
        self.answered |= bool(batch.listings) or not (batch.next or batch.also or batch.sources)
        if batch.announced is not None:
            self.announced = (self.announced or 0) + batch.announced
        if batch.batch_on:
            self.batch_on = max(self.batch_on or batch.batch_on, batch.batch_on)
        self.note(*batch.notes)

    def note(self, *notes: str) -> None:
        """Log what the operator may want to know."""
        for note in notes:
            logger.info("source.note %s", json.dumps({"source": self.source.name, "note": note}))


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a source from earlier runs.

    `remembered` is kept for each URL, as JSON. `whole_on` is the day of the newest list that was
    read without a fault, `newest_on` that of the newest list at all.
    """

    remembered: Mapping[str, str] = field(default_factory=dict)
    whole_on: date | None = None
    newest_on: date | None = None

    def without_validators(self) -> Known:
        """The same, but whole bodies are asked for, changed or not."""
        bare = {
            url: replace(
                Remembered.from_json(memory), etag="", last_modified="", seen_url=""
            ).to_json()
            for url, memory in self.remembered.items()
        }
        return replace(self, remembered=bare)


async def read_source(
    reading: Reading, fetcher: Fetcher, known: Known, base: Path, now: datetime
) -> None:
    """Read the reading's source to its end; relative paths begin at `base`.

    Lists that were missed since the last one are asked for as well. A file, an address or a feed
    of a list that fails is named; the others are read all the same.
    """
    source = reading.source
    walk = _Walk(reading, fetcher, known.remembered, now)
    try:
        await walk.read(_read_files(reading, base, now) if source.path else _asked(source, now))
        newest_on = reading.batch_on or known.newest_on
        if newest_on and known.whole_on and not reading.error:
            missed = kind_of(source).missed(source, known.whole_on, newest_on)
            if missed:
                reading.note(f"lists after {known.whole_on} were missed; they are asked for now")
            aside = Reading(source)  # what is made up for is no list of today
            try:
                await read_requests(aside, fetcher, known, missed, now)
            finally:  # also when the time is over
                _add(reading, aside)
    except SourceError as error:
        reading.fail(str(error))


async def read_requests(
    reading: Reading, fetcher: Fetcher, known: Known, asked: Iterable[Request], now: datetime
) -> None:
    """Read what these requests of the reading's source bring, with all that follows from it."""
    walk = _Walk(reading, fetcher, known.remembered, now)
    await walk.read((reading.source, request) for request in asked)


@asynccontextmanager
async def at_its_own_risk(reading: Reading, patience_s: float | None = None) -> AsyncIterator[None]:
    """Room for reading a source: whatever goes wrong, time included, becomes its own fault.

    It takes `patience_s` seconds at most, those of its kind where none are given, and beside them
    what it waits for its host's turn.
    """
    source = reading.source
    try:
        patience_s = patience_s or kind_of(source).patience_s
        async with patience(patience_s):
            yield
    except SourceError as error:
        reading.fail(str(error))
    except TimeoutError:
        # No word on whether it answers: it may have, again and again.
        reading.fail(str(SourceError(source.name, f"took longer than {patience_s:g} s")))
    except Exception as error:
        logger.exception("source.broke %s", json.dumps({"source": source.name}))
        told = f"could not be read ({type(error).__name__}: {error})"
        reading.fail(str(SourceError(source.name, told)))


def _add(reading: Reading, aside: Reading) -> None:
    """Put what was read aside into the reading, but for the day and count of its lists."""
    reading.parts |= {(_ASIDE, *place): part for place, part in aside.parts.items()}
    reading.remember |= aside.remember
    reading.answered |= aside.answered
    for fault in aside.faults:
        reading.fail(fault, unanswered=not aside.unreadable)


def _asked(source: Source, now: datetime) -> list[tuple[Source, Request]]:
    return [(source, request) for request in kind_of(source).requests(source, now)]


def _read_files(reading: Reading, base: Path, now: datetime) -> list[tuple[Source, Request]]:
    """Read every file; returns what lists of feeds among them ask for."""
    source = reading.source
    waiting: list[tuple[Source, Request]] = []
    for number, (name, body) in enumerate(read_files(source, base)):
        try:
            batch = read_batch(source, body, now)
        except SourceError as error:
            told = f"{os.path.relpath(name, base)}: {error.reason}"
            reading.fail(str(SourceError(source.name, told)))
        else:
            reading.take(batch, (_FILES, number))
            waiting += [asked for feed in batch.sources for asked in _asked(feed, now)]
    return waiting


class _Walk:
    """The way through a source's addresses: several at once, the pages of a list in turn."""

    def __init__(
        self, reading: Reading, fetcher: Fetcher, remembered: Mapping[str, str], now: datetime
    ) -> None:
        self._reading = reading
        self._fetcher = fetcher
        self._remembered = remembered
        self._now = now
        self._room = asyncio.Semaphore(AT_ONCE)

    async def read(self, asked: Iterable[tuple[Source, Request]], place: Place = ()) -> None:
        """Read each of these addresses with what it leads to; `place` is where they stand."""
        async with asyncio.TaskGroup() as group:
            for number, (source, request) in enumerate(asked):
                group.create_task(self._follow(source, request, (*place, number)))

    async def _follow(self, source: Source, first: Request, place: Place) -> None:
        """Read a list from its first page to its last, from the start again where it broke off."""
        for tries_left in reversed(range(RESTARTS + 1)):
            try:
                await self._pages(source, first, place)
            except RestartError as error:
                if not tries_left:
                    self._fail(first, error)
            else:
                return

    async def _pages(self, source: Source, request: Request, place: Place) -> None:
        """Read a page and those after it. Raises: RestartError where the list broke off."""
        before: Sequence[Listing] = ()
        following: Request | None = request
        asked: set[str] = set()
        while following:
            if following.url in asked:  # a page may name itself as its feed
                told = f"{following.url.partition('?')[0]} leads back to itself and to no listing"
                self._fail(request, SourceError(source.name, told))
                return
            asked.add(following.url)
            batch = await self._page(source, following)
            if batch is None or (batch.listings and batch.listings == before):
                return  # a source that does not count pages gives the last one again and again
            page = (*place, len(asked))
            self._reading.take(batch, page)
            before = batch.listings
            leads = [(source, part) for part in batch.also]
            leads += [one for feed in batch.sources for one in _asked(feed, self._now)]
            await self.read(leads, page)
            following = kind_of(source).follow(batch)
            if batch.next and not following:
                self._reading.note(f"{batch.next.page} pages were read; there are more")

    async def _page(self, source: Source, request: Request) -> Batch | None:
        """What one address holds; None where nothing changed, it rests, or it failed.

        What a failure taught (when to ask again, that an address is gone) is remembered. That a
        body was seen is remembered only once it could be read, and where it leads to no other.
        """
        memory = Remembered.from_json(self._remembered.get(request.url, "{}"))
        if memory.rests(self._now, request.rest_s):
            return None
        try:
            async with self._room:
                fetched = await self._fetcher.fetch(source, request, memory)
            batch = None
            if fetched.body is None:
                self._reading.answered = True
            else:
                # What it leads to is relative to where it came from, redirects and all.
                found_at = replace(source, url=fetched.url) if source.url else source
                batch = read_batch(found_at, fetched.body, self._now, request)
        except FetchError as error:
            self._remember(request, error.remember)
            self._reading.fail(str(error), unanswered=error.remember.unanswered)
            return None
        except RestartError:
            raise
        except SourceError as error:
            self._fail(request, error)
            return None
        seen = replace(fetched.remember, read_at=self._now)
        if batch and (batch.next or batch.also or batch.sources):
            # An answer that nothing changed here says nothing of where it leads to.
            seen = replace(seen, etag="", last_modified="", seen_url="")
        self._remember(request, seen)
        return batch

    def _fail(self, request: Request, error: SourceError) -> None:
        """Note a body that could not be read; it is asked for again, later."""
        memory = Remembered.from_json(self._remembered.get(request.url, "{}"))
        self._remember(request, memory.after_failure(self._now, error.reason))
        self._reading.fail(str(error))

    def _remember(self, request: Request, memory: Remembered) -> None:
        self._reading.remember[request.url] = memory.to_json()


def asks_again_at(remembered: Mapping[str, str]) -> datetime | None:
    """When the first of a source's failing addresses may be asked again; None when none fails."""
    waits = [Remembered.from_json(memory).retry_at for memory in remembered.values()]
    return min((at for at in waits if at), default=None)
