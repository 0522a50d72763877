"""When something in trouble is left alone, and how it is tried again: relays and receivers alike.

Knows no network. Time and chance are given to it, so that tests need not wait.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from time import monotonic

from digest.allowance import Rest

Clock = Callable[[], float]
"""Seconds that only ever grow."""

Chance = Callable[[], float]
"""A number from 0 to 1."""

PATIENCE = 3
"""Troubles in a row that open it: one cut connection in twenty is no outage."""

FIRST_S = 15.0
LONGEST_S = 600.0
"""The first rest and the longest; each is twice the one before it."""


class Breaker:
    """Closed while all is well, open for a rest after trouble, then one probe decides (Q14)."""

    def __init__(
        self,
        clock: Clock = monotonic,
        chance: Chance = random.random,
        *,
        first_s: float = FIRST_S,
        longest_s: float = LONGEST_S,
    ) -> None:
        self._clock, self._chance = clock, chance
        self._first_s, self._longest_s = first_s, longest_s
        self._troubles = 0
        self._rests = 0
        self._until = 0.0
        self._probing = False

    @property
    def rest_s(self) -> float:
        """Seconds until it may be tried; 0 when it may be tried now."""
        return max(0.0, self._until - self._clock()) if self._rests else 0.0

    @property
    def rests(self) -> int:
        """How often it has rested since it last went well."""
        return self._rests

    @property
    def wary(self) -> bool:
        """Whether a rest is over and nothing has gone well since: then one probe at a time."""
        return bool(self._rests) and not self.rest_s

    @property
    def probing(self) -> bool:
        """Whether a probe is out, and others have to wait for what it brings."""
        return self.wary and self._probing

    def begin(self) -> bool:
        """Whether something may be tried now; after a rest that makes it the probe."""
        if self.rest_s or self.probing:
            return False
        self._probing = self.wary
        return True

    def end(self) -> None:
        """The probe came to nothing that says anything."""
        self._probing = False

    def fine(self) -> bool:
        """It went well: closed at once; true when it had not been."""
        was_open = bool(self._rests)
        self._troubles = self._rests = 0
        self._probing = False
        return was_open

    def trouble(self, *, firm: bool = False) -> float:
        """It went wrong; the seconds of the rest that begins with it, or 0.

        `firm` trouble opens at once, other trouble when it comes again and again.
        """
        self._troubles += 1
        failed_probe, self._probing = self.probing or self.wary, False
        if self.rest_s or not (firm or failed_probe or self._troubles >= PATIENCE):
            return 0.0
        rest_s = min(self._longest_s, self._first_s * 2.0**self._rests)
        # Never all processes at one second: from three quarters of the time to one and a quarter.
        rest_s *= 0.75 + self._chance() / 2
        self._rests += 1
        self._troubles = 0
        self._until = self._clock() + rest_s
        return rest_s

    def learn(self, rest: Rest | None) -> bool:
        """What others know of it, None where all is well; true when a rest begins with it."""
        if rest is None:
            if self._rests:
                self.fine()
            return False
        begins = rest.rests > self._rests
        if begins:
            self._troubles, self._probing = 0, False
        self._rests, self._until = rest.rests, self._clock() + rest.rest_s
        return begins
