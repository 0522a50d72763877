"""Leases: a row that is being made belongs to one worker, and is in no doubt before it is begun."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from digest.model import Deferred, DeliveryState, Outcome, Refused, Sent, SubscriberState, Unknown
from digest.store import Lease, Store, Tried, ledger, trail
from digest.store.postgres.store import PostgresStore
from digest.store.sqlite import SqliteStore
from tests.samples import NOW
from tests.store.steps import claim
from tests.store.test_ledger import LATER, person, queued, state


def leased(store: Store, owner: str = "w") -> list[Lease]:
    """Up to ten rows, leased for a minute."""
    return list(store.lease(NOW, 10, 60, owner))


def test_q7_a_leased_row_is_given_to_nobody_else(store: Store) -> None:
    """It keeps its state and its owner until the lease ends; then anyone may have it."""
    one = person(store)
    queued(store, one)
    (lease,) = leased(store)
    assert (lease.recipient, lease.attempt) == (one.email, 1)
    assert state(store, one) is DeliveryState.QUEUED
    assert not leased(store, "other")
    later = NOW + timedelta(seconds=60)
    assert store.lease(later, 10, 60, "other")
    assert not store.turn([], [lease], later, 60), "who slept over the lease may not begin"


def test_q3_a_worker_that_dies_leaves_only_what_it_had_begun_in_doubt(store: Store) -> None:
    """Of two leased rows one was begun: the other comes back as if nothing had been."""
    one, two = person(store), person(store, "grace@example.org")
    queued(store, one)
    queued(store, two)
    first, second = leased(store)
    assert store.turn([], [first], NOW, 60) == {first.delivery_id}
    after = NOW + timedelta(minutes=2)
    store.expire(after)
    assert state(store, one) is DeliveryState.UNKNOWN
    assert state(store, two) is DeliveryState.QUEUED
    kept = store.delivery_by_id(second.delivery_id)
    assert kept.attempts == 0


def test_a_turn_closes_and_begins_as_one(store: Store) -> None:
    """What was tried is final and what comes next is under way, by one call."""
    one, two = person(store), person(store, "grace@example.org")
    queued(store, one)
    queued(store, two)
    (first,) = claim(store, NOW, 1, 60, "w")
    (second,) = store.lease(NOW, 1, 60, "w")
    held = store.turn([Tried(first.lease, Sent("250"), LATER)], [second], NOW, 60)
    assert held == {first.lease.delivery_id, second.delivery_id}
    assert state(store, one) is DeliveryState.SENT
    assert state(store, two) is DeliveryState.SENDING


def test_rows_of_several_owners_and_outcomes_turn_at_once(store: Store) -> None:
    """Each row gets its own outcome, and one whose lease is another's by now gets none."""
    people = [person(store, f"r{n}@example.org") for n in range(4)]
    for one in people:
        queued(store, one)
    leases = [*store.lease(NOW, 2, 60, "v"), *store.lease(NOW, 2, 60, "w")]
    assert store.turn([], leases, NOW, 60) == {one.delivery_id for one in leases}
    stolen = replace(leases[3], owner="v")
    outcomes: list[Outcome] = [
        Sent("250 one"),
        Deferred("451 two", 451),
        Unknown("three"),
        Sent("250 four"),
    ]
    tries = zip([*leases[:3], stolen], outcomes, strict=True)
    held = store.turn([Tried(lease, outcome, LATER) for lease, outcome in tries], [], NOW, 60)
    assert held == {one.delivery_id for one in leases[:3]}
    rows = [store.delivery_by_id(one.delivery_id) for one in leases]
    assert [(row.state, row.attempts, row.reply) for row in rows] == [
        (DeliveryState.SENT, 1, "250 one"),
        (DeliveryState.DEFERRED, 1, "451 two"),
        (DeliveryState.UNKNOWN, 1, "three"),
        (DeliveryState.SENDING, 1, ""),
    ]


def test_an_outcome_is_recorded_whatever_was_replied(store: Store) -> None:
    """Characters that no database holds are left out of it, or replaced."""
    one = person(store)
    queued(store, one)
    (held,) = claim(store, NOW, 1, 60, "w")
    tried = Tried(held.lease, Refused(550, '550 "no\x00pe" \ud800 π \\'), LATER)
    assert store.turn([tried], [], NOW, 60) == {held.lease.delivery_id}
    assert store.delivery_by_id(held.lease.delivery_id).reply == '550 "nope" ? π \\'


