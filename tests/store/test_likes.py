"""Likes and dislikes in the store: one a listing, bounded, readable for good, and erasable."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from digest.model import Origin, Subscriber
from digest.store import Store
from digest.store.likes import MOST_LIKES
from digest.store.personal import Like
from tests.samples import NOW, listing, subscriber


def ada(store: Store, email: str = "ada@example.org") -> Subscriber:
    """A stored subscriber."""
    return store.put_subscriber(subscriber(email, origin=Origin.STORE), NOW)


def said(title: str, value: int = 1, minutes: int = 0, **fields: object) -> Like:
    """What is said of a listing so many minutes after eight."""
    return Like(listing(title, **fields), value, NOW + timedelta(minutes=minutes), "cli")


def titles(store: Store, one: Subscriber) -> list[tuple[str, int]]:
    """What a subscriber has said, the newest first."""
    return [(each.listing.title, each.value) for each in store.likes([one.id]).get(one.id, ())]


def test_what_is_said_comes_back_whole(store: Store) -> None:
    """Listing, value, time and origin are those that went in; others have said nothing."""
    one, other = ada(store), ada(store, "emmy@example.org")
    liked = replace(said("Tiles"), origin="web")
    store.like(one.id, liked)
    store.like(one.id, said("Rivers", -1, minutes=1))
    assert store.likes([one.id, other.id]) == {one.id: [said("Rivers", -1, minutes=1), liked]}
    assert store.likes([]) == {}


def test_a_second_word_takes_the_place_of_the_first(store: Store) -> None:
    """One row a listing, also where its key has grown stronger meanwhile."""
    one = ada(store)
    store.like(one.id, said("Tiles", key="guid:a"))
    store.like(one.id, said("Tiles", -1, minutes=1, key="guid:a"))
    assert titles(store, one) == [("Tiles", -1)]
    store.like(one.id, said("Tiles", 1, 2, key="arxiv:2606.00467", ids=("guid:a",)))
    assert titles(store, one) == [("Tiles", 1)]


def test_a_like_is_taken_back(store: Store) -> None:
    """Of one person alone, and only once."""
    one, other = ada(store), ada(store, "emmy@example.org")
    for each in (one, other):
        store.like(each.id, said("Tiles"))
    assert store.unlike(one.id, listing("Tiles"))
    assert not store.unlike(one.id, listing("Tiles"))
    assert (titles(store, one), titles(store, other)) == ([], [("Tiles", 1)])


def test_the_oldest_likes_are_forgotten(store: Store) -> None:
    """A subscriber has at most so many; another one's are left alone."""
    one, other = ada(store), ada(store, "emmy@example.org")
    store.like(other.id, said("Old", minutes=-60))
    for number in range(MOST_LIKES + 3):
        store.like(one.id, said(f"Paper {number}", minutes=number))
    kept = titles(store, one)
    assert len(kept) == MOST_LIKES
    assert (kept[0][0], kept[-1][0]) == (f"Paper {MOST_LIKES + 2}", "Paper 3")
    assert len(titles(store, other)) == 1


def test_a_like_survives_tidying(store: Store) -> None:
    """Years later the listing can still be read, whatever became of its row."""
    one = ada(store)
    store.like(one.id, said("Tiles", abstract="Exact attention with tiles."))
    later = NOW + timedelta(days=1500)
    store.tidy(later)
    store.tidy_signups(later)
    (kept,) = store.likes([one.id])[one.id]
    assert kept.listing.abstract == "Exact attention with tiles."


def test_likes_go_with_the_person(store: Store) -> None:
    """Erased, nothing is left of what they liked."""
    one = ada(store)
    store.like(one.id, said("Tiles"))
    store.erase(one.id, NOW)
    assert store.likes([one.id]) == {}
