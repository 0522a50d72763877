"""The pulse of a process among several: what health is told of steps that others ran."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from digest.cluster.pulse import SharedPulse
from digest.store.operating import ALIVE, WorkerBeat, living
from digest.store.sqlite import SqliteStore
from digest.web.pulse import LONGEST_RUN
from tests.samples import NOW

EVERY_S = 30
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    """What the workers tell each other by."""
    kept = SqliteStore(tmp_path / "digest.db")
    yield kept
    kept.close_store()


def pulse_of(store: SqliteStore, worker: str = "one:1") -> SharedPulse:
    """The pulse of a worker that shares `deliver` with others, and looks for itself."""
    made = SharedPulse(store, worker, NOW)
    made.shared = {"deliver"}
    made.expect({"deliver": EVERY_S, "look": EVERY_S}, NOW)
    return made


def test_a_step_that_another_ran_is_not_late(store: SqliteStore) -> None:
    """What nobody ran is; so is what this process ought to do for itself."""
    one = pulse_of(store)
    later = NOW + 10 * MINUTE
    assert len(one.troubles(later)) == 2
    store.note_beat(WorkerBeat("two:1", ALIVE, later, later))
    store.note_beat(WorkerBeat("two:1", "deliver", later - SECOND, later))
    store.note_beat(WorkerBeat("two:1", "look", later, later))
    one.hear(store.beats(), later)
    assert one.troubles(later) == ["look has not run for 600 s; it should every 30 s"]
    assert one.beats["deliver"].age_s(later) == 0
    assert one.workers == ["two:1"]
    assert "deliver has not run" in one.troubles(later + 10 * MINUTE)[0]


def test_what_runs_here_is_told_to_the_others(store: SqliteStore) -> None:
    """Its begin, its end and how often it failed; what is this process's own is not."""
    one, two = pulse_of(store), pulse_of(store, "two:1")
    one.live(NOW)
    for failed in (True, True):
        one.begin("deliver", NOW)
        one.end("deliver", NOW + SECOND, failed=failed)
        one.begin("look", NOW)
        one.end("look", NOW, failed=False)
    one.close(NOW + MINUTE)
    assert [(beat.step, beat.failed) for beat in store.beats()] == [(ALIVE, 0), ("deliver", 2)]
    assert not living(store.beats(), NOW + MINUTE)
    two.hear(store.beats(), NOW + MINUTE)
    assert two.beats["deliver"].failed_in_a_row == 2
    assert two.beats["deliver"].ended_at == NOW + SECOND
    assert two.beats["deliver"].done == 0
    two.close(NOW)


def test_a_step_that_hangs_in_a_living_worker_is_told(store: SqliteStore) -> None:
    """Though others run it meanwhile; that of a worker that died is rescued, and no trouble."""
    one, later = pulse_of(store), NOW + LONGEST_RUN + MINUTE
    store.note_beat(WorkerBeat("two:1", ALIVE, later, later))
    store.note_beat(WorkerBeat("two:1", "deliver", NOW))
    store.note_beat(WorkerBeat("three:1", "deliver", later, later))
    one.beats.pop("look")
    one.hear(store.beats(), later)
    assert "deliver has been running for 6:01:00" in one.troubles(later)[0]
    one.hear(store.beats(), later + 2 * MINUTE)  # no sign of life any more
    assert one.troubles(later + 2 * MINUTE) == []


def test_a_long_run_of_the_only_worker_is_no_trouble(store: SqliteStore) -> None:
    """It is under way, and no older end of another says otherwise."""
    one = pulse_of(store)
    one.beats.pop("look")
    store.note_beat(WorkerBeat("two:1", "deliver", NOW, NOW))
    one.live(NOW + HOUR)
    one.begin("deliver", NOW + MINUTE)
    one.close(NOW)  # which waits until all is told
    store.note_beat(WorkerBeat("one:1", ALIVE, NOW + HOUR, NOW + HOUR))
    one.hear(store.beats(), NOW + HOUR)
    assert one.beats["deliver"].is_running
    assert one.troubles(NOW + HOUR) == []
