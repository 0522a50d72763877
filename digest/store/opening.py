"""Ledger rows being written: one transaction, the contents that they share kept once each."""

from __future__ import annotations

import json
import secrets
from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import date, datetime

from digest.model import DeliveryState, Digest, Frame, Listing, SourceRun
from digest.schedule import send_instant
from digest.store.connection import Statements, add_to_counter, stamp
from digest.store.freeze import FRAME, LISTING, FrameSnapshot, Frozen, fingerprint, freeze
from digest.store.watermark import HELD_BACK

OPEN_ROW = """
INSERT INTO deliveries (id, subscriber_id, digest_on, state, message_id, recipient, frame_id,
    listing_ids, prepared_at, attempts, unknowns, next_attempt_at, owner, code, reply, closed_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0, ?, '', 0, ?, ?)
"""

OPEN_BODY = "INSERT INTO bodies (delivery_id, body) VALUES (?, ?)"

MATCHED = "matched"
"""Counts what fitted, added up over all digests."""

LAST_ROW = "SELECT coalesce(max(id), 0) FROM deliveries"

UNOPENED = """
SELECT id FROM subscribers WHERE id IN (SELECT CAST(value AS BIGINT) FROM json_each(:people))
AND state = 'active' AND NOT EXISTS
    (SELECT 1 FROM deliveries WHERE subscriber_id = subscribers.id AND digest_on = :day)
"""
"""Who left or was erased meanwhile gets no row, nor whoever has one."""

REPLACE = """
UPDATE deliveries SET state = 'cancelled', next_attempt_at = NULL, closed_at = :now,
    reply = 'replaced by a later digest; last reply: ' || reply
WHERE id IN (
    SELECT d.id FROM deliveries d
    WHERE d.subscriber_id IN (SELECT CAST(value AS BIGINT) FROM json_each(:people))
    AND d.digest_on < :day AND d.state IN ('queued', 'deferred') {skip_locked}
)
"""
"""What is just being sent elsewhere is passed over: it is not tried again beside a newer row."""

ANSWER = """
UPDATE subscribers SET answered_on = :day
WHERE id IN (SELECT CAST(value AS BIGINT) FROM json_each(:people)) AND answered_on < :day
"""


class Opening:
    """The rows of digests in one transaction, and the snapshots that they point at."""

    def __init__(
        self,
        db: Statements,
        skip_locked: str,
        frame: Frame,
        now: datetime,
        restored_until: datetime | None = None,
    ) -> None:
        self._db = db
        self._skip_locked = skip_locked
        self._restored_until = restored_until
        self._frame = frame
        self._now = stamp(now)
        self._domain = frame.sender[1].rpartition("@")[2]
        # By the objects, which the digests of a batch share: to hash one takes 3 µs, and a mail has
        # dozens. They are held, so that no other can stand where one stood.
        self._frames: dict[int, tuple[tuple[SourceRun, ...], int]] = {}
        self._listings: dict[int, tuple[Listing, int]] = {}

    def write(self, digests: Sequence[Digest | Frozen]) -> int:
        """Write the rows of digests whose day has none yet; returns how many.

        All of one day at once: to ask and to tell the database of each takes four times as long.
        """
        days: dict[date, dict[int, Frozen]] = defaultdict(dict)
        for digest in digests:
            one = digest if isinstance(digest, Frozen) else freeze(digest)
            days[one.digest_on].setdefault(one.subscriber_id, one)
        return sum(self._write_day(day.isoformat(), asked) for day, asked in days.items())

    def _write_day(self, day: str, asked: dict[int, Frozen]) -> int:
        # Nobody else opens rows during the transaction: what is asked first holds to its end.
        unopened = {row[0] for row in self._db.execute(UNOPENED, _named(asked, day=day))}
        new = [person for person in asked if person in unopened]  # numbered in this order
        digests = [asked[person] for person in new]
        many, last = self._db.executemany, self._db.execute(LAST_ROW).fetchone()[0]
        numbered = list(enumerate(digests, last + 1))
        many(OPEN_ROW, [self._row(number, one, day) for number, one in numbered])
        many(OPEN_BODY, self._bodies(numbered))
        self._db.execute(
            REPLACE.format(skip_locked=self._skip_locked), _named(new, day=day, now=self._now)
        )
        self._db.execute(ANSWER, _named(asked, day=day))
        add_to_counter(self._db, MATCHED, sum(one.matched for one in digests))
        return len(new)

    def _state(self, digest: Frozen) -> DeliveryState:
        """How a row begins: held where a lost ledger may have known that it went out."""
        if not digest.mailed:
            return DeliveryState.EMPTY
        if self._restored_until is None:
            return DeliveryState.QUEUED
        sent_at = send_instant(digest.digest_on, digest.send_at, digest.timezone)
        return DeliveryState.HELD if sent_at <= self._restored_until else DeliveryState.QUEUED

    def _row(self, number: int, digest: Frozen, day: str) -> tuple[object, ...]:
        state = self._state(digest)
        queued = state is DeliveryState.QUEUED
        return (
            number,
            digest.subscriber_id,
            day,
            state,
            f"{day}.{secrets.token_hex(10)}@{self._domain}",
            digest.recipient,
            self._frame_id(digest.sources),
            f"[{','.join([str(listing.id) for listing in digest.listings])}]",
            self._now,
            self._now if queued else None,
            HELD_BACK if state is DeliveryState.HELD else digest.empty_reason,
            None if queued else self._now,
        )

    def _bodies(self, numbered: Sequence[tuple[int, Frozen]]) -> list[tuple[int, str]]:
        shown = {id(one): one for _, digest in numbered for one in digest.listings}
        for place, listing in shown.items():
            if place not in self._listings:
                self._listings[place] = listing, self._keep(LISTING.dump_json(listing))
        numbers = {place: self._listings[place][1] for place in shown}
        return [
            (number, digest.numbered([numbers[id(one)] for one in digest.listings]))
            for number, digest in numbered
        ]

    def _frame_id(self, sources: tuple[SourceRun, ...]) -> int:
        known = self._frames.get(id(sources))
        if known is None:
            number = self._keep(FRAME.dump_json(FrameSnapshot(self._frame, sources)))
            known = self._frames[id(sources)] = sources, number
        return known[1]

    def _keep(self, body: bytes) -> int:
        """The number under which this content is kept once."""
        row = self._db.execute(
            "INSERT INTO snapshots (digest, body, used_at) VALUES (?, ?, ?)"
            " ON CONFLICT (digest) DO UPDATE SET used_at ="
            " CASE WHEN snapshots.used_at > excluded.used_at THEN snapshots.used_at"
            " ELSE excluded.used_at END"
            " RETURNING id",
            (fingerprint(body), body.decode(), self._now),
        ).fetchone()
        return int(row[0])


def _named(people: Collection[int], **words: str) -> dict[str, str]:
    """The parameters of a statement about these people."""
    return {"people": json.dumps(list(people)), **words}
