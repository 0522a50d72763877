"""The steps of a running service, which call the story; when each is called is a timetable's part.

Ticks hold no state: what is due stands in the store, so a tick that came late, twice or after a
restart does no harm. Two steps run beside each other: one reads sources and prepares digests from
them, one sends; so a long run of mails delays nobody else's digest.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Coroutine
from datetime import timedelta
from typing import Protocol

from digest import collecting, jobs, mailroom, oversight
from digest.app import App
from digest.clock import Clock
from digest.errors import DigestError
from digest.reloading import Settings
from digest.share import EVERYBODY, Share
from digest.web import Pulse, Site

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


Step = Callable[[], Awaitable[None]]


class Timetable(Protocol):
    """When each step is called, in this process or in any that works for the same service."""

    ticks: Ticks

    async def start(self) -> None:
        """Call the steps from now on. Raises: StoreError."""

    def hurry(self, name: str) -> None:
        """Let a step run now instead of at its next tick, or once more if it is under way."""

    def read(self, source: str) -> None:
        """Read a source now, by its name."""

    async def stop(self) -> None:
        """Call no step any more, and wait for the messages in flight."""


class Ticks:
    """The steps that are called again and again, each safe to call at any time.

    `guest` names this machine where it is not the one whose config says who the file's subscribers
    are.

    `running` holds what has begun and not ended, so that a stop can wait for it. Each run takes the
    parts as they are when it begins and keeps them to its end; `reload` puts others in place.
    """

    def __init__(
        self,
        app: App,
        clock: Clock,
        stop: asyncio.Event,
        pulse: Pulse | None = None,
        guest: str = "",
    ) -> None:
        self.app, self.clock, self.stop, self.guest = app, clock, stop, guest
        self.pulse = Pulse() if pulse is None else pulse
        self.running: set[asyncio.Task[None]] = set()
        self.followers: list[Site] = []
        self.asked = False
        self._settings = Settings(app, self.pulse, guest)
        self._under_way: set[str] = set()
        self._again: set[str] = set()
        self._reading: asyncio.Task[None] | None = None

    async def prepare(self) -> None:
        """Read the sources whose time has come, then open the digests that are due."""
        # A slow source must not hold up everybody's digest: what it brings comes with the next.
        await self.ingest(INGEST_PATIENCE_S)
        await self.open()

    async def open(self, share: Share = EVERYBODY) -> None:
        """Open the digests of a share that are due."""
        # Matching is work for the processor: in a thread, so that SMTP goes on meanwhile.
        await asyncio.to_thread(
            jobs.prepare, self.app, self.clock(), share=share, stopping=self._stopping()
        )

    async def ingest(self, patience_s: float | None = None) -> None:
        """Read the sources whose time has come; wait for them, at most for so long."""
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self.guarded("ingest", self._ingest)())
        await asyncio.wait({self._reading}, timeout=patience_s)

    async def _ingest(self) -> None:
        if due := jobs.due_sources(self.app, self.clock()):
            await jobs.ingest(self.app, self.clock(), due)

    async def read(self, name: str) -> None:
        """Read one source now, after those that are being read."""
        if self._reading and not self._reading.done():
            await asyncio.wait({self._reading})
        named = [source for source in self.app.config.sources if source.name == name]
        await jobs.ingest(self.app, self.clock(), named)

    async def deliver(self, share: Share = EVERYBODY) -> None:
        """Send the digests of a share that wait."""
        await jobs.deliver(
            self.app,
            self.clock,
            share=share,
            stopping=self._stopping(),
            told=lambda lease, outcome, state: self.pulse.outcomes.update([state]),
        )

    async def write(self) -> None:
        """Send the letters that wait."""
        await mailroom.send_letters(self.app, self.clock, stopping=self._stopping())

    async def collect(self) -> None:
        """Take back what has come to the Maildir and the mailbox."""
        await asyncio.to_thread(collecting.collect, self.app, self.clock)

    async def collect_here(self) -> None:
        """Take back what has come to the Maildir, where it is on this machine."""
        folder = self.app.config.bounces.maildir
        if folder and folder.is_dir():
            await asyncio.to_thread(collecting.collect, self.app, self.clock, mailbox=False)

    async def collect_mailbox(self) -> None:
        """Take back what has come to the mailbox."""
        await asyncio.to_thread(collecting.collect, self.app, self.clock, maildir=False)

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

    def begin(self, step: Callable[[], Coroutine[None, None, None]]) -> None:
        """Let something run that a stop waits for."""
        task = asyncio.create_task(step())
        self.running.add(task)
        task.add_done_callback(self.running.discard)

    def follow(self, name: str) -> bool:
        """Whether this step is under way; if so, it runs once more right after.

        What has come up meanwhile it may have missed, and APScheduler drops a tick whose
        predecessor still runs.
        """
        if name in self._under_way:
            self._again.add(name)
        return name in self._under_way

    def guarded(self, name: str, step: Step) -> Callable[[], Coroutine[None, None, None]]:
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
