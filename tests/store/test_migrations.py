"""Databases of every earlier schema come up to date and keep what is in them."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from sqlite_utils import Database

from digest.store.connection import stamp
from digest.store.freeze import FRAME, LISTING, PROFILE, FrameSnapshot, fingerprint, freeze
from digest.store.migrations import migrations
from digest.store.sqlite import SqliteStore
from tests.samples import FRAME as SAMPLE_FRAME
from tests.samples import NOW, digest_of, listing, profile, subscriber

STEPS = [step.name for step in migrations._migrations]
PAPER = replace(listing("Flash attention in an old database", votes=7, subjects=("cs.LG",)), id=1)
ADA = replace(subscriber(profile=profile(keywords={"flash attention": 2.0})), id=1)
ROW = (
    "INSERT INTO deliveries (id, subscriber_id, digest_on, state, message_id, recipient, frame_id,"
    " listing_ids, prepared_at, attempts, unknowns, next_attempt_at, owner, code, reply, closed_at"
    "{more}) VALUES (1, 1, ?, 'sent', 'old@example.org', ?, 1, '[1]', ?, 1, 0, NULL, '', 250,"
    " '250 OK', ?{marks})"
)


def columns(db: Database, table: str) -> set[str]:
    """The names of a table's columns, none where there is no table."""
    return {row[1] for row in db.execute(f"PRAGMA table_info({table})")}


def keep(db: Database, number: int, body: bytes) -> None:
    """A snapshot, in the columns that there are."""
    used = "used_at" in columns(db, "snapshots")
    names, marks = (", used_at", ", ?") if used else ("", "")
    values = (number, fingerprint(body), body.decode(), *([stamp(NOW)] if used else []))
    sql = "INSERT INTO snapshots (id, digest, body{}) VALUES (?, ?, ?{})"
    db.execute(sql.format(names, marks), values)


def fill(db: Database) -> None:
    """A reader, a paper and a sent mail, as the schema of that day holds them."""
    now = stamp(NOW)
    db.execute(
        "INSERT INTO subscribers (id, email, address_key, origin, state, timezone, send_at, days,"
        " name, profile, answered_on, created_at, updated_at) VALUES"
        " (1, 'ada@example.org', 'ada@example.org', 'store', 'unsubscribed', 'Europe/London',"
        " '07:30', 'mon,fri', 'Ada', ?, '2026-11-20', ?, ?)",
        (PROFILE.dump_json(ADA.profile).decode(), now, now),
    )
    db.execute(
        "INSERT INTO listings (id, key, title, body, first_seen_at, sendable)"
        " VALUES (1, ?, ?, ?, ?, 1)",
        (PAPER.key, PAPER.title, LISTING.dump_json(PAPER).decode(), now),
    )
    keep(db, 1, FRAME.dump_json(FrameSnapshot(SAMPLE_FRAME, ())))
    keep(db, 2, LISTING.dump_json(PAPER))
    body = freeze(digest_of(ADA, PAPER)).numbered([2])
    inside = "body" in columns(db, "deliveries")
    sql = ROW.format(more=", body" if inside else "", marks=", ?" if inside else "")
    values = (NOW.date().isoformat(), ADA.email, now, now, *([body] if inside else []))
    db.execute(sql, values)
    if not inside:
        db.execute("INSERT INTO bodies (delivery_id, body) VALUES (1, ?)", (body,))


def database_before(path: Path, step: str) -> None:
    """A database as the steps before this one left it, in use."""
    with closing(sqlite3.connect(path)) as connection:
        db = Database(connection)
        migrations.apply(db, stop_before=step)
        fill(db)
        connection.commit()


@pytest.mark.parametrize("step", STEPS[1:])
def test_an_older_database_comes_up_and_keeps_everything(tmp_path: Path, step: str) -> None:
    """Settings, a person's own word, the ledger's row with its mail, and the paper."""
    path = tmp_path / "digest.db"
    database_before(path, step)
    store = SqliteStore(path)
    one = store.subscriber("ada@example.org")
    assert one
    assert (one.state, one.name, one.timezone, one.profile) == (
        "unsubscribed", "Ada", "Europe/London", ADA.profile,
    )  # fmt: skip
    delivery = store.delivery(1, NOW.date())
    assert delivery
    assert (delivery.state, delivery.message_id) == ("sent", "old@example.org")
    assert [one.title for one in delivery.digest.listings] == [PAPER.title]
    assert delivery.frame == SAMPLE_FRAME
    assert [one.title for one in store.find_listings(PAPER.key, 9)] == [PAPER.title]
    assert store.rows("PRAGMA foreign_key_check") == []
    assert store.rows("PRAGMA integrity_check") == [("ok",)]
    store.close_store()


def schema(path: Path) -> list[tuple[str, str]]:
    """Every table and index with the columns it has, in no order of steps."""
    with closing(sqlite3.connect(path)) as db:
        names = db.execute(
            "SELECT name FROM sqlite_master WHERE name NOT LIKE 'sqlite%' ORDER BY name"
        ).fetchall()
        return [
            (name, str(sorted(row[1:4] for row in db.execute(f'PRAGMA table_info("{name}")'))))
            for (name,) in names
        ]


@pytest.mark.parametrize("step", STEPS[1:])
def test_an_older_database_ends_as_a_new_one_begins(tmp_path: Path, step: str) -> None:
    """The same tables, columns and indexes, whatever the way."""
    old, new = tmp_path / "old.db", tmp_path / "new.db"
    database_before(old, step)
    SqliteStore(old).close_store()
    SqliteStore(new).close_store()
    assert schema(old) == schema(new)
