"""What the scheduler's steps do, as health and metrics tell it: when each began, ended, failed.

Written by the scheduler, read by the pages; kept in memory, since it is about this very process.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from digest.model import DeliveryState

MISSED = 5
"""Ticks that may be missed, or fail in a row, before something is wrong."""

LONGEST_RUN = timedelta(hours=6)
"""A step that runs longer hangs; sending to everybody takes less."""


@dataclass(frozen=True, slots=True)
class Beat:
    """One step: how often it should come, when it last began and ended, how often and how badly."""

    every_s: int
    since: datetime
    began_at: datetime | None = None
    ended_at: datetime | None = None
    done: int = 0
    failed: int = 0
    failed_in_a_row: int = 0

    @property
    def is_running(self) -> bool:
        """Whether it has begun and not ended."""
        return self.began_at is not None and (
            self.ended_at is None or self.ended_at < self.began_at
        )

    def age_s(self, now: datetime) -> float:
        """Seconds since it last ended, or since the service began."""
        return max(0.0, (now - (self.ended_at or self.since)).total_seconds())


class Pulse:
    """The beats of all steps, by name; `outcomes` counts what tries to send came to.

    `workers` are the processes that live and share the steps, none where there is but this one.
    `settings_at` is when those in force were taken up; `faults` keep changed ones out, and `later`
    names keys that wait for the next start.
    """

    def __init__(self, steps: Mapping[str, int] | None = None, now: datetime | None = None) -> None:
        self.beats = {name: Beat(every, now) for name, every in (steps or {}).items() if now}
        self.outcomes: Counter[DeliveryState] = Counter()
        self.workers: Sequence[str] = ()
        self.settings_at = now
        self.faults: tuple[str, ...] = ()
        self.later: tuple[str, ...] = ()

    def expect(self, steps: Mapping[str, int], now: datetime) -> None:
        """Have these steps from now on; those that were there before keep what is known."""
        known = self.beats
        self.beats = {
            name: replace(known[name], every_s=every) if name in known else Beat(every, now)
            for name, every in steps.items()
        }

    def begin(self, name: str, now: datetime) -> None:
        """A step begins."""
        if beat := self.beats.get(name):
            self.beats[name] = replace(beat, began_at=now, ended_at=None)

    def end(self, name: str, now: datetime, *, failed: bool) -> None:
        """A step has ended."""
        if beat := self.beats.get(name):
            self.beats[name] = replace(
                beat,
                ended_at=now,
                done=beat.done + 1,
                failed=beat.failed + int(failed),
                failed_in_a_row=beat.failed_in_a_row + 1 if failed else 0,
            )

    def troubles(self, now: datetime) -> list[str]:
        """What is wrong with the steps, in words; empty when all is well."""
        return [said for name, beat in self.beats.items() if (said := _trouble(name, beat, now))]


def _trouble(name: str, beat: Beat, now: datetime) -> str:
    if beat.is_running and beat.began_at:
        hangs = now - beat.began_at > LONGEST_RUN
        return f"{name} has been running for {now - beat.began_at}" if hangs else ""
    age_s = beat.age_s(now)
    if age_s > MISSED * beat.every_s + 60:
        return f"{name} has not run for {age_s:.0f} s; it should every {beat.every_s} s"
    if beat.failed_in_a_row >= MISSED:
        return f"{name} has failed {beat.failed_in_a_row} times in a row; the log says why"
    return ""
