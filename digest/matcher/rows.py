"""Rows of numbers, kept compact, of which single ones can be changed.

Owns the storage of compiled profiles: a million rows of ten entries take 80 MB.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence

import numpy as np
from scipy.sparse import csr_matrix

Row = tuple[Sequence[int], Sequence[float]]


class Rows:
    """A sparse matrix that grows by rows; a changed row is written in when the matrix is read."""

    def __init__(self) -> None:
        self._columns = array("i")
        self._values = array("f")
        self._first = array("q", [0])
        self._changed: dict[int, Row] = {}

    def __len__(self) -> int:
        return len(self._first) - 1

    def append(self, row: Row) -> None:
        """Take in a row at the end."""
        self._columns.extend(row[0])
        self._values.extend(row[1])
        self._first.append(len(self._columns))

    def extend(self, rows: csr_matrix) -> None:
        """Take in the rows of a matrix at the end."""
        shift = len(self._columns)
        self._columns.frombytes(rows.indices.astype(np.int32).tobytes())
        self._values.frombytes(rows.data.astype(np.float32).tobytes())
        self._first.frombytes((rows.indptr[1:].astype(np.int64) + shift).tobytes())

    def replace(self, index: int, row: Row) -> None:
        """Put a row in the place of another."""
        if not 0 <= index < len(self):
            raise IndexError(index)
        self._changed[index] = row

    def matrix(self, columns: int) -> csr_matrix:
        """All rows as a matrix of so many columns, float32."""
        if self._changed:
            self._splice()
        return csr_matrix(
            (
                np.array(self._values, dtype=np.float32),
                np.array(self._columns, dtype=np.int32),
                np.array(self._first, dtype=np.int64),
            ),
            shape=(len(self), columns),
        )

    def _splice(self) -> None:
        """Write the changed rows into their places, in one pass over the arrays."""
        old, self._columns = self._columns, array("i")
        values, self._values = self._values, array("f")
        first, self._first = self._first, array("q", [0])
        kept = 0
        for index in [*sorted(self._changed), len(first) - 1]:
            low, high = first[kept], first[index]
            shift = len(self._columns) - low
            self._columns += old[low:high]
            self._values += values[low:high]
            moved = np.array(first[kept + 1 : index + 1], dtype=np.int64) + shift
            self._first.frombytes(moved.tobytes())
            if index in self._changed:
                self.append(self._changed[index])
            kept = index + 1
        self._changed = {}
