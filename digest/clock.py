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

Clock = Callable[[], datetime]

NEAR_S = 0.5
"""Seconds that two clocks may be apart and count as one."""

FAR_S = 5.0
"""Seconds from which on the operator is told: mail servers and web pages go by the other one."""

SLOW_S = 2.0
"""Seconds after which an answer is too old to set a clock by."""

logger = logging.getLogger("digest")


class SharedClock:
    """A machine's clock, set right by another one, which `ask` gives in seconds since 1970.

    To set the machine's clock meanwhile changes nothing. Raises: what `ask` raises.
    """

    def __init__(self, clock: Clock, ask: Callable[[], float]) -> None:
        self._clock = clock
        self._ask = ask
        self._told_s = 0.0
        self._true_start_s = 0.0
        self._set(*self._asked())

    def __call__(self) -> datetime:
        """The time now."""
        behind_s = self._true_start_s - _start_s()
        now = self._clock()
        return now + timedelta(seconds=behind_s) if abs(behind_s) > NEAR_S else now

    def keep(self) -> None:
        """Ask again: clocks drift, and machines sleep. Raises: what `ask` raises."""
        took_s, true_start_s = self._asked()
        if took_s <= SLOW_S:
            self._set(took_s, true_start_s)

    def _asked(self) -> tuple[float, float]:
        """How long the answer took, and when by it this machine's monotonic clock began."""
        begun = time.monotonic()
        there_s = self._ask()
        took_s = time.monotonic() - begun
        return took_s, there_s - (begun + took_s / 2)

    def _set(self, took_s: float, true_start_s: float) -> None:
        self._true_start_s = true_start_s
        behind_s = true_start_s - _start_s()
        if abs(behind_s - self._told_s) <= FAR_S + took_s:
            return
        far = abs(behind_s) > FAR_S + took_s
        self._told_s = behind_s if far else 0.0
        told = {"seconds_behind": round(behind_s), "do": "set this machine's clock right (NTP)"}
        if far:
            logger.warning("clock.apart %s", json.dumps(told))
        else:
            logger.info("clock.right")


def _start_s() -> float:
    """When the monotonic clock began by this machine's other one; changes only if that is set."""
    return time.time() - time.monotonic()
