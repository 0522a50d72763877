"""The best listings of every profile, as compact arrays.

Owns the sparse product, the floors and the ties.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sparse_dot_topn import sp_matmul_topn

from digest.matcher import formula
from digest.matcher.reading import Ints

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
    blocks: Iterable[csr_matrix],
    table: csr_matrix,
    order: Ints,
    limit: int | Sequence[int],
    floors: Sequence[float] | None,
) -> Ranking:
    """The best `limit` listings of each row with a score above 0 and at or above its floor.

    `blocks` are the rows of the profiles, `table` what their columns say of each listing, the
    listings in this `order`.
    """
    most = min(int(np.max(limit, initial=0)), len(order))
    least = formula.raw_of(min(floors, default=0.0)) - _ROUNDING if floors is not None else 0.0
    counts, done = [np.zeros(1, dtype=np.int64)], 0
    listings, scores = array("i"), array("f")  # they grow where they lie
    for rows in blocks:
        chunk = slice(done, done + rows.shape[0])
        done = chunk.stop
        if not most:
            counts.append(np.zeros(rows.shape[0], dtype=np.int64))
            continue
        best = sp_matmul_topn(rows, table, most, max(0.0, least), sort=True, n_threads=THREADS)
        part = _cut(best, order, _part(limit, chunk), _part(floors, chunk))
        counts.append(np.diff(part.first))
        listings.frombytes(part.listing.tobytes())
        scores.frombytes(part.score.tobytes())
    first = np.cumsum(np.concatenate(counts))
    return Ranking(first, np.asarray(listings), np.asarray(scores))


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
