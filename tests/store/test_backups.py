"""Copies of the database: whole, private, checked, and put back only while nobody writes."""

from __future__ import annotations

import os
import sqlite3
import stat
import threading
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from digest.errors import StoreError
from digest.store.backups import ASIDE, put_back
from digest.store.sqlite import SqliteStore
from tests.samples import NOW, subscriber


@pytest.fixture
def store(sqlite: SqliteStore) -> SqliteStore:
    """What is SQLite's alone is tried on it alone."""
    return sqlite


def addresses(path: Path) -> list[str]:
    """Who stands in a database file, read without the product."""
    with closing(sqlite3.connect(path)) as db:
        return [row[0] for row in db.execute("SELECT email FROM subscribers ORDER BY email")]


def test_d4_d9_a_copy_is_whole_and_its_owners_alone(store: SqliteStore, tmp_path: Path) -> None:
    """One file without a log beside it, closed to others."""
    store.put_subscriber(subscriber(), NOW)
    copy = tmp_path / "copy.db"
    assert store.back_up(copy) == copy.stat().st_size
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert sorted(path.name for path in tmp_path.glob("copy*")) == ["copy.db"]
    assert addresses(copy) == ["ada@example.org"]


def test_a_copy_replaces_nothing_unless_asked(store: SqliteStore, tmp_path: Path) -> None:
    """What is there stays byte for byte; with the word an older copy becomes the newer one."""
    copy = tmp_path / "copy.db"
    store.back_up(copy)
    older = copy.read_bytes()
    store.put_subscriber(subscriber(), NOW)
    with pytest.raises(StoreError, match="is there already"):
        store.back_up(copy)
    assert copy.read_bytes() == older
    store.back_up(copy, replace=True)
    assert addresses(copy) == ["ada@example.org"]
    copy.write_bytes(b"")  # as `mktemp` makes one
    store.back_up(copy, replace=True)
    assert addresses(copy) == ["ada@example.org"]
    with pytest.raises(StoreError, match="the database itself"):
        store.back_up(store.path, replace=True)


def test_a_copy_replaces_no_file_that_is_none(store: SqliteStore, tmp_path: Path) -> None:
    """A slip in a name costs neither a key, nor the database's own log, nor a device."""
    store.put_subscriber(subscriber(), NOW)
    key, log = tmp_path / "secret.key", store.path.with_name(f"{store.path.name}-wal")
    key.write_text("mine")
    os.mkfifo(tmp_path / "pipe")
    for file in (key, log):
        before = file.read_bytes()
        with pytest.raises(StoreError, match="is no copy of a database"):
            store.back_up(file, replace=True)
        assert file.read_bytes() == before
    for file in (tmp_path / "pipe", Path()):
        with pytest.raises(StoreError, match="is no file; name one"):
            store.back_up(file, replace=True)
    assert (tmp_path / "pipe").is_fifo()


def test_d4_copies_made_while_others_write_are_sound(store: SqliteStore, tmp_path: Path) -> None:
    """Each holds the rows of one moment: whatever was added in pairs is there in pairs."""
    stop = threading.Event()

    def write() -> None:
        """Add people two at a time until told to stop."""
        number = 0
        while not stop.is_set():
            pair = [subscriber(f"{side}{number}@example.org") for side in ("a", "b")]
            known = store.subscribers()
            store.sync_file([*known, *pair], NOW)
            number += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(5):
            copy = tmp_path / f"copy{number}.db"
            store.back_up(copy)
            people = addresses(copy)
            assert len(people) % 2 == 0
    finally:
        stop.set()
        writer.join()


def test_a_failed_copy_leaves_nothing(store: SqliteStore, tmp_path: Path) -> None:
    """The folder is missing: it is said, and no half of a file stays."""
    with pytest.raises(StoreError, match="nowhere"):
        store.back_up(tmp_path / "nowhere" / "copy.db")
    assert not (tmp_path / "nowhere").exists()


def test_a_copy_is_put_back_and_what_was_there_kept(tmp_path: Path) -> None:
    """The log of the later database is not left for the older one to read."""
    path, copy = tmp_path / "digest.db", tmp_path / "copy.db"
    store = SqliteStore(path)
    store.put_subscriber(subscriber("ada@example.org"), NOW)
    store.back_up(copy)
    store.put_subscriber(subscriber("mary@example.org"), NOW + timedelta(days=1))
    store.close_store()
    aside = put_back(copy, path)
    assert aside == tmp_path / f"digest.db{ASIDE}"
    assert addresses(path) == ["ada@example.org"]
    assert addresses(aside) == ["ada@example.org", "mary@example.org"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_second_copy_loses_nothing_of_what_the_first_replaced(tmp_path: Path) -> None:
    """A wrong backup is followed by the right one, or by the database that was there at first."""
    path, wrong, right = tmp_path / "digest.db", tmp_path / "wrong.db", tmp_path / "right.db"
    store = SqliteStore(path)
    for name, copy in (("ada", wrong), ("mary", right)):
        store.put_subscriber(subscriber(f"{name}@example.org"), NOW)
        store.back_up(copy)
    store.put_subscriber(subscriber("olga@example.org"), NOW)
    store.close_store()
    first, second = put_back(wrong, path), put_back(right, path)
    assert first
    assert second == tmp_path / f"digest.db{ASIDE}-2"
    assert len(addresses(first)) == 3
    assert len(addresses(second)) == 1
    third = put_back(first, path)
    assert third == tmp_path / f"digest.db{ASIDE}-3"
    assert len(addresses(path)) == len(addresses(first)) == 3


def test_nothing_is_put_back_under_a_running_service(store: SqliteStore, tmp_path: Path) -> None:
    """It would write on into the file that is gone."""
    copy = tmp_path / "copy.db"
    store.back_up(copy)
    store.put_subscriber(subscriber(), NOW)
    with pytest.raises(StoreError, match="is in use; stop `digest serve` first"):
        put_back(copy, store.path)
    assert [one.email for one in store.subscribers()] == ["ada@example.org"]
    assert not list(tmp_path.glob("*.part"))


def test_what_is_no_sound_copy_is_not_put_back(store: SqliteStore, tmp_path: Path) -> None:
    """A torn file, a text, none at all, a newer version's: the database stays."""
    copy = tmp_path / "copy.db"
    store.back_up(copy)
    store.close_store()
    torn = tmp_path / "torn.db"
    torn.write_bytes(copy.read_bytes()[: copy.stat().st_size // 2])
    (tmp_path / "text.db").write_text("not a database, but long enough for a header " * 20)
    with closing(sqlite3.connect(copy)) as db:
        db.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at)"
            " VALUES ('paper_digest', 'm999_future', '2030')"
        )
        db.commit()
    before = store.path.read_bytes()
    for name, said in (
        ("torn.db", "malformed|damaged"),
        ("text.db", "not an SQLite database"),
        ("none.db", "no such file"),
        ("copy.db", r"newer version.*m999_future"),
    ):
        with pytest.raises(StoreError, match=said):
            put_back(tmp_path / name, store.path)
    assert store.path.read_bytes() == before


def test_a_damaged_database_is_replaced(tmp_path: Path) -> None:
    """Which is why a copy was made."""
    path, copy = tmp_path / "digest.db", tmp_path / "copy.db"
    store = SqliteStore(path)
    store.put_subscriber(subscriber(), NOW)
    store.back_up(copy)
    store.close_store()
    path.write_text("the disk has written something else here " * 50)
    put_back(copy, path)
    store = SqliteStore(path)
    assert [one.email for one in store.subscribers()] == ["ada@example.org"]
    store.close_store()
