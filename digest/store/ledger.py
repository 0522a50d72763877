"""The store's verbs for deliveries, on SQLite: who is due, what is sent, what became of it."""

from __future__ import annotations

import json
import logging
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

from sqlite_utils import Database

from digest.model import (
    Deferred,
    Delivery,
    DeliveryState,
    Digest,
    Frame,
    Listing,
    Outcome,
    Refused,
    Sent,
    Subscriber,
    Unknown,
)
from digest.schedule import STALE_AFTER, due_on, zone
from digest.store import Due
from digest.store.connection import Connections, moment, stamp
from digest.store.freeze import (
    FRAME,
    LISTING,
    FrameSnapshot,
    thaw,
)
from digest.store.opening import Opening
from digest.store.subscribers import SELECT_SUBSCRIBER, subscriber_of

logger = logging.getLogger("digest")

TRIES_WITHOUT_REPLY = 2
"""An unknown delivery is sent once more (same Message-ID, same bytes), then held for a person."""

KEEP_DELIVERIES = timedelta(days=30)
KEEP_RUNS = timedelta(days=90)


SELECT_DELIVERY = (
    "SELECT id, state, message_id, digest_on, frame_id, body, prepared_at, attempts, reply, owner"
    " FROM deliveries"
)


WAITING = (
    # CROSS JOIN keeps the order: from the few that wait, by their index, to their subscribers; the
    # planner would begin with all the subscribers (22 ms a claim at 10,000 of them).
    "SELECT d.id FROM deliveries d CROSS JOIN subscribers s ON s.id = d.subscriber_id"
    " WHERE d.state IN ('queued', 'deferred', 'unknown') AND d.next_attempt_at <= :now"
    " AND d.unknowns < :tries AND s.state = 'active'"
    # Never two digests at a time: a newer one has taken the place of this one.
    " AND NOT EXISTS (SELECT 1 FROM deliveries newer WHERE newer.subscriber_id = d.subscriber_id"
    "  AND newer.digest_on > d.digest_on)"
    " ORDER BY d.next_attempt_at, d.id LIMIT :limit"
)


