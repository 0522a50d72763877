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
            while not _locked(handle):
                await self._sleep(_LOOK_S)
            await self._wait(_stamp(handle), pause_s)
            os.pwrite(handle, f"{self._now():020.6f}".encode(), 0)
            yield
        finally:
            os.close(handle)  # and with it goes the lock, also when the process dies

    async def _wait(self, latest: float | None, pause_s: float) -> None:
        """Sleep until the pause since the latest request is over; a stamp ahead of us is none."""
        since = self._now() - latest if latest is not None else pause_s
        if 0 <= since < pause_s:
            await self._sleep(pause_s - since)

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
