"""Which rows of a long file count, kept on disk where memory would not do.

Belongs to one run and to nobody else: the file has no name and vanishes with it.
"""

from __future__ import annotations

import sqlite3
from types import TracebackType


class Seen:
    """The row that counts for each key: of the highest rank, among those the first."""

    def __init__(self) -> None:
        # "" is a private file that grows out of a small cache. Source: sqlite.org/inmemorydb.html
        self._db = sqlite3.connect("", isolation_level=None)
        self._db.execute("PRAGMA journal_mode = OFF")
        self._db.execute(
            "CREATE TABLE seen (key TEXT PRIMARY KEY, line INTEGER, rank INTEGER) WITHOUT ROWID"
        )
        self._db.execute("BEGIN")

    def note(self, key: str, line: int, rank: int) -> None:
        """Take a row into account."""
        self._db.execute(
            "INSERT INTO seen VALUES (?, ?, ?) ON CONFLICT (key)"
            " DO UPDATE SET line = excluded.line, rank = excluded.rank WHERE excluded.rank > rank",
            (key, line, rank),
        )

    def line(self, key: str) -> int:
        """Where the row stands that counts. Raises: LookupError."""
        row = self._db.execute("SELECT line FROM seen WHERE key = ?", (key,)).fetchone()
        if row is None:
            raise LookupError(key)
        return int(row[0])

    def __enter__(self) -> Seen:
        """The same; it is gone at the end."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Let go of the file."""
        self._db.close()
