"""The time that all processes of a service go by.

Leases, send times and signs of life are told by it. Where several machines share a database it is
that of the database: a machine whose own clock is minutes ahead would take what others are sending
for given up, and send it once more.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Thread

from digest.errors import StoreError

Clock = Callable[[], datetime]

NEAR_S = 0.5
"""Seconds that two clocks may be apart and count as one."""

FAR_S = 5.0
"""Seconds from which on the operator is told: certificates and sources go by the machine's own."""

FRESH_S = 10.0
"""Seconds after which it is asked again: clocks drift."""

SLOW_S = 2.0
"""Seconds after which an answer is too old to set a clock by."""

_STEADY = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""A clock that nobody sets; where there is one, it goes on while the machine sleeps."""

logger = logging.getLogger("digest")


def _in_a_thread(act: Callable[[], None]) -> None:
    Thread(target=act, daemon=True).start()


class SharedClock:
    """A machine's clock, set right by another one, which `ask` gives in seconds since 1970.

    To set the machine's clock meanwhile changes nothing. `later` does what may take its time.
    Raises: StoreError where it cannot be asked at first.
    """

    def __init__(
        self,
        clock: Clock,
        ask: Callable[[], float],
        later: Callable[[Callable[[], None]], None] = _in_a_thread,
    ) -> None:
        self._clock = clock
        self._ask = ask
        self._later = later
        self._told_s = 0.0
        self._start_s, self._asked_at = _start_s(), _steady_s()
        self._set(*self._asked())

    def __call__(self) -> datetime:
        """The time now."""
        was_set = abs(_start_s() - self._start_s) > NEAR_S
        if was_set or _steady_s() - self._asked_at > FRESH_S:
            self._start_s, self._asked_at = _start_s(), _steady_s()
            if was_set:
                self._keep()
            else:
                self._later(self._keep)
        behind_s = self._true_start_s - _start_s()
        now = self._clock()
        return now + timedelta(seconds=behind_s) if abs(behind_s) > NEAR_S else now

    def _keep(self) -> None:
        """Ask again; where no answer comes, or a slow one, what is known has to do."""
        try:
            took_s, true_start_s = self._asked()
        except StoreError as error:
            logger.warning("clock.unasked %s", json.dumps({"reason": str(error)}))
            return
        if took_s <= SLOW_S:
            self._set(took_s, true_start_s)

    def _asked(self) -> tuple[float, float]:
        """How long the answer took, and when by it this machine's steady clock began."""
        begun = _steady_s()
        there_s = self._ask()
        took_s = _steady_s() - begun
        return took_s, there_s - (begun + took_s / 2)

    def _set(self, took_s: float, true_start_s: float) -> None:
        self._true_start_s = true_start_s
        behind_s = true_start_s - _start_s()
        if abs(behind_s) <= FAR_S + took_s:
            if self._told_s:
                logger.info("clock.right")
            self._told_s = 0.0
        elif abs(behind_s - self._told_s) > FAR_S:
            self._told_s = behind_s
            told = {"seconds_behind": round(behind_s), "do": "set this machine's clock right (NTP)"}
            logger.warning("clock.apart %s", json.dumps(told))


def _steady_s() -> float:
    return time.clock_gettime(_STEADY)


def _start_s() -> float:
    """When the steady clock began by this machine's other one; changes only if that is set."""
    return time.time() - _steady_s()
