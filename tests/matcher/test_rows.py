"""Rows of numbers that grow by blocks and of which single ones change."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from scipy.sparse import csr_matrix, vstack

from digest.matcher.rows import LARGEST, Rows


def matrix(*rows: Sequence[float]) -> csr_matrix:
    """These rows, as the matcher has them."""
    return csr_matrix(np.array(rows, dtype=np.float32))


def whole(rows: Rows, columns: int) -> list[list[float]]:
    """All rows, spelt out."""
    made: list[list[float]] = vstack(list(rows.blocks(columns))).toarray().tolist()
    return made


def test_changed_rows_stand_in_their_places() -> None:
    """The first, the last, one twice, and one that becomes empty; the others stay."""
    rows = Rows()
    rows.extend(matrix([1, 0], [0, 2], [3, 3], [4, 0]))
    for index, row in ((0, [0, 9]), (2, [7, 7]), (2, [0, 0]), (3, [5, 5])):
        rows.replace(index, matrix(row))
    assert rows.row(2) == ([], [])
    assert rows.row(3) == ([0, 1], [5.0, 5.0])
    assert whole(rows, 2) == [[0, 9], [0, 2], [0, 0], [5, 5]]
    assert (len(rows), rows.entries) == (4, 4)


def test_further_rows_join_the_last_block_until_it_is_full() -> None:
    """Many single rows do not make many blocks, and wider ones stand beside narrow ones."""
    rows = Rows()
    rows.extend(csr_matrix(np.ones((LARGEST - 1, 1), dtype=np.float32)))
    rows.extend(matrix([0, 2]))
    rows.extend(matrix([0, 0, 3]))
    sizes = [block.shape for block in rows.blocks(3)]
    assert sizes == [(LARGEST, 3), (1, 3)]
    assert rows.row(LARGEST - 1) == ([1], [2.0])
    assert rows.row(LARGEST) == ([2], [3.0])


def test_blocks_without_a_change_are_read_where_they_lie() -> None:
    """A changed row copies its own block alone."""
    rows = Rows()
    for _ in range(2):
        rows.extend(csr_matrix(np.ones((LARGEST, 1), dtype=np.float32)))
    before = list(rows.blocks(1))
    rows.replace(LARGEST, matrix([5]))
    after = list(rows.blocks(1))
    assert np.shares_memory(before[0].data, after[0].data)
    assert after[1].data[0] == 5


def test_only_what_is_there_can_be_changed() -> None:
    """A row that was never taken in is an error, not a new one."""
    with pytest.raises(IndexError):
        Rows().replace(0, matrix([1]))
