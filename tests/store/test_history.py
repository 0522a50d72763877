"""The history of settings: kept with each change, for a week, and the way back."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from digest.model import Origin, Profile, Subscriber, SubscriberState
from digest.store.personal import Like
from digest.store.remembering import KEEP_REVISIONS, MOST_REVISIONS
from digest.store.revising import Revised
from tests.postgres.database import AnyStore
from tests.samples import FRAME, NOW, digest_of, listing, profile, subscriber

PAPER = listing("Kernels", key="arxiv:2606.00001", ids=("arxiv:2606.00001",))
OTHER = profile(keywords={"kernels": 1.0})


def ada(store: AnyStore) -> Subscriber:
    """A subscriber of the store."""
    return store.put_subscriber(subscriber(origin=Origin.STORE), NOW)


def tuned(store: AnyStore, one: Subscriber, wanted: Profile, said: Like | None = None) -> int:
    """The number of a change made by a mail's link."""
    number = store.revise(one.id, Revised(wanted, one.profile, "mail", ("Said.",), said), NOW)
    assert number
    return number


def test_each_way_of_changing_is_remembered(store: AnyStore) -> None:
    """By what, when, what, and how it was; the newest first; saving the same again is no change."""
    one = ada(store)
    store.change_subscriber(replace(one, profile=OTHER), NOW, "toml")
    store.change_subscriber(replace(one, profile=OTHER), NOW, "toml")
    store.put_subscriber(one, NOW)
    by_cli, by_toml = store.revisions(one.id)
    assert (by_cli.by, by_toml.by) == ("cli", "toml")
    assert by_toml.before == one
    assert by_cli.before.profile == OTHER
    assert by_toml.says == (
        "“kernels” is added, with weight 1.",
        "“flash attention” is taken out (it had weight 2).",
    )
    assert by_toml.changed_at == NOW


def test_going_back_restores_settings_and_takes_back_likes(store: AnyStore) -> None:
    """To before that change, whatever came after it; address and state stay, and it is a change."""
    one = ada(store)
    first = tuned(store, one, OTHER, Like(PAPER, 1, NOW, "web"))
    store.pause(one.id, NOW + timedelta(days=3), NOW)
    store.change_subscriber(replace(one, profile=Profile()), NOW)
    restored = store.go_back(one.id, first, NOW)
    assert restored
    assert restored.profile == one.profile
    assert restored.state is SubscriberState.PAUSED
    assert store.subscriber_by_id(one.id) == restored
    assert not store.likes([one.id])
    assert store.revisions(one.id)[0].by == "undo"
    assert store.go_back(one.id, store.revisions(one.id)[0].id, NOW)
    again = store.subscriber_by_id(one.id)
    assert again
    assert again.profile == Profile()


def test_another_profile_than_the_one_looked_at_is_not_changed(store: AnyStore) -> None:
    """Nothing is done: neither the profile nor the like."""
    one = ada(store)
    wanted = Revised(Profile(), OTHER, "mail", (), Like(PAPER, 1, NOW, "web"))
    assert store.revise(one.id, wanted, NOW) is None
    assert store.revise(99, wanted, NOW) is None
    assert store.subscriber_by_id(one.id) == one
    assert not store.likes([one.id])


def test_nobody_goes_back_by_the_change_of_another(store: AnyStore) -> None:
    """The number alone is not enough."""
    one = ada(store)
    emmy = store.put_subscriber(subscriber("emmy@example.org", origin=Origin.STORE), NOW)
    number = tuned(store, one, OTHER)
    assert store.go_back(emmy.id, number, NOW) is None


def test_d3_history_is_kept_for_a_week_and_bounded(store: AnyStore) -> None:
    """Older changes cannot be undone and are deleted; so are the oldest of very many."""
    one = ada(store)
    number = tuned(store, one, OTHER)
    late = NOW + KEEP_REVISIONS + timedelta(hours=1)
    assert store.go_back(one.id, number, late) is None
    for minutes in range(MOST_REVISIONS + 5):
        weight = profile(keywords={"kernels": 2.0 + minutes})
        store.change_subscriber(replace(one, profile=weight), NOW)
    assert len(store.revisions(one.id)) == MOST_REVISIONS
    assert store.tidy_signups(late)["profile_history"] == MOST_REVISIONS
    assert not store.revisions(one.id)


def test_d3_history_goes_with_the_person(store: AnyStore) -> None:
    """Erasing leaves no former setting behind."""
    one = ada(store)
    tuned(store, one, OTHER)
    store.erase(one.id, NOW)
    assert not store.revisions(one.id)


def test_settings_of_the_file_are_never_written(store: AnyStore) -> None:
    """What is said of a paper is kept and can be taken back; the profile is the file's."""
    store.sync_file([subscriber()], NOW)
    one = store.subscriber("ada@example.org")
    assert one
    number = tuned(store, one, one.profile, Like(PAPER, -1, NOW, "web"))
    store.sync_file([subscriber(profile=OTHER)], NOW)
    assert store.go_back(one.id, number, NOW)
    kept = store.subscriber_by_id(one.id)
    assert kept
    assert kept.profile == OTHER
    assert not store.likes([one.id])


def test_the_delivery_that_showed_a_listing_is_found(store: AnyStore) -> None:
    """Of this subscriber alone, by the number in a link; a number of nothing finds nothing."""
    one = ada(store)
    store.add_listings([PAPER], [], {}, set(), NOW)
    (stored,) = store.recent_listings(1)
    store.open_deliveries(FRAME, [digest_of(one, stored)], NOW)
    found = store.delivery_showing(one.id, stored.id)
    assert found
    assert found.digest.listings[0].id == stored.id
    assert store.delivery_showing(one.id + 1, stored.id) is None
    assert store.delivery_showing(one.id, 2**62) is None
