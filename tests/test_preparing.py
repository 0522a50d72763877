"""Digests planned here or in processes beside this one: the same ones, and nobody left out."""

from __future__ import annotations

import multiprocessing
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from digest import jobs
from digest.app import App
from digest.model import DeliveryState, Subscriber, WhenEmpty
from digest.preparing import Round, drafts
from digest.store.freeze import Frozen
from tests.running import announce, running
from tests.samples import NOW, listing, profile, subscriber
from tests.waiting import kill_beside

TERMS = ("flash attention", "river", "attention + river", "lake", "title:flash")
PAPERS = [
    listing(f"{name} {number}", abstract="Attention flows like a river.")
    for name in ("Flash attention", "River", "Delta")
    for number in range(5)
]


def readers(count: int) -> list[Subscriber]:
    """So many subscribers, no two beside each other with the same profile."""
    return [
        subscriber(
            f"reader{number}@example.org",
            profile=profile(
                keywords={TERMS[number % 5]: 1.0 + number % 3, TERMS[(number + 2) % 5]: 2.0},
                min_score=0.1 * (number % 4),
                max_items=1 + number % 6,
                when_empty=WhenEmpty.NOTE if number % 2 else WhenEmpty.SKIP,
            ),
        )
        for number in range(count)
    ]


@contextmanager
def service(folder: Path, count: int) -> Iterator[App]:
    """A service with papers and so many readers who are due."""
    with running(folder, *readers(count)) as app:
        announce(app, *PAPERS)
        yield app


def by(app: App, processes: int) -> App:
    """The same with so many processes."""
    table = app.config.service.model_copy(update={"processes": processes})
    return replace(app, config=app.config.model_copy(update={"service": table}))


def planned(app: App, then: Callable[[], None] = lambda: None) -> list[Frozen]:
    """All drafts, four in each batch."""
    found: list[Frozen] = []
    with closing(drafts(app, Round(NOW), many=8, batch=4)) as batches:
        for one in batches:
            found += one
            then()
    return found


class Beside:
    """Counts the processes beside this one, each time it is called."""

    def __init__(self) -> None:
        self.most = 0

    def __call__(self) -> None:
        """Look once more."""
        self.most = max(self.most, len(multiprocessing.active_children()))


def test_processes_plan_the_same_digests(tmp_path: Path) -> None:
    """Each reader's once, in order, with the same items, scores, reasons and counts."""
    beside = Beside()
    with service(tmp_path, 18) as app:
        here, there = planned(by(app, 1)), planned(by(app, 2), beside)
    assert beside.most == 2
    assert there == here
    assert [one.subscriber_id for one in there] == list(range(1, 19))
    assert len({one.text for one in there}) == 18


@pytest.mark.parametrize(("processes", "count"), [(1, 18), (2, 7)])
def test_one_process_plans_alone(tmp_path: Path, processes: int, count: int) -> None:
    """`processes = 1` starts no other, nor do few readers."""
    beside = Beside()
    with service(tmp_path, count) as app:
        assert len(planned(by(app, processes), beside)) == count
    assert not beside.most


def test_a_process_that_was_killed_loses_nobody(tmp_path: Path) -> None:
    """What the dead processes held is planned here instead."""
    killed = list[int | None]()

    def kill() -> None:
        if not killed:
            killed.extend(kill_beside())

    with service(tmp_path, 40) as app:
        found = planned(by(app, 2), kill)
        assert killed
        assert [one.subscriber_id for one in found] == list(range(1, 41))


def test_a_stop_ends_between_two_batches(tmp_path: Path) -> None:
    """What was opened stays, nobody is half opened, and who is left is due again."""
    opened: list[Frozen] = []
    with service(tmp_path, 20) as app:
        for batch in drafts(by(app, 2), Round(NOW), opened.__len__, many=8, batch=4):
            app.store.open_deliveries(app.frame, batch, NOW)
            opened.extend(batch)
        assert len(opened) == 4
        assert not multiprocessing.active_children()
        assert len(app.store.due(NOW, 99)) == 16
        assert jobs.prepare(app, NOW, stopping=lambda: True) == Counter()
        assert jobs.prepare(app, NOW).total() == 16
        assert sum(app.store.deliveries_by_state(NOW).values()) == 20


def test_who_leaves_meanwhile_gets_no_digest(tmp_path: Path) -> None:
    """Between the question who is due and the planning, and between that and the opening."""
    with service(tmp_path, 6) as app:
        batches = drafts(app, Round(NOW), batch=3)
        first = next(batches)
        with app.store.writing() as db:  # type: ignore[attr-defined]  # SQLite, to change rows
            db.execute("UPDATE subscribers SET state = 'unsubscribed' WHERE id IN (2, 5)")
        app.store.open_deliveries(app.frame, first, NOW)
        (second,) = list(batches)
        app.store.open_deliveries(app.frame, second, NOW)
        assert [one.subscriber_id for one in second] == [4, 6]
        states = app.store.deliveries_by_state(NOW)
        assert states[DeliveryState.QUEUED] + states.get(DeliveryState.EMPTY, 0) == 4
