"""What likes have taught, as rows beside the keywords, and the bound that keeps it in its place.

Owns the bound. Where likes are `bounded`, as in the mails, the keywords keep at least half of their
worth, and everything learned together can add, or take away, at most what the keywords can add: the
learned row is no longer than what is left of the keywords' row sums up to, and the features of a
listing have length 1 at most. An exclusion is a million times more than either.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, diags, vstack

from digest.matcher.likes import Likes, Teacher
from digest.matcher.reading import Batch
from digest.matcher.space import Space

LEAST_KEPT = 0.5
"""What the keywords count at least beside likes that are bounded."""

PRIOR_LIKES = 1
"""How many likes the keywords are worth: with one, both halves of the profile count alike. Of two
collections one is level with 2 and the other loses 0.01, with one like as with fifteen."""

REMEMBERED = 10_000
"""Subscribers whose learned terms are kept between calls, about 4 kB each; not their likes."""


def kept(likes: Sequence[Likes | None]) -> NDArray[np.float32]:
    """For each profile what its keywords count beside what was learned from likes, 0..1."""
    number = np.array([len(each.liked) if each else 0 for each in likes])
    least = np.array([LEAST_KEPT if each and each.bounded else 0.0 for each in likes])
    share: NDArray[np.float32] = np.maximum(PRIOR_LIKES / (number + PRIOR_LIKES), least)
    return share.astype(np.float32)


class Learner:
    """Learns from likes beside an archive, and remembers what it learned."""

    def __init__(self, space: Space, archive: Batch) -> None:
        self._width = space.width
        self._teacher = Teacher(space, archive)
        self._known: dict[int, csr_matrix] = {}

    def rows(self, likes: Sequence[Likes | None], own: csr_matrix) -> csr_matrix:
        """Profiles x features: what each has learned, beside its keywords in `own`, unscaled."""
        free = [None if each and each.bounded else each for each in likes]
        bound = [at for at, each in enumerate(likes) if each and each.bounded]
        learned = csr_matrix((len(likes), self._width))
        if any(each and each.liked for each in free):
            share = diags(1 - kept(free).astype(float))
            learned = (share @ self._teacher.learn(free)).tocsr()
        if bound:
            room = np.asarray(own.maximum(0).sum(axis=1)).ravel()[bound] * kept(likes)[bound]
            rows = [
                self._bounded(each, limit)
                for each, limit in zip((likes[at] for at in bound), room.tolist(), strict=True)
                if each
            ]
            places = (np.ones(len(bound)), (bound, range(len(bound))))
            learned = learned + csr_matrix(places, shape=(len(likes), len(bound))) @ vstack(rows)
        return learned.tocsr()

    def _bounded(self, likes: Likes, room: float) -> csr_matrix:
        """What one profile has learned, alone: it must not hang on who else is mailed today."""
        row = self.learned(likes)
        length = float(np.sqrt(row.multiply(row).sum()))
        return row * (room / length) if length > room else row

    def learned(self, likes: Likes) -> csr_matrix:
        """One row of what these likes teach, worked out now or before."""
        token = hash(
            tuple(
                tuple((each.key, each.title, each.abstract) for each in side)
                for side in (likes.liked, likes.disliked)
            )
        )
        row = self._known.pop(token, None)
        if row is None:
            row = self._learn_alone(likes)
        self._known[token] = row
        if len(self._known) > REMEMBERED:
            del self._known[next(iter(self._known))]
        return row

    def _learn_alone(self, likes: Likes) -> csr_matrix:
        """What speaks for a listing, less what speaks against it."""
        sides = [likes, replace(likes, liked=likes.disliked, disliked=likes.liked)]
        says = (1 - kept(sides).astype(float)) * [1, -1]
        learned = diags(says) @ self._teacher.learn(sides)
        return (learned[0] + learned[1]).astype(np.float32).tocsr()
