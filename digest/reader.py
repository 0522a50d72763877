"""One source read to its end: its files, or its pages on the web, into listings.

Raises nothing for a source's own faults: what could be read is kept beside the first error.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

from digest.errors import SourceError
from digest.fetcher import Fetcher, FetchError, Remembered, read_files
from digest.model import Listing, Source
from digest.sources import Batch, Request, kind_of, read_batch

logger = logging.getLogger("digest")


@dataclass(slots=True)
class Reading:
    """What one source gave: listings in its order, and `error`, empty when all of it was read.

    `remember` is what the next fetch needs to know of each URL, as JSON.
    """

    source: Source
    listings: list[Listing] = field(default_factory=list)
    announced: int | None = None
    batch_on: date | None = None
    error: str = ""
    remember: dict[str, str] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def fail(self, fault: str) -> None:
        """Note a fault; the first one is told, with how many more there are."""
        self.faults.append(fault)
        more = f" (and {len(self.faults) - 1} more)" if self.faults[1:] else ""
        self.error = self.faults[0] + more

    def take(self, batch: Batch) -> None:
        """Add what one file or page held."""
        self.listings.extend(batch.listings)
        if batch.announced is not None:
            self.announced = (self.announced or 0) + batch.announced
        if batch.batch_on:
            self.batch_on = max(self.batch_on or batch.batch_on, batch.batch_on)
        for note in batch.notes:
            logger.info("source.note %s", json.dumps({"source": self.source.name, "note": note}))


async def read_source(
    reading: Reading, fetcher: Fetcher, remembered: Mapping[str, str], base: Path, now: datetime
) -> None:
    """Read the reading's source to its end; relative paths begin at `base`.

    A file, an address or a feed of a list that fails is named; the others are read all the same.
    """
    source = reading.source
    try:
        waiting = _read_files(reading, base, now) if source.path else _asked(source, now)
        while waiting:
            waiting[:1] = await _read_page(reading, waiting[0], fetcher, remembered, now)
    except SourceError as error:
        reading.fail(str(error))


def _asked(source: Source, now: datetime) -> list[tuple[Source, Request]]:
    return [(source, request) for request in kind_of(source).requests(source, now)]


def _read_files(reading: Reading, base: Path, now: datetime) -> list[tuple[Source, Request]]:
    """Read every file; returns what lists of feeds among them ask for."""
    source = reading.source
    waiting: list[tuple[Source, Request]] = []
    for name, body in read_files(source, base):
        try:
            batch = read_batch(source, body, now)
        except SourceError as error:
            reason = str(error).removeprefix(str(SourceError(source.name, "")))
            reading.fail(str(SourceError(source.name, f"{os.path.relpath(name, base)}: {reason}")))
        else:
            reading.take(batch)
            waiting += [asked for feed in batch.sources for asked in _asked(feed, now)]
    return waiting


async def _read_page(
    reading: Reading,
    asked: tuple[Source, Request],
    fetcher: Fetcher,
    remembered: Mapping[str, str],
    now: datetime,
) -> list[tuple[Source, Request]]:
    """Read one address; returns what its body leads to.

    What a failure taught (when to ask again, that an address is gone) is remembered. That a body
    was seen is remembered only once it could be read, so that a broken one is asked for again.
    """
    source, request = asked
    known = remembered.get(request.url)
    memory = Remembered.from_json(known) if known else None
    leads: list[tuple[Source, Request]] = []
    try:
        fetched = await fetcher.fetch(source, request, memory)
        if fetched.body is not None:
            batch = read_batch(source, fetched.body, now, request.page)
            reading.take(batch)
            further = kind_of(source).follow(batch)
            leads = [(source, further)] if further else []
            leads += [one for feed in batch.sources for one in _asked(feed, now)]
        reading.remember[request.url] = fetched.remember.to_json()
    except FetchError as error:
        reading.remember[request.url] = error.remember.to_json()
        reading.fail(str(error))
    except SourceError as error:
        failed = (memory or Remembered()).after_failure(now, None, gone=False)
        reading.remember[request.url] = failed.to_json()
        reading.fail(str(error))
    return leads


def asks_again_at(remembered: Mapping[str, str]) -> datetime | None:
    """When the first of a source's failing addresses may be asked again; None when none fails."""
    waits = [Remembered.from_json(memory).retry_at for memory in remembered.values()]
    return min((at for at in waits if at), default=None)
