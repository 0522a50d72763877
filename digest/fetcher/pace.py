"""Turns: one request at a time for a host, with a pause between; all of arXiv is one host.

arXiv asks for one connection and one request in three seconds over all its hosts together, and
that holds for every process that shares the stamp file. Source: arXiv API, terms of use.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

Sleep = Callable[[float], Awaitable[None]]
_ARXIV = "arxiv.org"
_LOOK_S = 0.1  # between two looks at a lock that another process holds
_LONGEST_WAIT_S = 120  # for a turn that other processes do not let go; a request takes 30 s at most


class TurnError(OSError):
    """Other processes kept a host's turn for too long; it is asked another time."""


class Pace:
    """Turns for hosts: `async with pace.turn(host)` waits for the host's next free moment.

    `stamp_file` is shared by the processes of one machine; without it arXiv's turn holds in this
    process only. `clock` gives aware UTC.
    """

    def __init__(
        self,
        clock: Callable[[], datetime],
        *,
        sleep: Sleep = asyncio.sleep,
        stamp_file: Path | None = None,
        pause_s: float = 1.0,
        arxiv_pause_s: float = 3.0,
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._stamp_file = stamp_file
        self._pause_s = pause_s
        self._arxiv_pause_s = arxiv_pause_s
        self._locks: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._latest: dict[str, float] = {}

    @asynccontextmanager
    async def turn(self, host: str) -> AsyncIterator[None]:
        """The host's turn, held until the request is over."""
        name = _ARXIV if is_arxiv(host) else host
        pause_s = self._arxiv_pause_s if name == _ARXIV else self._pause_s
        async with self._locks[name]:
            if name == _ARXIV and self._stamp_file:
                async with self._shared_turn(self._stamp_file, pause_s):
                    yield
                return
            await self._wait(self._latest.get(name), pause_s)
            self._latest[name] = self._now()
            yield

    @asynccontextmanager
    async def _shared_turn(self, path: Path, pause_s: float) -> AsyncIterator[None]:
        """The turn among all processes: the file's lock, and the stamp of the latest request."""
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        try:
            await self._lock(handle, pause_s)
            os.pwrite(handle, f"{self._now():020.6f}".encode(), 0)
            yield
        finally:
            os.close(handle)  # and with it goes the lock, also when the process dies

    async def _lock(self, handle: int, pause_s: float) -> None:
        """Take the file's lock when the pause is over. Raises: TurnError when that takes too long.

        The pause is slept without the lock, so that every process has its chance at the end of it.
        """
        waited_s = 0.0
        while waited_s < _LONGEST_WAIT_S:
            wait_s = _LOOK_S
            if _locked(handle):
                wait_s = self._rest_s(_stamp(handle), pause_s)
                if not wait_s:
                    return
                fcntl.flock(handle, fcntl.LOCK_UN)
            await self._sleep(wait_s)
            waited_s += wait_s
        raise TurnError(f"other processes have been asking arXiv for {_LONGEST_WAIT_S} s")

    async def _wait(self, latest: float | None, pause_s: float) -> None:
        """Sleep until the pause since the latest request is over."""
        if rest_s := self._rest_s(latest, pause_s):
            await self._sleep(rest_s)

    def _rest_s(self, latest: float | None, pause_s: float) -> float:
        """What is left of the pause since the latest request; a stamp ahead of us is none."""
        since = self._now() - latest if latest is not None else pause_s
        return pause_s - since if 0 <= since < pause_s else 0.0

    def _now(self) -> float:
        return self._clock().timestamp()


def is_arxiv(host: str) -> bool:
    """True for arXiv's hosts, which share one limit."""
    return host == _ARXIV or host.endswith("." + _ARXIV)


def _locked(handle: int) -> bool:
    """True when the file's lock is ours now."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _stamp(handle: int) -> float | None:
    """The moment of the latest request, None before the first."""
    try:
        return float(os.pread(handle, 40, 0))
    except ValueError:
        return None
