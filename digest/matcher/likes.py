"""What liked and disliked listings say about a profile: weighted terms, bounded, with evidence.

Owns the learning. A liked listing is an example, every stored one that is not liked a weak
counter-example; the terms that part them best (ridge regression) are what was learned.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve
from scipy.sparse import csr_matrix, diags, vstack

from digest.matcher.reading import Batch, read
from digest.matcher.space import LATENT_SHARE, Space
from digest.model import Listing

RIDGE = 0.5
"""How strongly few examples are held back; 0.5 to 1 are level."""

MOST_LEARNED = 200
"""Terms that are learned; 150 to 250 are level, 400 lose 0.005 under one floor."""

MOST_STORED = 3000
"""Stored listings that are compared with: the newest; the time grows with their cube."""


@dataclass(frozen=True, slots=True)
class Likes:
    """The listings that a subscriber wants more of, and less of.

    `bounded` keeps what is learned from ever outweighing the keywords; see `learned.py`.
    """

    liked: tuple[Listing, ...] = ()
    disliked: tuple[Listing, ...] = ()
    bounded: bool = False


def learn_features(space: Space, archive: Batch, likes: Sequence[Likes | None]) -> csr_matrix:
    """Profiles x features: what each has learned; its liked listings give 1 on average."""
    keys = {listing.key: at for at, listing in enumerate(archive.listings)}
    further = _unknown(keys, likes)
    stored = np.arange(len(archive.listings))[-MOST_STORED:]
    vectors = vstack((space.vectors(archive), space.vectors(read(further)))).tocsr()
    named = sorted({at for each in likes if each for at in _places(keys, each.liked)})
    used = np.union1d(stored, np.array([*named, *range(len(keys), vectors.shape[0])], dtype=int))
    train = vectors[used]
    place = {at: row for row, at in enumerate(used.tolist())}
    wished = np.zeros((len(used), len(likes)))
    for column, each in enumerate(likes):
        if each:
            wished[[place[at] for at in _places(keys, each.disliked) if at in place], column] = -1
            wished[[place[at] for at in _places(keys, each.liked)], column] = 1
    weights = _ridge(space, train, wished)
    gained = train @ weights.T
    return _scaled(weights, wished, np.asarray(gained.todense()))


def _unknown(keys: dict[str, int], likes: Sequence[Likes | None]) -> list[Listing]:
    """The listings that are not in the archive; their places are added to `keys`."""
    further: list[Listing] = []
    for listing in (item for each in likes if each for item in (*each.liked, *each.disliked)):
        if listing.key not in keys:
            keys[listing.key] = len(keys)
            further.append(listing)
    return further


def _places(keys: dict[str, int], listings: Sequence[Listing]) -> list[int]:
    return [keys[listing.key] for listing in listings]


def _ridge(space: Space, train: csr_matrix, wished: NDArray[np.float64]) -> csr_matrix:
    """Profiles x features: the terms that part the wished from the others, the best of each."""
    along = space.along(train)
    kernel = (train @ train.T).toarray() + LATENT_SHARE * (along @ along.T)
    kernel[np.diag_indices_from(kernel)] += RIDGE
    found = solve(kernel, wished - wished.mean(axis=0), assume_a="pos")
    weights = space.spread(np.asarray(train.T @ found))
    return vstack([_best(column) for column in weights.T]).tocsr()


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
