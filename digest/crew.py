"""Processes that work for this one, and what becomes of their work when they are killed.

Owns how they start and end; knows nothing of the work. They are spawned, since a fork of a process
with threads may stand still. Each has a pipe of its own: when it is killed in the midst of an
answer the pipe ends there, where a queue for all of them would wait for the rest. What it held is
done here, and another takes its place.
"""

from __future__ import annotations

import asyncio
import json
import logging
import multiprocessing
import signal
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from multiprocessing.connection import Connection
from queue import Empty, SimpleQueue
from threading import Lock
from typing import Generic, Self, TypeVar, cast

T = TypeVar("T")
A = TypeVar("A")
B = TypeVar("B")

Begin = Callable[[B], Callable[[A], T]]
"""Makes a process ready and gives what it works with; named or pickled, as what it is given."""

logger = logging.getLogger("digest")


class LostError(Exception):
    """A process did not do its work."""


class DeadError(LostError):
    """Nor will it do any more."""


class Job(Generic[T]):
    """A piece of work that was handed over; where it is lost, `again` does it in this process."""

    def __init__(self, future: Future[T], again: Callable[[], T]) -> None:
        self._future = future
        self._again = again

    def result(self) -> T:
        """What came of it; waits for it. Raises: what the work raises."""
        try:
            return self._future.result()
        except LostError:
            return self._again()

    async def wait(self) -> T:
        """The same without holding up what else there is to do."""
        try:
            return await asyncio.wrap_future(self._future)
        except LostError:
            return self._again()


class Crew(Generic[A, T]):
    """So many processes, each made ready by `begin(told)`; used as a context.

    At its end what was handed over and not begun is dropped; `waits` is whether it waits for what
    is being worked on, and for the processes to be gone.
    """

    def __init__(
        self, processes: int, begin: Begin[B, A, T], told: B, *, waits: bool = False
    ) -> None:
        self._waits = waits
        self._threads = ThreadPoolExecutor(processes)  # each waits for one process
        self._hire: Callable[[], _Worker[A, T]] = lambda: _Worker(begin, told)
        self._hiring = Lock()
        self._idle = SimpleQueue[_Worker[A, T]]()
        self._useless = False
        """One died before it had done anything: so would the next."""
        self._ended = False

    def hand(self, asked: A, again: Callable[[], T]) -> Job[T]:
        """Let one of the processes work on what is asked, which is pickled."""
        return Job(self._threads.submit(self._done, asked), again)

    def _done(self, asked: A) -> T:
        """What a process makes of it; the thread waits. Raises: LostError."""
        if self._useless:
            raise LostError
        worker = self._free()
        try:
            answer = worker.work(asked)
        except DeadError:
            self._useless = self._useless or not worker.worked
            raise
        except LostError:
            self._let_go(worker)
            raise
        self._let_go(worker)
        return answer

    def _free(self) -> _Worker[A, T]:
        try:
            return self._idle.get_nowait()
        except Empty:
            with self._hiring:
                return self._hire()

    def _let_go(self, worker: _Worker[A, T]) -> None:
        self._idle.put(worker)
        if self._ended:
            self._dismiss()

    def _dismiss(self) -> None:
        """End the processes that have nothing to do."""
        with suppress(Empty):
            while True:
                self._idle.get_nowait().dismiss(wait=self._waits)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._ended = True
        self._threads.shutdown(wait=self._waits, cancel_futures=True)
        self._dismiss()


class _Worker(Generic[A, T]):
    """A process and the way to it."""

    def __init__(self, begin: Begin[B, A, T], told: B) -> None:
        spawning = multiprocessing.get_context("spawn")
        self._pipe, theirs = spawning.Pipe()
        self._process = spawning.Process(target=_serve, args=(theirs, begin, told))
        self._process.start()
        theirs.close()  # theirs alone now: with the process it ends
        self.worked = False

    def work(self, asked: A) -> T:
        """The answer. Raises: DeadError, LostError where the work raised something."""
        try:
            self._pipe.send(asked)
            done, answer = self._pipe.recv()
        except (EOFError, OSError) as error:
            self.dismiss(wait=True)
            told = {"process": self._process.name, "exit": self._process.exitcode}
            logger.warning("crew.lost %s", json.dumps(told))  # -9 for want of memory, perhaps
            raise DeadError from error
        self.worked = True
        if not done:
            raise LostError(answer)
        return cast("T", answer)

    def dismiss(self, *, wait: bool) -> None:
        """Let the process end once it has nothing to do."""
        self._pipe.close()
        if wait:
            self._process.join()


def _serve(pipe: Connection, begin: Begin[B, A, T], told: B) -> None:
    """Work for another process until it lets this one go, or is gone itself."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # a stop is the first process's business
    work = begin(told)
    with suppress(EOFError, BrokenPipeError, ConnectionResetError):
        while True:
            asked = pipe.recv()
            try:
                pipe.send((True, work(asked)))
            except Exception as error:  # done again there, and raised there as it is
                pipe.send((False, repr(error)))