def test_deliveries_are_read_at_once_but_for_one_that_cannot_be(
    store: SqliteStore | PostgresStore,
) -> None:
    """A row with a broken body keeps none of the others."""
    for n in range(3):
        queued(store, person(store, f"r{n}@example.org"))
    numbers = [one.delivery_id for one in leased(store)]
    with store.writing() as db:
        db.execute("UPDATE bodies SET body = '{' WHERE delivery_id = ?", (numbers[1],))
    found = store.deliveries_by_id([*numbers, 999])
    assert found == {number: store.delivery_by_id(number) for number in (numbers[0], numbers[2])}


def test_what_was_given_back_behind_a_run_is_not_left_out(store: Store) -> None:
    """A run goes on from where it left off, and looks from the start where nothing is left."""
    for n in range(3):
        queued(store, person(store, f"r{n}@example.org"))
    (first,) = store.lease(NOW, 1, 60, "v")
    (second,) = store.lease(NOW, 1, 60, "w")
    store.give_back("v")
    rows = [one.delivery_id for one in leased(store, "w")]
    assert rows == [first.delivery_id, second.delivery_id + 1]


def test_a_run_looks_from_the_start_now_and_then(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What came free behind it does not wait for all that waits ahead."""
    monkeypatch.setattr(trail, "ANEW", 4)
    for n in range(6):
        queued(store, person(store, f"r{n}@example.org"))
    (freed,) = store.lease(NOW, 1, 60, "v")
    rows = [store.lease(NOW, 1, 60, "w")[0].delivery_id]
    store.give_back("v")
    rows += [store.lease(NOW, 1, 60, "w")[0].delivery_id for _ in range(3)]
    number = freed.delivery_id
    assert rows == [number + 1, number + 2, number + 3, number]


def test_q15_what_was_not_begun_is_given_back_at_once(store: Store) -> None:
    """A worker that stops in order keeps nobody waiting for its lease to end."""
    queued(store, person(store))
    queued(store, person(store, "grace@example.org"))
    first, _ = leased(store)
    store.turn([], [first], NOW, 60)
    assert store.give_back("w") == 1
    assert len(leased(store, "other")) == 1


def test_u4_who_left_while_the_mail_was_made_is_not_begun(store: Store) -> None:
    """The row of a lease stays cancelled."""
    one = person(store)
    queued(store, one)
    (lease,) = leased(store)
    store.set_state(one.id, SubscriberState.UNSUBSCRIBED, NOW)
    assert not store.turn([], [lease], NOW, 60)
    assert state(store, one) is DeliveryState.CANCELLED


def test_q16_a_row_that_a_newer_one_replaced_is_not_begun(store: Store) -> None:
    """Never two digests at a time, also when the older one was being made."""
    one = person(store)
    queued(store, one)
    (lease,) = leased(store)
    queued(store, one, NOW.date() + timedelta(days=1))
    assert not store.turn([], [lease], NOW, 60)


def test_the_longest_waiting_goes_first(store: Store) -> None:
    """Rows come in the order of their next try, then of their numbers."""
    people = [person(store, f"r{n}@example.org") for n in range(3)]
    for one in people:
        queued(store, one)
    (first,) = claim(store, NOW, 1, 60, "w")
    store.turn([Tried(first.lease, Deferred("421", 421, relay=True), LATER)], [], NOW, 60)
    order = [lease.recipient for lease in store.lease(LATER, 10, 60, "w")]
    assert order == ["r1@example.org", "r2@example.org", "r0@example.org"]


def test_old_rows_are_forgotten_some_at_a_time(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of them, in several transactions."""
    monkeypatch.setattr(ledger, "FORGOTTEN_AT_ONCE", 2)
    for n in range(5):
        queued(store, person(store, f"r{n}@example.org"))
    leases = leased(store)
    store.turn([], leases, NOW, 60)
    store.turn([Tried(lease, Sent("250"), LATER) for lease in leases], [], NOW, 60)
    assert store.tidy(NOW + timedelta(days=31))["deliveries"] == 5
    assert not store.deliveries_by_id([lease.delivery_id for lease in leases])
