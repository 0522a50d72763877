"""A look at a PostgreSQL database from outside: nothing is made, nothing changed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from digest.store.postgres.connection import Speaker, called, place_of, worded
from digest.store.postgres.migrations import STEPS


def name_of(address: str) -> str:
    """An address as it may be printed: without its password. Raises: StoreError."""
    return place_of(address)


@contextmanager
def reading(address: str) -> Iterator[Speaker]:
    """A transaction that can only read. Raises: StoreError."""
    with (
        worded(place_of(address)),
        called(address) as connection,
        connection.transaction(),
    ):
        connection.execute("SET TRANSACTION READ ONLY")
        yield Speaker(connection)


def size(db: Speaker) -> int:
    """The bytes of the whole database."""
    ((number,),) = db.execute("SELECT pg_database_size(current_database())").fetchall()
    return int(number)


def applied(db: Speaker) -> list[str]:
    """The steps of the schema that were made; none where nothing of ours is there."""
    if db.execute("SELECT to_regclass('schema_steps')").fetchall() == [(None,)]:
        return []
    return [name for (name,) in db.execute("SELECT name FROM schema_steps ORDER BY name")]


def steps() -> list[str]:
    """The steps that this program knows."""
    return list(STEPS)
