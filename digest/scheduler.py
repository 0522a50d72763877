"""The timetable of one process that serves alone: APScheduler calls each step in its interval."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.interval import IntervalTrigger

from digest.ticks import Step, Ticks, steps_of


class Intervals:
    """Steps that are called in this process, each in its interval."""

    def __init__(self, ticks: Ticks, steps: Mapping[str, Step]) -> None:
        self._ticks = ticks
        self._steps = steps
        self._every: dict[str, int] = {}
        self._scheduler = AsyncIOScheduler(timezone="UTC")

    def call(self, every: Mapping[str, int]) -> None:
        """Call these from now on, in so many seconds; one that stays as it was goes on."""
        for name in self._every.keys() - every.keys():
            self._scheduler.remove_job(name)
        for name, every_s in every.items():
            if self._every.get(name) != every_s:
                self._add(name, every_s)
        self._every = dict(every)

    def _add(self, name: str, every_s: int) -> None:
        self._scheduler.add_job(
            self._ticks.guarded(name, self._steps[name]),
            IntervalTrigger(seconds=every_s, timezone="UTC"),
            id=name,
            name=name,
            next_run_time=datetime.now(UTC),
            replace_existing=True,
            coalesce=True,
            max_instances=1,
            misfire_grace_time=None,  # the default drops a tick that starts a second late
        )

    def hurry(self, name: str) -> None:
        """Let a step run now instead of at its next tick, or once more if it is under way."""
        if not self._ticks.follow(name):
            self._scheduler.modify_job(name, next_run_time=datetime.now(UTC))

    def start(self) -> None:
        """Begin to call them."""
        self._scheduler.start()

    def pause(self) -> None:
        """Begin none any more."""
        self._scheduler.pause()

    def end(self) -> None:
        """Cancel what still runs."""
        self._scheduler.shutdown(wait=False)


class Timetable:
    """Every step in this process, in the intervals of the settings in force."""

    def __init__(self, ticks: Ticks) -> None:
        self.ticks = ticks
        self._intervals = Intervals(
            ticks,
            {
                "prepare": self._prepare,
                "deliver": ticks.deliver,
                "write": ticks.write,
                "tidy": ticks.tidy,
                "collect": ticks.collect,
                "oversee": self._oversee,
                "reload": self._reload,
            },
        )

    async def start(self) -> None:
        """Call the steps from now on."""
        self._call()
        self._intervals.start()

    def _call(self) -> None:
        """Call the steps of the settings in force, and no other."""
        steps = steps_of(self.ticks.app)
        self._intervals.call(steps)
        self.ticks.pulse.expect(steps, self.ticks.clock())

    def hurry(self, name: str) -> None:
        """Let a step run now instead of at its next tick, or once more if it is under way."""
        self._intervals.hurry(name)

    def read(self, source: str) -> None:
        """Read a source now, by its name."""
        self.ticks.begin(self.ticks.guarded("ingest", lambda: self.ticks.read(source)))

    async def stop(self) -> None:
        """Call no step any more, and wait for the messages in flight."""
        self._intervals.pause()
        await self.ticks.finish()
        self._intervals.end()  # it cancels what still runs, so it comes last

    async def _prepare(self) -> None:
        await self.ticks.prepare()
        self.hurry("deliver")

    async def _oversee(self) -> None:
        if await self.ticks.oversee():
            self.hurry("write")

    async def _reload(self) -> None:
        if await self.ticks.reload():
            self._call()
            for name in ("prepare", "deliver", "write"):
                self.hurry(name)
