"""The schema on PostgreSQL: that of SQLite, made once, and refused where it is newer."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from digest.errors import StoreError
from digest.store.postgres.store import PostgresStore
from digest.store.sqlite import SqliteStore
from tests.postgres.database import new_database
from tests.samples import NOW, subscriber


@pytest.fixture
def fresh(server: str) -> str:
    """The address of a database with nothing in it."""
    return new_database(server)


def test_both_stores_have_the_same_tables_and_columns(
    postgres: PostgresStore, tmp_path: Path
) -> None:
    """But for what each searches in, what machines settle, and SQLite's own numbers of rows."""
    sqlite = SqliteStore(tmp_path / "other.db")
    there = {
        (table, column)
        for (table,) in sqlite.rows("SELECT name FROM sqlite_master WHERE type = 'table'")
        if not table.startswith(("search", "sqlite_", "_sqlite_"))
        for (_, column, *_) in sqlite.rows(f"PRAGMA table_info({table})")
    }
    sqlite.close_store()
    here = set(
        postgres.rows(
            "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema ="
            " 'public' AND table_name NOT IN ('search', 'schema_steps', 'sends',"
            "  'turns', 'quotas', 'rates', 'rests')"
        )
    )
    assert here - there == {("likes", "rowid")}
    assert there - here == set()


def test_a_second_start_finds_everything(fresh: str, tmp_path: Path) -> None:
    """Opening again changes nothing."""
    for number in range(2):
        store = PostgresStore(fresh, tmp_path / "digest")
        assert len(store.subscribers()) == number
        store.put_subscriber(subscriber(), NOW)
        store.close_store()


def test_several_first_starts_at_once_make_one_schema(fresh: str, tmp_path: Path) -> None:
    """Each waits for the one before it."""

    def start(number: int) -> int:
        store = PostgresStore(fresh, tmp_path / f"machine{number}")
        people = len(store.subscribers())
        store.close_store()
        return people

    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(start, range(4))) == [0] * 4


def test_a_newer_database_is_refused(fresh: str, tmp_path: Path) -> None:
    """A step that this program does not know means that it must not write."""
    PostgresStore(fresh, tmp_path / "digest").close_store()
    with psycopg.connect(fresh, autocommit=True) as connection:
        connection.execute("INSERT INTO schema_steps (name) VALUES ('p999_future')")
    with pytest.raises(StoreError, match=r"newer version.*p999_future"):
        PostgresStore(fresh, tmp_path / "digest")
