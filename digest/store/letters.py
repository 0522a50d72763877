"""The store's verbs for letters: mails that are no digest, and what became of them.

The states are those of a delivery: a letter is in the store before its visitor is answered, goes
out under a lease, and is sent twice at most, with the same Message-ID.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta

from digest.model import Outcome
from digest.store import Letter
from digest.store.connection import moment, stamp
from digest.store.leases import TRIES_WITHOUT_REPLY, closing_values
from digest.store.signups import queue
from digest.store.watermark import Watermark

STALE = timedelta(hours=48)
"""The link in a letter works as long, so that a later letter would be of no use."""


class LetterVerbs(Watermark):
    """The accounts of every letter; see `Store` for what each verb promises."""

    def claim_letters(
        self, now: datetime, limit: int, lease_s: float, owner: str
    ) -> Sequence[Letter]:
        """Take up to `limit` letters that are to be sent now; they are `sending` for `owner`."""
        with self.writing() as db:
            for sql in LAPSES:
                db.execute(
                    sql,
                    {
                        "now": stamp(now),
                        "stale": stamp(now - STALE),
                        "tries": TRIES_WITHOUT_REPLY,
                    },
                )
            taken = db.execute(
                "UPDATE letters SET state = 'sending', attempts = attempts + 1, owner = ?,"
                " lease_until = ?, next_attempt_at = NULL WHERE id IN ("
                "  SELECT id FROM letters WHERE state IN ('queued', 'deferred', 'unknown')"
                "  AND next_attempt_at <= ? ORDER BY next_attempt_at, id LIMIT ?)"
                " RETURNING id",
                (owner, stamp(now + timedelta(seconds=lease_s)), stamp(now), limit),
            ).fetchall()
            number = self._count_send(db) if taken else 0
        if number:
            self._raise_mark(number, now)
        rows = self.rows(
            "SELECT id, kind, recipient, signup_id, message_id, created_at, attempts, owner,"
            " body FROM letters WHERE id IN (SELECT CAST(value AS BIGINT) FROM json_each(?))"
            " ORDER BY id",
            (json.dumps([row[0] for row in taken]),),
        )
        return [
            Letter(number, kind, recipient, signup_id, message_id, moment(at), *rest)
            for number, kind, recipient, signup_id, message_id, at, *rest in rows
        ]

    def write_note(self, topic: str, letter: Letter, since: datetime) -> bool:
        """Queue a note to the operator; false where one on its topic was queued since then."""
        with self.writing() as db:
            known = db.execute(
                "SELECT 1 FROM notes WHERE topic = ? AND noted_at >= ?", (topic, stamp(since))
            ).fetchone()
            if not known:
                number = queue(db, letter, "")
                db.execute(
                    "INSERT INTO notes (topic, noted_at, letter_id) VALUES (?, ?, ?)",
                    (topic, stamp(letter.created_at), number),
                )
        return not known

    def close_letter(
        self, letter: Letter, outcome: Outcome, now: datetime, retry_at: datetime
    ) -> bool:
        """Record what a try came to; false when `letter.owner` lost its lease meanwhile."""
        with self.writing() as db:
            return bool(
                db.execute(
                    "UPDATE letters SET state = ?, code = ?, reply = ?, next_attempt_at = ?,"
                    " closed_at = ?, lease_until = NULL, attempts = attempts - ?,"
                    " unknowns = unknowns + ? WHERE id = ? AND state = 'sending' AND owner = ?",
                    (*closing_values(outcome, now, retry_at), letter.id, letter.owner),
                ).rowcount
            )

    def letter_wanted(self, letter: Letter, now: datetime) -> bool:
        """Whether this letter is still its owner's to send."""
        return bool(
            self.rows(
                "SELECT 1 FROM letters WHERE id = ? AND state = 'sending' AND owner = ?"
                " AND lease_until > ?",
                (letter.id, letter.owner, stamp(now)),
            )
        )


LAPSES = (
    "UPDATE letters SET state = 'unknown', unknowns = unknowns + 1, lease_until = NULL,"
    " next_attempt_at = :now, reply = 'the sender stopped before it recorded a reply'"
    " WHERE state = 'sending' AND lease_until < :now",
    "UPDATE letters SET state = 'held', next_attempt_at = NULL, closed_at = :now"
    " WHERE state = 'unknown' AND (unknowns >= :tries OR created_at < :stale)",
    "UPDATE letters SET state = 'cancelled', next_attempt_at = NULL, closed_at = :now"
    " WHERE state IN ('queued', 'deferred') AND created_at < :stale",
)
"""What time has settled, asked before letters are taken."""
