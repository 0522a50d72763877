"""D4: an older copy of the database is noticed, and nothing already past goes out by itself."""

from __future__ import annotations

import asyncio
import logging
import shutil
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from pathlib import Path

import pytest

from digest import jobs
from digest.app import App
from digest.mailer import EmlFolder
from digest.model import DeliveryState, Origin, Subscriber
from digest.store.sqlite import SqliteStore
from digest.store.watermark import HELD_BACK
from tests.running import announce, running
from tests.samples import NOW, listing, subscriber

DAY = timedelta(days=1)

EARLY = subscriber("early@example.org", send_at=time(7, 0))
LATE = subscriber("late@example.org", send_at=time(18, 0))
PEOPLE = (EARLY, LATE)

Put = Callable[[Path, Path], None]


def plain_copy(copy: Path, path: Path) -> None:
    """What an operator does without our commands."""
    for end in ("-wal", "-shm"):
        path.with_name(path.name + end).unlink(missing_ok=True)
    shutil.copy(copy, path)


def moved(copy: Path, path: Path) -> None:
    """The same on a new machine: the files beside the database are gone."""
    plain_copy(copy, path)
    path.with_name(path.name + ".sent").unlink()


def day(app: App, now: datetime) -> int:
    """Run the jobs once; how many mails went out."""
    assert isinstance(app.mailer, EmlFolder)
    before = len(app.mailer.written)
    jobs.prepare(app, now)
    asyncio.run(jobs.deliver(app, lambda: now))
    return len(app.mailer.written) - before


def states(app: App, email: str) -> dict[date, DeliveryState]:
    """A subscriber's days in the ledger."""
    one = app.store.subscriber(email)
    assert one
    return {d.digest.digest_on: d.state for d in app.store.deliveries_of(one.id)}


@pytest.mark.parametrize("put", [plain_copy, moved], ids=["copied", "moved"])
def test_d4_after_a_restore_nothing_past_is_sent(tmp_path: Path, put: Put) -> None:
    """Yesterday's copy: today's morning is held, this evening's goes out as ever."""
    copy = tmp_path / "copy.db"
    with running(tmp_path, EARLY, mailer=EmlFolder(tmp_path / "mails")) as app:
        announce(app, listing("Flash attention, first"), at=NOW - timedelta(hours=3))
        assert day(app, NOW) == 1
        app.store.back_up(copy)
        assert day(app, NOW + DAY) == 0
        announce(app, listing("Flash attention, second"), at=NOW + DAY)
        assert day(app, NOW + 2 * DAY) == 1
    put(copy, tmp_path / "digest.db")
    restart = NOW + 2 * DAY + timedelta(minutes=20)
    with running(tmp_path, *PEOPLE, mailer=EmlFolder(tmp_path / "new"), now=restart) as app:
        announce(app, listing("Flash attention, second"), at=restart)
        assert day(app, restart) == 0
        today = restart.date()
        assert states(app, EARLY.email)[today] is DeliveryState.HELD
        assert day(app, restart.replace(hour=18, minute=5)) == 1
        assert states(app, LATE.email)[today] is DeliveryState.SENT
        (row,) = app.store.ledger_rows(9, state=DeliveryState.HELD)
        assert row.reply == HELD_BACK
        announce(app, listing("Flash attention, third"), at=restart + timedelta(hours=12))
        assert day(app, restart + DAY) == 1  # the next morning is like any other
        assert states(app, EARLY.email)[today + DAY] is DeliveryState.SENT


def test_d4_what_waited_in_the_copy_is_held_until_the_operator_speaks(tmp_path: Path) -> None:
    """It went out after the copy was made; released it goes out again, once."""
    copy = tmp_path / "copy.db"
    with running(tmp_path, EARLY, mailer=EmlFolder(tmp_path / "mails")) as app:
        announce(app, listing("Flash attention, first"), at=NOW - timedelta(hours=3))
        jobs.prepare(app, NOW)
        app.store.back_up(copy)
        assert day(app, NOW) == 1
    plain_copy(copy, tmp_path / "digest.db")
    with running(tmp_path, EARLY, mailer=EmlFolder(tmp_path / "new")) as app:
        later = NOW + timedelta(minutes=30)
        assert day(app, later) == 0
        (row,) = app.store.ledger_rows(9, state=DeliveryState.HELD)
        assert app.store.retry_delivery(row.id, later)
        assert day(app, later) == 1
        assert day(app, later + timedelta(hours=1)) == 0
    again = tmp_path / "mails" / EARLY.email
    assert (again.parent / f"{again.name}.eml").read_bytes() == (
        tmp_path / "new" / f"{again.name}.eml"
    ).read_bytes()


def test_d4_a_restart_is_no_restore(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Nothing is held when the database is the one that was written last."""
    for number in range(3):
        now = NOW + number * DAY
        with running(tmp_path, EARLY, mailer=EmlFolder(tmp_path / "mails")) as app:
            assert app.store.notice_restore(now) is None
            announce(app, listing(f"Flash attention {number}"), at=now - timedelta(hours=3))
            assert day(app, now) == 1
    assert "store.restored" not in caplog.text


def test_d4_a_power_cut_that_loses_the_mark_holds_nothing(tmp_path: Path) -> None:
    """The file is behind, not ahead: the database knows all that went out."""
    mark = tmp_path / "digest.db.sent"
    with running(tmp_path, EARLY, mailer=EmlFolder(tmp_path / "mails")) as app:
        announce(app, listing("Flash attention"), at=NOW - timedelta(hours=3))
        day(app, NOW)
        before = mark.read_bytes()
        announce(app, listing("Flash attention again"), at=NOW + timedelta(hours=3))
        day(app, NOW + DAY)
        assert mark.read_bytes() > before
    mark.write_bytes(before)
    store = SqliteStore(tmp_path / "digest.db")
    assert store.notice_restore(NOW + 2 * DAY) is None
    store.close_store()


@pytest.mark.parametrize("junk", [b"", b"\xff\x00", b"12", b"12 soon\n"])
def test_d4_a_mark_that_says_nothing_counts_as_lost(
    tmp_path: Path, junk: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """Rather one question too many than a mail; it is asked once and written anew."""
    with running(tmp_path, EARLY, mailer=EmlFolder(tmp_path / "mails")) as app:
        announce(app, listing("Flash attention"), at=NOW - timedelta(hours=3))
        day(app, NOW)
    (tmp_path / "digest.db.sent").write_bytes(junk)
    store = SqliteStore(tmp_path / "digest.db")
    with caplog.at_level(logging.WARNING):
        assert store.notice_restore(NOW + DAY) == NOW + DAY
    assert "store.restored" in caplog.text
    assert store.notice_restore(NOW + DAY) is None
    store.close_store()


def test_d4_letters_of_the_copy_do_not_go_out_again(tmp_path: Path) -> None:
    """A link that was asked for before the copy is not mailed a second time."""
    copy, path = tmp_path / "copy.db", tmp_path / "digest.db"
    store = SqliteStore(path)
    one: Subscriber = store.put_subscriber(subscriber(origin=Origin.STORE), NOW)
    assert store.ask_for_link(one, "hash", "example.org", 3, NOW)
    store.back_up(copy)
    assert len(store.claim_letters(NOW, 9, 60, "me")) == 1
    store.close_store()
    plain_copy(copy, path)
    store = SqliteStore(path)
    assert store.notice_restore(NOW) == NOW
    assert not store.claim_letters(NOW, 9, 60, "me")
    store.close_store()
