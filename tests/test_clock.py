"""The time that all processes of a service go by."""

from __future__ import annotations

import json
import logging
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event
from types import SimpleNamespace
from typing import cast

import pytest

from digest.app import App
from digest.cli import options
from digest.clock import FRESH_S, SharedClock
from digest.errors import StoreError
from digest.store.postgres.store import PostgresStore
from digest.store.sqlite import SqliteStore
from tests.samples import NOW


class Times:
    """A database's clock, and those of a machine: `ahead_s` of it, and stood still so long."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, ahead_s: float) -> None:
        self.true_s = NOW.timestamp()
        self.ahead_s = ahead_s
        self.still_s = 0.0
        self.slow_s = 0.0
        self.fails = False
        self.asked = 0
        monkeypatch.setattr("digest.clock.time.time", lambda: self.here().timestamp())
        monkeypatch.setattr("digest.clock._steady_s", lambda: self.true_s - self.still_s - 1e9)

    def clock(self) -> SharedClock:
        """The machine's clock, set right; what may take its time is done at once."""
        return SharedClock(self.here, self.there, lambda act: act())

    def here(self) -> datetime:
        """The time by the machine's clock."""
        return datetime.fromtimestamp(self.true_s + self.ahead_s, UTC)

    def there(self) -> float:
        """What the database answers as soon as it is asked; the answer may take its time."""
        self.asked += 1
        if self.fails:
            raise StoreError("the database cannot be reached")
        told_s = self.true_s
        self.true_s += self.slow_s
        return told_s

    def wait(self) -> None:
        """As long as an answer counts as fresh."""
        self.true_s += FRESH_S + 1

    def ahead_of_true(self, clock: SharedClock) -> float:
        """Seconds by which a clock is wrong, to the hundredth."""
        now = clock()  # which may take its time
        return round(now.timestamp() - self.true_s, 2)


@pytest.mark.parametrize("ahead_s", [600, -600, 0.7])
def test_the_database_says_what_time_it_is(monkeypatch: pytest.MonkeyPatch, ahead_s: float) -> None:
    """However wrong a machine's own clock is."""
    times = Times(monkeypatch, ahead_s)
    clock = times.clock()
    for _ in range(2):
        assert times.ahead_of_true(clock) == 0
        times.true_s += 60


def test_clocks_that_agree_are_left_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """Less than half a second is nothing."""
    times = Times(monkeypatch, 0.4)
    assert times.clock()() == times.here()


def test_a_clock_that_drifts_is_asked_about_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not each time that somebody wants to know what time it is."""
    times = Times(monkeypatch, 0)
    clock = times.clock()
    for _ in range(100):
        clock()
    assert times.asked == 1
    times.wait()
    times.ahead_s = times.still_s = -3  # both of the machine's clocks go too fast
    clock()
    assert times.ahead_of_true(clock) == 0
    assert times.asked == 2


def test_a_clock_that_is_set_meanwhile_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """An hour on and back again: the database is asked at once, and nobody sees a wrong time."""
    times = Times(monkeypatch, 0)
    clock = times.clock()
    for asked, times.ahead_s in enumerate((3600, -3600, 0), 2):
        assert times.ahead_of_true(clock) == 0
        assert times.ahead_of_true(clock) == 0
        assert times.asked == asked


def test_a_machine_that_stood_still_is_right_as_soon_as_its_clock_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Paused from outside, all its clocks stop; then its time is set, and the database asked."""
    times = Times(monkeypatch, 0)
    clock = times.clock()
    times.true_s += 300
    times.still_s = 300
    assert times.ahead_of_true(clock) == 0


def test_a_machine_that_slept_is_right_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its steady clock goes on meanwhile."""
    times = Times(monkeypatch, 600)
    clock = times.clock()
    times.true_s += 300
    times.fails = True
    assert times.ahead_of_true(clock) == 0


def test_no_clock_is_set_by_a_slow_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody knows when in that time it was given; the first one is better than none."""
    times = Times(monkeypatch, 600)
    times.slow_s = 3
    clock = times.clock()
    assert times.ahead_of_true(clock) == -1.5
    times.slow_s = 0.1
    times.wait()
    assert times.ahead_of_true(clock) == -0.05
    times.slow_s = 3
    times.wait()
    assert times.ahead_of_true(clock) == -0.05


def test_an_answer_that_does_not_come_changes_nothing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It is in the log, and asked for again later, not at every look at the clock."""
    times = Times(monkeypatch, 600)
    clock = times.clock()
    times.fails = True
    times.ahead_s = -600
    for _ in range(3):
        assert times.ahead_of_true(clock) == 0
    assert times.asked == 2
    assert "clock.unasked" in caplog.text
    times.wait()
    clock()
    assert times.asked == 3


def test_a_database_that_cannot_be_asked_at_first_is_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whoever starts is told."""
    times = Times(monkeypatch, 0)
    times.fails = True
    with pytest.raises(StoreError):
        times.clock()


def test_the_operator_is_told_once_that_a_clock_is_wrong(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """By how much and what to do, and when it is right again; nothing of a second."""
    caplog.set_level(logging.INFO, "digest")
    times = Times(monkeypatch, 1)
    clock = times.clock()
    assert not caplog.records
    times.ahead_s = 312
    for _ in range(2):
        clock()
        times.wait()
    (record,) = caplog.records
    event, _, details = record.getMessage().partition(" ")
    assert (record.levelname, event) == ("WARNING", "clock.apart")
    told = {"seconds_behind": -312, "do": "set this machine's clock right (NTP)"}
    assert json.loads(details) == told
    times.ahead_s = 4
    for _ in range(2):
        clock()
        times.wait()
    assert [one.getMessage() for one in caplog.records[1:]] == ["clock.right"]


def test_who_asks_later_holds_up_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread of its own waits for the answer."""
    times = Times(monkeypatch, 0)
    answer, come = Event(), Event()

    def ask() -> float:
        if times.asked:
            answer.wait(30)
            come.set()
        return times.there()

    clock = SharedClock(times.here, ask)
    times.wait()
    assert times.ahead_of_true(clock) == 0
    assert not come.is_set()
    answer.set()
    assert come.wait(30)


def test_commands_go_by_the_clock_of_a_shared_store(
    monkeypatch: pytest.MonkeyPatch, postgres: PostgresStore, tmp_path: Path
) -> None:
    """But for a time that is pretended, and where a file is all there is."""
    wrong_s = 600
    monkeypatch.setattr("digest.clock.time.time", lambda: time.time_ns() / 1e9 + wrong_s)
    monkeypatch.setattr(options, "clock", lambda: datetime.now(UTC) + timedelta(seconds=wrong_s))
    file = SqliteStore(tmp_path / "digest.db")
    for store, ahead_s in ((postgres, 0), (file, wrong_s)):
        now = options.service_clock(cast("App", SimpleNamespace(store=store)))()
        assert abs((now - datetime.now(UTC)).total_seconds() - ahead_s) < 60
    file.close_store()
    monkeypatch.setenv("DIGEST_CLOCK", "2026-11-20T07:30:00+00:00")
    app = cast("App", SimpleNamespace(store=postgres))
    assert options.service_clock(app) is options.clock
