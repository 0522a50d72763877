"""A store on PostgreSQL, as a transfer sees it.

The locks of every writing transaction are held as long as it lasts, so that no verb writes, and a
service that has it open is noticed by the name of its connections.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from psycopg import Connection

from digest.errors import StoreError
from digest.store.connection import UNFINISHED, Part, Statements
from digest.store.postgres.beside import MachineJournal, MachineMark
from digest.store.postgres.connection import (
    HOLD_ALL,
    PostgresConnections,
    Speaker,
    called,
    place_of,
    worded,
)
from digest.store.postgres.migrations import STEPS, migrate
from digest.store.postgres.searching import keep_in_vectors
from digest.store.transfer.end import End
from digest.store.transfer.tables import MOVED, NUMBERED
from digest.store.transfer.values import Column, Row

PATIENCE_S = 10.0
"""How long the connections of a command that has ended may take to go."""

_KINDS = {"text": str, "bigint": int, "bytea": bytes}

_OTHERS = """
SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
AND application_name = current_setting('application_name') AND pid != pg_backend_pid()
"""


class ServerEnd(End, MachineJournal, MachineMark, PostgresConnections):
    """The store on a server; `path` names the files of this machine beside it.

    Raises: StoreError where anybody has it open.
    """

    holds_nul = False

    def __init__(self, address: str, path: Path) -> None:
        self._address = address
        self._alone = _alone(address)
        try:
            super().__init__(address, path)
        except BaseException:
            self._alone.close()
            raise
        self.name = self.place

    def _bring_up(self, connection: Connection) -> None:
        """Nothing yet: what is read is left as it is."""

    def close_store(self) -> None:
        """Close every connection, and let others in."""
        super().close_store()
        self._alone.close()

    @contextmanager
    def writing(self, part: Part = Part.ALL) -> Iterator[Speaker]:
        """One write transaction; its locks are held already."""
        with self.apart() as speaker:
            yield speaker

    def steps(self) -> Sequence[tuple[str, str]]:
        """(step, when it was made) of the schema."""
        if not self.has("schema_steps"):
            return []
        return self.rows(
            "SELECT name, CAST(extract(epoch FROM applied_at) AS text) FROM schema_steps"
            " ORDER BY name"
        )

    def known_steps(self) -> Sequence[str]:
        """The steps that this program knows."""
        return list(STEPS)

    def make_schema(self) -> None:
        """Make every step that is not made yet."""
        with self.worded(), called(self._address) as connection:
            migrate(connection)

    def put_mark(self, db: Statements) -> None:
        """Mark the store as a copy that is not finished."""
        db.execute("INSERT INTO schema_steps (name) VALUES (?)", (UNFINISHED,))

    def take_mark(self, db: Statements) -> None:
        """Let programs open it."""
        db.execute("DELETE FROM schema_steps WHERE name = ?", (UNFINISHED,))

    def columns(self, table: str) -> Mapping[str, Column]:
        """The columns of a table."""
        found = self.rows(
            "SELECT column_name, data_type, is_nullable FROM information_schema.columns"
            " WHERE table_schema = current_schema() AND table_name = ?",
            (table,),
        )
        return {
            name: Column(_KINDS[kind], nullable=nullable == "YES")
            for name, kind, nullable in sorted(found)
        }

    def has(self, table: str) -> bool:
        """Whether there is such a table."""
        return self.rows("SELECT to_regclass(?)", (table,)) != [(None,)]

    def tables(self) -> Sequence[str]:
        """All tables that are there, whoever made them."""
        found = self.rows(
            "SELECT tablename FROM pg_tables WHERE schemaname = current_schema() ORDER BY tablename"
        )
        return [str(name) for (name,) in found]

    def write(
        self, db: Statements, table: str, columns: Sequence[str], rows: Sequence[Row]
    ) -> None:
        """Write rows as they are."""
        assert isinstance(db, Speaker)  # noqa: S101 - a transaction of ours
        db.copy_in(table, columns, rows)

    def keep_texts(self, db: Statements, texts: Mapping[int, tuple[str, ...]]) -> None:
        """Let listings be found by their texts."""
        keep_in_vectors(db, texts)

    def given(self, table: str) -> int:
        """The last number that the server gave."""
        ((sequence,),) = self.rows("SELECT pg_get_serial_sequence(?, ?)", (table, NUMBERED[table]))
        ((number,),) = self.rows(
            f"SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM {sequence}"  # noqa: S608 - the server's own
        )
        return int(number)

    def give_on(self, db: Statements, table: str, number: int) -> None:
        """Let the numbers of a table go on after this one."""
        db.execute(
            "SELECT setval(pg_get_serial_sequence(?, ?), ?)", (table, NUMBERED[table], number)
        )

    def give_from_one(self, db: Statements) -> None:
        """Let the count of sends begin again; the numbers of rows are set in the end."""
        db.execute("SELECT setval('sends', 1, false)")

    def settle(self) -> None:
        """Let the server count what its tables hold, by which it plans."""
        with self.writing() as db:
            for table in (*MOVED, "search"):
                db.execute(f"ANALYZE {table}")


def _alone(address: str) -> Connection:
    """A connection that keeps everybody from writing for as long as it is open.

    Raises: StoreError where somebody has the database open.
    """
    place, until = place_of(address), time.monotonic() + PATIENCE_S
    with worded(place):
        connection = called(address)
        while not (alone := _is_alone(connection)) and time.monotonic() < until:
            time.sleep(0.1)
        if alone:
            return connection
        connection.close()
    raise StoreError(
        f"{place}: is in use; stop `digest serve` and `digest worker` everywhere first"
    )


def _is_alone(connection: Connection) -> bool:
    """Whether nobody else has the database open; then nobody can write in it from now on."""
    if connection.execute(_OTHERS).fetchall() != [(0,)]:
        return False
    return connection.execute(HOLD_ALL).fetchall() == [(True,)]
