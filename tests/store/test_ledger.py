"""The ledger: one row a day, legal moves only, leases, and the same bytes again."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, time, timedelta

import pytest

from digest.model import (
    Deferred,
    DeliveryState,
    Outcome,
    Receipt,
    Refused,
    Sent,
    SourceRun,
    Subscriber,
    SubscriberState,
    Unknown,
)
from digest.store import Store
from tests.postgres.database import AnyStore
from tests.samples import FRAME, NOW, digest_of, listing, subscriber
from tests.store.steps import Held, claim, close

TODAY = NOW.date()
LATER = NOW + timedelta(minutes=5)


def person(store: Store, email: str = "ada@example.org", **settings: object) -> Subscriber:
    """A stored subscriber whose send time has passed by NOW."""
    return store.put_subscriber(subscriber(email, **{"send_at": time(7, 0), **settings}), NOW)


def queued(store: Store, one: Subscriber, day: date = TODAY) -> None:
    """Open a digest of one listing for a day."""
    store.add_listings([listing(f"{one.email} {day}")], [], {}, (), NOW)
    (newest,) = store.recent_listings(1)
    store.open_deliveries(FRAME, [digest_of(one, newest, digest_on=day)], NOW)


def claimed(store: Store, owner: str = "worker") -> Held:
    """The one delivery that is to be sent now, claimed."""
    (held,) = claim(store, NOW, 10, 60, owner)
    return held


def ids(held: list[Held]) -> dict[str, str]:
    """The Message-ID of each recipient."""
    return {one.lease.recipient: one.delivery.message_id for one in held}


def state(store: Store, one: Subscriber, day: date = TODAY) -> DeliveryState:
    """The state of a subscriber's day."""
    kept = store.delivery(one.id, day)
    assert kept
    return kept.state


def test_due_until_the_day_has_its_row(store: Store) -> None:
    """A subscriber is due once a day; an empty day answers it as well."""
    ada, grace = person(store), person(store, "grace@example.org")
    person(store, "late@example.org", send_at=time(9, 0))
    assert [d.subscriber.email for d in store.due(NOW, 10)] == [ada.email, grace.email]
    assert len(store.due(NOW, 1)) == 1
    queued(store, ada)
    store.open_deliveries(FRAME, [digest_of(grace, mailed=False, empty_reason="none")], NOW)
    assert not store.due(NOW, 10)
    assert state(store, grace) is DeliveryState.EMPTY
    assert [d.digest_on for d in store.due(NOW + timedelta(days=1), 10)] == [date(2026, 11, 21)] * 2


def test_at_once_asks_neither_hour_nor_day(store: Store) -> None:
    """`send --now` takes everyone without a digest today."""
    person(store, send_at=time(23, 0), days=("sun",))
    assert not store.due(NOW, 10)
    assert len(store.due(NOW, 10, at_once=True)) == 1


@pytest.mark.parametrize("other", [s for s in SubscriberState if s is not SubscriberState.ACTIVE])
def test_o1_only_active_subscribers_are_due(store: Store, other: SubscriberState) -> None:
    """Pending, paused, unsubscribed and removed people get nothing."""
    one = person(store)
    store.set_state(one.id, other, NOW)
    assert not store.due(NOW, 10)


def test_q1_a_day_has_one_row_whatever_is_opened_again(store: Store) -> None:
    """Opening the same day twice, or after the clock went back, adds nothing."""
    one = person(store)
    queued(store, one)
    first = store.delivery(one.id, TODAY)
    assert first
    assert store.open_deliveries(FRAME, [digest_of(one, listing("other"))], NOW) == 0
    assert store.delivery(one.id, TODAY) == first
    assert store.matched_so_far() == first.digest.receipt.matched == 1
    assert not store.due(NOW - timedelta(minutes=30), 10)


def test_q2_a_row_keeps_what_its_mail_was_made_from(store: Store) -> None:
    """Digest, frame and receipt come back equal though the listing changed meanwhile."""
    one = person(store)
    store.add_listings([listing("kept", votes=1)], [], {}, (), NOW)
    (kept,) = store.recent_listings(1)
    sources = (SourceRun("arXiv", NOW, 9, 9, 5, 4, 0, TODAY),)
    digest = digest_of(one, kept, receipt=Receipt(sources, 5, 1, 1, 0))
    store.open_deliveries(FRAME, [digest], NOW)
    store.add_listings([], [replace(kept, votes=99)], {}, (), NOW)
    delivery = claimed(store).delivery
    assert delivery.digest == digest
    assert delivery.frame == FRAME
    assert delivery.prepared_at == NOW


