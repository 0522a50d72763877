"""A look at the database that changes nothing: no migration, no file beside it, no lock kept.

A file that nobody has open is read as it lies there, since SQLite would otherwise make its
write-ahead files, which might then belong to another user than the service's. A PostgreSQL is read
in a transaction that can do nothing else.
Source: https://www.sqlite.org/wal.html#readonly, https://www.sqlite.org/uri.html#uriimmutable.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from urllib.parse import quote

from sqlite_utils import Database

from digest.errors import StoreError
from digest.model import Listing, SourceRun
from digest.store.connection import Statements
from digest.store.file import BUSY_TIMEOUT_S, reason
from digest.store.freeze import SOURCE_RUN
from digest.store.listings import listing_of
from digest.store.migrations import migrations
from digest.store.subscribers import address_key

# What speaks to a PostgreSQL is an extra, read where it is needed.
# ruff: noqa: PLC0415

VERSIONS, WRITE_AHEAD = slice(18, 20), b"\x02\x02"
"""Where a file says how it is written. Source: https://www.sqlite.org/fileformat.html 1.3.3."""

NAMED = 5
"""Faults of a file that are read; one is enough."""


PEOPLE = "SELECT 1 FROM sqlite_master WHERE name = 'subscribers'"

Place = Path | str
"""A database: a file of SQLite, or the address of a PostgreSQL."""


@dataclass(frozen=True, slots=True)
class Inspection:
    """What a database file holds and how it is.

    `writes_ahead` tells write-ahead mode, which stands in the file's head. `faults` are those that
    SQLite finds, `stray` counts rows that point at nothing; `newer` and `pending` are steps of the
    schema that this program does not know, and those to come. `runs` are the latest ones of each
    source.
    """

    size: int
    writes_ahead: bool
    faults: tuple[str, ...] = ()
    stray: int = 0
    newer: tuple[str, ...] = ()
    pending: tuple[str, ...] = ()
    runs: Mapping[str, SourceRun] = field(default_factory=lambda: MappingProxyType({}))


def is_there(place: Place) -> bool:
    """Whether there is anything in a database yet. Raises: StoreError where that cannot be told."""
    if isinstance(place, Path):
        return place.exists()
    from digest.store.postgres import looking

    with looking.reading(place) as db:
        return bool(looking.applied(db))


def name_of(place: Place) -> str:
    """A database as it may be printed: an address without its password. Raises: StoreError."""
    if isinstance(place, Path):
        return str(place)
    from digest.store.postgres import looking

    return looking.name_of(place)


def inspect(place: Place) -> Inspection:
    """What is in a database; of one that is damaged nothing but its faults.

    PostgreSQL looks after its own soundness. Raises: StoreError when it cannot be read.
    """
    return _inspect_file(place) if isinstance(place, Path) else _inspect_server(place)


def _inspect_server(address: str) -> Inspection:
    from digest.store.postgres import looking

    with looking.reading(address) as db:
        size, applied, known = looking.size(db), looking.applied(db), looking.steps()
        return Inspection(
            size,
            writes_ahead=True,
            newer=tuple(name for name in applied if name not in known),
            pending=tuple(name for name in known if name not in applied),
            runs=_runs(db) if applied else {},
        )


def _inspect_file(path: Path) -> Inspection:
    with _reading_file(path) as db:
        with path.open("rb") as file:
            writes_ahead = file.read(VERSIONS.stop)[VERSIONS] == WRITE_AHEAD
        size = path.stat().st_size
        if faults := _faults(db):
            return Inspection(size, writes_ahead, faults)
        applied = [step.name for step in migrations.applied(db)]
        known = [step.name for step in migrations._migrations]  # no public list of them
        return Inspection(
            size,
            writes_ahead,
            stray=len(db.execute("PRAGMA foreign_key_check").fetchall()),
            newer=tuple(name for name in applied if name not in known),
            pending=tuple(name for name in known if name not in applied),
            runs=_runs(db.conn) if db.table("source_runs").exists() else {},
        )


def is_subscriber(place: Place, email: str) -> bool:
    """Whether the database knows a subscriber of this address, in whatever state.

    Raises: StoreError.
    """
    if not is_there(place):
        return False
    with _reading(place) as db:
        if isinstance(place, Path) and not db.execute(PEOPLE).fetchone():
            return False
        found = db.execute(
            "SELECT 1 FROM subscribers WHERE lower(address_key) = ?", (address_key(email).lower(),)
        )
        return found.fetchone() is not None


def shelf(place: Place, limit: int) -> tuple[int, Mapping[str, int], list[Listing]]:
    """How many listings were counted, how many have each term, and the newest ones.

    Raises: StoreError, also for a database of an older version.
    """
    with _reading(place) as db:
        counted = db.execute("SELECT value FROM counters WHERE name = 'listings_counted'")
        terms = db.execute("SELECT term, listings FROM terms")
        newest = db.execute(
            "SELECT id, body, first_seen_at FROM listings WHERE sendable = 1"
            " ORDER BY id DESC LIMIT ?",
            (limit,),
        )
        number = counted.fetchone()
        return (
            int(number[0]) if number else 0,
            dict(terms.fetchall()),
            [listing_of(*row) for row in newest.fetchall()],
        )


@contextmanager
def _reading(place: Place) -> Iterator[Statements]:
    """The database, to be read only. Raises: StoreError."""
    if isinstance(place, Path):
        with _reading_file(place) as file:
            yield file.conn
        return
    from digest.store.postgres import looking

    with looking.reading(place) as db:
        yield db


@contextmanager
def _reading_file(path: Path) -> Iterator[Database]:
    in_use = path.with_name(path.name + "-wal").exists()
    mode = "mode=ro" if in_use else "immutable=1"
    try:
        path.stat()  # SQLite takes a file that is not there for an empty one
        with closing(
            sqlite3.connect(
                f"file:{quote(str(path))}?{mode}",
                uri=True,
                timeout=BUSY_TIMEOUT_S,
                isolation_level=None,
            )
        ) as connection:
            yield Database(connection)
    except (sqlite3.Error, OSError) as fault:
        raise StoreError(f"{path}: {reason(fault)}") from fault


def _faults(db: Database) -> tuple[str, ...]:
    """What SQLite finds wrong with the file."""
    rows = db.execute(f"PRAGMA integrity_check({NAMED})").fetchall()
    return tuple(str(row[0]) for row in rows if row[0] != "ok")


def _runs(db: Statements) -> dict[str, SourceRun]:
    rows = db.execute(
        "SELECT source, body FROM source_runs WHERE id IN"
        " (SELECT max(id) FROM source_runs GROUP BY source)"
    )
    return {source: SOURCE_RUN.validate_json(body) for source, body in rows.fetchall()}
