"""A store on an SQLite file, as a transfer sees it.

The file is locked as a whole, for reading too: a service that runs is noticed, and none can start.
Source: https://www.sqlite.org/pragma.html#pragma_locking_mode
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from digest.errors import StoreError
from digest.store.connection import UNFINISHED, Statements
from digest.store.file import SqliteFile
from digest.store.migrations import migrations
from digest.store.shelving import keep_in_fts
from digest.store.transfer.end import End
from digest.store.transfer.tables import MOVED, NEVER_AGAIN
from digest.store.transfer.values import Column, Row

PATIENCE_S = 1.0
"""How long another command may take to let go of the file."""

_KINDS = {"TEXT": str, "INTEGER": int, "BLOB": bytes}


class FileEnd(End, SqliteFile):
    """The store on a file, which is made where it is `made`, and else must be there.

    Raises: StoreError where anybody has it open.
    """

    holds_nul = True

    def __init__(self, path: Path, *, made: bool) -> None:
        self.name = str(path)
        self._made = made
        super().__init__(path)

    def _bring_up(self) -> None:
        if self._made and not self.path.exists():
            self.path.touch(mode=0o600)
        if not self.path.is_file():
            raise StoreError(f"{self.path}: there is no such file")
        self.rows("SELECT 1 FROM sqlite_master LIMIT 1")

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, timeout=PATIENCE_S, isolation_level=None)
        # What is no UTF-8 is read as well, so that it can be named.
        connection.text_factory = partial(str, encoding="utf-8", errors="surrogateescape")
        try:
            connection.execute("PRAGMA locking_mode=EXCLUSIVE")
            connection.execute("BEGIN EXCLUSIVE")  # the lock stays when the transaction has ended
            connection.rollback()
            for pragma in ("journal_mode=WAL", "synchronous=FULL") if self._made else ():
                connection.execute(f"PRAGMA {pragma}")
            connection.execute("PRAGMA foreign_keys=ON")
        except sqlite3.Error as error:
            connection.close()
            if "locked" in str(error):
                raise StoreError(f"{self.path}: is in use; stop `digest serve` first") from error
            if "readonly" in str(error):
                raise StoreError(f"{self.path}: cannot be locked, as it is read-only") from error
            raise
        return connection

    def steps(self) -> Sequence[tuple[str, str]]:
        """(step, when it was made) of the schema."""
        return [(step.name, step.applied_at) for step in migrations.applied(self.db)]

    def known_steps(self) -> Sequence[str]:
        """The steps that this program knows."""
        return [step.name for step in migrations._migrations]  # no public list of them

    def make_schema(self) -> None:
        """Make every step that is not made yet."""
        self._migrate()

    def put_mark(self, db: Statements) -> None:
        """Mark the store as a copy that is not finished."""
        db.execute(
            f"INSERT INTO {migrations.migrations_table} (migration_set, name, applied_at)"  # noqa: S608 - a constant
            " VALUES (?, ?, ?)",
            (migrations.name, UNFINISHED, str(datetime.now(UTC))),
        )

    def take_mark(self, db: Statements) -> None:
        """Let programs open it."""
        db.execute(
            f"DELETE FROM {migrations.migrations_table} WHERE name = ?",  # noqa: S608 - as above
            (UNFINISHED,),
        )

    def columns(self, table: str) -> Mapping[str, Column]:
        """The columns of a table, and the number of a row that SQLite keeps of itself."""
        found = {
            name: Column(_KINDS[kind], nullable=not (filled or in_key))
            for _, name, kind, filled, _, in_key in self.rows(f"PRAGMA table_info({table})")
        }
        found |= {name: Column(int, nullable=False) for name in MOVED[table] if name not in found}
        return dict(sorted(found.items()))

    def has(self, table: str) -> bool:
        """Whether there is such a table."""
        return bool(self.rows("SELECT 1 FROM sqlite_master WHERE name = ?", (table,)))

    def tables(self) -> Sequence[str]:
        """All tables that are there, whoever made them."""
        found = self.rows("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
        return [str(name) for (name,) in found]

    def write(
        self, db: Statements, table: str, columns: Sequence[str], rows: Sequence[Row]
    ) -> None:
        """Write rows as they are."""
        places = ", ".join("?" * len(columns))
        db.executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({places})", rows)  # noqa: S608 - names of ours

    def keep_texts(self, db: Statements, texts: Mapping[int, tuple[str, ...]]) -> None:
        """Let listings be found by their texts."""
        keep_in_fts(db, texts)

    def given(self, table: str) -> int:
        """The last number that was given for all time; SQLite keeps no other."""
        found = self.rows("SELECT seq FROM sqlite_sequence WHERE name = ?", (table,))
        return int(found[0][0]) if found else 0

    def give_on(self, db: Statements, table: str, number: int) -> None:
        """Let the numbers of a table go on; elsewhere SQLite takes the next of those there are."""
        if table in NEVER_AGAIN:
            db.execute("DELETE FROM sqlite_sequence WHERE name = ?", (table,))
            db.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", (table, number))

    def settle(self) -> None:
        """SQLite plans by what stands in the schema."""

    def give_from_one(self, db: Statements) -> None:
        """Let every number begin again."""
        db.execute("DELETE FROM sqlite_sequence")
