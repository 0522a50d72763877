"""Full text on SQLite, by its FTS5.

Source: https://www.sqlite.org/fts5.html
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from digest.query import Query
from digest.store.connection import Statements
from digest.store.searching import SearchingVerbs, match_of
from digest.store.shelves import Order
from digest.store.shelving import keep_in_fts

_WEIGHTS = "8.0, 1.0, 4.0, 2.0, 2.0, 0.5, 4.0"
"""What a hit counts for in each of `COLUMNS`."""


class FtsVerbs(SearchingVerbs):
    """What is searched, in the table `search`."""

    def scored(self, query: Query, order: Order, limit: int) -> Sequence[tuple[float, int]]:
        """(score, negative row) of what a search finds, the newest first."""
        score = f"bm25(search, {_WEIGHTS})" if order is Order.BEST else "-rowid"
        return self.rows(
            f"SELECT {score}, -rowid FROM search WHERE search MATCH ?"  # noqa: S608 - constants
            " ORDER BY rowid DESC LIMIT ?",
            (match_of(query), limit),
        )

    def keep_words(self, db: Statements, texts: Mapping[int, tuple[str, ...]]) -> Collection[int]:
        """Keep what is searched of listings, by their rows; returns those that were not so yet."""
        return keep_in_fts(db, texts)
