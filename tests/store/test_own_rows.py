"""What people have of their own in the store: keys, links, pauses, proof."""

from __future__ import annotations

from datetime import timedelta

import pytest

from digest.model import Origin, Subscriber, SubscriberState
from digest.store import Signup, SignupLimits, Store
from digest.store.operating import MOST_KEYS
from tests.postgres.database import AnyStore
from tests.samples import NOW, subscriber

A_DAY = timedelta(days=1)


@pytest.fixture
def ada(store: AnyStore) -> Subscriber:
    """A subscriber."""
    return store.put_subscriber(subscriber(origin=Origin.STORE), NOW)


def test_keys_are_found_by_their_hashes(store: Store, ada: Subscriber) -> None:
    """By any of them; the day of use is kept; a key that was revoked is worth nothing."""
    key = store.add_api_key(ada.id, "reader", "hash", NOW)
    assert key
    assert (key.name, key.created_at, key.used_on) == ("reader", NOW, None)
    found = store.api_key(["newer hash", "hash"], NOW + A_DAY)
    assert found
    assert found.id == key.id
    assert store.api_keys(ada.id)[0].used_on == (NOW + A_DAY).date()
    assert store.api_key(["other"], NOW) is None
    assert not store.revoke_api_key(ada.id + 1, key.id)
    assert store.revoke_api_key(ada.id, key.id)
    assert store.api_key(["hash"], NOW) is None
    assert store.api_keys(ada.id) == []


def test_keys_are_bounded(store: Store, ada: Subscriber) -> None:
    """So many each, and none for who is not there."""
    made = [store.add_api_key(ada.id, f"{n}", f"hash {n}", NOW) for n in range(MOST_KEYS + 1)]
    assert [one is None for one in made] == [False] * MOST_KEYS + [True]
    assert store.add_api_key(ada.id + 1, "x", "y", NOW) is None


def test_a_link_is_used_once(store: Store) -> None:
    """By any of the names that it may go by."""
    assert not store.is_link_used(["new", "old"])
    assert store.use_link(["old"], NOW)
    assert store.is_link_used(["new", "old"])
    assert not store.use_link(["new", "old"], NOW)
    assert store.use_link(["other"], NOW)


def test_a_feed_link_works_until_there_is_a_newer_one(store: Store, ada: Subscriber) -> None:
    """Its time is kept to the second."""
    assert store.feed_link_made_at(ada.id) is None
    store.make_feed_link(ada.id, NOW)
    store.make_feed_link(ada.id, NOW + timedelta(seconds=5, milliseconds=3))
    assert store.feed_link_made_at(ada.id) == NOW + timedelta(seconds=5)
    store.drop_feed_link(ada.id)
    assert store.feed_link_made_at(ada.id) is None


def test_a_pause_ends_by_itself_or_by_a_word(store: Store, ada: Subscriber) -> None:
    """Who has left cannot be paused, nor brought back by an end of a pause."""
    assert store.pause(ada.id, NOW + A_DAY, NOW)
    assert store.paused_until(ada.id) == NOW + A_DAY
    assert store.resume(NOW + A_DAY - timedelta(seconds=1)) == 0
    assert store.resume(NOW + A_DAY) == 1
    assert store.paused_until(ada.id) is None
    assert not store.unpause(ada.id, NOW)
    assert store.pause(ada.id, NOW + A_DAY, NOW)
    assert store.unpause(ada.id, NOW)
    store.set_state(ada.id, SubscriberState.UNSUBSCRIBED, NOW)
    assert not store.pause(ada.id, NOW + A_DAY, NOW)
    assert store.resume(NOW + 2 * A_DAY) == 0


def test_the_proof_of_a_sign_up_is_kept(store: Store) -> None:
    """What was asked for can be read until it is confirmed, and proves it from then on."""
    wanted = subscriber("emmy@example.org")
    asked = Signup(wanted, "form 1", "192.0.2.0/24", NOW, "a", "n")
    assert store.sign_up(asked, SignupLimits(9, 9), "example.org", NOW)
    (letter,) = store.claim_letters(NOW, 9, 60, "w")
    assert letter.signup_id
    kept = store.signup(letter.signup_id)
    assert kept
    assert (kept.wanted, kept.form, kept.confirmed_at) == (wanted, "form 1", None)
    assert store.signup(letter.signup_id + 1) is None
    one = store.confirm(letter.signup_id, NOW + A_DAY)
    assert one
    (proof,) = store.consents(one.id)
    assert (proof["form"], proof["client"]) == ("form 1", "192.0.2.0/24")
    assert proof["confirmed_at"] > proof["asked_at"]


def test_letters_with_a_link_are_bounded(store: Store, ada: Subscriber) -> None:
    """So many a day to an address, by its hash."""
    asked = [store.ask_for_link(ada, "hash", "example.org", 2, NOW) for _ in range(3)]
    assert asked == [True, True, False]
    assert store.ask_for_link(ada, "hash", "example.org", 2, NOW + A_DAY)