def test_m6_a_message_id_is_made_once_under_our_own_domain(store: Store) -> None:
    """Every try has the same id, two subscribers never do."""
    ada, grace = person(store), person(store, "grace@example.org")
    queued(store, ada)
    queued(store, grace)
    first = ids(claim(store, NOW, 10, 60, "a"))
    store.expire(NOW + timedelta(minutes=2))
    again = claim(store, NOW + timedelta(minutes=2), 10, 60, "b")
    assert ids(again) == first
    assert len(set(first.values())) == 2
    assert all(number.endswith("@example.org") for number in first.values())


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        (Sent("250 OK queued as 4F2A"), DeliveryState.SENT),
        (Refused(550, "550 5.1.1 unknown"), DeliveryState.REFUSED),
        (Deferred("452 full", 452), DeliveryState.DEFERRED),
        (Unknown("connection lost"), DeliveryState.UNKNOWN),
    ],
)
def test_q20_an_outcome_is_recorded_with_the_servers_words(
    store: Store, outcome: Outcome, expected: DeliveryState
) -> None:
    """State and reply stand in the row; what is final is never claimed again."""
    one = person(store)
    queued(store, one)
    assert close(store, claimed(store), outcome, NOW, LATER)
    kept = store.delivery(one.id, TODAY)
    assert kept
    assert (kept.state, kept.reply) == (expected, outcome.reply)
    assert not claim(store, NOW, 10, 60, "w")
    again = claim(store, LATER, 10, 60, "w")
    assert bool(again) is (expected in {DeliveryState.DEFERRED, DeliveryState.UNKNOWN})


def test_q7_a_live_lease_is_never_taken_over(store: Store) -> None:
    """While the lease runs, or is renewed, nobody else gets the row."""
    queued(store, person(store))
    claimed(store, "first")
    store.renew("first", NOW + timedelta(seconds=50), 60)
    at = NOW + timedelta(seconds=100)
    store.expire(at)
    assert not claim(store, at, 10, 60, "second")


def test_q7_who_lost_the_lease_cannot_send_or_close(store: Store) -> None:
    """A worker that slept past its lease learns it before the last byte, and changes nothing."""
    one = person(store)
    queued(store, one)
    slept = claimed(store, "slept")
    assert store.wanted(slept.lease, NOW)
    at = NOW + timedelta(minutes=2)
    store.expire(at)
    (taken,) = claim(store, at, 10, 60, "awake")
    assert not store.wanted(slept.lease, at)
    assert not close(store, slept, Refused(550, "no"), at, at)
    assert close(store, taken, Sent("250"), at, at)
    assert state(store, one) is DeliveryState.SENT


def test_u4_an_unsubscribe_during_the_run_withdraws_the_permit(store: Store) -> None:
    """A row that is being sent is no longer wanted once its subscriber left, and ends cancelled."""
    one = person(store)
    queued(store, one)
    delivery = claimed(store)
    store.set_state(one.id, SubscriberState.UNSUBSCRIBED, NOW)
    assert not store.wanted(delivery.lease, NOW)
    close(store, delivery, Deferred("withdrawn"), NOW, LATER)
    store.expire(LATER)
    assert state(store, one) is DeliveryState.CANCELLED


def test_q3_an_unknown_delivery_is_tried_once_more_then_held(store: Store) -> None:
    """The second lost reply ends in a person's hands, not in a third mail."""
    one = person(store)
    queued(store, one)
    close(store, claimed(store), Unknown("lost"), NOW, LATER)
    (again,) = claim(store, LATER, 10, 60, "w")
    close(store, again, Unknown("lost"), LATER, LATER)
    assert not claim(store, LATER + timedelta(hours=1), 10, 60, "w")
    store.expire(LATER)
    assert state(store, one) is DeliveryState.HELD


def test_the_relays_trouble_counts_as_nobodys_attempt(store: Store) -> None:
    """Attempts grow with tries, not with an outage or a pause."""
    queued(store, person(store))
    first = claimed(store)
    assert first.delivery.attempts == first.lease.attempt == 1
    close(store, first, Deferred("421", 421, relay=True), NOW, NOW)
    second = claimed(store)
    assert second.delivery.attempts == 1
    close(store, second, Deferred("451", 451), NOW, NOW)
    assert claimed(store).delivery.attempts == 2


def test_q8_a_digest_that_grew_stale_is_cancelled(store: Store) -> None:
    """After 24 hours the digest of the day before is not sent any more."""
    one = person(store)
    queued(store, one)
    store.expire(NOW + timedelta(hours=24))
    assert state(store, one) is DeliveryState.QUEUED
    store.expire(NOW + timedelta(hours=24, seconds=1))
    assert state(store, one) is DeliveryState.CANCELLED


def test_q16_a_new_digest_replaces_one_that_still_waits(store: Store) -> None:
    """Never two digests at a time."""
    one = person(store)
    queued(store, one)
    queued(store, one, TODAY + timedelta(days=1))
    assert state(store, one) is DeliveryState.CANCELLED
    assert state(store, one, TODAY + timedelta(days=1)) is DeliveryState.QUEUED


