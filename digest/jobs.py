"""The story: listings in, digests out. Read this file to know what the product does.

The promise
-----------
- Nobody due is left out without a row that says why.
- At most one digest per subscriber and local day, whatever the clock, the zone rules, the number
  of processes or restarts: the ledger's row is unique and stands before the first SMTP byte.
- A kill at any point repeats at most the messages in flight, one a session, with the same
  Message-ID and the same bytes, since a mail is made from what its row has kept.
- Nobody is mailed after the unsubscribe was answered: that is asked right before the last byte.
- Nobody is blamed for the relay's trouble: the run pauses, and no attempt is counted.

`ingest` reads the sources, `prepare` opens the ledger's rows for who is due, `deliver` sends what
waits, `tidy` forgets what retention no longer allows. What is due stands in the store, so each may
be called at any time, by any number of processes, and again after a crash.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, closing, suppress
from datetime import date, datetime, timedelta
from typing import TypeVar

from digest.app import App
from digest.clock import Clock
from digest.errors import DigestError
from digest.fetcher import Fetcher
from digest.intake import added, known_of, rehearse_in, rehearse_past, take_in, take_in_past
from digest.mailer import Envelope, Mailer, Session
from digest.model import (
    Delivery,
    DeliveryState,
    Digest,
    Source,
    SourceRun,
)
from digest.planner import plan
from digest.preparing import Round, drafts
from digest.press import render
from digest.reader import (
    Known,
    Reading,
    at_its_own_risk,
    read_requests,
    read_source,
)
from digest.sending import Run, Told
from digest.share import EVERYBODY, Share
from digest.sources import kind_of

logger = logging.getLogger("digest")

T = TypeVar("T")

Done = Callable[[int], None]
"""Called with how many more sources, digests or mails are done, to show how far the work is."""

TURN_S = 120
"""How long the listings of a source wait for those of the sources before it in the config."""

PATIENCE = 3
"""Failures in a row after which the rest of a source's past is not asked for."""

# --- ingest: sources -> listings --------------------------------------------------------------


async def ingest(
    app: App,
    now: datetime,
    sources: Sequence[Source],
    *,
    dry: bool = False,
    done: Done = lambda more: None,
) -> list[SourceRun]:
    """Read these sources, join duplicates, store; one run for each, in their order.

    A source that fails is reported in its run and never keeps the others out. They are read side by
    side and stored in their order, so that of a paper that stands in two the first says its title.
    A `dry` run asks for whole lists and stores nothing.
    """
    stored = [asyncio.Event() for _ in sources]

    async def look(fetcher: Fetcher, place: int) -> SourceRun:
        try:
            known = known_of(app.store, sources[place], now)
            known = known.without_validators() if dry else known
            reading = Reading(sources[place])
            async with at_its_own_risk(reading):
                await read_source(reading, fetcher, known, app.folder, now)
            await _all_set(stored[:place], TURN_S)
            step = rehearse_in if dry else take_in
            return await asyncio.to_thread(step, app.store, reading, now)
        finally:
            stored[place].set()
            done(1)

    return await _at_once(app, range(len(sources)), look)


async def _all_set(events: Iterable[asyncio.Event], patience_s: float) -> None:
    """Wait until all of these are set, at most for so long."""
    with suppress(TimeoutError):
        async with asyncio.timeout(patience_s):
            for event in events:
                await event.wait()


async def backfill(  # noqa: PLR0913  # the last two have defaults that suit the service
    app: App,
    now: datetime,
    sources: Sequence[Source],
    since: date,
    *,
    dry: bool = False,
    done: Done = lambda more: None,
) -> list[SourceRun]:
    """Store what these sources announced since a day, for no mail; one account for each.

    Asked in stretches of days, oldest first; what one brought is stored before the next. A source
    that fails three times in a row is left in peace. `done` is called with each stretch.
    """

    async def look(fetcher: Fetcher, source: Source) -> SourceRun:
        runs: list[SourceRun] = []
        for request in kind_of(source).backfill(source, since, now):
            if len(runs) >= PATIENCE and all(run.error for run in runs[-PATIENCE:]):
                break
            reading = Reading(source)
            async with at_its_own_risk(reading):
                await read_requests(reading, fetcher, Known(), [request], now)
            step = rehearse_past if dry else take_in_past
            runs.append(await asyncio.to_thread(step, app.store, reading, now))
            done(1)
        return added(source, runs, now)

    return await _at_once(app, sources, look)


async def _at_once(
    app: App, sources: Iterable[T], look: Callable[[Fetcher, T], Awaitable[SourceRun]]
) -> list[SourceRun]:
    """The runs of these sources, looked at side by side; what no source is to blame for raises."""
    async with app.fetcher() as fetcher:
        looks = [look(fetcher, source) for source in sources]
        runs = await asyncio.gather(*looks, return_exceptions=True)
    for run in runs:
        if isinstance(run, BaseException):
            raise run
    return [run for run in runs if isinstance(run, SourceRun)]


