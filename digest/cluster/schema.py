"""The tables of the queue: procrastinate's own, in a schema beside ours, brought up to date."""

from __future__ import annotations

from pathlib import Path

from procrastinate.schema import SchemaManager
from psycopg import Connection
from psycopg.errors import InsufficientPrivilege

from digest.errors import StoreError
from digest.store.postgres.connection import called, place_of, worded
from digest.store.postgres.migrations import OURS

SCHEMA = "procrastinate"

_ONE_AT_A_TIME = f"SELECT pg_advisory_lock({OURS}, 0)"
_IS_THERE = f"SELECT to_regnamespace('{SCHEMA}') IS NOT NULL"
_APPLIED = """
CREATE TABLE IF NOT EXISTS schema_steps (
    name text PRIMARY KEY,
    applied_at timestamptz NOT NULL DEFAULT now()
)
"""


def make_queue_tables(address: str) -> None:
    """Make the tables of the queue, or bring them up to date; several starts wait for each other.

    Raises: StoreError when that cannot be done, or they are of a newer version.
    """
    with worded(place_of(address)), called(address) as connection:
        connection.execute(_ONE_AT_A_TIME)  # until the connection ends
        if connection.execute(_IS_THERE).fetchone() != (True,):
            _make_schema(connection, place_of(address))
        connection.execute(f"SET search_path TO {SCHEMA}")
        _migrate(connection, place_of(address))


def _make_schema(connection: Connection, place: str) -> None:
    try:
        connection.execute(f"CREATE SCHEMA {SCHEMA}")
    except InsufficientPrivilege as error:
        name, user = connection.info.dbname, connection.info.user
        raise StoreError(
            f"{place}: the queue of its workers needs a schema of its own, which this user may not"
            f' make; as an administrator: GRANT CREATE ON DATABASE "{name}" TO "{user}"'
        ) from error


def _migrate(connection: Connection, place: str) -> None:
    connection.execute(_APPLIED)
    applied = {name for (name,) in connection.execute("SELECT name FROM schema_steps")}
    known = _steps()
    if newer := applied - known.keys():
        raise StoreError(
            f"{place}: the queue of its workers was made by a newer procrastinate"
            f" (it knows {', '.join(sorted(newer))}); upgrade before using it"
        )
    if not applied:
        with connection.transaction():
            connection.execute(SchemaManager.get_schema().encode())
            for name in known:
                _note(connection, name)
    for name in sorted(known.keys() - applied if applied else ()):
        with connection.transaction():
            connection.execute(known[name].encode())
            _note(connection, name)


def _note(connection: Connection, name: str) -> None:
    connection.execute("INSERT INTO schema_steps (name) VALUES (%s)", (name,))


def _steps() -> dict[str, str]:
    """Name -> statements of every step that led to the schema of this procrastinate."""
    folder = Path(SchemaManager.get_migrations_path())
    return {file.stem: file.read_text("utf-8") for file in sorted(folder.glob("*.sql"))}