class LedgerVerbs(Connections):
    """The accounts of every mail; see `Store` for what each verb promises."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        # A snapshot's number is never used again (AUTOINCREMENT), so these cannot grow stale.
        self._frame = lru_cache(maxsize=64)(self._read_frame)
        self._listing = lru_cache(maxsize=8192)(self._read_listing)

    def due(self, now: datetime, limit: int, *, at_once: bool = False) -> Sequence[Due]:
        """Active subscribers whose send time has passed and whose day has no delivery yet."""
        found: list[Due] = []
        for timezone, send_at, days in self.rows(
            "SELECT DISTINCT timezone, send_at, days FROM subscribers WHERE state = 'active'"
        ):
            try:
                day = _day_due(now, timezone, send_at, days, at_once=at_once)
            except (KeyError, ValueError):  # a zone that this machine's data no longer has
                logger.exception("subscribers.unreadable %s", json.dumps([timezone, send_at, days]))
                continue
            if day is None or len(found) >= limit:
                continue
            rows = self.rows(
                SELECT_SUBSCRIBER + " WHERE state = 'active' AND timezone = ?"
                " AND send_at = ? AND days = ? AND answered_on < ? ORDER BY id LIMIT ?",
                (timezone, send_at, days, day.isoformat(), limit - len(found)),
            )
            found.extend(Due(one, day) for row in rows if (one := _readable_subscriber(row)))
        return found

    def shown(
        self, subscriber_ids: Collection[int], since: date, until: date
    ) -> Mapping[int, frozenset[int]]:
        """Per subscriber the ids of listings that a digest since that day holds or held."""
        seen: dict[int, set[int]] = defaultdict(set)
        for subscriber_id, listing_ids in self.rows(
            "SELECT subscriber_id, listing_ids FROM deliveries WHERE digest_on >= ?"
            " AND state NOT IN ('refused', 'cancelled', 'empty')"
            " AND NOT (state IN ('queued', 'deferred') AND digest_on < ?)"
            " AND subscriber_id IN (SELECT value FROM json_each(?))",
            (since.isoformat(), until.isoformat(), json.dumps(list(subscriber_ids))),
        ):
            seen[subscriber_id].update(json.loads(listing_ids))
        return {subscriber_id: frozenset(ids) for subscriber_id, ids in seen.items()}

    def open_deliveries(self, frame: Frame, digests: Sequence[Digest], now: datetime) -> int:
        """Write the ledger rows of digests; returns how many are new."""
        with self.writing() as db:
            opening = Opening(db, frame, now)
            return sum(opening.write(digest) for digest in digests)

    def claim(self, now: datetime, limit: int, lease_s: float, owner: str) -> Sequence[Delivery]:
        """Take up to `limit` deliveries that are to be sent now; they are `sending` for `owner`."""
        with self.writing() as db:
            while rows := db.execute(
                SELECT_DELIVERY + " WHERE id IN (" + WAITING + ") ORDER BY next_attempt_at, id",
                {"now": stamp(now), "tries": TRIES_WITHOUT_REPLY, "limit": limit},
            ).fetchall():
                if readable := [d for row in rows if (d := self._readable(db, row, now))]:
                    return [_take(db, delivery, now, lease_s, owner) for delivery in readable]
        return []

    def _readable(self, db: Database, row: Sequence[Any], now: datetime) -> Delivery | None:
        """The delivery of a row; one that cannot be read is settled alone and holds nobody up."""
        try:
            return self._delivery(row)
        except (ValueError, LookupError, TypeError) as error:
            logger.exception("delivery.unreadable %s", json.dumps({"delivery": row[0]}))
            db.execute(
                "UPDATE deliveries SET state = iif(state = 'unknown', 'held', 'cancelled'),"
                " next_attempt_at = NULL, closed_at = ?, reply = ? WHERE id = ?",
                (stamp(now), f"this row cannot be read: {error}"[:500], row[0]),
            )
            return None

    def renew(self, owner: str, now: datetime, lease_s: float) -> None:
        """Prolong every lease that `owner` still holds."""
        with self.writing() as db:
            db.execute(
                "UPDATE deliveries SET lease_until = ?"
                " WHERE state = 'sending' AND owner = ? AND lease_until > ?",
                (stamp(now + timedelta(seconds=lease_s)), owner, stamp(now)),
            )

    def close(
        self, delivery: Delivery, outcome: Outcome, now: datetime, retry_at: datetime
    ) -> bool:
        """Record what a try came to; false when `delivery.owner` lost its lease meanwhile."""
        with self.writing() as db:
            cursor = db.execute(
                "UPDATE deliveries SET state = ?, code = ?, reply = ?, next_attempt_at = ?,"
                " closed_at = ?, lease_until = NULL, attempts = attempts - ?,"
                " unknowns = unknowns + ?"
                " WHERE id = ? AND state = 'sending' AND owner = ?",
                (*closing(outcome, now, retry_at), delivery.id, delivery.owner),
            )
            return bool(cursor.rowcount)

    def wanted(self, delivery: Delivery, now: datetime) -> bool:
        """Whether this delivery is still its owner's to send and its subscriber still active."""
        return bool(
            self.rows(
                "SELECT 1 FROM deliveries d JOIN subscribers s ON s.id = d.subscriber_id"
                " WHERE d.id = ? AND d.state = 'sending' AND d.owner = ? AND d.lease_until > ?"
                " AND s.state = 'active'",
                (delivery.id, delivery.owner, stamp(now)),
            )
        )

    def expire(self, now: datetime) -> int:
        """Settle what time has settled; returns how many rows moved."""
        fresh_since = stamp(now - STALE_AFTER)
        with self.writing() as db:
            return sum(
                db.execute(sql, parameters).rowcount
                for sql, parameters in (
                    (
                        "UPDATE deliveries SET state = 'unknown', unknowns = unknowns + 1,"
                        " lease_until = NULL, next_attempt_at = :now,"
                        " reply = 'the sender stopped before it recorded a reply'"
                        " WHERE state = 'sending' AND lease_until < :now",
                        {"now": stamp(now)},
                    ),
                    (
                        "UPDATE deliveries SET state = 'held', next_attempt_at = NULL,"
                        " closed_at = :now WHERE state = 'unknown'"
                        " AND (unknowns >= :tries OR prepared_at < :fresh)",
                        {"now": stamp(now), "tries": TRIES_WITHOUT_REPLY, "fresh": fresh_since},
                    ),
                    (
                        "UPDATE deliveries SET state = 'cancelled', next_attempt_at = NULL,"
                        " closed_at = :now, reply = 'grew stale; last reply: ' || reply"
                        " WHERE state IN ('queued', 'deferred') AND prepared_at < :fresh",
                        {"now": stamp(now), "fresh": fresh_since},
                    ),
                    (
                        "UPDATE deliveries SET state = 'cancelled', next_attempt_at = NULL,"
                        " closed_at = :now, reply = 'the subscriber is no longer active'"
                        " WHERE state IN ('queued', 'deferred') AND subscriber_id IN"
                        " (SELECT id FROM subscribers WHERE state != 'active')",
                        {"now": stamp(now)},
                    ),
                    (
                        "UPDATE deliveries SET state = 'cancelled', next_attempt_at = NULL,"
                        " closed_at = :now, reply = 'replaced by a later digest'"
                        " WHERE state = 'deferred' AND EXISTS (SELECT 1 FROM deliveries newer"
                        "  WHERE newer.subscriber_id = deliveries.subscriber_id"
                        "  AND newer.digest_on > deliveries.digest_on)",
                        {"now": stamp(now)},
                    ),
                )
            )

    def delivery(self, subscriber_id: int, digest_on: date) -> Delivery | None:
        """The delivery of a subscriber's day with its digest, if there is one."""
        rows = self.rows(
            SELECT_DELIVERY + " WHERE subscriber_id = ? AND digest_on = ?",
            (subscriber_id, digest_on.isoformat()),
        )
        return self._delivery(rows[0]) if rows else None

    def deliveries_of(self, subscriber_id: int) -> Sequence[Delivery]:
        """Every delivery of a subscriber that is still kept, the newest day first."""
        rows = self.rows(
            SELECT_DELIVERY + " WHERE subscriber_id = ? ORDER BY digest_on DESC", (subscriber_id,)
        )
        return [self._delivery(row) for row in rows]

    def deliveries_by_state(self, since: datetime) -> Mapping[DeliveryState, int]:
        """How many deliveries prepared since then stand in each state."""
        rows = self.rows(
            "SELECT state, count(*) FROM deliveries WHERE prepared_at >= ? GROUP BY state",
            (stamp(since),),
        )
        return {DeliveryState(state): count for state, count in rows}

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

    def tidy(self, now: datetime) -> Mapping[str, int]:
        """Delete what retention no longer allows; returns how many rows per table."""
        old = stamp(now - KEEP_DELIVERIES)
        with self.writing() as db:
            deliveries = db.execute(
                "DELETE FROM deliveries WHERE prepared_at < ?"
                " AND state NOT IN ('queued', 'sending', 'deferred', 'unknown')",
                (old,),
            ).rowcount
            runs = db.execute(
                "DELETE FROM source_runs WHERE started_at < ?", (stamp(now - KEEP_RUNS),)
            ).rowcount
            # Used last when a digest was opened, so no row that is kept can need it.
            snapshots = db.execute("DELETE FROM snapshots WHERE used_at < ?", (old,)).rowcount
        return {"deliveries": deliveries, "source_runs": runs, "snapshots": snapshots}

    def _delivery(self, row: Sequence[Any]) -> Delivery:
        number, state, message_id, digest_on, frame_id, body, prepared_at, *counts = row
        attempts, reply, owner = counts
        frame = self._frame(frame_id)
        return Delivery(
            id=number,
            state=DeliveryState(state),
            message_id=message_id,
            digest=thaw(
                body,
                date.fromisoformat(digest_on),
                mailed=state != DeliveryState.EMPTY,
                frame=frame,
                listing=self._listing,
            ),
            frame=frame.frame,
            prepared_at=moment(prepared_at),
            attempts=attempts,
            reply=reply,
            owner=owner,
        )

    def _read_frame(self, snapshot_id: int) -> FrameSnapshot:
        return FRAME.validate_json(self._snapshot(snapshot_id))

    def _read_listing(self, snapshot_id: int) -> Listing:
        return LISTING.validate_json(self._snapshot(snapshot_id))

    def _snapshot(self, snapshot_id: int) -> str:
        body: str = self.rows("SELECT body FROM snapshots WHERE id = ?", (snapshot_id,))[0][0]
        return body


