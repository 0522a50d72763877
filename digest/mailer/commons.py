"""What the processes of one service that send have in common: connections, rates, and who rests.

`Commons` says what the mailer needs of it, and `Alone` is that of a process without others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from time import monotonic
from typing import Protocol

from digest.allowance import Booked, Limit, News, Rest, Schedule, booked
from digest.mailer.breaker import Clock


class Commons(Protocol):
    """What all processes of a service have in common; each verb may block, and is short.

    `is_shared` says whether there may be others. Names are of our own making. Raises: StoreError.
    """

    is_shared: bool
    lease_s: float

    def quota(self, name: str, most: int, held: int, wanted: int) -> int:
        """How many of `most` this process may hold now, for `lease_s` seconds at most.

        `held` is what it holds or may take before it hears the answer, `wanted` what it could use.
        With 0 and 0 it gives all back. Of all processes together none holds more than `most`.
        """

    def book(self, name: str, limits: Sequence[Limit], mails: int) -> Booked:
        """Up to so many mails under all these limits, to begin within a second; or places."""

    def place(self, name: str, rate_per_s: float, mails: int) -> float:
        """Seconds until the first of so many mails, which then follow at that rate."""

    def rests(self, news: Sequence[News]) -> Mapping[str, Rest]:
        """Tell the others who rests and who no longer does; who rests, or is yet to be tried."""

    def probe(self, name: str) -> bool:
        """Whether this process is the one that tries whether it takes mail again.

        It stays so for some seconds after it has asked last, or until it has told what came of it.
        """

    def leave(self) -> None:
        """Give back whatever this process holds."""


class Alone:
    """A process without others: all is its own, and is known at once."""

    is_shared = False
    lease_s = float("inf")

    def __init__(self, clock: Clock = monotonic) -> None:
        self._clock = clock
        self._schedules: dict[tuple[str, tuple[Limit, ...]], Schedule] = {}
        self._places: dict[str, float] = {}

    def quota(self, name: str, most: int, held: int, wanted: int) -> int:
        """See `Commons`."""
        return most

    def book(self, name: str, limits: Sequence[Limit], mails: int) -> Booked:
        """See `Commons`; one place at a time, as asking costs nothing."""
        now, key = self._clock(), (name, tuple(limits))
        schedule = self._schedules.get(key) or Schedule((now,) * len(limits), now)
        self._schedules[key], got = booked(limits, schedule, now, 1, places=1)
        return got

    def place(self, name: str, rate_per_s: float, mails: int) -> float:
        """See `Commons`."""
        at_s = max(self._places.get(name, 0.0), self._clock())
        self._places[name] = at_s + mails / rate_per_s
        return at_s - self._clock()

    def rests(self, news: Sequence[News]) -> Mapping[str, Rest]:
        """See `Commons`: nobody else knows anything."""
        return {}

    def probe(self, name: str) -> bool:
        """See `Commons`."""
        return True

    def leave(self) -> None:
        """See `Commons`."""
