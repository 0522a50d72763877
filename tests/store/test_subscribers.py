"""Who is mailed: addresses, settings, states, and whom the file owns."""

from __future__ import annotations

from dataclasses import replace
from datetime import time

from digest.model import DeliveryState, Origin, SubscriberState, WhenEmpty
from digest.store import Store
from tests.samples import FRAME, NOW, digest_of, listing, profile, subscriber
from tests.store.steps import claim

STORED = {"origin": Origin.STORE}


def test_a_subscriber_comes_back_as_it_was(store: Store) -> None:
    """Every setting survives."""
    one = subscriber(
        profile=profile(
            keywords={"flash attention": 2.5, '"C++"': -1.0},
            exclude=("category:cs.CR",),
            authors=("Paul Lévy",),
            per_day=8,
            when_empty=WhenEmpty.NEAREST,
        ),
        timezone="Asia/Kathmandu",
        send_at=time(6, 45),
        days=("mon", "fri"),
        name="Ada",
        origin=Origin.STORE,
    )
    kept = store.put_subscriber(one, NOW)
    assert kept == one
    assert kept.id > 0
    assert store.subscriber("ada@example.org") == one


def test_o10_case_of_the_domain_makes_no_second_person(store: Store) -> None:
    """`A@EX.org` and `A@ex.org` are one row; the local part is kept as typed."""
    store.put_subscriber(subscriber("Ada@Example.ORG", **STORED), NOW)
    store.put_subscriber(subscriber("Ada@example.org", **STORED), NOW)
    store.put_subscriber(subscriber("ada@example.org", **STORED), NOW)
    assert [one.email for one in store.subscribers()] == ["Ada@Example.ORG", "ada@example.org"]


def test_the_file_owns_its_subscribers(store: Store) -> None:
    """Who leaves the file is removed, who returns is active again, others stay untouched."""
    store.put_subscriber(subscriber("web@example.org", **STORED), NOW)
    one, two = subscriber("one@example.org"), subscriber("two@example.org")
    store.sync_file([one, two], NOW)
    store.sync_file([one], NOW)
    assert [person.email for person in store.subscribers()] == [
        "one@example.org",
        "web@example.org",
    ]
    store.sync_file([one, two], NOW)
    again = store.subscriber("two@example.org")
    assert again
    assert again.state is SubscriberState.ACTIVE


def test_changed_settings_in_the_file_are_taken_over(store: Store) -> None:
    """A new hour in the file is a new hour in the store; the row stays the same."""
    store.sync_file([subscriber()], NOW)
    before = store.subscriber("ada@example.org")
    store.sync_file([subscriber(send_at=time(9, 0))], NOW)
    after = store.subscriber("ada@example.org")
    assert before
    assert after
    assert (after.id, after.send_at) == (before.id, time(9, 0))


def test_u8_an_unsubscribe_outlives_the_file_and_an_import(store: Store) -> None:
    """Consent that was withdrawn does not come back with the operator's list."""
    store.sync_file([subscriber()], NOW)
    one = store.subscriber("ada@example.org")
    assert one
    store.set_state(one.id, SubscriberState.UNSUBSCRIBED, NOW)
    store.sync_file([subscriber(send_at=time(9, 0))], NOW)
    store.put_subscriber(subscriber(), NOW)
    kept = store.subscriber("ada@example.org")
    assert kept
    assert kept.state is SubscriberState.UNSUBSCRIBED


def test_a_pause_outlives_an_import(store: Store) -> None:
    """Settings that the operator imports again wake nobody who asked for quiet."""
    one = store.put_subscriber(subscriber(**STORED), NOW)
    store.set_state(one.id, SubscriberState.PAUSED, NOW)
    assert store.put_subscriber(subscriber(**STORED), NOW).state is SubscriberState.PAUSED


def test_u4_leaving_cancels_what_waits(store: Store) -> None:
    """A queued digest of someone who unsubscribes is cancelled in the same transaction."""
    one = store.put_subscriber(subscriber(**STORED), NOW)
    store.open_deliveries(FRAME, [digest_of(one, listing("a"))], NOW)
    store.set_state(one.id, SubscriberState.UNSUBSCRIBED, NOW)
    kept = store.delivery(one.id, NOW.date())
    assert kept
    assert kept.state is DeliveryState.CANCELLED
    assert not claim(store, NOW, 10, 60, "w")


def test_a_pending_subscriber_stays_pending_through_an_edit(store: Store) -> None:
    """The state is the caller's to change, settings alone do not confirm anyone."""
    pending = replace(subscriber(**STORED), state=SubscriberState.PENDING)
    store.put_subscriber(pending, NOW)
    assert not store.due(NOW, 10)
