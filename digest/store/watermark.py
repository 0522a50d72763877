"""How far sending had come, in a file beside the database: what a restored backup cannot know.

The database counts the times at which mail began to go out, and the file holds the same count and
the time of the last. The count is committed before it is written to the file, and that before the
first SMTP byte; so a file that is ahead means that the database is an older copy, by whatever means
it was put back (D4). Then nothing goes out that the lost days may have sent, until the operator
says so: what waits is held, and so is each digest whose send time was past by then.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from digest.store.connection import (
    Connections,
    Statements,
    add_to_counter,
    moment,
    set_counter,
    stamp,
)

logger = logging.getLogger("digest")

SENDS = "sends"
"""The counter of the times at which mail began to go out."""

RESTORED_UNTIL = "restored_until"
"""The counter that says up to when the ledger was lost, in microseconds since 1970."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)

HELD_BACK = "held back: a restored backup cannot tell whether it went out"
"""The reply of a row that waits for the operator's word."""


@dataclass(frozen=True, slots=True)
class Mark:
    """What the file says: how often mail began to go out, and when last."""

    number: int
    at: datetime


class Watermark(Connections):
    """The file, and what follows when it is ahead."""

    @property
    def watermark(self) -> Path:
        """Where the file is."""
        return self.path.with_name(self.path.name + ".sent")

    def notice_restore(self, now: datetime) -> datetime | None:
        """Hold what an older copy cannot tell of; returns up to when it cannot, None for no copy.

        Without the file that is up to now. Raises: StoreError.
        """
        if not self._is_behind_mark(self._mark()):
            return None
        with self.writing() as db:
            mark = self._mark()  # once more: another process may have been here first
            if not self._is_behind_mark(mark):
                return None
            until = mark.at if mark else now
            set_counter(db, RESTORED_UNTIL, (until - EPOCH) // MICROSECOND)
            if mark:
                self._set_sends(db, mark.number)
            held = _hold(db, now)
            number = self._sends()
        if mark is None:
            self._raise_mark(number, until)
        logger.warning("store.restored %s", json.dumps({"until": stamp(until), **held}))
        return until

    def _is_behind_mark(self, mark: Mark | None) -> bool:
        """Whether mail went out that the database knows nothing of; unknown counts as yes."""
        known = self._sends()
        return known > 0 if mark is None else mark.number > known

    def _restored_until(self) -> datetime | None:
        """Up to when the ledger was lost; None where it never was."""
        value = self.counter(RESTORED_UNTIL)
        return EPOCH + value * MICROSECOND if value else None

    def _sends(self) -> int:
        """How often mail began to go out, as far as the database knows."""
        return self.counter(SENDS)

    def _set_sends(self, db: Statements, number: int) -> None:
        set_counter(db, SENDS, number)

    def _count_send(self, db: Statements) -> int:
        """The next count, within the transaction that begins a mail."""
        return add_to_counter(db, SENDS, 1)

    def _raise_mark(self, number: int, now: datetime) -> None:
        """Write a committed count to the file; one that is beyond it stays. Raises: StoreError.

        It is not synchronised but for the first time: a power cut may put the file behind, which
        says nothing, and the next mail puts it right.
        """
        with self.worded():
            file = os.open(self.watermark, os.O_RDWR | os.O_CREAT, 0o600)
            try:
                fcntl.flock(file, fcntl.LOCK_EX)
                before = _read(os.pread(file, 100, 0))
                if before is None or before.number < number:
                    os.pwrite(file, f"{number:020d} {stamp(now)}\n".encode("ascii"), 0)
                if before is None:
                    os.fsync(file)
            finally:
                os.close(file)

    def _mark(self) -> Mark | None:
        """What the file says; None where it is missing or says nothing."""
        try:
            return _read(self.watermark.read_bytes())
        except OSError:
            return None


def _read(content: bytes) -> Mark | None:
    with suppress(ValueError):
        number, at = content.decode("ascii").split()
        return Mark(int(number), moment(at))
    return None


def _hold(db: Statements, now: datetime) -> dict[str, int]:
    """Hold everything that waits or was on its way; how many rows of each table."""
    values = (HELD_BACK, stamp(now))
    return {
        table: db.execute(
            f"UPDATE {table} SET state = 'held', next_attempt_at = NULL, lease_until = NULL,"  # noqa: S608 - constants
            " reply = ?, closed_at = ? WHERE state IN ('queued', 'sending', 'deferred', 'unknown')",
            values,
        ).rowcount
        for table in ("deliveries", "letters")
    }
