"""What words have in common: the directions in which the words of stored listings vary together.

Owns the decomposition. Along such a direction two listings are near though they share no word:
`grasping` and `manipulation` point the same way where they stand with the same words.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

MOST_DIRECTIONS = 200
"""Directions that are told apart; 150 to 400 are level, 100 loses 0.005 with liked examples."""

LISTINGS_EACH = 10
"""Listings behind a direction: in a small archive words stand together by chance."""

MOST_LISTINGS = 3000
"""Listings that are looked at, evenly spread; the time grows with them, the gain no more."""

ROUNDS = 4
"""Times the random beginning is multiplied; with 2 the result still hangs on it, from 3 on it is
that of an exact decomposition."""

FAINTEST = 1e-4
"""Share of the strongest direction's strength below which one is noise."""

_BESIDE = 20
"""Directions worked out beside those that are kept. Source: Halko, Martinsson and Tropp (2011),
Finding structure with randomness, section 4.3, who take 5 to 20."""


def directions(rows: csr_matrix) -> NDArray[np.float32]:
    """Features x directions, each of length 1 and at right angles, those that tell most first.

    `rows` are listings x features. The same rows in the same order give the same directions.
    """
    rows = rows[:: max(1, -(-rows.shape[0] // MOST_LISTINGS))].astype(np.float32).tocsr()
    most = min(MOST_DIRECTIONS, rows.shape[0] // LISTINGS_EACH, rows.shape[1])
    if not most or not rows.nnz:
        return np.zeros((rows.shape[1], 0), dtype=np.float32)
    wide = min(most + _BESIDE, *rows.shape)
    span = np.random.default_rng(0).standard_normal((rows.shape[0], wide), dtype=np.float32)
    for _ in range(ROUNDS):
        span, _ = _upright(rows @ (rows.T @ span))
    found, strength = _upright(rows.T @ span)
    kept = strength[:most] > FAINTEST * strength[0]
    return np.ascontiguousarray(found[:, :most][:, kept])


def _upright(columns: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Columns at right angles that span the same, and how long they were, the longest first.

    By the products of the columns, which are few: a tenth of the time of `svd` and `qr`. Products
    halve the digits, so they are made of double ones; columns that faint are left 0.
    """
    doubled = columns.astype(np.float64)
    squares, turned = np.linalg.eigh(doubled.T @ doubled)
    strength = np.sqrt(np.maximum(squares[::-1], 0.0))
    kept = strength > FAINTEST**2 * strength[0]
    scale = np.where(kept, 1 / np.where(kept, strength, 1.0), 0.0)
    return (doubled @ (turned[:, ::-1] * scale)).astype(np.float32), strength
