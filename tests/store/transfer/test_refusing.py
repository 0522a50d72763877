"""What is not moved, and why: stores in use, too old, not empty; values without a place."""

from __future__ import annotations

import hashlib
import random
import sqlite3
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from digest.errors import StoreError
from digest.store.inspecting import Place
from digest.store.postgres.store import PostgresStore
from digest.store.sqlite import SqliteStore
from digest.store.transfer import copying
from digest.store.transfer.copying import copy
from digest.store.transfer.opening import both
from tests.samples import NOW, subscriber
from tests.store.transfer.moves import compared, dump, fill, move


def refused(source: Place, target: Place, folder: Path, *, fresh: bool = False) -> str:
    """Why a store is not moved."""
    with (
        pytest.raises(StoreError) as told,
        both(source, target, folder, makes=True, fresh=fresh) as (read, written),
    ):
        copy(read, written, NOW, lambda more: None)
    return str(told.value)


def change(file: Path, sql: str, *values: object) -> None:
    """Change a database behind the product's back."""
    with closing(sqlite3.connect(file)) as db, db:
        db.execute("PRAGMA foreign_keys=OFF")
        db.execute(sql, values)


def test_a_service_that_has_the_file_open_is_noticed(file: Path, tmp_path: Path) -> None:
    """Though it does nothing at the moment; and while a store is moved none can begin."""
    service = SqliteStore(file)
    assert "is in use; stop `digest serve` first" in refused(file, tmp_path / "new.db", tmp_path)
    service.close_store()
    with both(file, tmp_path / "new.db", tmp_path, makes=True):
        for path in (file, tmp_path / "new.db"):
            with closing(sqlite3.connect(path, timeout=0)) as db, pytest.raises(sqlite3.Error):
                db.execute("SELECT * FROM subscribers")


def test_a_database_of_another_program_is_refused(file: Path, address: str, tmp_path: Path) -> None:
    """Nothing is made in it, though none of its tables is called as one of ours."""
    other = tmp_path / "other.db"
    change(other, "CREATE TABLE recipes (title TEXT)")
    assert "it has a table recipes of another program" in refused(file, other, tmp_path)
    with psycopg.connect(address, autocommit=True) as db:
        db.execute("CREATE TABLE recipes (title TEXT)")
    assert "it has a table recipes of another program" in refused(file, address, tmp_path)


