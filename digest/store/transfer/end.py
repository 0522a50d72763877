"""One of the two stores of a transfer, whatever its database: what both are asked for.

Nobody else has it open meanwhile. That which is read is never changed, not even by a step of its
schema; that which is written has the mark of a copy that is not finished until it is.
"""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any, ClassVar

from digest.errors import StoreError
from digest.store.connection import UNFINISHED, Statements, too_new
from digest.store.journal import Journal
from digest.store.postgres.beside import MachineJournal
from digest.store.transfer.tables import MOVED, NUMBERED
from digest.store.transfer.values import Column, Row
from digest.store.watermark import SENDS, Watermark

PROGRESS = "copying"
"""The table that says how far a copy has come; there while it is not finished."""

Reached = tuple[str, list[Any]]
"""The table that was being copied, and the key of the last row that was written."""


class End(Journal, Watermark):
    """A store as a transfer sees it. `name` is how it is printed, without a password."""

    name: str
    holds_nul: ClassVar[bool]
    """Whether its texts may have NUL characters."""

    @abstractmethod
    def steps(self) -> Sequence[tuple[str, str]]:
        """(step, when it was made) of the schema; nothing where there is none."""

    @abstractmethod
    def known_steps(self) -> Sequence[str]:
        """The steps that this program knows."""

    @abstractmethod
    def make_schema(self) -> None:
        """Make every step that is not made yet."""

    @abstractmethod
    def put_mark(self, db: Statements) -> None:
        """Mark the store as a copy that is not finished, so that no program opens it."""

    @abstractmethod
    def take_mark(self, db: Statements) -> None:
        """Let programs open it."""

    @abstractmethod
    def columns(self, table: str) -> Mapping[str, Column]:
        """The columns of a table that is moved, in the order of their names."""

    @abstractmethod
    def has(self, table: str) -> bool:
        """Whether there is such a table."""

    @abstractmethod
    def tables(self) -> Sequence[str]:
        """All tables that are there, whoever made them."""

    @abstractmethod
    def write(
        self, db: Statements, table: str, columns: Sequence[str], rows: Sequence[Row]
    ) -> None:
        """Write rows as they are, within a transaction."""

    @abstractmethod
    def keep_texts(self, db: Statements, texts: Mapping[int, tuple[str, ...]]) -> None:
        """Let listings be found by their texts, within a transaction."""

    @abstractmethod
    def given(self, table: str) -> int:
        """The last number that the database gave a row of a table itself; 0 where none."""

    @abstractmethod
    def give_on(self, db: Statements, table: str, number: int) -> None:
        """Let the numbers of a table go on after this one."""

    @abstractmethod
    def give_from_one(self, db: Statements) -> None:
        """Let every number begin again, within a transaction that leaves no row."""

    @abstractmethod
    def settle(self) -> None:
        """Let the database learn what its tables hold now."""

    def check_ready(self) -> None:
        """Nothing, if the store can be read as it is. Raises: StoreError, with what to do first."""
        made = [name for name, _ in self.steps()]
        if not made:
            raise StoreError(f"{self.name}: holds no data of this program")
        if unknown := set(made) - set(self.known_steps()):
            raise StoreError(too_new(self.name, unknown))
        if len(made) < len(self.known_steps()):
            raise StoreError(
                f"{self.name}: written by an older version; run `digest status` on it once,"
                " which brings it up to date"
            )
        if self._is_behind() or self._is_behind_mark(self._mark()):
            raise StoreError(
                f"{self.name}: is an older copy than the files beside it, or lacks them;"
                " run `digest status` on it once, which takes in what it does not know"
            )

    def make_ready(self, origin: str) -> None:
        """Make the schema and the mark in what is empty, or go on where a copy of `origin` ended.

        Raises: StoreError for what holds anything else.
        """
        if UNFINISHED in {name for name, _ in self.steps()}:
            ((begun,),) = self.rows(f"SELECT origin FROM {PROGRESS}")  # noqa: S608 - a constant
            if begun != origin:
                raise StoreError(
                    f"{self.name}: is a copy of another store, or by another version, that was"
                    " begun and not finished; --fresh begins anew"
                )
            return
        if not self.steps() and (others := self.tables()):
            raise StoreError(
                f"{self.name}: is not empty, it has a table {others[0]} of another program;"
                " a copy needs a new database"
            )
        if filled := next((one for one in MOVED if self.has(one) and not self._is_empty(one)), ""):
            raise StoreError(
                f"{self.name}: is not empty, it has rows in {filled}; a copy needs a new database"
            )
        self.make_schema()
        with self.writing() as db:
            db.execute(f"CREATE TABLE {PROGRESS} (origin TEXT NOT NULL, reached TEXT NOT NULL)")
            db.execute(f"INSERT INTO {PROGRESS} VALUES (?, '')", (origin,))  # noqa: S608 - as above
            self.put_mark(db)

    def forget(self) -> None:
        """Empty a copy that was not finished; anything else stays as it is."""
        if UNFINISHED not in {name for name, _ in self.steps()}:
            return
        with self.writing() as db:
            for table in ("search", *reversed(list(MOVED))):
                db.execute(f"DELETE FROM {table}")  # noqa: S608 - names of ours
            self.give_from_one(db)
            db.execute(f"DROP TABLE {PROGRESS}")
            self.take_mark(db)

    def finish(self) -> None:
        """Make a store of the copy."""
        with self.writing() as db:
            db.execute(f"DROP TABLE {PROGRESS}")
            self.take_mark(db)

    def identity(self) -> str:
        """What tells this store from others: when the steps of its schema were made."""
        return sha256(json.dumps(self.steps()).encode()).hexdigest()

    def reached(self) -> Reached | None:
        """How far the copy has come; None where nothing is copied yet."""
        ((told,),) = self.rows(f"SELECT reached FROM {PROGRESS}")  # noqa: S608 - a constant
        if not told:
            return None
        table, key = json.loads(told)
        return table, key

    def reach(self, db: Statements, reached: Reached) -> None:
        """Keep how far the copy has come, in the transaction that writes its rows."""
        db.execute(f"UPDATE {PROGRESS} SET reached = ?", (json.dumps(reached),))  # noqa: S608 - as above

    def read(self, table: str, columns: Sequence[str], after: Sequence[Any] = ()) -> Iterator[Row]:
        """The rows of a table in the order of its key, those after a key, read as asked for."""
        key = ", ".join(MOVED[table])
        where, own = _wanted(table)
        if after:
            where += f" AND ({key}) > ({', '.join('?' * len(after))})"
        sql = f"SELECT {', '.join(columns)} FROM {table} WHERE {where} ORDER BY {key}"  # noqa: S608 - names of ours
        yield from self.stream(sql, [*own, *after])

    def count(self, table: str) -> int:
        """How many rows of a table are moved."""
        where, own = _wanted(table)
        ((number,),) = self.rows(f"SELECT count(*) FROM {table} WHERE {where}", own)  # noqa: S608 - as above
        return int(number)

    def last_number(self, table: str) -> int:
        """The greatest number that a row of a table has or had."""
        ((greatest,),) = self.rows(f"SELECT max({NUMBERED[table]}) FROM {table}")  # noqa: S608 - as above
        return max(greatest or 0, self.given(table))

    def _is_empty(self, table: str) -> bool:
        return not self.rows(f"SELECT 1 FROM {table} LIMIT 1")  # noqa: S608 - names of ours


def _wanted(table: str) -> tuple[str, Sequence[str]]:
    """Which rows of a table are moved: a condition and what it is about.

    Some counters are of one database or one machine, and set apart.
    """
    if table != "counters":
        return "TRUE", ()
    own = (SENDS, Journal.read_counter, MachineJournal.read_counter)
    return f"name NOT IN ({', '.join('?' * len(own))})", own
