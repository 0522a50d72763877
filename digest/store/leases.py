"""The store's verbs for rows on their way out: who holds them, what came of each try.

A row is leased while its mail is made, marked `sending` right before its first SMTP byte, and
closed with what came of it. A lease alone puts a row in no doubt: a worker that dies leaves in
doubt what it had begun, and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from digest.model import Deferred, Outcome, Refused, Sent, Unknown
from digest.schedule import STALE_AFTER, is_final, state_after
from digest.share import BUCKETS, EVERYBODY, Share
from digest.store import Lease, Tried
from digest.store.connection import Part, Statements, moment, stamp
from digest.store.watermark import Watermark

TRIES_WITHOUT_REPLY = 2
"""An unknown delivery is sent once more (same Message-ID, same bytes), then held for a person."""

LEASE = (
    # CROSS JOIN keeps the order: from the few that wait, by their index, to their subscribers; the
    # planner would begin with all the subscribers (22 ms a claim at 10,000 of them).
    "WITH taken AS (SELECT d.id FROM deliveries d CROSS JOIN subscribers s"
    " WHERE s.id = d.subscriber_id"
    " AND d.state IN ('queued', 'deferred', 'unknown') AND d.next_attempt_at <= :now"
    " AND coalesce(d.lease_until, '') <= :now AND d.unknowns < :tries AND s.state = 'active'{among}"
    # Never two digests at a time: a newer one has taken the place of this one.
    " AND NOT EXISTS (SELECT 1 FROM deliveries newer WHERE newer.subscriber_id = d.subscriber_id"
    "  AND newer.digest_on > d.digest_on)"
    " ORDER BY d.next_attempt_at, d.id LIMIT :limit {skip_locked})"
    " UPDATE deliveries SET owner = :owner, lease_until = :until"
    " WHERE id IN (SELECT id FROM taken) RETURNING id, recipient, attempts + 1, next_attempt_at"
)

BEGIN = (
    "UPDATE deliveries AS d SET state = 'sending', attempts = attempts + 1,"
    " lease_until = :until, next_attempt_at = NULL"
    " WHERE id = :id AND owner = :owner AND lease_until > :now"
    " AND state IN ('queued', 'deferred', 'unknown')"
    " AND EXISTS (SELECT 1 FROM subscribers s WHERE s.id = d.subscriber_id AND s.state = 'active')"
    " AND NOT EXISTS (SELECT 1 FROM deliveries newer WHERE newer.subscriber_id = d.subscriber_id"
    "  AND newer.digest_on > d.digest_on)"
)

CLOSE = (
    "UPDATE deliveries SET state = ?, code = ?, reply = ?, next_attempt_at = ?,"
    " closed_at = ?, lease_until = NULL, attempts = attempts - ?, unknowns = unknowns + ?,"
    " imprint = coalesce(?, imprint)"
    " WHERE id = ? AND state = 'sending' AND owner = ?"
)

SETTLED_BY_TIME = (
    "UPDATE deliveries SET state = 'unknown', unknowns = unknowns + 1,"
    " lease_until = NULL, next_attempt_at = :now,"
    " reply = 'the sender stopped before it recorded a reply'"
    " WHERE state = 'sending' AND lease_until < :now",
    "UPDATE deliveries SET state = 'held', next_attempt_at = NULL, lease_until = NULL,"
    " closed_at = :now WHERE state = 'unknown'"
    " AND (unknowns >= :tries OR prepared_at < :fresh)",
    "UPDATE deliveries SET state = 'cancelled', next_attempt_at = NULL, lease_until = NULL,"
    " closed_at = :now, reply = 'grew stale; last reply: ' || reply"
    " WHERE state IN ('queued', 'deferred') AND prepared_at < :fresh",
    "UPDATE deliveries SET state = 'cancelled', next_attempt_at = NULL, lease_until = NULL,"
    " closed_at = :now, reply = 'the subscriber is no longer active'"
    " WHERE state IN ('queued', 'deferred') AND subscriber_id IN"
    " (SELECT id FROM subscribers WHERE state != 'active')",
    "UPDATE deliveries SET state = 'cancelled', next_attempt_at = NULL, lease_until = NULL,"
    " closed_at = :now, reply = 'replaced by a later digest'"
    " WHERE state = 'deferred' AND EXISTS (SELECT 1 FROM deliveries newer"
    "  WHERE newer.subscriber_id = deliveries.subscriber_id"
    "  AND newer.digest_on > deliveries.digest_on)",
)


class LeaseVerbs(Watermark):
    """The way of a delivery from waiting to its end; see `Store` for what each verb promises."""

    def lease(
        self, now: datetime, limit: int, lease_s: float, owner: str, share: Share = EVERYBODY
    ) -> Sequence[Lease]:
        """Take up to `limit` deliveries that are to be sent now, the longest waiting first."""
        asked = {
            "now": stamp(now),
            "until": stamp(now + timedelta(seconds=lease_s)),
            "owner": owner,
            "tries": TRIES_WITHOUT_REPLY,
        }
        rows: list[Any] = []
        with self.writing(Part.SENDING) as db:
            for among, values in _places(share, now):
                sql = LEASE.format(skip_locked=self.skip_locked, among=among)
                values |= {"limit": limit - len(rows)}
                rows += db.execute(sql, asked | values).fetchall()
                if len(rows) == limit:
                    break
        rows.sort(key=lambda row: (row[3], row[0]))
        return [Lease(number, recipient, attempt, owner) for number, recipient, attempt, _ in rows]

    def turn(
        self, tried: Sequence[Tried], begun: Sequence[Lease], now: datetime, lease_s: float
    ) -> frozenset[int]:
        """Close what was tried and begin what is next; returns whose lease still held."""
        until = stamp(now + timedelta(seconds=lease_s))
        with self.writing(Part.SENDING) as db:
            held = [one.lease.delivery_id for one in tried if _close(db, one, now)]
            for lease in begun:
                values = {
                    "id": lease.delivery_id,
                    "owner": lease.owner,
                    "now": stamp(now),
                    "until": until,
                }
                if db.execute(BEGIN, values).rowcount:
                    held.append(lease.delivery_id)
            number = self._count_send(db) if begun else 0
        if number:
            self._raise_mark(number, now)
        return frozenset(held)

    def give_back(self, owner: str) -> int:
        """Let go of what `owner` leased and did not begin; returns how many rows."""
        with self.writing() as db:
            return db.execute(
                "UPDATE deliveries SET lease_until = NULL WHERE lease_until > ''"
                " AND owner = ? AND state != 'sending'",
                (owner,),
            ).rowcount

    def renew(self, owner: str, now: datetime, lease_s: float) -> None:
        """Prolong every lease that `owner` still holds."""
        with self.writing() as db:
            db.execute(
                "UPDATE deliveries SET lease_until = ? WHERE lease_until > ? AND owner = ?",
                (stamp(now + timedelta(seconds=lease_s)), stamp(now), owner),
            )

    def wanted(self, lease: Lease, now: datetime) -> bool:
        """Whether this delivery is still its owner's to send and its subscriber still active."""
        return bool(
            self.rows(
                "SELECT 1 FROM deliveries d JOIN subscribers s ON s.id = d.subscriber_id"
                " WHERE d.id = ? AND d.state = 'sending' AND d.owner = ? AND d.lease_until > ?"
                " AND s.state = 'active'",
                (lease.delivery_id, lease.owner, stamp(now)),
            )
        )

    def expire(self, now: datetime) -> int:
        """Settle what time has settled; returns how many rows moved."""
        values = {
            "now": stamp(now),
            "fresh": stamp(now - STALE_AFTER),
            "tries": TRIES_WITHOUT_REPLY,
        }
        with self.writing() as db:
            return sum(db.execute(sql, values).rowcount for sql in SETTLED_BY_TIME)

    def next_attempt_at(self) -> datetime | None:
        """When the earliest waiting delivery is to be tried; None when nothing waits."""
        rows = self.rows(
            "SELECT min(coalesce(d.next_attempt_at, d.lease_until)) FROM deliveries d"
            " JOIN subscribers s ON s.id = d.subscriber_id"
            " WHERE d.state IN ('queued', 'deferred', 'unknown', 'sending')"
            " AND d.unknowns < ? AND s.state = 'active'",
            (TRIES_WITHOUT_REPLY,),
        )
        return moment(rows[0][0]) if rows[0][0] else None