def test_a_service_that_has_the_server_open_is_noticed(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On any machine; and none can write while a store is moved."""
    monkeypatch.setattr("digest.store.postgres.end.PATIENCE_S", 0.2)
    service = PostgresStore(address, tmp_path / "digest")
    said = "is in use; stop `digest serve` and `digest worker` everywhere first"
    assert said in refused(address, tmp_path / "new.db", tmp_path)
    service.close_store()
    monkeypatch.undo()
    monkeypatch.setattr("digest.store.postgres.connection.WAIT_S", 0.2)
    with both(address, tmp_path / "new.db", tmp_path, makes=True):
        late = PostgresStore(address, tmp_path / "digest")
        with pytest.raises(StoreError, match="locked by others"):
            late.put_subscriber(subscriber(), NOW)
        late.close_store()


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("DELETE FROM _sqlite_migrations WHERE name LIKE 'm014%'", "written by an older version"),
        ("UPDATE _sqlite_migrations SET name = 'm999' WHERE name LIKE 'm014%'", "newer version"),
        ("UPDATE counters SET value = value - 1 WHERE name = 'sends'", "is an older copy than"),
        ("DELETE FROM counters WHERE name = 'suppressed_read'", "is an older copy than the files"),
        ("DELETE FROM _sqlite_migrations", "holds no data of this program"),
    ],
)
def test_what_would_be_changed_by_opening_it_is_refused(
    file: Path, tmp_path: Path, sql: str, said: str
) -> None:
    """The store that is read is never changed, so it must be as this version leaves it."""
    change(file, sql)
    before = hashlib.sha256(file.read_bytes()).digest()
    assert said in refused(file, tmp_path / "new.db", tmp_path)
    assert hashlib.sha256(file.read_bytes()).digest() == before
    assert not (tmp_path / "new.db").exists()


def test_what_is_no_store_is_said(file: Path, tmp_path: Path, address: str) -> None:
    """A file that is not there is not made by being read, nor is a text taken for a store."""
    assert "there is no such file" in refused(tmp_path / "none.db", address, tmp_path)
    assert not (tmp_path / "none.db").exists()
    text = tmp_path / "text"
    text.write_text("a text " * 99)
    assert "not an SQLite database" in refused(text, address, tmp_path)
    assert "not an SQLite database" in refused(file, text, tmp_path)
    assert "is named as both stores" in refused(file, file.parent / "." / file.name, tmp_path)
    assert "is named as both stores" in refused(address, address, tmp_path)
    assert "holds no data of this program" in refused(address, tmp_path / "new.db", tmp_path)


def test_a_target_that_holds_anything_stays_as_it_is(
    file: Path, address: str, tmp_path: Path
) -> None:
    """Another store is not written into, even when begun anew."""
    other = SqliteStore(tmp_path / "other.db")
    one = other.put_subscriber(subscriber("mary@example.org"), NOW)
    other.add_api_key(one.id, "a", "fingerprint", NOW)
    other.close_store()
    before = dump(other.path)
    assert before["sqlite_sequence"]
    for fresh in (False, True):
        said = refused(file, other.path, tmp_path, fresh=fresh)
        assert "is not empty, it has rows in subscribers" in said
    assert dump(other.path) == before
    move(file, address, tmp_path)
    assert "is not empty, it has rows in listings" in refused(file, address, tmp_path, fresh=True)


def test_files_of_another_store_are_not_written_over(
    file: Path, address: str, tmp_path: Path
) -> None:
    """They say who left and what was sent there; what is ours already is no hindrance."""
    for name, content in (
        ("digest.sent", "00000000000000000999 2026-11-20T08:00:00.000000+00:00\n"),
        ("digest.suppressed", '["hash", "left", "", "2026-11-20T08:00:00+00:00"]\n'),
    ):
        (tmp_path / name).write_text(content)
        assert f"{name}: is the file of another store" in refused(file, address, tmp_path)
        assert (tmp_path / name).read_text() == content
        (tmp_path / name).unlink()
    for end in (".sent", ".suppressed"):  # as they were when this store was here before
        old = file.with_name(file.name + end).read_bytes()
        (tmp_path / f"digest{end}").write_bytes(old[: old.index(b"\n") + 1])
    move(file, address, tmp_path)
    assert (tmp_path / "digest.suppressed").read_bytes() == file.with_name(
        file.name + ".suppressed"
    ).read_bytes()


LONG = "".join(random.Random(1).choices("abcdefghijklmnopqrstuvwxyz0123456789", k=6000))  # noqa: S311


@pytest.mark.parametrize(
    ("sql", "values", "said"),
    [
        (
            "UPDATE listings SET title = ? WHERE id = 3",
            ("a\x00b",),
            "listings, id 3: title cannot be moved: it holds a NUL character",
        ),
        (
            "UPDATE deliveries SET reply = CAST(? AS TEXT) WHERE id = 2",
            (b"550 \xff\xfe",),
            "deliveries, id 2: reply cannot be moved: it is no UTF-8",
        ),
        (
            "UPDATE likes SET listing_key = CAST(? AS TEXT) WHERE rowid = 1",
            (b"\xed\xa0\x80",),  # half of a pair of surrogates
            "likes, rowid 1: listing_key cannot be moved: it is no UTF-8",
        ),
        (
            "UPDATE terms SET listings = 1e30 WHERE term = 'tile'",
            (),
            "terms, term 'tile': listings cannot be moved: it is a broken number, or one beyond",
        ),
        (
            "UPDATE listings SET votes = 'many' WHERE id = 1",
            (),
            "listings, id 1: votes cannot be moved: it is a text, where a whole number belongs",
        ),
        (
            "UPDATE snapshots SET body = ? WHERE id = 1",
            (b"{}",),
            "snapshots, id 1: body cannot be moved: it is octets, where a text belongs",
        ),
        (
            "UPDATE remembered SET url = ?",
            (LONG,),
            "remembered, source 'test', url 'https",
        ),
        (
            "UPDATE deliveries SET frame_id = 999 WHERE id = 2",
            (),
            "deliveries, id 2: postgresql:",
        ),
    ],
)
def test_a_value_that_has_no_place_is_named(
    file: Path, address: str, tmp_path: Path, *, sql: str, values: tuple[object, ...], said: str
) -> None:
    """By table, row and column, and nothing is lost: mended, the copy goes on to its end."""
    values = tuple(f"https://example.org/{LONG}" if one is LONG else one for one in values)
    sound = {path: path.read_bytes() for path in file.parent.iterdir()}
    change(file, sql, *values)
    assert said in refused(file, address, tmp_path)
    with pytest.raises(StoreError, match="was begun and not finished"):
        PostgresStore(address, tmp_path / "digest")
    for path, content in sound.items():
        path.write_bytes(content)
    move(file, address, tmp_path)


def test_what_sqlite_can_hold_it_keeps(file: Path, tmp_path: Path) -> None:
    """A NUL character comes along from file to file."""
    change(file, "UPDATE listings SET title = ? WHERE id = 3", "a\x00b")
    move(file, tmp_path / "new.db", tmp_path)
    assert dump(tmp_path / "new.db") == dump(file)


def test_a_copy_of_another_store_is_not_gone_on_with(
    file: Path, address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is named; begun anew it becomes a copy of this one."""
    other = SqliteStore(tmp_path / "other.db")
    fill(other)
    other.close_store()
    for target in (address, tmp_path / "new.db"):
        with both(other.path, target, tmp_path, makes=True) as (read, written):
            copy(read, written, NOW, lambda more: None)
        said = refused(file, target, tmp_path)
        assert "is a copy of another store, or by another version" in said
        for name in ("digest.sent", "digest.suppressed", "new.db.sent", "new.db.suppressed"):
            (tmp_path / name).unlink(missing_ok=True)
        with both(file, target, tmp_path, makes=True, fresh=True) as (read, written):
            copy(read, written, NOW, lambda more: None)
            written.finish()
        assert not compared(file, target, tmp_path)
    assert dump(tmp_path / "new.db") == dump(file)


def test_a_store_that_sent_nothing_takes_the_place_of_one_that_did(
    file: Path, address: str, tmp_path: Path
) -> None:
    """Begun anew, the count of sends begins anew."""
    small = SqliteStore(tmp_path / "small.db")
    small.put_subscriber(subscriber("mary@example.org"), NOW)
    small.close_store()
    for target in (address, tmp_path / "new.db"):
        with both(file, target, tmp_path, makes=True) as (read, written):
            copy(read, written, NOW, lambda more: None)
        for name in ("digest.sent", "digest.suppressed", "new.db.sent", "new.db.suppressed"):
            (tmp_path / name).unlink(missing_ok=True)
        with both(small.path, target, tmp_path, makes=True, fresh=True) as (read, written):
            copy(read, written, NOW, lambda more: None)
            written.finish()
        assert not compared(small.path, target, tmp_path)
    assert dump(tmp_path / "new.db") == dump(small.path)


@pytest.mark.parametrize(
    ("sql", "table", "said"),
    [
        ("UPDATE subscribers SET name = 'x' WHERE id = 2", "subscribers", "id 2: other name"),
        ("DELETE FROM letters WHERE id = 1", "letters", "letters, id 1: only in the first"),
        (
            "INSERT INTO terms VALUES ('a', 1)",
            "terms",
            "terms, term 'a': only in the second",
        ),
        ("UPDATE sqlite_sequence SET seq = 1 WHERE name = 'api_keys'", "api_keys", "given again"),
        ("DELETE FROM search WHERE rowid = 2", "search", "not as many"),
        ("UPDATE counters SET value = 0 WHERE name = 'matched'", "counters", "other value"),
    ],
)
def test_what_differs_is_found(
    file: Path, address: str, tmp_path: Path, *, sql: str, table: str, said: str
) -> None:
    """The table and the first row; the columns where both have it."""
    move(file, address, tmp_path)
    back = tmp_path / "back.db"
    move(address, back, tmp_path)
    change(back, sql)
    for source in (file, address):
        found = compared(source, back, tmp_path)
        assert list(found) == [table]
        assert said in found[table]


def test_a_count_of_sends_that_differs_is_found(file: Path, address: str, tmp_path: Path) -> None:
    """By which a restored copy is noticed later."""
    move(file, address, tmp_path)
    with psycopg.connect(address) as db:
        db.execute("SELECT setval('sends', 9)")
    (tmp_path / "digest.sent").unlink()
    assert compared(file, address, tmp_path) == {"sends": "not as many"}


def test_a_source_that_changes_between_two_runs_is_found(
    file: Path, address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The copy is not finished then."""
    monkeypatch.setattr(copying, "BATCH", 2)
    steps: list[int] = []

    def stop(more: int) -> None:
        steps.append(more)
        if len(steps) == 60:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), both(file, address, tmp_path, makes=True) as ends:
        copy(*ends, NOW, stop)
    change(file, "UPDATE listings SET day = '2020-01-01' WHERE id = 1")
    with pytest.raises(AssertionError, match="day"):
        move(file, address, tmp_path)
    with pytest.raises(StoreError, match="was begun and not finished"):
        PostgresStore(address, tmp_path / "digest")
