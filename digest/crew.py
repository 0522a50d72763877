"""Processes that work for this one, and what becomes of their work when they are killed.

Owns how they start and end; knows nothing of the work. They are spawned, since a fork of a process
with threads may stand still; they end with the process that began them; a stop is not their
business. A process that was killed takes the others of its crew with it (the pool cannot tell what
state they are in): what they held, and what is handed over from then on, is done here.
"""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from types import TracebackType
from typing import Generic, Self, TypeVar

T = TypeVar("T")
A = TypeVar("A")

logger = logging.getLogger("digest")


class Job(Generic[T]):
    """A piece of work that was handed over; where it is lost, `again` does it in this process."""

    def __init__(self, future: Future[T], again: Callable[[], T]) -> None:
        self._future = future
        self._again = again

    def result(self) -> T:
        """What came of it; waits for it. Raises: what the work raises."""
        try:
            return self._future.result()
        except BrokenProcessPool:
            return self._redone()

    async def wait(self) -> T:
        """The same without holding up what else there is to do."""
        try:
            return await asyncio.wrap_future(self._future)
        except BrokenProcessPool:
            return self._redone()

    def _redone(self) -> T:
        logger.warning("crew.broken")  # for want of memory, perhaps
        return self._again()


class Crew:
    """So many processes, each made ready by `begin(argument)`; used as a context.

    `waits` is whether the end waits for what is being worked on; what was only handed over is
    dropped.
    """

    def __init__(
        self, processes: int, begin: Callable[[A], None], argument: A, *, waits: bool = False
    ) -> None:
        self._waits = waits
        self._pool = ProcessPoolExecutor(
            processes, multiprocessing.get_context("spawn"), _start, (begin, argument)
        )

    def hand(self, work: Callable[[A], T], argument: A, again: Callable[[], T]) -> Job[T]:
        """Let one of the processes do `work(argument)`; both are named or pickled."""
        try:
            return Job(self._pool.submit(work, argument), again)
        except BrokenProcessPool as error:  # one that is known to be broken refuses at once
            refused = Future[T]()
            refused.set_exception(error)
            return Job(refused, again)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._pool.shutdown(wait=self._waits, cancel_futures=True)


def _start(begin: Callable[[A], None], argument: A) -> None:
    """Get a process ready."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # a stop is the first process's business
    threading.Thread(target=_end_with_parent, daemon=True).start()
    begin(argument)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent:
        parent.join()
    os._exit(1)  # killed: nobody is left to work for
