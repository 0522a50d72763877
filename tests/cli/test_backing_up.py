"""Backup, restore and what is held, as an operator goes through it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.desk import Desk, at

MORNING = "2026-11-20T14:00:00+00:00"


def test_d4_the_whole_way_of_a_backup(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Copy, lose, restore; what may have gone out waits for a word."""
    at(monkeypatch, MORNING)
    desk.run("ingest")
    desk.run("send", code=1)  # nobody listens: the mail waits
    assert desk.run("backup", "copy.db").stdout.startswith("wrote copy.db (")
    assert "--force replaces it" in desk.refused("backup", "copy.db", code=1)
    desk.run("backup", "--force", "copy.db")
    at(monkeypatch, "2026-11-20T14:20:00+00:00")
    desk.run("send", code=1)  # another try, which the copy knows nothing of
    result = desk.run("restore", "copy.db")
    assert "kept the database as it was as" in result.stdout
    assert "1 mail is held: `digest held list`" in result.stderr
    (row,) = desk.json("held", "list")
    assert (row["email"], row["digest_on"]) == ("ada@example.org", "2026-11-20")
    assert "held for your word: 1" in desk.run("status").stdout
    assert "1 mail is held" in desk.run("send").stderr
    table = desk.run("held", "list").stdout
    assert "2026-11-21 14:" in table
    assert "a restored backup cannot tell" in table
    said = desk.refused("held", "release", "emmy@example.org", code=1)
    assert "no digest of emmy@example.org is held" in said
    assert "released 1 digest" in desk.run("held", "release", "ada@example.org").stdout
    assert "no digest is held" in desk.run("held", "list").stderr


def test_what_is_held_is_cancelled(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """All at once; a word for none or for both is no word."""
    at(monkeypatch, MORNING)
    desk.run("ingest")
    desk.run("send", code=1)
    Path("digest.db.sent").unlink()
    desk.run("held", "cancel", code=2)
    desk.run("held", "cancel", "--all", "ada@example.org", code=2)
    assert desk.run("held", "cancel", "--all").stdout == "cancelled 1 digest\n"
    assert "no digest is held" in desk.refused("held", "release", "--all", code=1)


def test_what_is_too_old_stays_held(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A day later nobody wants it: the line says so."""
    at(monkeypatch, MORNING)
    desk.run("ingest")
    desk.run("send", code=1)
    Path("digest.db.sent").unlink()
    at(monkeypatch, "2026-11-21T15:00:00+00:00")
    assert "too late" in desk.run("held", "list").stdout
    assert "left 1 digest held" in desk.run("held", "release", "--all").stderr


def test_a_restore_of_nothing_is_refused(desk: Desk) -> None:
    """One line; the database stays."""
    desk.run("status")
    assert "no such file" in desk.refused("restore", "none.db", code=1)
    assert Path("digest.db").exists()
