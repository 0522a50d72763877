"""What subscribers liked, as examples for the matcher. Reads the store, writes nothing."""

from __future__ import annotations

from collections.abc import Sequence

from digest.matcher import Likes
from digest.model import Subscriber
from digest.store import Store
from digest.store.personal import Like

NEWEST = 100
"""Likes, and as many dislikes, that count at once: tastes change, and learning takes its time."""


def likes_of(store: Store, subscribers: Sequence[Subscriber]) -> list[Likes | None]:
    """For each subscriber what they liked, None for who does not let it count or said nothing.

    What is learned from it stays within the bound of `digest.matcher.learned` wherever there is a
    keyword that it could outweigh.
    """
    learners = [one.id for one in subscribers if one.profile.learn]
    said = store.likes(learners) if learners else {}
    return [
        examples(said[one.id], most=NEWEST, bounded=any(k.weight > 0 for k in one.profile.keywords))
        if one.profile.learn and said.get(one.id)
        else None
        for one in subscribers
    ]


def examples(said: Sequence[Like], *, most: int, bounded: bool) -> Likes:
    """The newest likes and dislikes as examples; `said` has the newest first."""
    liked = tuple(each.listing for each in said if each.value > 0)
    disliked = tuple(each.listing for each in said if each.value < 0)
    return Likes(liked[:most], disliked[:most], bounded)
