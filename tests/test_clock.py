"""The time that all processes of a service go by."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime, timedelta

import pytest

from digest.clock import SharedClock
from digest.errors import StoreError
from tests.samples import NOW


class Times:
    """A database's clock, and those of a machine which is `ahead_s` of it, and slept so long."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, ahead_s: float) -> None:
        self.true_s = NOW.timestamp()
        self.ahead_s = ahead_s
        self.slept_s = 0.0
        self.slow_s = 0.0
        self.fails = False
        monkeypatch.setattr("digest.clock.time.time", lambda: self.here().timestamp())
        monkeypatch.setattr("digest.clock.time.monotonic", lambda: self.true_s - self.slept_s - 1e9)

    def here(self) -> datetime:
        """The time by the machine's clock."""
        return datetime.fromtimestamp(self.true_s + self.ahead_s, UTC)

    def there(self) -> float:
        """What the database answers as soon as it is asked; the answer may take its time."""
        if self.fails:
            raise StoreError("the database cannot be reached")
        told_s = self.true_s
        self.true_s += self.slow_s
        return told_s

    def ahead_of_true(self, clock: SharedClock) -> float:
        """Seconds by which a clock is wrong, to the hundredth."""
        return round(clock().timestamp() - self.true_s, 2)


@pytest.mark.parametrize("ahead_s", [600, -600, 0.7])
def test_the_database_says_what_time_it_is(monkeypatch: pytest.MonkeyPatch, ahead_s: float) -> None:
    """However wrong a machine's own clock is."""
    times = Times(monkeypatch, ahead_s)
    clock = SharedClock(times.here, times.there)
    for _ in range(2):
        assert times.ahead_of_true(clock) == 0
        times.true_s += 60


def test_clocks_that_agree_are_left_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """Less than half a second is nothing."""
    times = Times(monkeypatch, 0.4)
    clock = SharedClock(times.here, times.there)
    assert clock() == times.here()


def test_a_clock_that_is_set_meanwhile_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """An hour on and back again, before the database is asked once more and after."""
    times = Times(monkeypatch, 0)
    clock = SharedClock(times.here, times.there)
    for times.ahead_s in (3600, -3600, 0):
        assert times.ahead_of_true(clock) == 0
        clock.keep()
        assert times.ahead_of_true(clock) == 0


def test_a_machine_that_slept_is_set_right_by_the_next_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its clocks stood still; until then it is behind, and takes nobody's lease for ended."""
    times = Times(monkeypatch, 0)
    clock = SharedClock(times.here, times.there)
    times.true_s += 300
    times.ahead_s, times.slept_s = -300, 300
    assert times.ahead_of_true(clock) == -300
    clock.keep()
    assert times.ahead_of_true(clock) == 0


def test_no_clock_is_set_by_a_slow_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody knows when in that time it was given; the first one is better than none."""
    times = Times(monkeypatch, 600)
    times.slow_s = 3
    clock = SharedClock(times.here, times.there)
    assert times.ahead_of_true(clock) == -1.5
    times.slow_s = 0.1
    clock.keep()
    assert times.ahead_of_true(clock) == -0.05
    times.slow_s = 3
    clock.keep()
    assert times.ahead_of_true(clock) == -0.05


def test_an_answer_that_does_not_come_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who asks is told."""
    times = Times(monkeypatch, 600)
    clock = SharedClock(times.here, times.there)
    times.fails = True
    with pytest.raises(StoreError):
        clock.keep()
    assert times.ahead_of_true(clock) == 0


def test_the_operator_is_told_once_that_a_clock_is_wrong(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """By how much and what to do, and when it is right again; nothing of a second."""
    caplog.set_level(logging.INFO, "digest")
    times = Times(monkeypatch, 1)
    clock = SharedClock(times.here, times.there)
    assert not caplog.records
    times.ahead_s = 312
    clock.keep()
    clock.keep()
    (record,) = caplog.records
    event, _, details = record.getMessage().partition(" ")
    assert (record.levelname, event) == ("WARNING", "clock.apart")
    told = {"seconds_behind": -312, "do": "set this machine's clock right (NTP)"}
    assert json.loads(details) == told
    times.ahead_s = 0
    clock.keep()
    clock.keep()
    assert [one.getMessage() for one in caplog.records[1:]] == ["clock.right"]


def test_time_itself_passes_for_a_pretended_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a rehearsal says the time is stays what it says, on a machine whose own is right."""
    times = Times(monkeypatch, 0)
    pretended = NOW + timedelta(days=30)
    assert SharedClock(lambda: pretended, times.there)() == pretended
