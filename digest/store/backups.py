"""Whole copies of the database: made while it is in use, put back while it is not.

A copy is made by SQLite's own `VACUUM INTO`, which reads one moment of the database while others
write on. It stands beside its place until it is complete and checked, so that a failure leaves what
was there. Source: https://www.sqlite.org/lang_vacuum.html#vacuuminto
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import chain, count
from pathlib import Path

from digest.errors import StoreError
from digest.store.file import SqliteFile, reason, unknown_steps

ASIDE = ".before-restore"
"""What the name of a database that was replaced by a backup ends in, `-2` and so on after it."""


class BackupVerbs(SqliteFile):
    """Copies; see `Operating` for what the verb promises."""

    def back_up(self, file: Path, *, replace: bool = False) -> int:
        """Write a whole copy to a file; returns its bytes."""
        if file.resolve() == self.path.resolve():
            raise StoreError(f"{file}: is the database itself")
        with told(file), arriving(file, replace=replace) as made:
            if file.exists() and file.stat().st_size and not is_database(file):
                raise StoreError(f"{file}: is no copy of a database, which alone --force replaces")
            with self.worded():
                self.db.execute("VACUUM INTO ?", (str(made),))
            check_copy(made)
            return made.stat().st_size


def is_database(file: Path) -> bool:
    """Whether a file begins as SQLite's do. Source: https://www.sqlite.org/fileformat.html 1.3."""
    with file.open("rb") as opened:
        return opened.read(16) == b"SQLite format 3\0"


def check_copy(file: Path) -> None:
    """Nothing, if a file is a sound database that this program can use. Raises: StoreError."""
    if not file.is_file():
        raise StoreError(f"{file}: there is no such file")
    with (
        told(file),
        closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as db,
    ):
        (found,) = db.execute("PRAGMA integrity_check(1)").fetchone()
        if found != "ok":
            raise StoreError(f"{file}: is damaged ({found})")
        if newer := unknown_steps(db, file):
            raise StoreError(newer)


def put_back(copy: Path, path: Path) -> Path | None:
    """Put a checked copy in the place of the database; returns where the one before is now.

    That takes no other's place: after a wrong copy the first database must still be there.
    Raises: StoreError while anything has that one open, or when a file cannot be written.
    """
    check_copy(copy)
    aside = _free(path.with_name(path.name + ASIDE)) if path.exists() else None
    with told(path), arriving(path, replace=True) as made:
        shutil.copyfile(copy, made)
        if aside:
            _close_down(path)
            os.link(path, aside)  # both names at once: there is no moment without a database
    return aside


def _free(file: Path) -> Path:
    """The file, or the first that nobody has of those with a number behind its name."""
    names = chain([file.name], (f"{file.name}-{number}" for number in count(2)))
    return next(one for one in map(file.with_name, names) if not one.exists())


def _close_down(path: Path) -> None:
    """Make the database one file, without the log beside it, which no copy may be given to."""
    try:
        with closing(sqlite3.connect(path, timeout=0)) as db:
            db.execute("PRAGMA journal_mode = DELETE")  # which asks that nobody else has it open
    except sqlite3.OperationalError as error:
        if "locked" in str(error):
            raise StoreError(f"{path}: is in use; stop `digest serve` first") from error
        raise
    except sqlite3.DatabaseError:  # damaged: why a backup is put back at all
        for end in ("-wal", "-shm"):
            path.with_name(path.name + end).unlink(missing_ok=True)


@contextmanager
def arriving(file: Path, *, replace: bool) -> Iterator[Path]:
    """A place beside a file, for its owner alone; what is there in the end becomes the file.

    Raises: StoreError where something is that must stay; a device or a pipe must, whoever asks.
    """
    if not file.name or (file.exists() and not file.is_file()):
        raise StoreError(f"{file}: is no file; name one")
    made = file.with_name(file.name + ".part")
    if file.exists() and not replace:
        raise StoreError(f"{file}: is there already; --force replaces it")
    made.unlink(missing_ok=True)
    try:
        made.touch(mode=0o600)
        yield made
        with made.open("rb+") as done:
            os.fsync(done.fileno())
        if replace:
            made.replace(file)
        else:
            os.link(made, file)  # fails where the file has come meanwhile
        sync_folder(file.parent)
    finally:
        made.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Let the names in a folder survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def told(file: Path) -> Iterator[None]:
    """Put what goes wrong with a file into words. Raises: StoreError."""
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise StoreError(f"{file}: {reason(error)}") from error
