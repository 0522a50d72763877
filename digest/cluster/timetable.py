"""The timetable of a worker: steps that wait in a queue for any of them, and its own.

Once for the whole service, whatever the number of its workers: what is due is dealt out, sources
are read, the mailbox is fetched, letters are written, rows are forgotten, the operator is told.
Such a step has a lock, so that it runs once at a time, and waits once at most. Preparing and
sending go out as jobs of their own, one for each share of the subscribers. Each process for itself
takes up settings, empties the Maildir of its machine, and looks after the queue.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Any

from procrastinate import App as Queue
from procrastinate import JobContext
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException
from procrastinate.tasks import Task

from digest.app import App
from digest.clock import Clock
from digest.cluster.pulse import SharedPulse
from digest.cluster.queue import Manager, cron, make_connector, make_queue, why, worded
from digest.cluster.rescue import Rescue
from digest.cluster.schema import make_queue_tables
from digest.scheduler import Intervals
from digest.share import Share, shares
from digest.store.operating import living
from digest.ticks import INGEST_PATIENCE_S, RELOAD_S, TICK_S, TIDY_S, Ticks

logger = logging.getLogger("digest")

LOOK_S = 10
"""Seconds between two looks after the queue and the other workers."""

AGAIN_S = 5
"""Seconds until a queue that could not be reached is tried again."""

ONCE, PREPARE, DELIVER = "once", "prepare", "deliver"
"""The queues: of short steps that run side by side, and of the two that a process runs one of."""

SIDE_BY_SIDE = 10
"""Steps of the first that a process runs at a time: all there are."""

Act = Callable[..., Awaitable[None]]

AnyTask = Task[Any, Any, Any]


class Timetable:
    """The steps of one worker of the service whose PostgreSQL has that address.

    `guest` names its machine where that only works for the service; see `Ticks`.
    """

    def __init__(
        self, app: App, clock: Clock, stop: asyncio.Event, address: str, guest: str = ""
    ) -> None:
        self._worker = f"{socket.gethostname()}:{os.getpid()}"
        self._pulse = SharedPulse(app.store, self._worker, clock())
        self.ticks = Ticks(app, clock, stop, self._pulse, guest)
        self._address = address
        self._here = Intervals(
            self.ticks,
            {
                "reload": self._reload,
                "collect": self.ticks.collect_here,
                "look": self._look,
            },
        )
        self._connector = make_connector(address)
        self._manager = Manager(self._connector)
        self._rescue = Rescue(self._manager)
        self._every: dict[str, int] = {}
        self._workers: list[asyncio.Task[None]] = []
        self._leaving: list[asyncio.Task[None]] = []
        self._set_up()

    # --- what is called when ------------------------------------------------------------------

    def _set_up(self) -> None:
        """Make the tasks anew, with the steps of the settings in force."""
        self._queue, self._dealt = make_queue(self._connector), make_queue(self._connector)
        self._every = self._shared()
        acts: dict[str, Act] = {
            "ingest": self.ticks.ingest,
            "prepare": self.ticks.guarded("deal out", self._deal_out_prepare),
            "deliver": self.ticks.guarded("deal out", partial(self._deal_out, "deliver")),
            "write": self.ticks.guarded("write", self.ticks.write),
            "tidy": self.ticks.guarded("tidy", self.ticks.tidy),
            "oversee": self.ticks.guarded("oversee", self._oversee),
            "fetch": self.ticks.guarded("fetch", self.ticks.collect_mailbox),
        }
        self._tasks = {
            name: self._task(name, acts[name], lock=name, queueing_lock=name)
            for name in self._every
        }
        for name, every_s in self._every.items():
            self._queue.periodic(cron=cron(every_s))(self._tasks[name])
        self._read = self._task("read", self._read_one, lock="ingest")
        self._share_of = {
            "prepare": self._task("prepare_share", self._open, PREPARE),
            "deliver": self._task("deliver_share", self._send, DELIVER),
        }

    def _shared(self) -> dict[str, int]:
        """The steps that are one for all workers, with the seconds between two runs."""
        mailbox = self.ticks.app.config.bounce_mailbox
        every_s = self.ticks.app.config.bounces.every_s
        ticking = dict.fromkeys(("ingest", "prepare", "deliver", "write", "oversee"), TICK_S)
        return ticking | {"tidy": TIDY_S} | ({"fetch": every_s} if mailbox else {})

    def _own(self) -> dict[str, int]:
        """The steps of this process."""
        bounces = self.ticks.app.config.bounces
        own = {"reload": RELOAD_S, "look": LOOK_S}
        return own | ({"collect": bounces.every_s} if bounces.maildir else {})

    def _task(
        self,
        name: str,
        act: Act,
        queue: str = ONCE,
        *,
        lock: str | None = None,
        queueing_lock: str | None = None,
    ) -> AnyTask:
        """A task that does this; meanwhile this process is known to run its job."""

        async def run(context: JobContext, /, timestamp: int = 0, **asked: Any) -> None:
            self._rescue.begin(context.job)
            try:
                await act(**asked)
            finally:
                self._rescue.end(context.job)

        owner = self._queue if queue == ONCE else self._dealt
        made = owner.task(
            name=name, pass_context=True, queue=queue, lock=lock, queueing_lock=queueing_lock
        )
        return made(run)

    # --- start and stop -----------------------------------------------------------------------

    async def start(self) -> None:
        """Take up jobs, and call this process's own steps. Raises: StoreError."""
        await asyncio.to_thread(make_queue_tables, self._address)
        with worded(self._address):
            await self._connector.open_async()
        self._take_up()
        self._here.start()

    def _take_up(self) -> None:
        """Call what this process does for itself, and run the jobs of all queues."""
        self._call()
        self._workers = [
            asyncio.create_task(self._work(queue, name, at_once))
            for queue, name, at_once in (
                (self._queue, ONCE, SIDE_BY_SIDE),
                (self._dealt, PREPARE, 1),
                (self._dealt, DELIVER, 1),
            )
        ]

    def _call(self) -> None:
        """Call this process's own steps; it is known which there are in the whole service."""
        self._here.call(self._own())
        self._pulse.shared = self._every.keys()
        self._pulse.expect(self._every | self._own(), self.ticks.clock())

    async def _work(self, queue: Queue, name: str, at_once: int) -> None:
        """Run the jobs of a queue, by and by; what is lost with the database is taken up again."""
        while not self.ticks.stop.is_set():
            try:
                await queue.run_worker_async(queues=[name], name=name, concurrency=at_once)
            except ConnectorException as error:
                logger.warning("queue.lost %s", json.dumps({"queue": name, "reason": why(error)}))
            except Exception:
                logger.exception("queue.broke %s", json.dumps({"queue": name}))
            await asyncio.sleep(AGAIN_S)

    def _leave_off(self) -> None:
        """Take up no job any more; those under way go on to their end."""
        for worker in self._workers:
            worker.cancel()
        self._leaving = [one for one in self._leaving if not one.done()] + self._workers

    async def stop(self) -> None:
        """Take up no job any more, and wait for the messages in flight."""
        self._here.pause()
        self._leave_off()
        await self.ticks.finish()
        await asyncio.wait(self._leaving, timeout=AGAIN_S)
        self._here.end()
        await asyncio.to_thread(self._pulse.close, self.ticks.clock())
        await self._connector.close_async()

    # --- what others ask for ------------------------------------------------------------------

    def hurry(self, name: str) -> None:
        """Let a step run now, by whichever worker is free, or once more if it is under way."""
        if name in self._tasks:
            self.ticks.begin(partial(self._defer, self._tasks[name]))
        else:
            self._here.hurry(name)

    def read(self, source: str) -> None:
        """Read a source now, by its name, after those that are being read."""
        self.ticks.begin(partial(self._defer, self._read, source=source))

    async def _defer(self, task: AnyTask, **asked: Any) -> None:
        """Put a job into the queue, unless it waits there already."""
        try:
            with suppress(AlreadyEnqueued):
                await task.defer_async(**asked)
        except ConnectorException as error:  # the next tick may get through
            logger.warning("queue.lost %s", json.dumps({"step": task.name, "reason": why(error)}))

    # --- the steps ----------------------------------------------------------------------------

    async def _deal_out_prepare(self) -> None:
        """Let the digests that are due be opened, once the sources were read."""
        # A slow source must not hold up everybody's digest: what it brings comes with the next.
        for _ in range(INGEST_PATIENCE_S):
            with worded(self._address):
                if not list(await self._manager.list_jobs_async(lock="ingest")):
                    break
            await asyncio.sleep(1)
        await self._deal_out("prepare")

    async def _deal_out(self, step: str) -> None:
        """Make a job of each share of the subscribers, one for each living worker."""
        beats = await asyncio.to_thread(self.ticks.app.store.beats)
        for share in shares(len(living(beats, self.ticks.clock()))):
            lock = f"{step} {share}"
            job = self._share_of[step].configure(lock=lock, queueing_lock=lock)
            with worded(self._address), suppress(AlreadyEnqueued):
                await job.defer_async(number=share.number, of=share.of)

    async def _open(self, number: int, of: int) -> None:
        await self.ticks.guarded("prepare", partial(self.ticks.open, Share(number, of)))()
        await self._defer(self._tasks["deliver"])

    async def _send(self, number: int, of: int) -> None:
        await self.ticks.guarded("deliver", partial(self.ticks.deliver, Share(number, of)))()

    async def _read_one(self, source: str) -> None:
        await self.ticks.guarded("ingest", partial(self.ticks.read, source))()

    async def _oversee(self) -> None:
        if await self.ticks.oversee():
            await self._defer(self._tasks["write"])

    async def _reload(self) -> None:
        if not await self.ticks.reload():
            return
        if self._shared() == self._every:
            self._call()
        else:
            self._leave_off()
            self._set_up()
            self._take_up()
        for name in ("prepare", "deliver", "write"):
            self.hurry(name)

    async def _look(self) -> None:
        """Show and see who lives, and put in anew what a worker that is gone has left."""
        self._pulse.live(self.ticks.clock())
        beats = await asyncio.to_thread(self.ticks.app.store.beats)
        self._pulse.hear(beats, self.ticks.clock())
        with worded(self._address):
            await self._rescue.look()