def _places(share: Share, now: datetime) -> Iterator[tuple[str, dict[str, Any]]]:
    """Where the rows of a share are looked for: (condition, its values), one bucket at a time.

    Each bucket has its rows in an index by the time they are due. The first one differs from call
    to call, so that none is left behind.
    """
    if share == EVERYBODY:
        yield "", {}
        return
    buckets = list(share.buckets)
    at = now.microsecond % len(buckets)
    for bucket in buckets[at:] + buckets[:at]:
        yield f" AND d.subscriber_id % {BUCKETS} = :bucket", {"bucket": bucket}


def _close(db: Statements, tried: Tried, now: datetime) -> int:
    closing = closing_values(tried.outcome, now, tried.retry_at)
    imprint = str(tried.imprint) if tried.imprint else None
    lease = tried.lease
    return db.execute(CLOSE, (*closing, imprint, lease.delivery_id, lease.owner)).rowcount


def closing_values(outcome: Outcome, now: datetime, retry_at: datetime) -> tuple[Any, ...]:
    """What closing a try writes: state, code, reply, next attempt, close time, then two counts.

    The counts are the attempts to take back and the replies that were lost.
    """
    state = state_after(outcome)
    again = None if is_final(state) else stamp(retry_at)
    # Trouble of the relay is nobody's failed attempt, nor is a wait for one's turn.
    blameless = isinstance(outcome, Deferred) and not outcome.counted
    return (
        state,
        _code(outcome),
        outcome.reply,
        again,
        None if again else stamp(now),
        int(blameless),
        int(isinstance(outcome, Unknown)),
    )


def _code(outcome: Outcome) -> int:
    match outcome:
        case Sent():
            return 250
        case Refused() | Deferred():
            return outcome.code
        case Unknown():
            return 0
