"""What the workers of one service tell each other by the store."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from digest.store import Store
from digest.store.operating import ALIVE, WorkerBeat, living
from tests.samples import NOW

BEAT = WorkerBeat("one:1", "deliver", NOW)


def test_the_last_word_of_each_worker_and_step_is_kept(store: Store) -> None:
    """In the order of their names."""
    other = replace(BEAT, worker="two:1", step="prepare", ended_at=NOW, failed=3)
    ended = replace(BEAT, ended_at=NOW + timedelta(seconds=1))
    for beat in (other, BEAT, ended):
        store.note_beat(beat)
    assert list(store.beats()) == [ended, other]
    begun = replace(ended, began_at=NOW + timedelta(minutes=1))
    store.note_beat(begun)
    assert list(store.beats()) == [begun, other]


def test_a_worker_lives_as_long_as_it_says_so(store: Store) -> None:
    """Another step of it is no sign of life, and one that says it is gone has none."""
    store.note_beat(WorkerBeat("one:1", ALIVE, NOW, NOW))
    store.note_beat(WorkerBeat("two:1", ALIVE, NOW))
    store.note_beat(replace(BEAT, worker="three:1", ended_at=NOW))
    assert living(store.beats(), NOW) == {"one:1"}
    assert living(store.beats(), NOW + timedelta(seconds=89)) == {"one:1"}
    assert not living(store.beats(), NOW + timedelta(seconds=90))


def test_workers_of_yesterday_are_forgotten(store: Store) -> None:
    """After a day without a word; one that runs for hours is not."""
    store.note_beat(replace(BEAT, ended_at=NOW))
    store.note_beat(replace(BEAT, worker="two:1", began_at=NOW + timedelta(hours=1)))
    assert store.tidy_beats(NOW + timedelta(days=1)) == 0
    assert store.tidy_beats(NOW + timedelta(days=1, seconds=1)) == 1
    assert [beat.worker for beat in store.beats()] == ["two:1"]