def test_what_was_not_seen_is_offered_again(store: Store) -> None:
    """Shown means queued, sent or maybe sent; a refused or cancelled digest was not seen."""
    one = person(store)
    queued(store, one)
    (listing_id,) = store.shown([one.id], TODAY, TODAY)[one.id]
    assert listing_id == store.recent_listings(1)[0].id
    assert not store.shown([one.id], TODAY + timedelta(days=1), TODAY)
    close(store, claimed(store), Refused(550, "no"), NOW, NOW)
    assert not store.shown([one.id], TODAY, TODAY)


def test_what_still_waits_is_offered_in_the_digest_that_replaces_it(store: Store) -> None:
    """After a day's outage the items of the unsent digest are not taken for seen."""
    one = person(store)
    queued(store, one)
    assert store.shown([one.id], TODAY, TODAY)
    assert not store.shown([one.id], TODAY, TODAY + timedelta(days=1))


def test_q16_an_older_row_in_flight_is_not_sent_beside_a_newer_one(store: Store) -> None:
    """A digest deferred after its successor was opened is cancelled, not claimed."""
    one = person(store)
    queued(store, one)
    older = claimed(store)
    queued(store, one, TODAY + timedelta(days=1))
    close(store, older, Deferred("451", 451), NOW, NOW)
    (newer,) = claim(store, NOW, 10, 60, "w")
    assert newer.delivery.digest.digest_on == TODAY + timedelta(days=1)
    store.expire(NOW)
    assert state(store, one) is DeliveryState.CANCELLED


def test_an_unknown_zone_in_a_row_leaves_the_others_due(store: AnyStore) -> None:
    """A zone that this machine's data lacks is logged and passed over."""
    person(store)
    other = person(store, "grace@example.org")
    with store.writing() as db:
        db.execute("UPDATE subscribers SET timezone = 'Mars/Olympus' WHERE id = ?", (other.id,))
    assert [d.subscriber.email for d in store.due(NOW, 10)] == ["ada@example.org"]


def test_an_unreadable_profile_leaves_the_others_due(store: AnyStore) -> None:
    """A row that cannot be read is logged and passed over."""
    person(store)
    other = person(store, "grace@example.org")
    with store.writing() as db:
        db.execute("UPDATE subscribers SET profile = '{' WHERE id = ?", (other.id,))
    assert [d.subscriber.email for d in store.due(NOW, 10)] == ["ada@example.org"]


def test_rows_go_out_in_the_order_in_which_their_digests_were_given(store: Store) -> None:
    """Whoever was answered longest ago comes first, whatever their numbers are."""
    people = [person(store, f"reader{number}@example.org") for number in range(9)]
    given = people[5:] + people[4::-1]
    store.open_deliveries(FRAME, [digest_of(one, listing("Tiles")) for one in given], NOW)
    leases = store.lease(NOW, 9, 60, "worker")
    assert [one.recipient for one in leases] == [one.email for one in given]


def test_u4_whoever_left_between_due_and_open_gets_no_row(store: Store) -> None:
    """Someone who has just gone, or was erased, leaves no trace in the ledger."""
    one = person(store)
    store.set_state(one.id, SubscriberState.UNSUBSCRIBED, NOW)
    queued(store, one)
    assert store.next_attempt_at() is None
    assert store.delivery(one.id, TODAY) is None


def test_the_counts_and_the_next_try_can_be_asked(store: Store) -> None:
    """Status sees how many stand where, and when the next try is due."""
    assert store.next_attempt_at() is None
    queued(store, person(store))
    queued(store, person(store, "grace@example.org"))
    first, _ = claim(store, NOW, 10, 60, "w")
    close(store, first, Deferred("later", 451), NOW, LATER)
    assert store.deliveries_by_state(NOW) == {
        DeliveryState.DEFERRED: 1,
        DeliveryState.SENDING: 1,
    }
    assert store.next_attempt_at() == NOW + timedelta(seconds=60)  # the lease of the other


def test_d3_tidy_forgets_old_deliveries_and_what_only_they_showed(store: Store) -> None:
    """After 30 days row and snapshots go; what is still shown elsewhere stays."""
    one = person(store)
    queued(store, one)
    close(store, claimed(store), Sent("250"), NOW, NOW)
    assert store.tidy(NOW + timedelta(days=29)) == {
        "deliveries": 0,
        "source_runs": 0,
        "snapshots": 0,
    }
    gone = store.tidy(NOW + timedelta(days=31))
    assert gone == {"deliveries": 1, "source_runs": 0, "snapshots": 2}
    assert store.delivery(one.id, TODAY) is None
