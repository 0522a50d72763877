"""The demo: everything real, nothing twice, nothing deleted that is not its own."""

from __future__ import annotations

import asyncio
import sqlite3
from datetime import UTC, date, datetime, timedelta
from email import message_from_bytes
from email.policy import SMTP as SMTP_POLICY
from pathlib import Path

import pytest

from digest.app import open_app
from digest.config import load_config
from digest.demo import Told, run_demo, working_day
from digest.errors import DigestError
from tests.e2e.pages import SEEDS, write_pages
from tests.postgres.database import new_database

FRIDAY = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


def run(
    output: Path, pages: Path | None = None, *, now: datetime = FRIDAY, fresh: bool = False
) -> Told:
    """One run of the demo."""
    return asyncio.run(run_demo(output, pages, now, fresh=fresh))


def test_the_demo_sends_real_mails_and_says_why(tmp_path: Path) -> None:
    """Six readers, one of them without a match; every mail lies there and in the page."""
    output = tmp_path / "out"
    told = run(output)
    assert told.faults == []
    assert len(told.rows) == 6
    assert [row[1] for row in told.rows].count("no mail") == 1
    mails = sorted(output.glob("*.eml"))
    assert len(mails) == 5
    page = (output / "index.html").read_text("utf-8")
    for path in mails:
        mail = message_from_bytes(path.read_bytes(), policy=SMTP_POLICY)
        assert path.stem in str(mail["To"])
        assert path.stem in page
    for address, mail_words, _, because in told.rows:
        if mail_words != "no mail":
            assert because.startswith("0."), f"{address}: {because}"
    assert any("5 mails sent" in line for line in told.lines)


def test_a_second_run_sends_nothing_and_a_fresh_one_starts_over(tmp_path: Path) -> None:
    """The mails lie there as they were; `fresh` forgets."""
    output = tmp_path / "out"
    run(output)
    before = {path: path.read_bytes() for path in output.glob("*.eml")}
    told = run(output, now=FRIDAY + timedelta(hours=8))
    assert any(line.startswith("0 mails sent") for line in told.lines)
    assert {path: path.read_bytes() for path in output.glob("*.eml")} == before
    assert any("5 mails sent" in line for line in run(output, fresh=True).lines)


def test_a_fresh_run_deletes_nothing_but_its_own(tmp_path: Path) -> None:
    """A file that someone laid into the folder stays, and a folder in use is not taken."""
    output = tmp_path / "out"
    run(output)
    (output / "notes.txt").write_text("mine")
    run(output, fresh=True)
    assert (output / "notes.txt").read_text() == "mine"
    (tmp_path / "thesis.tex").write_text("mine as well")
    with pytest.raises(DigestError, match="holds other files"):
        run(tmp_path, fresh=True)
    assert (tmp_path / "thesis.tex").exists()


def test_saved_pages_take_the_place_of_the_demos_own(tmp_path: Path) -> None:
    """A broken page among them is named; the others are used."""
    pages = tmp_path / "pages"
    pages.mkdir()
    write_pages("ours", pages)
    (pages / "other.txt").write_text("A recipe for bread")
    told = run(tmp_path / "out", pages)
    assert [fault for fault in told.faults if "other.txt" in fault]
    assert any(line.endswith("announced twice.") for line in told.lines)


@pytest.mark.skipif(not SEEDS.is_dir(), reason="the recorded pages are not here")
def test_the_recorded_pages_bring_their_papers(tmp_path: Path) -> None:
    """352 listings, 341 distinct papers."""
    told = run(tmp_path / "out", SEEDS)
    assert told.lines[0].startswith("352 listings read: 341 new")


@pytest.mark.parametrize("ours", [True, False], ids=["ours", "pages"])
def test_the_other_commands_can_look_around_in_what_the_demo_made(
    tmp_path: Path, ours: bool
) -> None:
    """A config beside the database opens it; a profile changed there stays until a fresh run."""
    write_pages("ours", tmp_path)
    output = tmp_path / "out"
    run(output, None if ours else tmp_path)
    path = output / "config.toml"
    config = load_config(path)
    with open_app(config, FRIDAY) as app:
        assert len(app.store.subscribers()) == len(config.subscribers) == 6
        assert app.store.recent_listings(1)
    path.write_text(path.read_text("utf-8") + "\n# changed\n", "utf-8")
    run(output, None if ours else tmp_path)
    assert "# changed" in path.read_text("utf-8")
    run(output, None if ours else tmp_path, fresh=True)
    assert "# changed" not in path.read_text("utf-8")


def test_a_folder_without_pages_is_said_so(tmp_path: Path) -> None:
    """Nothing could be read: the line names what was looked for."""
    (tmp_path / "empty").mkdir()
    with pytest.raises(DigestError, match=r"no file matches"):
        run(tmp_path / "out", tmp_path / "empty")


@pytest.mark.parametrize(
    ("today", "day"), [("2026-11-20", 20), ("2026-11-21", 20), ("2026-11-22", 20)]
)
def test_the_demo_plays_on_a_working_day(today: str, day: int) -> None:
    """On a weekend it plays the Friday before, at an hour when everyone is due."""
    now = datetime.combine(date.fromisoformat(today), datetime.min.time(), UTC)
    assert working_day(now) == datetime(2026, 11, day, 14, 0, tzinfo=UTC)


def test_the_demos_mail_goes_over_smtp(tmp_path: Path) -> None:
    """The ledger has the server's own reply for each mail."""
    run(tmp_path / "out")
    db = sqlite3.connect(tmp_path / "out" / "demo.db")
    replies = [reply for (reply,) in db.execute("SELECT reply FROM deliveries WHERE state='sent'")]
    db.close()
    assert len(replies) == 5
    assert all(reply.startswith("250 OK written to ") for reply in replies)


def test_the_demo_runs_on_a_new_postgresql(tmp_path: Path, server: str) -> None:
    """The same mails, a second run that finds nothing left to do, and no database but a new one."""
    output, address = tmp_path / "out", new_database(server)
    told = asyncio.run(run_demo(output, None, FRIDAY, fresh=False, data=address))
    on_file = run(tmp_path / "file")
    assert (told.rows, told.faults) == (on_file.rows, [])
    assert not list(output.glob("demo.db*"))
    assert (output / "digest.sent").exists()
    again = asyncio.run(run_demo(output, None, FRIDAY, fresh=False, data=address))
    assert any(line.startswith("0 mails sent") for line in again.lines)
    assert "Start over with: a new database" in again.lines
    config = load_config(output / "config.toml")
    assert config.service.data == address
    with open_app(config, FRIDAY) as app:
        assert len(app.store.subscribers()) == 6
    for folder, said in ((tmp_path / "new", "holds a store already"), (tmp_path, "holds other")):
        with pytest.raises(DigestError, match=said):
            asyncio.run(run_demo(folder, None, FRIDAY, fresh=False, data=address))
    with pytest.raises(DigestError, match="holds other files"):
        run(output, fresh=True)
    assert (output / "config.toml").stat().st_mode & 0o077 == 0
