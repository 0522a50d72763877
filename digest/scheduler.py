"""The service: APScheduler ticks that call the story, and the web pages, until told to stop.

Ticks hold no state: what is due stands in the store, so a tick that came late, twice or after a
restart does no harm. Two jobs run beside each other: one reads sources and prepares digests from
them, one sends; so a long run of mails delays nobody else's digest.
"""

from __future__ import annotations

import asyncio
import json
import logging
import platform
import signal
import sqlite3
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from datetime import UTC, datetime, timedelta

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.interval import IntervalTrigger

from digest import __version__, collecting, jobs, mailroom, oversight
from digest.app import App
from digest.doctor import Finding, Level
from digest.doctor.machine import python_finding
from digest.errors import DigestError
from digest.reloading import Settings
from digest.sending import Clock
from digest.web import Pulse, Site, check_tokens, listen, serve_site

logger = logging.getLogger("digest")

TICK_S = 30
"""Seconds between two looks at what is due: a mail leaves at most this late."""

INGEST_PATIENCE_S = 60
"""Seconds that digests wait for sources that are being read."""

TIDY_S = int(timedelta(hours=6).total_seconds())

RELOAD_S = 10
"""Seconds between two looks whether the settings have changed."""

STEPS = {
    "prepare": TICK_S,
    "deliver": TICK_S,
    "write": TICK_S,
    "tidy": TIDY_S,
    "reload": RELOAD_S,
    "oversee": TICK_S,
}
"""The steps of every service, with the seconds between two runs of each."""

STOP_S = 30.0
"""Seconds that a stop waits for messages in flight; what is cut off then is `unknown`."""


def steps_of(app: App) -> dict[str, int]:
    """The steps of this service: it looks for what came back where the config names a place."""
    collecting_s = app.config.bounces.every_s
    return STEPS | ({"collect": collecting_s} if collecting.has_places(app) else {})


class Ticks:
    """The steps that the scheduler calls again and again, each safe to call at any time.

    `running` holds what has begun and not ended, so that a stop can wait for it. Each run takes the
    parts as they are when it begins and keeps them to its end; `reload` puts others in place.
    """

    def __init__(
        self, app: App, clock: Clock, stop: asyncio.Event, pulse: Pulse | None = None
    ) -> None:
        self.app, self.clock, self.stop = app, clock, stop
        self.pulse = pulse or Pulse()
        self.running: set[asyncio.Task[None]] = set()
        self.followers: list[Site] = []
        self.asked = False
        self._settings = Settings(app, self.pulse)
        self._under_way: set[str] = set()
        self._again: set[str] = set()
        self._reading: asyncio.Task[None] | None = None

    async def prepare(self) -> None:
        """Read the sources whose time has come, then open the digests that are due."""
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self.guarded("ingest", self._ingest)())
        # A slow source must not hold up everybody's digest: what it brings comes with the next.
        await asyncio.wait({self._reading}, timeout=INGEST_PATIENCE_S)
        # Matching is work for the processor: in a thread, so that SMTP goes on meanwhile.
        stopping = self._stopping()
        await asyncio.to_thread(jobs.prepare, self.app, self.clock(), stopping=stopping)

    async def _ingest(self) -> None:
        if due := jobs.due_sources(self.app, self.clock()):
            await jobs.ingest(self.app, self.clock(), due)

    async def read(self, name: str) -> None:
        """Read one source now, after those that are being read."""
        if self._reading and not self._reading.done():
            await asyncio.wait({self._reading})
        named = [source for source in self.app.config.sources if source.name == name]
        await jobs.ingest(self.app, self.clock(), named)

    async def deliver(self) -> None:
        """Send the digests that wait."""
        await jobs.deliver(
            self.app,
            self.clock,
            stopping=self._stopping(),
            told=lambda lease, outcome, state: self.pulse.outcomes.update([state]),
        )

    async def write(self) -> None:
        """Send the letters that wait."""
        await mailroom.send_letters(self.app, self.clock, stopping=self._stopping())

    async def collect(self) -> None:
        """Take back what has come to the Maildir and the mailbox."""
        await asyncio.to_thread(collecting.collect, self.app, self.clock)

    async def tidy(self) -> None:
        """Forget what retention no longer allows."""
        await asyncio.to_thread(jobs.tidy, self.app, self.clock())

    async def oversee(self) -> int:
        """Let the operator be told what they should know; how many notes that makes."""
        return await asyncio.to_thread(oversight.oversee, self.app, self.clock())

    async def reload(self) -> bool:
        """Take up settings that have changed; whether there are any."""
        asked, self.asked = self.asked, False
        fresh = await asyncio.to_thread(self._settings.changed, self.app, self.clock(), asked=asked)
        if fresh is None:
            return False
        self.app = fresh
        for one in self.followers:
            one.app = fresh
        return True

    def _stopping(self) -> Callable[[], bool]:
        """Whether a run that begins now has to end: at a stop, and when other parts are in force.

        Then it ends after the messages in flight, and the next run goes on by the new settings.
        """
        app = self.app
        return lambda: self.stop.is_set() or self.app is not app

    async def finish(self) -> None:
        """Wait for the messages in flight; sources are asked again another time."""
        if self._reading:
            self._reading.cancel()
        if self.running:
            await asyncio.wait(self.running, timeout=STOP_S)

    def follow(self, name: str) -> bool:
        """Whether this step is under way; if so, it runs once more right after.

        What has come up meanwhile it may have missed, and APScheduler drops a tick whose
        predecessor still runs.
        """
        if name in self._under_way:
            self._again.add(name)
        return name in self._under_way

    def guarded(
        self, name: str, step: Callable[[], Awaitable[None]]
    ) -> Callable[[], Coroutine[None, None, None]]:
        """A step whose faults are logged and leave the next tick its chance."""

        async def once() -> None:
            self.pulse.begin(name, self.clock())
            failed = True
            try:
                await step()
                failed = False
            except DigestError as error:
                # The reason says it all: a known fault needs no traceback in the log.
                logger.error("tick.failed %s", json.dumps({"step": name, "reason": str(error)}))  # noqa: TRY400
            except Exception:
                logger.exception("tick.broke %s", json.dumps({"step": name}))
            finally:
                self.pulse.end(name, self.clock(), failed=failed)

        async def tick() -> None:
            task = asyncio.current_task()
            if task:
                self.running.add(task)
                task.add_done_callback(self.running.discard)
            self._under_way.add(name)
            try:
                await once()
                while name in self._again and not self.stop.is_set():
                    self._again.discard(name)
                    await once()
            finally:
                self._under_way.discard(name)

        return tick


