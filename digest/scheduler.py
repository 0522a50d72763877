"""The service: APScheduler ticks that call the story, and the web pages, until told to stop.

Ticks hold no state: what is due stands in the store, so a tick that came late, twice or after a
restart does no harm. Two jobs run beside each other: one reads sources and prepares digests from
them, one sends; so a long run of mails delays nobody else's digest.
"""

from __future__ import annotations

import asyncio
import json
import logging
import signal
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from functools import partial

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.interval import IntervalTrigger

from digest import jobs, mailroom
from digest.app import App
from digest.errors import DigestError
from digest.web import Site, listen, serve_site

logger = logging.getLogger("digest")

TICK_S = 30
"""Seconds between two looks at what is due: a mail leaves at most this late."""

TIDY_S = int(timedelta(hours=6).total_seconds())

STOP_S = 30.0
"""Seconds that a stop waits for messages in flight; what is cut off then is `unknown`."""


async def serve(app: App, clock: jobs.Clock) -> None:
    """Run until SIGTERM or SIGINT; messages in flight are finished and recorded.

    Raises: DigestError when the port of the web pages cannot be had.
    """
    sock = listen(app.config.web)
    stop, loop = stop_signal(), asyncio.get_running_loop()
    running: set[asyncio.Task[None]] = set()
    scheduler = AsyncIOScheduler(timezone="UTC")

    async def prepare() -> None:
        await read_and_prepare(app, clock)
        # What was opened now need not wait for the next tick.
        scheduler.modify_job("deliver", next_run_time=datetime.now(UTC))

    async def deliver() -> None:
        await jobs.deliver(app, clock, stopping=stop.is_set)

    async def write() -> None:
        await mailroom.send_letters(app, clock, stopping=stop.is_set)

    async def tidy() -> None:
        await asyncio.to_thread(jobs.tidy, app, clock())

    for name, step, every_s in (
        ("prepare", prepare, TICK_S),
        ("deliver", deliver, TICK_S),
        ("write", write, TICK_S),
        ("tidy", tidy, TIDY_S),
    ):
        scheduler.add_job(
            _guarded(name, step, running),
            IntervalTrigger(seconds=every_s, timezone="UTC"),
            id=name,
            next_run_time=datetime.now(UTC),
            coalesce=True,
            max_instances=1,
            misfire_grace_time=None,  # the default drops a tick that starts a second late
        )
    scheduler.start()
    logger.info("service.started")

    def wake() -> None:
        """Let letters go out now: a visitor looks at the inbox. Called from the site's threads."""
        loop.call_soon_threadsafe(
            partial(scheduler.modify_job, "write", next_run_time=datetime.now(UTC))
        )

    await serve_site(Site(app, clock, wake), sock, stop)
    logger.info("service.stopping")
    scheduler.pause()
    if running:
        await asyncio.wait(running, timeout=STOP_S)
    scheduler.shutdown(wait=False)  # it cancels what still runs, so it comes last
    logger.info("service.stopped")


def stop_signal() -> asyncio.Event:
    """An event that SIGTERM or SIGINT sets, instead of ending the process where it stands."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return stop


async def read_and_prepare(app: App, clock: jobs.Clock) -> None:
    """Read the sources whose time has come, then open the digests that are due."""
    if due := jobs.due_sources(app, clock()):
        await jobs.ingest(app, clock(), due)
    # Matching is work for the processor: in a thread, so that SMTP goes on meanwhile.
    await asyncio.to_thread(jobs.prepare, app, clock())


def _guarded(
    name: str, step: Callable[[], Awaitable[None]], running: set[asyncio.Task[None]]
) -> Callable[[], Awaitable[None]]:
    """A step whose faults are logged and leave the next tick its chance."""

    async def tick() -> None:
        task = asyncio.current_task()
        if task:
            running.add(task)
            task.add_done_callback(running.discard)
        try:
            await step()
        except DigestError as error:
            # The reason says it all: a known fault needs no traceback in the log.
            logger.error("tick.failed %s", json.dumps({"step": name, "reason": str(error)}))  # noqa: TRY400
        except Exception:
            logger.exception("tick.broke %s", json.dumps({"step": name}))

    return tick
