"""Mail out of a Maildir: handed over at least once, then put where mail lies that was seen."""

from __future__ import annotations

import mailbox
import os
import shutil
from pathlib import Path

import pytest

from digest.errors import StoreError
from digest.postbox import MAX_BYTES, PostboxError, empty_maildir


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A Maildir with two new mails, as another program would write them."""
    made = mailbox.Maildir(tmp_path / "Maildir")
    for number, text in enumerate(("one", "two")):
        key = made.add(f"Subject: {text}\n\n{text}\n".encode())
        os.utime(tmp_path / "Maildir" / "new" / key, (number, number))
    return tmp_path / "Maildir"


def subjects(folder: Path) -> list[bytes]:
    """The first lines of what is handed over."""
    taken: list[bytes] = []
    empty_maildir(folder, lambda raw, sent_to: taken.append(raw.split(b"\n")[0]))
    return taken


def test_n6_mails_are_handed_over_oldest_first_and_kept_as_seen(folder: Path) -> None:
    """The next visit finds nothing; other programs see them as read."""
    assert subjects(folder) == [b"Subject: one", b"Subject: two"]
    assert subjects(folder) == []
    assert [mail.get_flags() for mail in mailbox.Maildir(folder)] == ["S", "S"]


def test_n6_a_mail_that_was_not_recorded_stays(folder: Path) -> None:
    """A database in trouble keeps all of them where they are."""

    def take(raw: bytes, sent_to: str) -> None:
        raise StoreError("locked")

    with pytest.raises(StoreError):
        empty_maildir(folder, take)
    assert len(subjects(folder)) == 2


def test_n7_a_mail_that_breaks_the_taker_is_put_aside(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A flag shows it to a person; the others are handed over."""
    taken: list[bytes] = []

    def take(raw: bytes, sent_to: str) -> None:
        if b"one" in raw:
            raise ZeroDivisionError
        taken.append(raw)

    assert empty_maildir(folder, take) == 2
    assert len(taken) == 1
    assert "postbox.broke" in caplog.text
    assert sorted(mail.get_flags() for mail in mailbox.Maildir(folder)) == ["F", "S"]


def test_what_another_process_takes_meanwhile_is_passed_over(folder: Path) -> None:
    """A mail that is gone before it is read, and one that is moved while it is taken."""
    taken: list[bytes] = []

    def take(raw: bytes, sent_to: str) -> None:
        taken.append(raw)
        if len(taken) == 1:
            assert len(subjects(folder)) == 2

    empty_maildir(folder, take)
    assert len(taken) == 1
    assert [mail.get_flags() for mail in mailbox.Maildir(folder)] == ["S", "S"]
    shutil.rmtree(folder / "cur")
    (folder / "new" / "three").write_bytes(b"Subject: three\n")
    with pytest.raises(PostboxError, match="cur/three"):
        subjects(folder)


def test_n7_odd_files_are_left_alone_and_large_ones_cut(folder: Path) -> None:
    """A pipe that never ends is no mail; of ten megabytes the beginning is read."""
    os.mkfifo(folder / "new" / "pipe")
    (folder / "new" / "folder").mkdir()
    (folder / "new" / "large").write_bytes(b"x" * 10_000_000)
    taken: list[int] = []
    empty_maildir(folder, lambda raw, sent_to: taken.append(len(raw)))
    assert max(taken) == MAX_BYTES
    assert len(taken) == 3


def test_a_folder_that_is_no_maildir_is_named(tmp_path: Path) -> None:
    """With its path, and what was expected."""
    with pytest.raises(PostboxError, match="is not there; is it a Maildir"):
        subjects(tmp_path)
