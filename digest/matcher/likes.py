"""What liked and disliked listings say about a profile: weighted terms, bounded, with evidence.

Owns the learning. A liked listing is an example, every stored one that is not liked a weak
counter-example; the terms that part them best (ridge regression) are what was learned.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, diags, vstack

from digest.matcher.reading import Batch, read
from digest.matcher.ridge import Ridge
from digest.matcher.space import Space
from digest.model import Listing

MOST_LEARNED = 200
"""Terms that are learned; 150 to 250 are level, 400 lose 0.005 under one floor."""

MOST_STORED = 1500
"""Stored listings that are compared with: the newest. The time grows with their cube once and with
their square for each who learns; 700 lose 0.003 against 1,400, 500 lose 0.005."""


@dataclass(frozen=True, slots=True)
class Likes:
    """The listings that a subscriber wants more of, and less of.

    `bounded` keeps what is learned from ever outweighing the keywords; see `learned.py`.
    """

    liked: tuple[Listing, ...] = ()
    disliked: tuple[Listing, ...] = ()
    bounded: bool = False


class Teacher:
    """An archive with which likes are compared; what all have in common is worked out once."""

    def __init__(self, space: Space, archive: Batch) -> None:
        self._space = space
        self._archive = archive
        self._keys = {listing.key: at for at, listing in enumerate(archive.listings)}
        self._oldest = max(0, len(archive) - MOST_STORED)

    def learn(self, likes: Sequence[Likes | None]) -> csr_matrix:
        """Profiles x features: what each has learned; its liked listings give 1 on average."""
        keys = dict(self._keys)
        unknown = self._space.vectors(read(_unknown(keys, likes)))
        said = [_places(keys, each or Likes()) for each in likes]
        named = sorted({at for sides in said for side in sides for at in side})
        older = [at for at in named if at < self._oldest]
        used = [*range(self._oldest, len(self._keys)), *older, *range(len(self._keys), len(keys))]
        place = {at: row for row, at in enumerate(used)}
        wished = np.zeros((len(used), len(likes)))
        for column, (liked, disliked) in enumerate(said):
            wished[[place[at] for at in disliked], column] = -1
            wished[[place[at] for at in liked], column] = 1
        found = self._ridge.weights(vstack((self._vectors[older], unknown)).tocsr(), wished)
        weights = vstack([_best(column) for column in found.T]).tocsr()
        stored = [at for at in named if at < len(self._keys)]
        examples = vstack((self._vectors[stored], unknown)).tocsr()
        gained = np.asarray((examples @ weights.T).todense())
        return _scaled(weights, wished[[place[at] for at in named]], gained)

    @cached_property
    def _vectors(self) -> csr_matrix:
        return self._space.vectors(self._archive)

    @cached_property
    def _ridge(self) -> Ridge:
        return Ridge(self._space, self._vectors[self._oldest :])


def _unknown(keys: dict[str, int], likes: Sequence[Likes | None]) -> list[Listing]:
    """The listings that are not in the archive; their places are added to `keys`."""
    further: list[Listing] = []
    for listing in (item for each in likes if each for item in (*each.liked, *each.disliked)):
        if listing.key not in keys:
            keys[listing.key] = len(keys)
            further.append(listing)
    return further


def _places(keys: dict[str, int], likes: Likes) -> tuple[list[int], list[int]]:
    """Where the liked and the disliked listings stand."""
    liked, disliked = ([keys[each.key] for each in side] for side in (likes.liked, likes.disliked))
    return liked, disliked


def _best(weights: NDArray[np.float64]) -> csr_matrix:
    """The terms that speak for a listing, the strongest."""
    most = min(MOST_LEARNED, len(weights))
    top = np.argpartition(-weights, most - 1)[:most]
    top = np.sort(top[weights[top] > 0])
    return csr_matrix((weights[top], (np.zeros(len(top), int), top)), shape=(1, len(weights)))


def _scaled(
    weights: csr_matrix, wished: NDArray[np.float64], gained: NDArray[np.float64]
) -> csr_matrix:
    """The weights over what the liked listings themselves gain by them."""
    liked = wished > 0
    mean = (gained * liked).sum(axis=0) / np.maximum(liked.sum(axis=0), 1)
    return (diags(np.where(mean > 0, 1 / np.where(mean > 0, mean, 1), 0)) @ weights).tocsr()