def due_sources(app: App, now: datetime) -> list[Source]:
    """The sources whose `every` has passed, or whose failure is to be looked into again."""
    latest = app.store.latest_runs()
    return [
        source
        for source in app.config.sources
        if source.name not in latest or _is_due(source, latest[source.name], now)
    ]


def _is_due(source: Source, run: SourceRun, now: datetime) -> bool:
    usual = run.started_at + timedelta(seconds=source.every_s)
    again_at = min(usual, run.retry_at) if run.retry_at else usual
    return again_at <= now or run.started_at > now  # a clock that was ahead has been put right


# --- prepare: listings -> digests in the ledger ------------------------------------------------


def prepare(  # noqa: PLR0913  # the last four have defaults that suit one machine
    app: App,
    now: datetime,
    *,
    share: Share = EVERYBODY,
    at_once: bool = False,
    stopping: Callable[[], bool] = lambda: False,
    done: Done = lambda more: None,
) -> Counter[DeliveryState]:
    """Open a ledger row for everyone due: queued with its digest, or empty with its reason.

    Of several workers each takes a `share` of the people, lest two plan for the same. `at_once`
    takes everyone who has no digest today, whatever their hour and days. `stopping` ends the run
    between two batches; who is left over is due again.
    Raises: DigestError before the first source was read, as everyone's day would count as empty.
    """
    _check_read(app)
    app.store.resume(now)
    tally: Counter[DeliveryState] = Counter()
    with closing(drafts(app, Round(now, share, at_once), stopping)) as batches:
        for batch in batches:
            app.store.open_deliveries(app.frame, batch, now)
            tally.update(
                DeliveryState.QUEUED if digest.mailed else DeliveryState.EMPTY for digest in batch
            )
            done(len(batch))
    return tally


def _check_read(app: App) -> None:
    """Raises: DigestError before the first source was read."""
    names = [source.name for source in app.config.sources]
    if not names or any(app.store.last_success_at(name) for name in names):
        return
    latest = app.store.latest_runs()
    if failed := [latest[name].error for name in names if name in latest]:
        more = f" (and {len(failed) - 1} more)" if len(failed) > 1 else ""
        raise DigestError(f"digests wait, as no source could be read so far: {failed[0]}{more}")
    raise DigestError("digests wait for the first source to be read; `digest ingest` reads all")


async def rehearse(
    app: App,
    now: datetime,
    mailer: Mailer,
    *,
    at_once: bool = False,
    done: Done = lambda more: None,
) -> list[Digest]:
    """Hand the mails that are due to `mailer` without a ledger row: nothing is sent or recorded.

    Raises: DigestError before the first source was read.
    """
    _check_read(app)
    due = app.store.due(now, sys.maxsize, at_once=at_once)
    digests = list(plan(app, due, now))
    async with mailer.session() as session:
        for digest in digests:
            if digest.mailed:
                raw = render(app, draft(app, digest, now)).raw
                recipient = digest.subscriber.email
                await session.send(Envelope(app.envelope_sender, recipient, raw), lambda: True)
            done(1)
    return digests


def draft(app: App, digest: Digest, now: datetime) -> Delivery:
    """A delivery that stands in no ledger, to look at what would be sent."""
    message_id = f"draft.{digest.digest_on}@{app.envelope_sender.rpartition('@')[2]}"
    return Delivery(0, DeliveryState.QUEUED, message_id, digest, app.frame, now)


# --- deliver: the ledger -> mail servers -------------------------------------------------------


async def deliver(
    app: App,
    clock: Clock,
    *,
    share: Share = EVERYBODY,
    stopping: Callable[[], bool] = lambda: False,
    told: Told = lambda lease, outcome, state: None,
) -> Counter[DeliveryState]:
    """Send what waits in the ledger until nothing does or the relay is in trouble.

    Of several workers each sends to a `share` of the people, lest two look at the same rows.
    Each try is recorded in its row as soon as the server answered. `clock` is read between
    messages, since a run may last for hours; `stopping` ends the run after those in flight.
    """
    await asyncio.to_thread(app.store.expire, clock())
    run = Run(app, clock, stopping, told, share)
    async with _sessions(app.mailer) as sessions, run.open():
        # A session that fails lets the others finish and record what they have in flight.
        ends = await asyncio.gather(*map(run.work, sessions), return_exceptions=True)
    for end in ends:
        if isinstance(end, BaseException):
            raise end
    return run.tally


@asynccontextmanager
async def _sessions(mailer: Mailer) -> AsyncIterator[list[Session]]:
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(mailer.session()) for _ in range(mailer.workers)]


# --- tidy ---------------------------------------------------------------------------------------


def tidy(app: App, now: datetime) -> dict[str, int]:
    """Delete what retention no longer allows; returns how many rows per table."""
    return {
        **app.store.tidy(now),
        **app.store.tidy_signups(now),
        **app.store.tidy_sources(now),
        **app.store.tidy_returns(now),
        "beats": app.store.tidy_beats(now),
    }
