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
        span, _ = np.linalg.qr(rows @ (rows.T @ span))
    found, strength, _ = np.linalg.svd(rows.T @ span, full_matrices=False)
    kept = strength[:most] > 1e-4 * strength[0]
    return np.ascontiguousarray(found[:, :most][:, kept])
