"""The best listings of every profile, as compact arrays.

Owns the sparse product, the floors and the ties.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, hstack, vstack
from sparse_dot_topn import sp_matmul_topn

from digest.matcher import formula
from digest.matcher.reading import Ints

_CHUNK = 100_000
"""Profiles ranked at a time; bounds the memory of the way."""

_ROUNDING = 1e-4
"""How far below the lowest floor sums are kept until the scores themselves are compared."""

THREADS = 2
"""More gain nothing: the product waits for memory."""


@dataclass(frozen=True, slots=True, eq=False)
class Ranking:
    """For each profile its (listing, score) pairs, best first; equal scores by listing hash."""

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
    rows: tuple[csr_matrix, csr_matrix | None],
    evidence: tuple[csr_matrix, csr_matrix | None],
    order: Ints,
    limit: int | Sequence[int],
    floors: Sequence[float] | None,
) -> Ranking:
    """The best `limit` listings of each row with a score above 0 and at or above its floor.

    `rows` are the own and the weak rows of the profiles, `evidence` what the columns of both say.
    """
    own, weak = rows
    most = min(int(np.max(limit, initial=0)), len(order))
    if not most or not own.shape[0]:
        return _none(own.shape[0])
    table = evidence[0] if evidence[1] is None else vstack(evidence)
    table = table.tocsr()[:, order].tocsr()
    least = formula.raw_of(min(floors, default=0.0)) - _ROUNDING if floors is not None else 0.0
    parts = []
    for low in range(0, own.shape[0], _CHUNK):
        chunk = slice(low, low + _CHUNK)
        part = _rows(own, chunk)
        if weak is not None:
            part = hstack((part, _rows(weak, chunk))).tocsr()
        best = sp_matmul_topn(part, table, most, max(0.0, least), sort=True, n_threads=THREADS)
        parts.append(_cut(best, order, _part(limit, chunk), _part(floors, chunk)))
    return _joined(parts)


def _rows(matrix: csr_matrix, chunk: slice) -> csr_matrix:
    """Some rows of a matrix, on the same memory."""
    first = matrix.indptr[chunk.start : chunk.stop + 1]
    low, high = int(first[0]), int(first[-1])
    parts = matrix.data[low:high], matrix.indices[low:high], first - first[0]
    return csr_matrix(parts, shape=(len(first) - 1, matrix.shape[1]), copy=False)


def _part(values: object, chunk: slice) -> NDArray[np.float32] | None:
    """The values of a chunk's profiles, or None where there are none for single profiles."""
    if values is None or isinstance(values, int):
        return None
    return np.asarray(values, dtype=np.float32)[chunk]


def _cut(
    best: csr_matrix,
    order: Ints,
    limits: NDArray[np.float32] | None,
    floors: NDArray[np.float32] | None,
) -> Ranking:
    """The scores of a product, without those below a floor or beyond a limit."""
    first = best.indptr.astype(np.int64)
    row = np.repeat(np.arange(len(first) - 1), np.diff(first))
    listing = order[_settled(row, best.indices[: first[-1]], best.data[: first[-1]])]
    score = formula.squash(best.data[: first[-1]].astype(np.float64)).astype(np.float32)
    if limits is None and floors is None:
        return Ranking(first, listing, score)
    kept = np.ones(len(score), dtype=bool)
    if floors is not None:
        kept &= score >= floors[row]
    if limits is not None:
        kept &= np.arange(len(score)) - first[row] < limits[row]
    counts = np.bincount(row[kept], minlength=len(first) - 1)
    return Ranking(np.concatenate(([0], np.cumsum(counts))), listing[kept], score[kept])


def _settled(row: NDArray[np.integer], place: Ints, value: NDArray[np.float32]) -> Ints:
    """The places of a product with equal values of a row in order of place.

    The product sorts by value alone, and its order of equals hangs on how columns are numbered.
    """
    same = (row[1:] == row[:-1]) & (value[1:] == value[:-1])
    if not same.any():
        return place
    tied = np.zeros(len(row), dtype=bool)
    tied[1:] |= same
    tied[:-1] |= same
    at = np.flatnonzero(tied)
    settled = place.copy()
    settled[at] = place[at[np.lexsort((place[at], -value[at], row[at]))]]
    return settled


def _joined(parts: list[Ranking]) -> Ranking:
    if len(parts) == 1:
        return parts[0]
    counts = np.concatenate([np.diff(part.first) for part in parts])
    return Ranking(
        np.concatenate(([0], np.cumsum(counts))),
        np.concatenate([part.listing for part in parts]),
        np.concatenate([part.score for part in parts]),
    )


def _none(profiles: int) -> Ranking:
    nothing = np.zeros(0, dtype=np.int32)
    return Ranking(np.zeros(profiles + 1, dtype=np.int64), nothing, nothing.astype(np.float32))