def _readable_subscriber(row: Sequence[Any]) -> Subscriber | None:
    """The subscriber of a row; one that cannot be read is logged and keeps nobody else waiting."""
    try:
        return subscriber_of(row)
    except ValueError:
        logger.exception("subscriber.unreadable %s", json.dumps({"subscriber": row[0]}))
        return None


def _day_due(
    now: datetime, timezone: str, send_at: str, days: str, *, at_once: bool
) -> date | None:
    if at_once:
        return now.astimezone(zone(timezone)).date()
    return due_on(now, timezone, time.fromisoformat(send_at), days.split(","))


def _take(db: Database, delivery: Delivery, now: datetime, lease_s: float, owner: str) -> Delivery:
    """The delivery as its owner holds it from now on."""
    db.execute(
        "UPDATE deliveries SET state = 'sending', attempts = attempts + 1, owner = ?,"
        " lease_until = ?, next_attempt_at = NULL WHERE id = ?",
        (owner, stamp(now + timedelta(seconds=lease_s)), delivery.id),
    )
    return replace(
        delivery, state=DeliveryState.SENDING, attempts=delivery.attempts + 1, owner=owner
    )


def closing(outcome: Outcome, now: datetime, retry_at: datetime) -> tuple[Any, ...]:
    """What closing a try writes: state, code, reply, next attempt, close time, then two counts.

    The counts are the attempts to take back and the replies that were lost.
    """
    state, code, again = _settle(outcome, retry_at)
    # Trouble of the relay is nobody's failed attempt, nor is a wait for one's turn.
    blameless = isinstance(outcome, Deferred) and not outcome.counted
    return (
        state,
        code,
        outcome.reply,
        again and stamp(again),
        None if again else stamp(now),
        int(blameless),
        int(isinstance(outcome, Unknown)),
    )


def _settle(outcome: Outcome, retry_at: datetime) -> tuple[DeliveryState, int, datetime | None]:
    """The state, reply code and next attempt that an outcome leads to."""
    match outcome:
        case Sent():
            return DeliveryState.SENT, 250, None
        case Refused():
            return DeliveryState.REFUSED, outcome.code, None
        case Deferred():
            return DeliveryState.DEFERRED, outcome.code, retry_at
        case Unknown():
            return DeliveryState.UNKNOWN, 0, retry_at
