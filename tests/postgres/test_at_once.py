"""Several machines at a time: nothing twice, nothing beyond a limit, nobody kept waiting."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import pytest

from digest.errors import StoreError
from digest.model import DeliveryState, Origin, Sent, Subscriber, SubscriberState
from digest.store import Lease, Signup, SignupLimits, Tried
from digest.store.collected import Intake, Look
from digest.store.connection import Part
from digest.store.postgres import connection as module
from digest.store.postgres.store import PostgresStore
from tests.samples import FRAME, NOW, digest_of, listing, subscriber

MACHINES = 6
T = TypeVar("T")


@pytest.fixture
def machines(
    postgres: PostgresStore, database: str, tmp_path: Path
) -> Iterator[list[PostgresStore]]:
    """Stores on one database, each with files of its own."""
    others = [PostgresStore(database, tmp_path / f"machine{n}") for n in range(1, MACHINES)]
    yield [postgres, *others]
    for other in others:
        other.close_store()


def at_once(machines: list[PostgresStore], does: Callable[[PostgresStore], T]) -> list[T]:
    """What each comes to when all begin in the same moment."""
    ready = threading.Barrier(len(machines))

    def one(store: PostgresStore) -> T:
        ready.wait()
        return does(store)

    with ThreadPoolExecutor(len(machines)) as threads:
        return list(threads.map(one, machines))


def waiting(store: PostgresStore, number: int) -> list[Subscriber]:
    """So many people with a digest each that is to be sent."""
    people = [
        store.put_subscriber(subscriber(f"r{n}@example.org", origin=Origin.STORE), NOW)
        for n in range(number)
    ]
    store.open_deliveries(FRAME, [digest_of(one, listing("Tiles")) for one in people], NOW)
    return people


def test_q7_no_row_is_leased_twice(machines: list[PostgresStore]) -> None:
    """All that waits is shared out, whoever asks for how much."""
    waiting(machines[0], 60)
    taken = at_once(machines, lambda store: store.lease(NOW, 10, 60, store.path.name))
    rows = [lease.delivery_id for leases in taken for lease in leases]
    assert len(rows) == len(set(rows)) == 60


def test_a_row_that_another_works_at_is_passed_over(machines: list[PostgresStore]) -> None:
    """Nobody waits for it: what else waits is leased at once."""
    waiting(machines[0], 3)
    with machines[0].writing(Part.SENDING) as db:
        row = db.execute("SELECT id FROM deliveries ORDER BY id LIMIT 1 FOR UPDATE").fetchone()
        taken = [lease.delivery_id for lease in machines[1].lease(NOW, 10, 60, "w")]
    assert row
    assert row[0] not in taken
    assert len(taken) == 2


def test_mails_go_out_while_digests_are_written(machines: list[PostgresStore]) -> None:
    """A batch of new rows, and a list that is taken in, hold up no mail."""
    one, two, three, *_ = machines
    waiting(one, 1)
    with one.writing(Part.OPENING), two.writing(Part.LISTINGS):
        (lease,) = three.lease(NOW, 10, 60, "w")
        assert three.turn([], [lease], NOW, 60)
        assert three.turn([Tried(lease, Sent("250"), NOW)], [], NOW, 60)


def test_who_changes_people_is_alone(
    machines: list[PostgresStore], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, database: str
) -> None:
    """Nothing is leased or written while a person leaves; reading goes on."""
    (person,) = waiting(machines[0], 1)
    monkeypatch.setattr(module, "WAIT_S", 0.2)
    hasty = PostgresStore(database, tmp_path / "hasty")
    with machines[0].writing():
        for does in (
            lambda: hasty.lease(NOW, 1, 60, "w"),
            lambda: hasty.open_deliveries(FRAME, [digest_of(person)], NOW),
            lambda: hasty.set_state(person.id, SubscriberState.REMOVED, NOW),
        ):
            with pytest.raises(StoreError, match="locked by others"):
                does()
        assert hasty.subscriber(person.email) == person
    hasty.close_store()


def test_h6_limits_hold_over_all_machines(machines: list[PostgresStore]) -> None:
    """Of sign-ups at the same moment no more get through than are let through."""
    limits = SignupLimits(per_network_day=100, per_hour=3)

    def sign_up(store: PostgresStore) -> bool:
        wanted = subscriber(f"{store.path.name}@example.org")
        asked = Signup(wanted, "form", "192.0.2.0/24", NOW, store.path.name, "hash of a network")
        return store.sign_up(asked, limits, "example.org", NOW)

    assert sum(at_once(machines, sign_up)) == 3
    letters = at_once(machines, lambda store: store.claim_letters(NOW, 2, 60, store.path.name))
    assert sorted(map(len, letters), reverse=True)[:2] == [2, 1]


def test_a_link_works_once_on_any_machine(machines: list[PostgresStore]) -> None:
    """Pressed at the same moment, too."""
    assert sum(at_once(machines, lambda store: store.use_link(["hash"], NOW))) == 1


def test_q1_a_day_has_one_row_whoever_opens_it(machines: list[PostgresStore]) -> None:
    """The same batch prepared by each is written by one, and each content is kept once."""
    people = [machines[0].put_subscriber(subscriber(f"r{n}@example.org"), NOW) for n in range(20)]
    digests = [digest_of(one, listing(f"Tiles {one.id % 5}")) for one in people]
    opened = at_once(machines, lambda store: store.open_deliveries(FRAME, digests, NOW))
    assert sorted(opened) == [0] * (MACHINES - 1) + [20]
    assert machines[0].rows("SELECT count(*) FROM deliveries") == [(20,)]
    assert machines[0].rows("SELECT count(*) FROM snapshots") == [(6,)]


def test_a_paper_that_comes_in_everywhere_is_stored_once(machines: list[PostgresStore]) -> None:
    """Who comes second finds what the first has stored."""
    paper = listing("Tiles", key="arxiv:2606.00001")

    def sort(look: Look) -> Intake:
        return Intake(new=[] if look([paper.key]) else [paper], terms={"tile": 1})

    took = at_once(machines, lambda store: store.take_in(sort, NOW))
    assert sum(len(intake.new) for intake in took) == 1
    assert machines[0].term_counts() == (1, {"tile": MACHINES})


def test_every_mail_is_begun_once_while_people_leave(machines: list[PostgresStore]) -> None:
    """Five machines send, one takes people off: nobody waits for another for ever, none is lost."""
    people = waiting(machines[0], 150)
    leaving = people[::-5]  # the last first: theirs are leased last, so that some are in time
    begun: list[Lease] = []

    def run(store: PostgresStore) -> None:
        if store is machines[0]:
            for one in leaving:
                store.set_state(one.id, SubscriberState.UNSUBSCRIBED, NOW)
            return
        tried: list[Tried] = []
        while leases := store.lease(NOW, 7, 60, store.path.name):
            held = store.turn(tried, leases, NOW, 60)
            mine = [lease for lease in leases if lease.delivery_id in held]
            begun.extend(mine)
            tried = [Tried(lease, Sent("250"), NOW) for lease in mine]
        assert len(store.turn(tried, [], NOW, 60)) == len(tried)

    at_once(machines, run)
    assert len({lease.delivery_id for lease in begun}) == len(begun)
    counts = Counter(machines[0].deliveries_by_state(NOW))
    assert counts[DeliveryState.SENT] == len(begun)
    assert counts[DeliveryState.SENT] + counts[DeliveryState.CANCELLED] == len(people)
    gone = {one.email for one in leaving} - {lease.recipient for lease in begun}
    assert counts[DeliveryState.CANCELLED] == len(gone)
