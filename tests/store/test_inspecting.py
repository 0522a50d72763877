"""A look at the database changes nothing, and sees what is wrong."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from digest.errors import StoreError
from digest.model import SourceRun
from digest.store.inspecting import inspect, is_subscriber
from digest.store.sqlite import SqliteStore
from tests.samples import NOW, subscriber


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A database with a subscriber and a run, which nobody has open."""
    path = tmp_path / "digest.db"
    store = SqliteStore(path)
    store.put_subscriber(subscriber("Ada@example.org"), NOW)
    store.record_run(SourceRun("Papers", NOW, read=3))
    store.close_store()
    return path


def files(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Every file with its bytes and its time."""
    return {one.name: (one.read_bytes(), one.stat().st_mtime_ns) for one in folder.iterdir()}


def test_a_sound_database(path: Path) -> None:
    """No fault, in write-ahead mode, with the latest runs."""
    seen = inspect(path)
    assert (seen.faults, seen.stray, seen.newer, seen.pending) == ((), 0, (), ())
    assert seen.writes_ahead
    assert seen.runs["Papers"].read == 3
    assert seen.size == path.stat().st_size


def test_a10_a_look_changes_no_file_and_makes_none(path: Path) -> None:
    """Not even the files that SQLite keeps beside a database in use."""
    before = files(path.parent)
    inspect(path)
    is_subscriber(path, "ada@example.org")
    assert files(path.parent) == before


def test_a_database_in_use_is_seen_as_it_is(path: Path) -> None:
    """With what stands in its write-ahead file only."""
    store = SqliteStore(path)
    try:
        store.record_run(SourceRun("New", NOW, read=1))
        assert "New" in inspect(path).runs
    finally:
        store.close_store()


def test_who_is_a_subscriber(path: Path) -> None:
    """In whatever case and state."""
    assert is_subscriber(path, "ada@EXAMPLE.org")
    assert not is_subscriber(path, "mary@example.org")


def test_damage_is_seen(path: Path) -> None:
    """A page of zeros in the midst of the file."""
    raw = bytearray(path.read_bytes())
    size = int.from_bytes(raw[16:18], "big")
    raw[3 * size : 20 * size] = bytes(17 * size)
    path.write_bytes(raw)
    assert inspect(path).faults


def test_what_is_no_database_is_told(tmp_path: Path) -> None:
    """A file of another kind, and one that is not there."""
    (tmp_path / "other.db").write_text("hello " * 100, "ascii")
    with pytest.raises(StoreError, match="not an SQLite database"):
        inspect(tmp_path / "other.db")
    with pytest.raises(StoreError, match="cannot be opened"):
        inspect(tmp_path / "gone.db")
    assert not (tmp_path / "gone.db").exists()


def test_steps_that_are_missing_or_unknown_are_told(path: Path) -> None:
    """An older schema is pending, a newer one unknown; neither is changed."""
    with closing(sqlite3.connect(path)) as db:
        (name,) = db.execute("SELECT max(name) FROM _sqlite_migrations").fetchone()
        db.execute("UPDATE _sqlite_migrations SET name = 'from_tomorrow' WHERE name = ?", (name,))
        db.commit()
    seen = inspect(path)
    assert (seen.pending, seen.newer) == ((name,), ("from_tomorrow",))


def test_another_journal_mode_is_seen(path: Path) -> None:
    """As a file has it that was made by hand."""
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA journal_mode = delete")
    assert not inspect(path).writes_ahead


def test_rows_that_point_nowhere_are_counted(path: Path) -> None:
    """As a database has them that was mended by hand."""
    with closing(sqlite3.connect(path)) as db:
        db.execute("INSERT INTO identities (identity, listing_id) VALUES ('arxiv:1', 99)")
        db.commit()
    assert inspect(path).stray == 1
