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
from digest.sources import Batch, kind_of, read_batch

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
    fetcher: Fetcher, remembered: Mapping[str, str], source: Source, base: Path, now: datetime
) -> Reading:
    """Read a source from its files or the web; relative paths begin at `base`."""
    reading = Reading(source)
    try:
        if source.path:
            _read_files(reading, base, now)
        else:
            await _read_pages(reading, fetcher, remembered, now)
    except SourceError as error:
        reading.error = str(error)
    return reading


def _read_files(reading: Reading, base: Path, now: datetime) -> None:
    """Read every file; a broken one is named and does not keep the others out."""
    source = reading.source
    faults = []
    for name, body in read_files(source, base):
        try:
            reading.take(read_batch(source, body, now))
        except SourceError as error:
            reason = str(error).removeprefix(str(SourceError(source.name, "")))
            faults.append(f"{os.path.relpath(name, base)}: {reason}")
    if faults:
        more = f" (and {len(faults) - 1} more of its files)" if faults[1:] else ""
        raise SourceError(source.name, faults[0] + more)


async def _read_pages(
    reading: Reading, fetcher: Fetcher, remembered: Mapping[str, str], now: datetime
) -> None:
    """Ask for every address of a source and follow its pages, and the feeds it names, to the end.

    What a failure taught (when to ask again, that an address is gone) is remembered. That a body
    was seen is remembered only once it could be read, so that a broken one is asked for again.
    """
    waiting = [
        (reading.source, one) for one in kind_of(reading.source).requests(reading.source, now)
    ]
    while waiting:
        source, request = waiting.pop(0)
        known = remembered.get(request.url)
        memory = Remembered.from_json(known) if known else None
        try:
            fetched = await fetcher.fetch(source, request, memory)
        except FetchError as error:
            reading.remember[request.url] = error.remember.to_json()
            raise
        if fetched.body is not None:
            batch = read_batch(source, fetched.body, now, request.page)
            reading.take(batch)
            further = kind_of(source).follow(batch)
            waiting[:0] = [(source, further)] if further else []
            waiting += [
                (feed, one) for feed in batch.sources for one in kind_of(feed).requests(feed, now)
            ]
        reading.remember[request.url] = fetched.remember.to_json()


def asks_again_at(remembered: Mapping[str, str]) -> datetime | None:
    """When the first of a source's failing addresses may be asked again; None when none fails."""
    waits = [Remembered.from_json(memory).retry_at for memory in remembered.values()]
    return min((at for at in waits if at), default=None)
