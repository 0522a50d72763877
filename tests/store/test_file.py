"""The database file: pragmas, rights, and every way in which it cannot be used."""

from __future__ import annotations

import sqlite3
import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from digest.errors import StoreError
from digest.store import file
from digest.store.sqlite import SqliteStore
from tests.samples import NOW, subscriber


@pytest.fixture
def store(sqlite: SqliteStore) -> SqliteStore:
    """What is SQLite's alone is tried on it alone."""
    return sqlite


def test_q6_commits_survive_a_power_cut(store: SqliteStore) -> None:
    """Write-ahead log with full synchronisation, foreign keys checked."""
    pragmas = {
        name: store.rows(f"PRAGMA {name}")[0][0]
        for name in ("journal_mode", "synchronous", "foreign_keys")
    }
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


def test_d9_the_file_is_its_owners_alone(store: SqliteStore) -> None:
    """Addresses stand in it: nobody else may read it."""
    assert stat.S_IMODE(store.path.stat().st_mode) == 0o600


def open_files(folder: Path) -> int:
    """How many files of a folder this process has open, one for each connection."""
    names = [link.readlink() for link in Path("/proc/self/fd").iterdir() if link.is_symlink()]
    return sum(folder in name.parents for name in names)


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="asks Linux for its open files")
def test_a_thread_that_has_ended_leaves_no_file_open(store: SqliteStore) -> None:
    """The service begins a thread for each run of sending, a million of them in a year."""
    counts = []
    for _ in range(20):
        with ThreadPoolExecutor(1) as thread:
            thread.submit(store.expire, NOW).result()
        counts.append(open_files(store.path.parent))
    assert max(counts) < 15  # two a connection, and SQLite may put off to close one


def test_a_second_start_finds_everything(tmp_path: Path) -> None:
    """Opening again changes nothing."""
    path = tmp_path / "digest.db"
    first = SqliteStore(path)
    first.put_subscriber(subscriber(), NOW)
    first.close_store()
    second = SqliteStore(path)
    assert [one.email for one in second.subscribers()] == ["ada@example.org"]
    second.close_store()


def test_a_newer_database_is_refused(tmp_path: Path) -> None:
    """A step that this program does not know means that it must not write."""
    path = tmp_path / "digest.db"
    SqliteStore(path).close_store()
    with sqlite3.connect(path) as db:
        db.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at)"
            " VALUES ('paper_digest', 'm999_future', '2030')"
        )
    db.close()
    with pytest.raises(StoreError, match=r"newer version.*m999_future"):
        SqliteStore(path)


def test_a_locked_database_is_said_and_nothing_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another writer that does not let go ends in words, with nothing half done."""
    monkeypatch.setattr(file, "BUSY_TIMEOUT_S", 0.1)
    store = SqliteStore(tmp_path / "digest.db")
    other = sqlite3.connect(store.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match="locked by another process"):
        store.put_subscriber(subscriber(), NOW)
    other.execute("ROLLBACK")
    other.close()
    assert not store.subscribers()
    store.close_store()


def test_q18_a_full_disk_is_said_and_nothing_changes(store: SqliteStore) -> None:
    """A write that finds no room is rolled back whole and put into words."""
    pages = store.rows("PRAGMA page_count")[0][0]
    store.db.execute(f"PRAGMA max_page_count = {pages}")
    people = [subscriber(f"{n}{'x' * 50}@example.org") for n in range(2000)]
    with pytest.raises(StoreError, match="no room left on the disk"):
        store.sync_file(people, NOW)
    assert not store.subscribers()


def test_a_file_that_is_no_database_is_said(tmp_path: Path) -> None:
    """A text file is refused and left as it is."""
    path = tmp_path / "digest.db"
    path.write_text("not a database, but long enough to be taken for a header " * 20)
    with pytest.raises(StoreError, match="not an SQLite database"):
        SqliteStore(path)
    assert path.read_text().startswith("not a database")


def test_a_missing_folder_is_said(tmp_path: Path) -> None:
    """The message asks what is most often wrong."""
    with pytest.raises(StoreError, match="does its folder exist"):
        SqliteStore(tmp_path / "nowhere" / "digest.db")


def test_a_read_only_database_is_said(store: SqliteStore) -> None:
    """Nothing is sent that could not be recorded."""
    store.db.execute("PRAGMA query_only = ON")  # what root, too, cannot write through
    with pytest.raises(StoreError, match="cannot be written"):
        store.put_subscriber(subscriber(), NOW)


def test_each_thread_has_a_connection_of_its_own(store: SqliteStore) -> None:
    """Verbs may be called from any thread."""
    failed: list[BaseException] = []

    def work(number: int) -> None:
        try:
            store.put_subscriber(subscriber(f"reader{number}@example.org"), NOW)
        except BaseException as error:  # handed to the test's own thread
            failed.append(error)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    assert len(store.subscribers()) == 8
