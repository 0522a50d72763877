"""The best listings of every profile, as compact arrays.

Owns the sparse product, the floors and the ties.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sparse_dot_topn import sp_matmul_topn

from digest.matcher import formula
from digest.matcher.reading import Ints

THREADS = 2
"""More gain nothing: the product waits for memory."""


@dataclass(frozen=True, slots=True, eq=False)
class Ranking:
    """For each profile its (listing, score) pairs, best first, equal scores by the listing's hash."""

    first: NDArray[np.int64]
    listing: Ints
    score: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.first) - 1

    def __getitem__(self, index: int) -> list[tuple[int, float]]:
        index = range(len(self))[index]
        low, high = self.first[index], self.first[index + 1]
        return list(
            zip(self.listing[low:high].tolist(), self.score[low:high].tolist(), strict=True)
        )

    def __iter__(self) -> Iterator[list[tuple[int, float]]]:
        return (self[index] for index in range(len(self)))


def rank(
    rows: csr_matrix,
    evidence: csr_matrix,
    order: Ints,
    limit: int | Sequence[int],
    floors: Sequence[float] | None,
) -> Ranking:
    """The best `limit` listings of each row with a score above 0 and at or above its floor."""
    most = int(np.max(limit, initial=0))
    count = evidence.shape[1]
    if not most or not count or not rows.shape[0]:
        return _none(rows.shape[0])
    product = sp_matmul_topn(
        rows, evidence[:, order].tocsr(), min(most, count), 0.0, sort=True, n_threads=THREADS
    )
    score = formula.squash(product.data.astype(np.float64)).astype(np.float32)
    first = product.indptr.astype(np.int64)
    if floors is not None or not isinstance(limit, int):
        row = np.repeat(np.arange(len(first) - 1), np.diff(first))
        kept = np.ones(len(score), dtype=bool)
        if floors is not None:
            kept &= score >= np.asarray(floors, dtype=np.float32)[row]
        if not isinstance(limit, int):
            kept &= np.arange(len(score)) - first[row] < np.asarray(limit)[row]
        counts = np.bincount(row[kept], minlength=len(first) - 1)
        first = np.concatenate(([0], np.cumsum(counts)))
        return Ranking(first, order[product.indices[kept]], score[kept])
    return Ranking(first, order[product.indices[: first[-1]]], score[: first[-1]])


def _none(profiles: int) -> Ranking:
    nothing = np.zeros(0, dtype=np.int32)
    return Ranking(np.zeros(profiles + 1, dtype=np.int64), nothing, nothing.astype(np.float32))
