"""Databases of the tests on a running PostgreSQL: made once, emptied for each test."""

from __future__ import annotations

from itertools import count
from pathlib import Path

import psycopg

from digest.store.postgres.store import PostgresStore
from digest.store.sqlite import SqliteStore

AnyStore = SqliteStore | PostgresStore
"""What a case of the contract is run on."""


_NUMBERS = count()


def made(address: str, name: str) -> str:
    """The address of a new, empty database."""
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template0".encode())
    return address.replace("/postgres?", f"/{name}?")


def new_database(address: str) -> str:
    """The address of a new, empty database that nobody else is given."""
    return made(address, f"fresh_{next(_NUMBERS)}")


def opened(address: str, folder: Path) -> PostgresStore:
    """A store on a database that is emptied: a tenth of the time of a new one."""
    store = PostgresStore(address, folder / "digest")
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(EMPTY)
    return store


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