class Timetable:
    """When each step is called: by APScheduler, in the intervals of the settings in force."""

    def __init__(self, ticks: Ticks) -> None:
        self._ticks = ticks
        self._every: dict[str, int] = {}
        self.scheduler = AsyncIOScheduler(timezone="UTC")

    def call(self, steps: Mapping[str, int]) -> None:
        """Call these steps from now on, and no other; one that stays as it was goes on."""
        for name in self._every.keys() - steps.keys():
            self.scheduler.remove_job(name)
        for name, every_s in steps.items():
            if self._every.get(name) != every_s:
                self._add(name, every_s)
        self._every = dict(steps)
        self._ticks.pulse.expect(steps, self._ticks.clock())

    def _add(self, name: str, every_s: int) -> None:
        self.scheduler.add_job(
            self._ticks.guarded(name, getattr(self, f"_{name}", getattr(self._ticks, name))),
            IntervalTrigger(seconds=every_s, timezone="UTC"),
            id=name,
            next_run_time=datetime.now(UTC),
            replace_existing=True,
            coalesce=True,
            max_instances=1,
            misfire_grace_time=None,  # the default drops a tick that starts a second late
        )

    def hurry(self, name: str) -> None:
        """Let a step run now instead of at its next tick, or once more if it is under way."""
        if not self._ticks.follow(name):
            self.scheduler.modify_job(name, next_run_time=datetime.now(UTC))

    async def _prepare(self) -> None:
        await self._ticks.prepare()
        self.hurry("deliver")

    async def _oversee(self) -> None:
        if await self._ticks.oversee():
            self.hurry("write")

    async def _reload(self) -> None:
        if await self._ticks.reload():
            self.call(steps_of(self._ticks.app))
            for name in ("prepare", "deliver", "write"):
                self.hurry(name)


async def serve(app: App, clock: Clock) -> None:
    """Run until SIGTERM or SIGINT; messages in flight are finished and recorded.

    SIGHUP has the settings read again. Raises: DigestError when the port of the web pages or of the
    listener cannot be had, ConfigError when a token of theirs cannot be used.
    """
    check_tokens(app.config)
    ticks = Ticks(app, clock, stop_signal(), Pulse(steps_of(app), clock()))
    async with collecting.open_listener(lambda: ticks.app, clock):
        await _serve(ticks)


async def _serve(ticks: Ticks) -> None:
    sock = listen(ticks.app.config.web)
    loop, table = asyncio.get_running_loop(), Timetable(ticks)
    for topic in ("settings", "relays"):  # what the process before this one has said of itself
        ticks.app.store.note_state(topic, [], ticks.clock())
    table.call(steps_of(ticks.app))
    table.scheduler.start()
    log_start(python_finding(ticks.clock()))

    def wake() -> None:
        """Let letters go out: a visitor looks at the inbox. Called from the site's threads."""
        loop.call_soon_threadsafe(table.hurry, "write")

    def read_now(name: str) -> None:
        """Let a source be read. Called from the site's threads."""
        step = ticks.guarded("ingest", lambda: ticks.read(name))
        asyncio.run_coroutine_threadsafe(step(), loop)

    def reload() -> None:
        """Read the settings again, changed or not."""
        ticks.asked = True
        table.hurry("reload")

    loop.add_signal_handler(signal.SIGHUP, reload)
    site = Site(ticks.app, ticks.clock, wake, read_now=read_now, pulse=ticks.pulse)
    ticks.followers.append(site)
    await serve_site(site, sock, ticks.stop)
    logger.info("service.stopping")
    table.scheduler.pause()
    await ticks.finish()
    table.scheduler.shutdown(wait=False)  # it cancels what still runs, so it comes last
    logger.info("service.stopped")


def log_start(python: Finding) -> None:
    """Tell what runs here, and warn where this Python lacks the fixes that mail needs (D5)."""
    told = {
        "version": __version__,
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
    }
    logger.info("service.started %s", json.dumps(told))
    if python.level is not Level.OK:
        logger.warning("python.old %s", json.dumps({"found": python.found, "do": python.do}))


def stop_signal() -> asyncio.Event:
    """An event that SIGTERM or SIGINT sets, instead of ending the process where it stands."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return stop
