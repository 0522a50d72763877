"""One SQLite file: opening, migrating, transactions, and its errors put into words.

WAL with `synchronous=FULL`, so that a commit that was answered survives a power cut and no mail is
sent again for a forgotten outcome (https://www.sqlite.org/pragma.html#pragma_synchronous). Each
thread has a connection of its own, since an SQLite connection belongs to its thread; it is closed
when the thread has ended and another one opens its own.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from sqlite_utils import Database

from digest.errors import StoreError
from digest.store.connection import Connections, Parameters, Part, too_new
from digest.store.migrations import migrations

BUSY_TIMEOUT_S = 15.0


def check_full_text(connection: sqlite3.Connection) -> None:
    """Nothing, if this SQLite has FTS5, which the search needs. Raises: StoreError."""
    with closing(connection):
        try:
            connection.execute("CREATE VIRTUAL TABLE words USING fts5(word)")
        except sqlite3.Error as error:
            raise StoreError(
                f"SQLite {sqlite3.sqlite_version} was built without full text search (FTS5);"
                " use a Python whose SQLite has it, such as your system's own or uv's"
            ) from error


def unknown_steps(connection: sqlite3.Connection, path: Path) -> str:
    """Why a database is too new for this program, or nothing.

    Raises: sqlite3.Error for what is no database.
    """
    known = {migration.name for migration in migrations._migrations}  # no public list of them
    applied = migrations.applied(Database(connection))
    newer = {step.name for step in applied} - known
    return too_new(path, newer) if newer else ""


class SqliteFile(Connections):
    """The file and its connections, one a thread.

    Raises: StoreError when the file cannot be opened or was written by a newer version.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._local = threading.local()
        self._opened: dict[threading.Thread, Database] = {}
        self._guard = threading.Lock()
        if sqlite3.sqlite_version_info < (3, 35):
            raise StoreError(
                f"SQLite {sqlite3.sqlite_version} is too old: 3.35 (2021) or newer is needed"
            )
        check_full_text(sqlite3.connect(":memory:"))
        try:
            with self.worded():
                self._bring_up()
        except BaseException:
            self.close_store()  # a file that is refused is left to others
            raise

    def _bring_up(self) -> None:
        """Make the file where there is none, and its schema that of this version."""
        if not self.path.exists():
            self.path.touch(mode=0o600)  # addresses and tokens: nobody else reads them
        self._migrate()

    def _migrate(self) -> None:
        if newer := unknown_steps(self.db.conn, self.path):
            raise StoreError(newer)
        if migrations.pending(self.db):
            migrations.apply(self.db)

    @property
    def db(self) -> Database:
        """The database as the calling thread sees it."""
        if not hasattr(self._local, "db"):
            self._local.db = Database(self._connect())
            with self._guard:
                self._close_orphans()
                self._opened[threading.current_thread()] = self._local.db
        database: Database = self._local.db
        return database

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.path,
            timeout=BUSY_TIMEOUT_S,
            isolation_level=None,  # transactions are ours: BEGIN IMMEDIATE, or none
            check_same_thread=False,  # close_store() closes the connections of other threads
        )
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")
        return connection

    @contextmanager
    def writing(self, part: Part = Part.ALL) -> Iterator[sqlite3.Connection]:
        """One write transaction: committed as a whole at the end, or not at all.

        Whatever its part, it is alone: SQLite has one writer at a time. It begins IMMEDIATE, so
        that two writers wait for each other at the start and neither fails half-way.
        Raises: StoreError.
        """
        with self.worded():
            connection = self.db.conn
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.rollback()
                raise
            connection.commit()

    def rows(self, sql: str, parameters: Parameters = ()) -> list[Any]:
        """The rows of a query as tuples. Raises: StoreError."""
        with self.worded():
            return self.db.conn.execute(sql, parameters).fetchall()

    def stream(self, sql: str, parameters: Parameters = ()) -> Iterator[Any]:
        """The same, read from the file as they are asked for. Raises: StoreError."""
        with self.worded():
            yield from self.db.conn.execute(sql, parameters)

    @contextmanager
    def at_one_moment(self) -> Iterator[sqlite3.Connection]:
        """A transaction that reads: what this thread asks in it is of the moment it began at."""
        with self.worded():
            connection = self.db.conn
            connection.execute("BEGIN")
            try:
                yield connection
            finally:
                connection.rollback()

    def stored_bytes(self) -> int:
        """How much room the file takes."""
        with self.worded():
            return self.path.stat().st_size

    @contextmanager
    def worded(self) -> Iterator[None]:
        """Turns errors of the file into a StoreError that names it."""
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise StoreError(f"{self.path}: {reason(error)}") from error

    def _close_orphans(self) -> None:
        """Close the connections of threads that have ended: each run of sending has its own."""
        for thread in [one for one in self._opened if not one.is_alive()]:
            self._opened.pop(thread).close()

    def close_store(self) -> None:
        """Close every connection."""
        with self._guard:
            for db in self._opened.values():
                db.close()
            self._opened.clear()
        self._local = threading.local()


_REASONS = (
    (("locked",), f"locked by another process for {BUSY_TIMEOUT_S:.0f} s; nothing was changed"),
    (("full", "No space"), "no room left on the disk; nothing was changed"),
    # What a full disk is called where the shared memory file cannot grow.
    (("disk I/O",), "disk I/O error: the disk may be full or failing; nothing was changed"),
    (("readonly", "Read-only"), "cannot be written (read-only file or folder)"),
    (("not a database",), "not an SQLite database"),
    (
        ("unable to open", "No such file"),
        "cannot be opened: does its folder exist, and may this user write there?",
    ),
)
"""Words in SQLite's or the system's own text -> what to tell a person."""


def reason(error: sqlite3.Error | OSError) -> str:
    """What went wrong with the file, as a person understands it."""
    # An OSError's own text holds the path, which may hold any of these words.
    text = (error.strerror or str(error)) if isinstance(error, OSError) else str(error)
    return next((told for signs, told in _REASONS if any(s in text for s in signs)), text)
