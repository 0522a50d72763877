"""A restored backup, and what the file beside the database tells it."""

from __future__ import annotations

import shutil
import sqlite3
import stat
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from digest.errors import StoreError
from digest.model import Origin, Subscriber, SubscriberState
from digest.store.returned import Reason
from digest.store.sqlite import SqliteStore
from tests.samples import NOW, subscriber

ADA, MARY = "ada@example.org", "mary@example.org"
LATER = NOW + timedelta(hours=3)

Change = Callable[[SqliteStore, Subscriber], object]


def opened(folder: Path) -> SqliteStore:
    """The store of the folder."""
    return SqliteStore(folder / "digest.db")


def restored(folder: Path, change: Change) -> SqliteStore:
    """The store after a backup was made, something changed, and the backup came back."""
    store = opened(folder)
    ada = store.put_subscriber(subscriber(ADA, origin=Origin.STORE), NOW)
    store.put_subscriber(subscriber(MARY, origin=Origin.STORE), NOW)
    store.close_store()
    backup = folder / "backup.db"
    with closing(sqlite3.connect(folder / "digest.db")) as live:
        live.execute("VACUUM INTO ?", (str(backup),))
    store = opened(folder)
    change(store, ada)
    store.close_store()
    for path in folder.glob("digest.db-*"):
        path.unlink()
    shutil.copy(backup, folder / "digest.db")
    return opened(folder)


class TornError(Exception):
    """The power went off."""


def leave_half(store: SqliteStore) -> None:
    """Write the word down, and no more."""
    with store.writing() as db:
        store._note_left(db, ADA, NOW)
        raise TornError


def state(store: SqliteStore, email: str = ADA) -> SubscriberState | None:
    """How a subscriber stands, None for nobody."""
    one = store.subscriber(email)
    return one.state if one else None


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda s, a: s.suppress(ADA, Reason.BOUNCED, "5.1.1", LATER), SubscriberState.SUPPRESSED),
        (
            lambda s, a: s.suppress(ADA, Reason.COMPLAINED, "", LATER),
            SubscriberState.UNSUBSCRIBED,
        ),
        (
            lambda s, a: s.set_state(a.id, SubscriberState.UNSUBSCRIBED, LATER),
            SubscriberState.UNSUBSCRIBED,
        ),
        (lambda s, a: s.erase(a.id, LATER), None),
        (
            lambda s, a: (s.suppress(ADA, Reason.BLOCKED, "", LATER), s.lift(ADA, LATER)),
            SubscriberState.ACTIVE,
        ),
        (lambda s, a: None, SubscriberState.ACTIVE),
    ],
    ids=["bounced", "complained", "unsubscribed", "erased", "lifted", "nothing"],
)
def test_n8_u4_a_restored_backup_mails_nobody_who_left(
    tmp_path: Path, change: Change, expected: SubscriberState | None
) -> None:
    """What happened after the backup is known again; nobody else is touched."""
    store = restored(tmp_path, change)
    assert state(store) is expected
    assert state(store, MARY) is SubscriberState.ACTIVE
    store.close_store()
    again = opened(tmp_path)
    assert state(again) is expected
    if expected is None:
        barred = again.suppression(ADA)
        assert barred
        assert barred.reason is Reason.LEFT
    again.close_store()


def test_n8_the_file_holds_hashes_for_its_owner_alone(tmp_path: Path) -> None:
    """No address, and closed to other people."""
    store = opened(tmp_path)
    store.suppress(ADA, Reason.BLOCKED, f"{ADA} said so", NOW)
    path = tmp_path / "digest.db.suppressed"
    assert "ada" not in path.read_text()
    assert "… said so" in path.read_text() or "\\u2026 said so" in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    store.close_store()


def test_without_the_file_a_new_one_is_made(tmp_path: Path) -> None:
    """It was lost; the list is not, and stands in the file again."""
    store = opened(tmp_path)
    store.suppress(ADA, Reason.BOUNCED, "5.1.1", NOW)
    store.close_store()
    path = tmp_path / "digest.db.suppressed"
    before = path.read_text()
    path.unlink()
    store = opened(tmp_path)
    assert store.suppression(ADA)
    assert path.read_text() == before
    store.close_store()


def test_a_line_that_was_cut_off_or_is_none_harms_nothing(tmp_path: Path) -> None:
    """The power failed in the midst of it, or somebody opened the file in an editor."""
    store = opened(tmp_path)
    store.put_subscriber(subscriber(ADA, origin=Origin.STORE), NOW)
    store.suppress(MARY, Reason.BOUNCED, "", NOW)
    store.close_store()
    with (tmp_path / "digest.db.suppressed").open("ab") as file:
        file.write(
            b'["abc", "boun\n[]\n\xff\n7\n["x", "nonsense", "", "2026"]\n'
            b'["x", "left", "", "soon"]\n'
        )
    store = opened(tmp_path)
    assert store.suppression(MARY)
    assert state(store) is SubscriberState.ACTIVE
    assert len(store.suppressions()) == 1
    store.close_store()


def test_a_word_whose_transaction_failed_holds_at_the_next_start(tmp_path: Path) -> None:
    """The file was written, the commit was not: rather one mail less than one too many."""
    store = opened(tmp_path)
    ada = store.put_subscriber(subscriber(ADA, origin=Origin.STORE), NOW)

    with pytest.raises(TornError):
        leave_half(store)
    assert state(store) is SubscriberState.ACTIVE
    store.close_store()
    store = opened(tmp_path)
    assert state(store) is SubscriberState.UNSUBSCRIBED
    assert ada.id
    store.close_store()


def test_q18_a_file_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """Nothing is said to be recorded that is not."""
    store = opened(tmp_path)
    (tmp_path / "digest.db.suppressed").mkdir()
    with pytest.raises(StoreError):
        store.suppress(ADA, Reason.BLOCKED, "", NOW)
    assert store.suppression(ADA) is None
    store.close_store()
