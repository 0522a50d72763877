"""There and back again: every table, every row, the numbers, and the files beside the database."""

from __future__ import annotations

import hashlib
import sqlite3
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from digest.store.postgres.store import PostgresStore
from digest.store.sqlite import SqliteStore
from digest.store.transfer import copying
from digest.store.transfer.tables import LEFT_OUT, MOVED
from tests.postgres.servers import KINDS
from tests.samples import NOW, subscriber
from tests.store.transfer.moves import dump, move


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    """Each kind of PostgreSQL: Debian's sorts by the rules of a language."""
    one: str = request.param
    return one


def test_every_table_is_moved_or_left_out_for_a_reason(
    postgres: PostgresStore, sqlite: SqliteStore
) -> None:
    """In both schemas; a table of a later step is put into one of the two lists."""
    there = {
        name
        for (name,) in sqlite.rows("SELECT name FROM sqlite_master WHERE type = 'table'")
        if not name.startswith("search_")  # what FTS5 keeps `search` in
    }
    here = {
        name
        for (name,) in postgres.rows(
            "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p', 'S') AND relispartition IS"
            " FALSE AND relnamespace = 'public'::regnamespace"
            " AND relname NOT LIKE '%\\_id\\_seq' AND relname NOT LIKE '%\\_rowid\\_seq'"
        )
    }
    assert not set(MOVED) & set(LEFT_OUT)
    assert there | here == set(MOVED) | set(LEFT_OUT)
    assert set(MOVED) <= there & here


def test_a_filled_store_has_something_of_everything(file: Path) -> None:
    """So that the other tests leave no table out."""
    assert not [table for table, rows in dump(file).items() if not rows]


@pytest.mark.parametrize("batch", [2, 2000])
def test_there_and_back_again(
    file: Path, address: str, tmp_path: Path, batch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is lost or changed on the way, however large the batches; the old file stays."""
    monkeypatch.setattr(copying, "BATCH", batch)
    before = hashlib.sha256(file.read_bytes()).digest()
    move(file, address, tmp_path)
    back = tmp_path / "new" / "digest.db"
    back.parent.mkdir()
    move(address, back, tmp_path)
    assert dump(back) == dump(file)
    assert hashlib.sha256(file.read_bytes()).digest() == before
    for end in (".sent", ".suppressed"):
        beside = file.with_name(file.name + end).read_bytes()
        assert (tmp_path / f"digest{end}").read_bytes() == beside
        assert back.with_name(back.name + end).read_bytes() == beside
    assert sorted(path.name for path in back.parent.iterdir()) == [
        "digest.db", "digest.db.sent", "digest.db.suppressed",
    ]  # fmt: skip


def test_from_file_to_file_and_from_server_to_server(
    file: Path, address: str, other_address: str, tmp_path: Path
) -> None:
    """The same."""
    copied = tmp_path / "copied.db"
    move(file, copied, tmp_path)
    assert dump(copied) == dump(file)
    move(copied, address, tmp_path)
    move(address, other_address, tmp_path)
    back = tmp_path / "back.db"
    move(other_address, back, tmp_path)
    assert dump(back) == dump(file)


def test_numbers_go_on_after_those_that_were_given(
    file: Path, address: str, tmp_path: Path
) -> None:
    """On PostgreSQL as on SQLite: a row that is gone again leaves its number to nobody."""
    with closing(sqlite3.connect(file)) as db:
        (last,) = db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'api_keys'").fetchone()
        (greatest,) = db.execute("SELECT max(id) FROM subscribers").fetchone()
    move(file, address, tmp_path)
    store = PostgresStore(address, tmp_path / "digest")
    one = store.put_subscriber(subscriber("new@example.org"), NOW)
    key = store.add_api_key(one.id, "new", "a new fingerprint", NOW)
    store.close_store()
    assert (one.id, key and key.id) == (greatest + 1, last + 1)


def test_what_is_found_is_found_there(file: Path, address: str, tmp_path: Path) -> None:
    """The words are written anew by each database, for every listing."""
    move(file, address, tmp_path)
    with psycopg.connect(address) as db:
        found = db.execute(
            "SELECT count(*) FROM search WHERE words @@ 'levi & flight'::tsquery"
        ).fetchone()
    assert found == (7,)
