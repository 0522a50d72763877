"""Who may ask a host now, of all who share the turns: one at a time, with a pause between."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

ARXIV = "arxiv.org"
"""The name of the turn for all of arXiv's hosts together."""

LOOK_S = 0.1
"""Seconds between two looks at a turn that another holds."""


class Turns(Protocol):
    """Turns by name. Each verb is called by one thread at a time for a name, and may block."""

    def take(self, name: str, pause_s: float) -> float:
        """0 where the turn is ours now, else the seconds after which to ask again.

        It is had by one at a time, and `pause_s` seconds or more after the latest had begun. Who
        dies with it loses it. Raises: OSError, StoreError.
        """

    def give_back(self, name: str) -> None:
        """The request is over, and the next may have the turn. Raises: OSError, StoreError."""


def utc_now() -> datetime:
    """The moment; here the fetcher reads the clock, unless it is given another."""
    return datetime.now(UTC)


class LocalTurns:
    """The turns of this process; those of arXiv with all processes that share a stamp file.

    The file's lock is the turn, and it holds the moment of the latest request. `clock` gives aware
    UTC.
    """

    def __init__(
        self, clock: Callable[[], datetime] = utc_now, *, stamp_file: Path | None = None
    ) -> None:
        self._clock = clock
        self._stamp_file = stamp_file
        self._latest: dict[str, float] = {}
        self._held: dict[str, int | None] = {}

    def take(self, name: str, pause_s: float) -> float:
        """See `Turns`. The pause is waited for without the lock: each has its chance at the end."""
        if name in self._held:
            return LOOK_S
        if name == ARXIV and self._stamp_file:
            return self._take_file(self._stamp_file, pause_s)
        rest_s = self._rest_s(self._latest.get(name), pause_s)
        if not rest_s:
            self._held[name], self._latest[name] = None, self._now()
        return rest_s

    def give_back(self, name: str) -> None:
        """See `Turns`."""
        handle = self._held.pop(name, None)
        if handle is not None:
            os.close(handle)  # and with it goes the lock, also when the process dies

    def _take_file(self, path: Path, pause_s: float) -> float:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        wait_s = LOOK_S
        try:
            if _locked(handle) and not (wait_s := self._rest_s(_stamp(handle), pause_s)):
                os.pwrite(handle, f"{self._now():020.6f}".encode(), 0)
                self._held[ARXIV] = handle
        finally:
            if wait_s:
                os.close(handle)
        return wait_s

    def _rest_s(self, latest: float | None, pause_s: float) -> float:
        """What is left of the pause since the latest request; a stamp ahead of us is none."""
        since = self._now() - latest if latest is not None else pause_s
        return pause_s - since if 0 <= since < pause_s else 0.0

    def _now(self) -> float:
        return self._clock().timestamp()


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
