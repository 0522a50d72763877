"""A PostgreSQL that keeps what it is told, to be measured: Debian's where present, else a wheel's.

It waits for the disk as a service's own does (`fsync`, `synchronous_commit` and `full_page_writes`
are on), and speaks over loopback; that of the wheel over a socket, and it counts no statements.
"""

from __future__ import annotations

import os
import re
import socket
import tempfile
from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from tests.postgres.servers import DATA, of_debian, of_wheel, programs_of_debian

TICKS = os.sysconf("SC_CLK_TCK")
STATEMENTS = "pg_stat_statements"
CALLS = "SELECT coalesce(sum(calls), 0) FROM pg_stat_statements"

SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "shared_buffers": "1GB",
    "max_wal_size": "4GB",
    "shared_preload_libraries": STATEMENTS,
    "track_wal_io_timing": "on",
}


@dataclass(frozen=True, slots=True)
class Used:
    """What a server has done so far. `statements` is 0 where nobody counts them."""

    cpu_s: float
    statements: int
    commits: int
    wal_bytes: int

    def since(self, before: Used) -> Used:
        """What came on top."""
        return Used(
            self.cpu_s - before.cpu_s,
            self.statements - before.statements,
            self.commits - before.commits,
            self.wal_bytes - before.wal_bytes,
        )


@dataclass(frozen=True, slots=True)
class Server:
    """A running server: the address of its first database, and its first process."""

    address: str
    process: int

    def database(self, name: str, template: str = "template0") -> str:
        """The address of a new database, a copy of another; what it wrote is on the disk."""
        with self._called() as connection:
            for sql in (
                f"DROP DATABASE IF EXISTS {name} (FORCE)",
                f"CREATE DATABASE {name} TEMPLATE {template} ENCODING 'UTF8'",
                "CHECKPOINT",
            ):
                connection.execute(sql.encode())
        return re.sub(r"/postgres(?=\?|$)", f"/{name}", self.address)

    def used(self) -> Used:
        """What it has done so far, all databases together."""
        with self._called() as connection:
            ((wal, commits),) = connection.execute(
                "SELECT pg_current_wal_insert_lsn() - '0/0', sum(xact_commit) FROM pg_stat_database"
            ).fetchall()
            counted = connection.execute(
                "SELECT 1 FROM pg_available_extensions WHERE name = %s", (STATEMENTS,)
            ).fetchall()
            calls = 0
            if counted:
                connection.execute(f"CREATE EXTENSION IF NOT EXISTS {STATEMENTS}".encode())
                ((calls,),) = connection.execute(CALLS).fetchall()
        return Used(cpu_s([self.process]), int(calls), int(commits), int(wal))

    def _called(self) -> psycopg.Connection:
        return psycopg.connect(self.address, autocommit=True)


@contextmanager
def server() -> Iterator[Server]:
    """A server with a folder of its own, gone at the end."""
    with tempfile.TemporaryDirectory(prefix="digest-pg-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        if programs_of_debian():
            with closing(socket.create_server(("127.0.0.1", 0))) as free:
                port = str(free.getsockname()[1])
            with of_debian(folder, {**SETTINGS, "port": port}):
                yield Server(f"postgresql://postgres@127.0.0.1:{port}/postgres", _process(folder))
            return
        with of_wheel(folder, {}) as address:
            yield Server(address, _process(folder))


def _process(folder: Path) -> int:
    return int((folder / DATA / "postmaster.pid").read_text().splitlines()[0])


def cpu_s(roots: Collection[int]) -> float:
    """Seconds of CPU of these processes and all below them, those that have ended included."""
    parents: dict[int, int] = {}
    used: dict[int, float] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:  # it has ended meanwhile
            continue
        parents[int(path.parent.name)] = int(fields[1])
        used[int(path.parent.name)] = sum(map(int, fields[11:15])) / TICKS
    family = {one for one in roots if one in used}
    while more := {one for one, parent in parents.items() if parent in family} - family:
        family |= more
    return sum(used[one] for one in family)
