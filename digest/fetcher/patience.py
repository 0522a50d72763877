"""The time that one source may take, which stands still while all it does is wait for its turn.

Of many sources on one host the last has to wait for all the others, which is no fault of its own.
The pauses between its own requests are part of its time.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar


class _Patience:
    """A time limit, and how many requests within it wait and how many are under way."""

    def __init__(self, limit: asyncio.Timeout) -> None:
        self._limit = limit
        self._left_s: float | None = None
        self._waiting = self._asking = 0

    def change(self, *, waiting: int = 0, asking: int = 0) -> None:
        """So many requests more (or fewer) wait or are under way."""
        self._waiting += waiting
        self._asking += asking
        if self._limit.expired():
            return
        now, ends_at = asyncio.get_running_loop().time(), self._limit.when()
        stands = bool(self._waiting) and not self._asking
        if stands and ends_at is not None:
            self._left_s = ends_at - now
            self._limit.reschedule(None)
        elif not stands and self._left_s is not None:
            self._limit.reschedule(now + self._left_s)
            self._left_s = None


_patience: ContextVar[_Patience | None] = ContextVar("patience", default=None)


@asynccontextmanager
async def patience(seconds: float) -> AsyncIterator[None]:
    """Room for what one source asks, in any number of tasks. Raises: TimeoutError."""
    async with asyncio.timeout(seconds) as limit:
        before = _patience.set(_Patience(limit))
        try:
            yield
        finally:
            _patience.reset(before)


def whose() -> object:
    """What tells one source from another, or None where none is read."""
    return _patience.get()


@contextmanager
def waiting() -> Iterator[None]:
    """A request waits in here for the turn of its host."""
    with _counted("waiting"):
        yield


@contextmanager
def asking() -> Iterator[None]:
    """A request is under way in here, or pauses after the one before it."""
    with _counted("asking"):
        yield


@contextmanager
def _counted(what: str) -> Iterator[None]:
    known = _patience.get()
    if known:
        known.change(**{what: 1})
    try:
        yield
    finally:
        if known:
            known.change(**{what: -1})
