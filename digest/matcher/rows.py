"""Rows of numbers, kept compact, of which single ones can be changed.

Owns the storage of compiled profiles: a million rows of sixteen entries take 130 MB. They lie in
blocks that are read where they lie, so that neither ranking nor a changed row copies them all.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, vstack

Row = tuple[Sequence[int], Sequence[float]]

LARGEST = 10_000
"""Rows of a block: enough to fill a product, few enough that a changed row is written at once and
that the way to a million takes little room."""


class Rows:
    """Sparse rows in order; changed and added ones are written into their block when read."""

    def __init__(self) -> None:
        self._blocks: list[csr_matrix] = []
        self._first: list[int] = [0]
        self._changed: dict[int, csr_matrix] = {}

    def __len__(self) -> int:
        return self._first[-1]

    @property
    def entries(self) -> int:
        """How many numbers all rows hold."""
        return sum(block.nnz for block in self._blocks)

    def extend(self, rows: csr_matrix) -> None:
        """Take in the rows of a matrix at the end; few rows join the last block."""
        self._settle()
        rows = _compact(rows)
        if self._blocks and self._blocks[-1].shape[0] + rows.shape[0] <= LARGEST:
            last = self._blocks.pop()
            rows = _stacked([last, rows])
            self._first.pop()
        self._blocks.append(rows)
        self._first.append(self._first[-1] + rows.shape[0])

    def replace(self, index: int, row: csr_matrix) -> None:
        """Put a matrix of one row in the place of another row."""
        if not 0 <= index < len(self):
            raise IndexError(index)
        self._changed[index] = _compact(row)

    def blocks(self, columns: int) -> Iterator[csr_matrix]:
        """All rows in order as matrices of so many columns, on the same memory."""
        self._settle()
        for block in self._blocks:
            parts = block.data, block.indices, block.indptr
            yield csr_matrix(parts, shape=(block.shape[0], columns), copy=False)

    def those(self, indices: NDArray[np.integer], columns: int) -> csr_matrix:
        """Some rows, by their indices in ascending order, as a matrix of so many columns."""
        self._settle()
        parts, low = [], 0
        for block, first in zip(self._blocks, self._first, strict=False):
            high = int(np.searchsorted(indices, first + block.shape[0]))
            parts.append(block[indices[low:high] - first])
            low = high
        made = _stacked(parts)
        return csr_matrix((made.data, made.indices, made.indptr), shape=(made.shape[0], columns))

    def row(self, index: int) -> Row:
        """The columns and the values of one row."""
        if index in self._changed:
            row = self._changed[index]
            return row.indices.tolist(), row.data.tolist()
        at = bisect_right(self._first, index) - 1
        block, index = self._blocks[at], index - self._first[at]
        low, high = block.indptr[index], block.indptr[index + 1]
        return block.indices[low:high].tolist(), block.data[low:high].tolist()

    def _settle(self) -> None:
        """Write the changed rows into their blocks, in one pass over each block that has any."""
        for at in sorted({bisect_right(self._first, index) - 1 for index in self._changed}):
            low, high = self._first[at], self._first[at + 1]
            changed = sorted(index for index in self._changed if low <= index < high)
            block, kept, pieces = self._blocks[at], 0, []
            for index in changed:
                pieces += [block[kept : index - low], self._changed[index]]
                kept = index - low + 1
            self._blocks[at] = _stacked([*pieces, block[kept:]])
        self._changed = {}


def _compact(rows: csr_matrix) -> csr_matrix:
    """The rows in 8 bytes an entry."""
    parts = (
        rows.data.astype(np.float32, copy=False),
        rows.indices.astype(np.int32, copy=False),
        rows.indptr.astype(np.int32, copy=False),
    )
    return csr_matrix(parts, shape=rows.shape, copy=False)


def _stacked(parts: Sequence[csr_matrix]) -> csr_matrix:
    """The rows of several matrices, however many columns each was given."""
    columns = max(part.shape[1] for part in parts)
    wide = [
        csr_matrix((part.data, part.indices, part.indptr), shape=(part.shape[0], columns))
        for part in parts
    ]
    return _compact(vstack(wide, format="csr"))
