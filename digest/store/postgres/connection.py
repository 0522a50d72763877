"""Connections to a PostgreSQL: a pool, transactions with their locks, its errors put into words.

A transaction of the verbs may rely on nobody else changing what it has read, as on SQLite, where
there is one writer at a time. Here an advisory lock of the transaction says so: those of `Part.ALL`
hold it alone, those that only move their own rows share it. So the many short transactions of
sending run beside each other, and whoever changes a person's row runs alone for a millisecond.
Source: https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
from psycopg import Connection, Cursor, IsolationLevel, errors
from psycopg.adapt import Buffer
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.types.string import StrDumperUnknown
from psycopg_pool import ConnectionPool, PoolTimeout

from digest.errors import StoreError
from digest.store.connection import Connections, Parameters, Part, too_new
from digest.store.postgres.dialect import translated
from digest.store.postgres.migrations import OURS, migrate

WAIT_S = 15
"""How long a transaction waits for a lock, and a thread for a connection."""

STILL_S = 5
"""How long one that changes rows may ask nothing.

Its machine has been stopped or cut off in the midst of it, and nobody else may wait for that. With
the time after which a machine is known to be gone it is less than others wait for its lock.
"""

SILENT_S = 3
"""How long a connection is silent until it is asked for a sign of life, by either side."""

SURE_FOR_S = 1
"""After so long without use a connection is tried before it is trusted."""

MOST_CONNECTIONS = 16
"""Of one process; PostgreSQL itself lets 100 in."""

logging.getLogger("psycopg.pool").setLevel(logging.WARNING)  # it tells of each loan: two a query

OUR_NAME = "paper-digest"
"""What the server calls our connections, in `pg_stat_activity`."""

_NUMBERS = count()

_LEDGER, _OPENING, _LISTINGS = 1, 2, 3
_BESIDE = f"SELECT pg_advisory_xact_lock_shared({OURS}, {_LEDGER})"
_LOCKS = {
    Part.ALL: f"SELECT pg_advisory_xact_lock({OURS}, {_LEDGER})",
    Part.SENDING: _BESIDE,
    # In the order of their index: a planner that last looked when nothing waited, as at night,
    # would read all that waits now and sort it, for each few rows.
    Part.LEASING: f"SET LOCAL enable_sort = off; {_BESIDE}",
    # The narrower lock first: who waits for it keeps nobody from the ledger.
    Part.OPENING: f"SELECT pg_advisory_xact_lock({OURS}, {_OPENING}),"
    f" pg_advisory_xact_lock_shared({OURS}, {_LEDGER})",
    # A long list takes its time between two statements, and its lock keeps no mail waiting.
    Part.LISTINGS: "SET LOCAL idle_in_transaction_session_timeout = '60s';"
    f" SELECT pg_advisory_xact_lock({OURS}, {_LISTINGS})",
}

_UNHURRIED = "SET LOCAL idle_in_transaction_session_timeout = 0"
"""Who reads holds up nobody, and may be handing rows on to somebody slow."""

_READ = f"BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY; {_UNHURRIED}"
_BEGIN = "BEGIN ISOLATION LEVEL READ COMMITTED"
_WRITE = {part: f"{_BEGIN}; {lock}" for part, lock in _LOCKS.items()}
"""How a transaction begins: with its lock, in one round trip."""

HOLD_ALL = "SELECT " + " AND ".join(
    f"pg_try_advisory_lock({OURS}, {one})" for one in (_OPENING, _LISTINGS, _LEDGER)
)
"""Takes every lock of a writing transaction until the connection is closed; false where one is."""


class _TextDumper(StrDumperUnknown):
    """Text without the character that PostgreSQL cannot hold."""

    def dump(self, obj: str) -> Buffer | None:
        return super().dump(obj.replace("\x00", ""))


class _Line(Connection):
    """A connection that knows since when nobody has used it, by the monotonic clock."""

    idle_since = 0.0


class Speaker:
    """A transaction under way, which is spoken to in the SQL of the verbs."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def execute(self, sql: str, parameters: Parameters = (), /) -> Cursor[Any]:
        """Run one statement."""
        return self._connection.execute(translated(sql).encode(), parameters)

    def executemany(self, sql: str, parameters: Iterable[Parameters], /) -> None:
        """Run one statement for each of these."""
        with self._connection.cursor() as cursor:
            cursor.executemany(translated(sql).encode(), parameters)

    def copy_in(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """Write rows by COPY, as they are: numbers too that the server would give itself."""
        sql = f"COPY {table} ({', '.join(columns)}) FROM STDIN"
        with self._connection.cursor() as cursor, cursor.copy(sql.encode()) as copy:
            for row in rows:
                copy.write_row(row)

    def stream(self, sql: str, parameters: Parameters = ()) -> Iterator[Any]:
        """The rows of a query, a thousand at a time: the server keeps the others."""
        name = f"stream_{next(_NUMBERS)}"  # several may be read by turns
        with self._connection.cursor(name) as cursor:
            cursor.itersize = 1000
            yield from cursor.execute(translated(sql).encode(), parameters)


class PostgresConnections(Connections):
    """A pool of connections to a database whose schema is made or brought up to date.

    `address` is a `postgresql://` address; `path` names the files that stand on this machine.
    Raises: StoreError when the database cannot be reached or was written by a newer version.
    """

    skip_locked = "FOR UPDATE OF d SKIP LOCKED"

    def __init__(self, address: str, path: Path) -> None:
        self.path = path
        self.place = place_of(address)
        self._current = threading.local()
        with self.worded(), called(address) as connection:
            ((encoding,),) = connection.execute("SHOW server_encoding").fetchall()
            if encoding != "UTF8":
                raise StoreError(f"{self.place}: its encoding is {encoding}; UTF8 is needed")
            self._bring_up(connection)
        self._pool = ConnectionPool(
            impatient(address),
            min_size=1,
            max_size=MOST_CONNECTIONS,
            timeout=WAIT_S,
            num_workers=1,
            kwargs={"autocommit": True},
            connection_class=_Line,
            configure=_configure,
            check=_check,
            open=True,
        )

    def _bring_up(self, connection: Connection) -> None:
        """Make the schema that of this version."""
        if newer := migrate(connection):
            raise StoreError(too_new(self.place, newer))

    @contextmanager
    def writing(self, part: Part = Part.ALL) -> Iterator[Speaker]:
        """One write transaction: committed as a whole at the end, or not at all.

        Raises: StoreError.
        """
        with self._transaction(_WRITE[part]) as speaker:
            yield speaker

    @contextmanager
    def apart(self) -> Iterator[Speaker]:
        """A write transaction beside all others, on tables that no verb of the store knows."""
        with self._transaction(_BEGIN) as speaker:
            yield speaker

    @contextmanager
    def at_one_moment(self) -> Iterator[Speaker]:
        """A transaction that reads: what this thread asks in it is of the moment it began at."""
        with self._transaction(_READ) as speaker:
            yield speaker

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[Speaker]:
        """A transaction that queries of the same thread are part of; committed at the end."""
        around = self._speaker()
        with self.worded(), self._line() as connection:
            connection.execute(begin.encode(), prepare=False)  # two statements cannot be prepared
            speaker = self._current.speaker = Speaker(connection)
            try:
                yield speaker
            finally:
                self._current.speaker = around

    @contextmanager
    def _line(self) -> Iterator[_Line]:
        """A connection of the pool; a transaction that is open at the end is committed.

        The time is noted here, since a pool that is told to do it hands each over to a thread.
        """
        with self._pool.connection() as connection:
            try:
                yield connection
            finally:
                connection.idle_since = time.monotonic()

    def _speaker(self) -> Speaker | None:
        """The transaction that this thread is in."""
        return getattr(self._current, "speaker", None)

    def stream(self, sql: str, parameters: Parameters = ()) -> Iterator[Any]:
        """The rows of a query, fetched as they are asked for. Raises: StoreError."""
        with self.worded():
            if speaker := self._speaker():
                yield from speaker.stream(sql, parameters)
                return
            with self._line() as connection, connection.transaction():
                connection.execute(_UNHURRIED)
                yield from Speaker(connection).stream(sql, parameters)

    def rows(self, sql: str, parameters: Parameters = ()) -> list[Any]:
        """The rows of a query as tuples. Raises: StoreError."""
        with self.worded():
            if speaker := self._speaker():
                return speaker.execute(sql, parameters).fetchall()
            with self._line() as connection:
                return Speaker(connection).execute(sql, parameters).fetchall()

    def now_s(self) -> float:
        """Seconds since 1970 by the database's clock. Raises: StoreError."""
        ((now_s,),) = self.rows("SELECT extract(epoch FROM clock_timestamp())::float8")
        return float(now_s)

    @contextmanager
    def worded(self) -> Iterator[None]:
        """Turns errors of the database, and of the files beside it, into a StoreError."""
        try:
            with worded(self.place):
                yield
        except OSError as error:
            raise StoreError(f"{self.path}: {error.strerror or error}") from error

    def stored_bytes(self) -> int:
        """How much room the whole database takes."""
        return int(self.rows("SELECT pg_database_size(current_database())")[0][0])

    def close_store(self) -> None:
        """Close every connection."""
        self._pool.close()


@contextmanager
def worded(place: str) -> Iterator[None]:
    """Turns errors of a database into a StoreError that names it, without a password."""
    try:
        yield
    except psycopg.Error as error:
        raise StoreError(f"{place}: {_reason(error)}") from error


def _configure(connection: Connection) -> None:
    connection.isolation_level = IsolationLevel.READ_COMMITTED
    connection.adapters.register_dumper(str, _TextDumper)
    # A query of the verbs takes milliseconds, to compile it seconds.
    settings = f"SET lock_timeout = '{WAIT_S}s'; SET jit = off; {wary()}"
    connection.execute(settings.encode(), prepare=False)


def _check(connection: _Line) -> None:
    """Nothing, if the server has not hung up; the pool takes another connection where it has.

    Raises: psycopg.OperationalError.
    """
    if time.monotonic() - connection.idle_since >= SURE_FOR_S:
        ConnectionPool.check_connection(connection)


def called(address: str) -> Connection:
    """A connection of its own, for a moment. Raises: psycopg.Error."""
    connection = psycopg.connect(impatient(address), autocommit=True)
    connection.execute(alert().encode())
    return connection


def impatient(address: str) -> str:
    """The address with an end to waiting and with our name, where it has none itself.

    Without it a machine that is cut off from its server would wait for 15 minutes.
    Source: https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-KEEPALIVES
    """
    asked: dict[str, Any] = {
        "connect_timeout": WAIT_S,
        "application_name": OUR_NAME,
        "keepalives_idle": SILENT_S,
        "keepalives_interval": 1,
        "keepalives_count": 3,
        "tcp_user_timeout": WAIT_S * 1000,
        **conninfo_to_dict(address),
    }
    return make_conninfo(**asked)


_LOOK = """
DO $$ BEGIN SET client_connection_check_interval = '2s';
EXCEPTION WHEN undefined_object OR invalid_parameter_value THEN NULL; END $$
"""
"""Who waits for a lock is looked after as well, by servers that can; else it would yet get it."""


def wary() -> str:
    """The settings by which a server has done with a machine that is gone, or stands still."""
    return f"SET idle_in_transaction_session_timeout = '{STILL_S}s'; {alert()}; {_LOOK}"


def alert() -> str:
    """The settings by which a server notices that a machine is gone.

    It would keep its connections and what they have locked for two hours.
    Source: https://www.postgresql.org/docs/current/runtime-config-connection.html
    """
    return (
        f"SET tcp_keepalives_idle = {SILENT_S}; SET tcp_keepalives_interval = 1;"
        f" SET tcp_keepalives_count = 3; SET tcp_user_timeout = '{SILENT_S + 3}s'"
    )


def place_of(address: str) -> str:
    """A database's address as it may be printed: without a password. Raises: StoreError."""
    try:
        named = conninfo_to_dict(address)
    except psycopg.ProgrammingError:  # whose text may hold the password
        raise StoreError("the address of the database cannot be read") from None
    host, port = named.get("host") or "localhost", named.get("port")
    where = f"{host}:{port}" if port else str(host)
    return f"postgresql://{where}/{named.get('dbname') or ''}"


_REASONS: tuple[tuple[type[Exception], str], ...] = (
    (PoolTimeout, f"no connection was to be had for {WAIT_S} s; nothing was changed"),
    (errors.LockNotAvailable, f"locked by others for {WAIT_S} s; nothing was changed"),
    (errors.IdleInTransactionSessionTimeout, "stood still in its midst; nothing was changed"),
    (errors.DiskFull, "no room left on the server's disk; nothing was changed"),
    (errors.ReadOnlySqlTransaction, "cannot be written: it is a standby, or read-only"),
)
"""Kinds of errors -> what to tell a person."""


def _reason(error: psycopg.Error) -> str:
    """What went wrong with the database, as a person understands it."""
    told = next((words for kind, words in _REASONS if isinstance(error, kind)), "")
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return told or lines[0]
