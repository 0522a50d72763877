"""What is said of the database and the sources, good and bad."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from digest.doctor.data import data_findings, secret_finding, source_findings
from digest.doctor.finding import Finding, Level
from digest.model import Source, SourceRun
from digest.store.sqlite import SqliteStore
from tests.samples import NOW

SOURCE = Source("Papers", "feed", "https://example.org/feed", every_s=3600)
READ = SourceRun(
    "Papers", NOW - timedelta(minutes=10), read=3, new=3, list_at=NOW, calendar="rhythm"
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A new database."""
    path = tmp_path / "digest.db"
    SqliteStore(path).close_store()
    return path


def worst(path: Path) -> Finding:
    """The worst finding on a database."""
    order = list(Level)
    return max(data_findings(path)[1], key=lambda one: order.index(one.level))


def test_a_new_database_is_good(path: Path) -> None:
    """One finding, with its size."""
    seen, found = data_findings(path)
    assert seen
    assert [one.level for one in found] == [Level.OK]


def test_no_database_yet(tmp_path: Path) -> None:
    """As before the first start; none is made (A10)."""
    assert worst(tmp_path / "digest.db").level is Level.WARNING
    assert not list(tmp_path.iterdir())


def test_what_is_no_database(tmp_path: Path) -> None:
    """An error, with a backup as the remedy."""
    (tmp_path / "digest.db").write_text("hello " * 100, "ascii")
    found = worst(tmp_path / "digest.db")
    assert (found.level, "backup" in found.do) == (Level.ERROR, True)


@pytest.mark.parametrize(
    ("change", "level", "said"),
    [
        ("UPDATE _sqlite_migrations SET name = 'x' || name WHERE rowid = 1", Level.ERROR, "newer"),
        ("DELETE FROM _sqlite_migrations WHERE rowid = 2", Level.WARNING, "1 step behind"),
        ("INSERT INTO identities VALUES ('arxiv:1', 9)", Level.ERROR, "are gone (1)"),
        ("PRAGMA journal_mode = delete", Level.WARNING, "not in write-ahead mode"),
    ],
)
def test_a_database_that_is_not_as_it_should_be(
    path: Path, change: str, level: Level, said: str
) -> None:
    """Newer, older, mended by hand, or in another journal mode."""
    with closing(sqlite3.connect(path)) as db:
        db.execute(change)
        db.commit()
    found = worst(path)
    assert (found.level, said in found.found) == (level, True), found


def test_d9_a_database_that_others_can_read(path: Path) -> None:
    """Named with its mode and the command that mends it."""
    path.chmod(0o644)
    found = worst(path)
    assert (found.level, found.do) == (Level.WARNING, f"chmod 600 {path}")


def test_the_key_beside_the_database(tmp_path: Path) -> None:
    """It is never made by a look at it."""
    assert secret_finding(tmp_path / "secret.key").level is Level.WARNING
    assert not list(tmp_path.iterdir())
    (tmp_path / "secret.key").touch()
    assert secret_finding(tmp_path / "secret.key").level is Level.OK


@pytest.mark.parametrize(
    ("run", "level", "said"),
    [
        (READ, Level.OK, "up to date"),
        (None, Level.WARNING, "never been read"),
        (replace(READ, started_at=NOW - timedelta(hours=8)), Level.WARNING, "last asked"),
        (replace(READ, error="503", failing_since=NOW - timedelta(hours=2)), Level.WARNING, "503"),
        (replace(READ, error="503", failing_since=NOW - timedelta(days=2)), Level.ERROR, "503"),
        (
            replace(READ, list_at=NOW - timedelta(days=30), started_at=NOW),
            Level.ERROR,
            "longer than it should",
        ),
    ],
)
def test_d8_how_fresh_a_source_is(run: SourceRun | None, level: Level, said: str) -> None:
    """A failure of today is a warning, one of two days and silence are errors."""
    runs = {"Papers": run} if run else {}
    (found,) = source_findings([SOURCE], runs, NOW, "UTC")
    assert (found.level, said in found.found) == (level, True), found
