"""What goes wrong is one line that says what, where and what would do, and the right exit code."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path

import pytest

from digest.errors import StoreError
from digest.store.sqlite import SqliteStore
from tests.cli.desk import ADA, CONFIG, EMMY, Desk
from tests.samples import NOW, listing

COMMANDS = (
    ("status",),
    ("ingest",),
    ("send",),
    ("check",),
    ("serve",),
    ("preview", "ada@example.org"),
    ("subscribers", "list"),
    ("explain", "ada@example.org", "Flash"),
)


@pytest.mark.parametrize("words", COMMANDS)
def test_a_missing_config_is_named_with_the_way_out(desk: Desk, words: tuple[str, ...]) -> None:
    """Every command says which file is missing and how to get one."""
    (desk.folder / "config.toml").unlink()
    said = desk.refused(*words, code=2)
    assert "config.toml: there is no such file; `digest init` writes one" in said


FAULTS = {
    "syntax": ('name = "Papers"', "name = Papers", r"config\.toml: line \d+.*quotes"),
    "no from": ('from = "Paper digest <digest@example.org>"', "", r"\[mail\] from: .*"),
    "unknown key": ("port = 1", "prot = 1", r"\[smtp\] prot: .*did you mean.*port"),
    "wrong zone": (
        'email = "ada@example.org"',
        'email = "ada@example.org"\ntimezone = "Europe/Lodnon"',
        r"ada@example\.org\) timezone: .*Europe/London",
    ),
    "weight": ('"flash attention" = 2', '"flash attention" = "two"', r"flash attention.*number"),
    "same address": (EMMY, ADA, r"#2 \(ada@example\.org\) email: .*#1"),
    "kind": ('kind = "jsonl"', 'kind = "jsonlines"', r"kind: .*jsonl"),
    "term": ('"flash attention" = 2', '"title:" = 2', r"keywords.*title:"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_faulty_config_ends_with_2_and_names_its_place(desk: Desk, fault: str) -> None:
    """One line: file, table, key, and the nearest right form."""
    old, new, wanted = FAULTS[fault]
    desk.write_config(ADA + EMMY, {old: new})
    said = desk.refused("status", code=2)
    assert said.startswith("Error: config.toml: ")
    assert re.search(wanted, said), said


def test_all_faults_are_told_at_once(desk: Desk) -> None:
    """Three faults are three lines."""
    desk.write_config(ADA, {"port = 1": "port = 0", "https:": "gopher:", '" = 2': '" = 0'})
    lines = desk.run("check", code=2).stderr.splitlines()
    assert len(lines) == 3, lines


# --- pages ------------------------------------------------------------------------------------

PAGES = {
    "empty": ("", "expected a saved Daily Papers page"),
    "cut off": (
        "Get trending papers in your email inbox!\n\nSubscribe\n\nDaily Papers\n\nNov 20\n\n"
        "Tiles\n\nWe cut matrices into ti",
        "the saved page is cut off: its last listing, 'Tiles', ends",
    ),
    "another": ("A recipe for bread\n\nFlour, water.\n", "not a saved Daily Papers page"),
}

PAGE_SOURCE = """
[[sources]]
name = "Pages"
kind = "page"
path = "*.txt"
"""


@pytest.mark.parametrize("page", PAGES)
def test_a_bad_page_is_named_and_keeps_nobody_else_out(desk: Desk, page: str) -> None:
    """File and expectation in one line, exit 1; the other source's listings went in."""
    body, expectation = PAGES[page]
    desk.write_config(PAGE_SOURCE + ADA)
    (desk.folder / "saved.txt").write_text(body)
    result = desk.run("ingest", code=1)
    (said,) = result.stderr.splitlines()
    assert said.startswith("Error: source 'Pages': saved.txt: ")
    assert expectation in said
    assert re.search(r"Papers +5 +5 ", result.stdout)
    assert "Flash Attention" in desk.run("explain", "ada@example.org", "Flash").stdout
    assert "failed" in desk.run("status").stdout


# --- the database -----------------------------------------------------------------------------


def test_a_database_of_a_newer_version_is_left_alone(desk: Desk) -> None:
    """The line names the file and says to upgrade."""
    desk.run("status")
    with sqlite3.connect("digest.db") as db:
        db.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at)"
            " SELECT migration_set, 'm900_future', applied_at FROM _sqlite_migrations LIMIT 1"
        )
    db.close()
    assert "digest.db: written by a newer version" in desk.refused("send", code=1)


def test_what_is_no_database_is_said_so(desk: Desk) -> None:
    """Some other file under the database's name is not touched."""
    Path("digest.db").write_text("These are my notes, not a database. " * 50)
    assert "digest.db: not an SQLite database" in desk.refused("status", code=1)
    assert Path("digest.db").read_text().startswith("These are my notes")


