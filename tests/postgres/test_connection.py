"""A PostgreSQL that cannot be used, or went away: in words, and with nothing half done."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from digest.errors import StoreError
from digest.store.postgres import connection as module
from digest.store.postgres.store import PostgresStore
from tests.samples import NOW, listing, subscriber


@pytest.mark.parametrize(
    ("address", "said"),
    [
        (
            "postgresql://ada:s3cret@127.0.0.1:1/digest",
            r"^postgresql://127.0.0.1:1/digest: .*refused",
        ),
        ("postgresql://nobody.invalid/digest", "^postgresql://nobody.invalid/digest: "),
        ("postgresql://[", "^the address of the database cannot be read"),
        ("postgresql://h/x?colour=s3cret", "^the address of the database cannot be read"),
    ],
)
def test_a_server_that_is_not_there_is_said(tmp_path: Path, address: str, said: str) -> None:
    """With its address, and never with a password."""
    with pytest.raises(StoreError, match=said) as told:
        PostgresStore(address, tmp_path / "digest")
    assert "s3cret" not in str(told.value)
    assert "\n" not in str(told.value)


def test_a_database_that_cannot_hold_every_letter_is_refused(server: str, tmp_path: Path) -> None:
    """Before anything is made in it."""
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'")
    with pytest.raises(StoreError, match="encoding is LATIN1; UTF8 is needed"):
        PostgresStore(server.replace("/postgres?", "/latin?"), tmp_path / "digest")


def test_a_transaction_that_fails_changes_nothing(postgres: PostgresStore) -> None:
    """Whatever it was that failed."""

    def use(times: int) -> None:
        with postgres.writing() as db:
            for _ in range(times):
                db.execute("INSERT INTO used_links (link, used_at) VALUES ('x', '')")
            assert postgres.is_link_used(["x"]), "a query of the same thread is part of it"
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        use(1)
    assert not postgres.is_link_used(["x"])
    with pytest.raises(StoreError, match=r"^postgresql:.*duplicate key"):
        use(2)
    assert not postgres.is_link_used(["x"])


def test_a_server_that_hung_up_is_called_again(
    postgres: PostgresStore, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a restart of the database nobody notices."""
    monkeypatch.setattr(module, "SURE_FOR_S", 0)
    postgres.put_subscriber(subscriber(), NOW)
    with psycopg.connect(server, autocommit=True) as other:
        other.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE pid != pg_backend_pid() AND datname = 'contract'"
        )
    assert postgres.subscriber("ada@example.org")
    postgres.put_subscriber(subscriber(name="Ada"), NOW)


def test_a_transaction_that_never_ends_keeps_nobody_for_ever(
    postgres: PostgresStore, database: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Who waits too long for its lock is told so, and has changed nothing."""
    monkeypatch.setattr(module, "WAIT_S", 0.2)
    other = PostgresStore(database, tmp_path / "other")
    with postgres.writing(), pytest.raises(StoreError, match="locked by others for"):
        other.put_subscriber(subscriber(), NOW)
    other.close_store()
    assert not postgres.subscribers()


def test_texts_hold_what_they_can(postgres: PostgresStore) -> None:
    """PostgreSQL has no NUL: it is left out, and nothing fails for it."""
    postgres.add_listings([listing("A\x00B", key="k")], [], {}, (), NOW)
    assert [one.key for one in postgres.find_listings("A\x00B", 5)] == ["k"]


def test_a_copy_is_left_to_pg_dump(postgres: PostgresStore, tmp_path: Path) -> None:
    """Which copies one moment of a database in use as well."""
    with pytest.raises(StoreError, match="pg_dump"):
        postgres.back_up(tmp_path / "copy")
    assert not (tmp_path / "copy").exists()
