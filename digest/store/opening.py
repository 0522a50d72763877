"""Ledger rows being written: one transaction, the contents that they share kept once each."""

from __future__ import annotations

import json
import secrets
from datetime import datetime

from sqlite_utils import Database

from digest.model import DeliveryState, Digest, Frame, Listing, SourceRun
from digest.store.connection import stamp
from digest.store.freeze import FRAME, LISTING, FrameSnapshot, fingerprint, freeze


class Opening:
    """The rows of digests in one transaction, and the snapshots that they point at."""

    def __init__(self, db: Database, frame: Frame, now: datetime) -> None:
        self._db = db
        self._frame = frame
        self._now = stamp(now)
        self._domain = frame.sender[1].rpartition("@")[2]
        self._frames: dict[tuple[SourceRun, ...], int] = {}
        self._listings: dict[int, tuple[Listing, int]] = {}

    def write(self, digest: Digest) -> int:
        """Write the row of a digest, if its day has none; returns 1 or 0."""
        subscriber, day = digest.subscriber, digest.digest_on.isoformat()
        inserted = self._insert(digest, day)
        if inserted:
            self._db.execute(
                "UPDATE deliveries SET state = 'cancelled', next_attempt_at = NULL, closed_at = ?,"
                " reply = 'replaced by a later digest; last reply: ' || reply"
                " WHERE subscriber_id = ? AND digest_on < ? AND state IN ('queued', 'deferred')",
                (self._now, subscriber.id, day),
            )
        self._db.execute(
            "UPDATE subscribers SET answered_on = max(answered_on, ?) WHERE id = ?",
            (day, subscriber.id),
        )
        return inserted

    def _insert(self, digest: Digest, day: str) -> int:
        cursor = self._db.execute(
            "INSERT OR IGNORE INTO deliveries (subscriber_id, digest_on, state, message_id,"
            " recipient, frame_id, listing_ids, prepared_at, attempts, unknowns,"
            " next_attempt_at, owner, code, reply, closed_at)"
            " SELECT ?, ?, ?, ?, ?, ?, ?, ?, 0, 0, ?, '', 0, ?, ? WHERE EXISTS"
            " (SELECT 1 FROM subscribers WHERE id = ? AND state = 'active')",
            (
                digest.subscriber.id,
                day,
                DeliveryState.QUEUED if digest.mailed else DeliveryState.EMPTY,
                f"{day}.{secrets.token_hex(10)}@{self._domain}",
                digest.subscriber.email,
                self._frame_id(digest.receipt.sources),
                json.dumps([listing.id for listing in digest.listings], separators=(",", ":")),
                self._now,
                self._now if digest.mailed else None,
                digest.empty_reason,
                None if digest.mailed else self._now,
                digest.subscriber.id,  # who left or was erased meanwhile gets no row
            ),
        )
        if cursor.rowcount:
            self._db.execute(
                "INSERT INTO bodies (delivery_id, body) VALUES (?, ?)",
                (cursor.lastrowid, freeze(digest, self._listing_id)),
            )
        return cursor.rowcount

    def _frame_id(self, sources: tuple[SourceRun, ...]) -> int:
        if sources not in self._frames:
            self._frames[sources] = self._keep(FRAME.dump_json(FrameSnapshot(self._frame, sources)))
        return self._frames[sources]

    def _listing_id(self, listing: Listing) -> int:
        # By the object, which the digests of a batch share: to hash it takes 3 µs, dozens a mail.
        # It is held, so that no other can stand where it stood.
        known = self._listings.get(id(listing))
        if known is None:
            known = self._listings[id(listing)] = listing, self._keep(LISTING.dump_json(listing))
        return known[1]

    def _keep(self, body: bytes) -> int:
        """The number under which this content is kept once."""
        row = self._db.execute(
            "INSERT INTO snapshots (digest, body, used_at) VALUES (?, ?, ?)"
            " ON CONFLICT (digest) DO UPDATE SET used_at = max(used_at, excluded.used_at)"
            " RETURNING id",
            (fingerprint(body), body.decode(), self._now),
        ).fetchone()
        return int(row[0])
