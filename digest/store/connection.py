"""What the verbs ask of a database: transactions, queries, and what the dialects of SQL differ in.

The verbs are written once, in the SQL that SQLite and PostgreSQL have in common, with parameters as
`?` and `:name`. Times are kept as text of fixed width, days as ISO text, so that text order is time
order in both.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from enum import Enum, auto
from pathlib import Path
from typing import Any, ClassVar, Protocol

Parameters = Sequence[Any] | Mapping[str, Any]


def stamp(moment: datetime) -> str:
    """A UTC time as text of fixed width, so that text order is time order."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def moment(text: str) -> datetime:
    """The aware UTC time of a stamp."""
    return datetime.fromisoformat(text)


class Rows(Protocol):
    """What a statement comes to: the rows that it gives, or how many it wrote."""

    @property
    def rowcount(self) -> int:
        """How many rows were written."""

    def fetchone(self) -> Any:
        """The next row as a tuple; None where there is none."""

    def fetchall(self) -> list[Any]:
        """Every row that was not read yet, as tuples."""

    def __iter__(self) -> Iterator[Any]: ...


class Statements(Protocol):
    """A transaction under way."""

    def execute(self, sql: str, parameters: Parameters = (), /) -> Rows:
        """Run one statement."""

    def executemany(self, sql: str, parameters: Iterable[Parameters], /) -> object:
        """Run one statement for each of these."""


class Part(Enum):
    """What a transaction writes, where a database has several writers at a time.

    `ALL` is alone with people and the ledger, as every transaction is on SQLite. `SENDING` changes
    rows of the ledger that it holds itself, beside its like; `LEASING` does so with those that
    have waited longest. `OPENING` writes new rows of the ledger, one at a time, beside what is
    sent. `LISTINGS` writes what sources announced, one at a time, beside all others.
    """

    ALL = auto()
    SENDING = auto()
    LEASING = auto()
    OPENING = auto()
    LISTINGS = auto()


class Connections(ABC):
    """A database as the verbs see it. `path` is the file, or the name of the files beside it."""

    path: Path

    skip_locked: ClassVar[str] = ""
    """What lets a `SELECT` leave out, and lock, rows of `d` that another transaction works at."""

    @abstractmethod
    def writing(self, part: Part = Part.ALL) -> AbstractContextManager[Statements]:
        """One write transaction: committed as a whole at the end, or not at all.

        Queries of the same thread are part of it. Raises: StoreError.
        """

    @abstractmethod
    def rows(self, sql: str, parameters: Parameters = ()) -> list[Any]:
        """The rows of a query as tuples. Raises: StoreError."""

    @abstractmethod
    def stream(self, sql: str, parameters: Parameters = ()) -> Iterator[Any]:
        """The same, read from the database as they are asked for. Raises: StoreError."""

    @abstractmethod
    def at_one_moment(self) -> AbstractContextManager[Statements]:
        """A transaction that reads: what this thread asks in it is of the moment it began at."""

    @abstractmethod
    def stored_bytes(self) -> int:
        """How much room the database takes."""

    @abstractmethod
    def worded(self) -> AbstractContextManager[None]:
        """Turns errors of the database, and of the files beside it, into a StoreError."""

    @abstractmethod
    def close_store(self) -> None:
        """Close every connection."""

    def counter(self, name: str) -> int:
        """The value of a counter; 0 where nothing was counted. Raises: StoreError."""
        rows = self.rows("SELECT value FROM counters WHERE name = ?", (name,))
        return int(rows[0][0]) if rows else 0


UNFINISHED = "unfinished_copy"
"""Stands among the steps of a schema while a store is copied into it: no program knows such a step,
so that none opens a half of a store, not even an older one."""


def too_new(place: object, steps: Collection[str]) -> str:
    """Why a database with these steps, which this program does not know, must not be used."""
    if UNFINISHED in steps:
        return (
            f"{place}: is a copy that was begun and not finished;"
            " `digest migrate-store`, as it was run before, goes on with it"
        )
    return (
        f"{place}: written by a newer version of this program "
        f"(it knows {', '.join(sorted(steps))}); upgrade before using it"
    )


def set_counter(db: Statements, name: str, value: int) -> None:
    """Give a counter a value, within a transaction."""
    db.execute(
        "INSERT INTO counters (name, value) VALUES (?, ?)"
        " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        (name, value),
    )


def add_to_counter(db: Statements, name: str, more: int) -> int:
    """Count on, within a transaction; returns what it comes to."""
    row = db.execute(
        "INSERT INTO counters (name, value) VALUES (?, ?)"
        " ON CONFLICT (name) DO UPDATE SET value = counters.value + excluded.value"
        " RETURNING value",
        (name, more),
    ).fetchone()
    return int(row[0])