def test_a_database_in_no_folder_is_said_so(desk: Desk) -> None:
    """A folder that is missing, one that is a file, one whose name sounds like another fault."""
    for place, reason in (
        ("nowhere/digest.db", "cannot be opened: does its folder exist"),
        ("papers.jsonl/digest.db", "Not a directory"),
        ("papers.jsonl/full/locked.db", "Not a directory"),
    ):
        desk.write_config(ADA, {"[service]": f'[service]\ndata = "{place}"'})
        said = desk.refused("status", code=1)
        assert f"{place}: {reason}" in said


def test_a_folder_that_may_not_be_written_is_said_so(desk: Desk) -> None:
    """The database cannot be made there, by nobody: /proc takes no files from root either."""
    desk.write_config(ADA, {"[service]": '[service]\ndata = "/proc/digest.db"'})
    assert "/proc/digest.db" in desk.refused("status", code=1)


def test_a_locked_database_is_said_so(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process that holds the file costs a wait and a line, and nothing is sent."""
    monkeypatch.setattr("digest.store.file.BUSY_TIMEOUT_S", 0.05)
    desk.run("ingest")
    db = sqlite3.connect("digest.db", isolation_level=None)
    db.execute("BEGIN EXCLUSIVE")
    assert "digest.db: locked by another process" in desk.refused("send", code=1)
    db.close()


def test_a_full_disk_is_said_so_and_keeps_what_there_was(tmp_path: Path) -> None:
    """A write without room is a `StoreError` in words, and nothing of it remains."""
    store = SqliteStore(tmp_path / "digest.db")
    pages = store.db.execute("PRAGMA page_count").fetchone()[0]
    store.db.execute(f"PRAGMA max_page_count = {pages + 2}")
    many = [listing(f"Paper {n}", abstract="long " * 900) for n in range(50)]
    with pytest.raises(StoreError, match="no room left on the disk"):
        store.add_listings(many, [], {}, (), NOW)
    assert store.recent_listings(9) == []
    store.close_store()


# --- names ------------------------------------------------------------------------------------


def test_an_unknown_name_brings_the_nearest(desk: Desk) -> None:
    """Subscriber, listing, source and command."""
    desk.run("ingest")
    assert "did you mean ada@example.org?" in desk.refused("preview", "adda@example.org", code=1)
    assert "did you mean emmy@example.org?" in desk.refused("preview", "emmy", code=1)
    said = desk.refused("explain", "ada@example.org", "Flahs Attention", code=1)
    assert "did you mean 'Flash Attention for Long Sequences'?" in said
    assert "did you mean 'Papers'?" in desk.refused("ingest", "--source", "Paper", code=2)
    assert "did you mean 'status'?" in desk.run("statsu", code=2).stderr.lower()


def test_before_the_first_reading_nobody_is_told_of_an_empty_day(desk: Desk) -> None:
    """`send` says what to do first, and opens no row."""
    for words in (("send",), ("send", "--dry-run")):
        assert "`digest ingest` reads all" in desk.refused(*words, code=1)
    assert desk.json("status")["deliveries"] == {}


def test_a_config_without_sources_is_said_so(desk: Desk) -> None:
    """There is nothing to read."""
    sources = CONFIG[CONFIG.index("[[sources]]") :]
    desk.write_config(ADA, {sources: ""})
    assert "names no source" in desk.refused("ingest", code=1)


def test_an_output_that_cannot_be_written_is_named(desk: Desk) -> None:
    """A page or mails in a folder that is a file."""
    desk.run("ingest")
    said = desk.refused("preview", "ada@example.org", "--output", "papers.jsonl/x.html", code=1)
    assert "papers.jsonl/x.html: Not a directory" in said
    said = desk.refused("send", "--dry-run", "--output", "papers.jsonl/mails", code=1)
    assert "papers.jsonl/mails: Not a directory" in said
    assert "papers.jsonl" in desk.refused("subscribers", "export", "papers.jsonl/all", code=1)


def test_a_time_that_is_none_is_named(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """`DIGEST_CLOCK` wants an ISO time."""
    monkeypatch.setenv("DIGEST_CLOCK", "tomorrow")
    assert "DIGEST_CLOCK: 'tomorrow' is no time like 2026-" in desk.refused("status", code=2)


@pytest.mark.parametrize("words", [("preview",), ("status", "--jsn"), ("explain", "a@b.org")])
def test_wrong_usage_ends_with_2(desk: Desk, words: tuple[str, ...]) -> None:
    """A missing argument or an unknown option shows how the command is used."""
    assert "Usage: " in desk.run(*words, code=2).stderr
