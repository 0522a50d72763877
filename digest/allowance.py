"""What a service may send: how many mails in a stretch of time, how many at once, and who rests.

A limit in time is a schedule that every mail moves on, so that a number is all that is kept of the
past. Source: ITU-T I.371, the generic cell rate algorithm as virtual scheduling.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

PART_AT_ONCE = 10
"""One mail in so many of a limit may begin at once after a rest."""

HELD_S = 1.0
"""Seconds for which a mail that was allowed may still begin: it counts as begun at the last."""

MOST_PLACES = 32
"""Places in the line that are given out at a time."""

CLOSE_S = 1e-9
"""Sums of fractions are not exact."""


@dataclass(frozen=True, slots=True)
class Limit:
    """At most so many mails begin in any stretch of so many seconds."""

    mails: int
    seconds: float

    @property
    def at_once(self) -> int:
        """Mails that may begin at once after a rest."""
        return max(1, self.mails // PART_AT_ONCE)

    @property
    def every_s(self) -> float:
        """Seconds between two mails where many wait.

        With those that begin at once, and a second in which each may be late, no window of
        `seconds` holds more than `mails`.
        """
        return (self.seconds + HELD_S) / (self.mails - self.at_once + 1)

    @property
    def a_second(self) -> int:
        """Mails that are a second's worth, at least one."""
        return max(1, int(self.mails / self.seconds))


@dataclass(frozen=True, slots=True)
class Schedule:
    """How far the limits of one receiver have been used, in seconds of some clock.

    `next_at` has a moment for each limit, `line_at` is where the line of those sent away ends.
    """

    next_at: tuple[float, ...]
    line_at: float


@dataclass(frozen=True, slots=True)
class Booked:
    """So many mails may begin now; or none, and one may ask again after each of these seconds.

    The last are places in a line: whoever is sent away gets one of their own, or all would come
    back at once. The limits themselves have room after `free_s` seconds.
    """

    mails: int
    free_s: float = 0.0
    again_s: tuple[float, ...] = ()


def booked(
    limits: Sequence[Limit],
    schedule: Schedule,
    now: float,
    mails: int = 1,
    places: int = MOST_PLACES,
) -> tuple[Schedule, Booked]:
    """What comes of asking for up to `mails` under all of these limits, or else for `places`."""
    free = mails
    for limit, next_at in zip(limits, schedule.next_at, strict=True):
        early_s = (limit.at_once - 1) * limit.every_s
        ahead_s = now + early_s - max(next_at, now) + CLOSE_S
        free = min(free, int(ahead_s // limit.every_s) + 1)
    if free > 0:
        moments = zip(limits, schedule.next_at, strict=True)
        moved = tuple(max(at, now) + free * limit.every_s for limit, at in moments)
        return Schedule(moved, schedule.line_at), Booked(free)
    return _sent_away(limits, schedule, now, places)


def _sent_away(
    limits: Sequence[Limit], schedule: Schedule, now: float, places: int
) -> tuple[Schedule, Booked]:
    """Places in the line, which begins when the next mail may, and moves at the slowest pace."""
    free_at = max(
        next_at - (limit.at_once - 1) * limit.every_s
        for limit, next_at in zip(limits, schedule.next_at, strict=True)
    )
    begin = max(schedule.line_at, free_at)
    slowest = max(limits, key=lambda limit: limit.every_s)
    places = min(places, slowest.at_once)
    again_s = tuple(begin + place * slowest.every_s - now for place in range(places))
    return Schedule(schedule.next_at, begin + places * slowest.every_s), Booked(
        0, free_at - now, again_s
    )


def parts(most: int, wanted: Sequence[int]) -> list[int]:
    """What of `most` each of these gets: what it wants, or as much as the others who want more."""
    given = [0] * len(wanted)
    left = most
    for count, place in enumerate(sorted(range(len(wanted)), key=lambda one: wanted[one])):
        given[place] = min(wanted[place], left // (len(wanted) - count))
        left -= given[place]
    return given


@dataclass(frozen=True, slots=True)
class Rest:
    """What one process tells the others of something in trouble: its rest, and what it said.

    `rests` counts those since it last went well; `rest_s` is 0 when it may be tried by one.
    """

    rests: int
    rest_s: float
    reply: str = ""


News = tuple[str, Rest | None]
"""Who rests from now on; None where it takes mail again."""
