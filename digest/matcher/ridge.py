"""Ridge regression over listings, of which most are the same for everyone who learns.

Owns the equations. Those of the stored listings are factored once; whoever adds a few examples of
their own solves for these beside them, which takes a hundredth of the time.
Source: Golub and Van Loan, Matrix Computations, section 3.2 (block elimination).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve, solve
from scipy.sparse import csr_matrix

from digest.matcher.space import LATENT_SHARE, Space

RIDGE = 0.5
"""How strongly few examples are held back; 0.5 to 1 are level."""

Floats = NDArray[np.float64]

_Placed = tuple[csr_matrix, NDArray[np.floating]]
"""Listings x features, and listings x directions."""


class Ridge:
    """The equations of stored listings (listings x features), ready for further examples."""

    def __init__(self, space: Space, stored: csr_matrix) -> None:
        self._space = space
        self._stored = stored
        self._along = space.along(stored)
        self._factor = cho_factor(
            self._held(_alike((stored, self._along), (stored, self._along))), overwrite_a=True
        )

    def weights(self, further: csr_matrix, wished: Floats) -> Floats:
        """Features x profiles: what gives stored and further listings nearest what is `wished`.

        `wished` is listings x profiles, the stored ones first; it is centred here.
        """
        found = self._solve(further, wished - wished.mean(axis=0))
        stored = self._stored.shape[0]
        told = self._stored.T @ found[:stored] + further.T @ found[stored:]
        return np.asarray(self._space.spread(np.asarray(told)))

    def _solve(self, further: csr_matrix, wished: Floats) -> Floats:
        """The share of each listing in what is learned."""
        stored = self._stored.shape[0]
        alone = cho_solve(self._factor, wished[:stored])
        if not further.shape[0]:
            return np.asarray(alone)
        new = further, self._space.along(further)
        beside = _alike((self._stored, self._along), new)
        told = cho_solve(self._factor, beside)
        left = self._held(_alike(new, new)) - beside.T @ told
        own = solve(left, wished[stored:] - beside.T @ alone, assume_a="pos")
        return np.vstack((alone - told @ own, own))

    def _held(self, alike: Floats) -> Floats:
        alike[np.diag_indices_from(alike)] += RIDGE
        return alike


def _alike(some: _Placed, others: _Placed) -> Floats:
    """How alike listings are: by their features, and along what words have in common."""
    by_features = (some[0] @ others[0].T).toarray()
    return np.asarray(by_features + LATENT_SHARE * (some[1] @ others[1].T))
