"""The store's verbs for who runs the service: people, rows of the ledger, their fate."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from digest.model import DeliveryState, Subscriber, SubscriberState
from digest.schedule import STALE_AFTER
from digest.store.connection import Connections, moment, stamp
from digest.store.operating import LedgerRow, ServiceState
from digest.store.subscribers import SELECT_SUBSCRIBER, subscriber_of

RETRY = (
    "UPDATE deliveries SET state = 'deferred', next_attempt_at = :now, closed_at = NULL,"
    # One more reply may be lost before it is held again: the operator has said so.
    " unknowns = CASE WHEN unknowns > 1 THEN 1 ELSE unknowns END"
    " WHERE id = :id AND state IN ('deferred', 'held') AND prepared_at >= :fresh"
    " AND coalesce(lease_until, '') <= :now"
    " AND EXISTS (SELECT 1 FROM subscribers s"
    "  WHERE s.id = deliveries.subscriber_id AND s.state = 'active')"
    " AND NOT EXISTS (SELECT 1 FROM deliveries newer"
    "  WHERE newer.subscriber_id = deliveries.subscriber_id"
    "  AND newer.digest_on > deliveries.digest_on)"
)

CANCEL = (
    "UPDATE deliveries SET state = 'cancelled', next_attempt_at = NULL, lease_until = NULL,"
    " closed_at = :now, reply = 'cancelled by the operator; last reply: ' || reply"
    " WHERE id = :id AND state IN ('queued', 'deferred', 'held')"
)


SENT_BY_DOMAIN = (
    "SELECT lower(substr(recipient, instr(recipient, '@') + 1)), count(*) FROM"
    " (SELECT recipient FROM deliveries WHERE prepared_at >= :fresh AND state = 'sent'"
    "  AND closed_at >= :since AND closed_at < :until"
    "  UNION ALL SELECT recipient FROM letters WHERE created_at >= :fresh AND state = 'sent'"
    "  AND closed_at >= :since AND closed_at < :until AND recipient != '') AS taken"
    " GROUP BY 1 ORDER BY 2 DESC, 1"
)
"""`fresh` is where the index by time begins to be read: nothing older was still on its way."""


class DeskVerbs(Connections):
    """What the operator looks at and decides; see `Operating` for what each verb promises."""

    def find_subscribers(
        self, part: str, state: SubscriberState | None, limit: int
    ) -> Sequence[Subscriber]:
        """Subscribers whose address holds a text, in the order of addresses."""
        rows = self.rows(
            SELECT_SUBSCRIBER + " WHERE email != '' AND instr(lower(email), lower(:part)) > 0"
            " AND CASE WHEN :state = '' THEN state != 'removed' ELSE state = :state END"
            " ORDER BY address_key LIMIT :limit",
            {"part": part, "state": state or "", "limit": limit},
        )
        return [subscriber_of(row) for row in rows]

    def subscribers_by_state(self) -> Mapping[SubscriberState, int]:
        """How many subscribers are in each state; who erased their data does not count."""
        rows = self.rows("SELECT state, count(*) FROM subscribers WHERE email != '' GROUP BY state")
        return {SubscriberState(state): count for state, count in rows}

    def suppressed_by_reason(self) -> Mapping[str, int]:
        """How many addresses nobody may mail, by the reason."""
        return dict(self.rows("SELECT reason, count(*) FROM suppressed GROUP BY reason"))

    def ledger_rows(
        self,
        limit: int,
        *,
        day: date | None = None,
        state: DeliveryState | None = None,
        subscriber_id: int | None = None,
        before: int | None = None,
    ) -> Sequence[LedgerRow]:
        """Deliveries of a day, in a state, of a subscriber, the newest first; below a number."""
        rows = self.rows(
            "SELECT id, subscriber_id, digest_on, state, prepared_at, attempts, next_attempt_at,"
            " closed_at, code, reply FROM deliveries"
            " WHERE (:day = '' OR digest_on = :day) AND (:state = '' OR state = :state)"
            " AND (CAST(:one AS BIGINT) IS NULL OR subscriber_id = :one)"
            " AND (CAST(:before AS BIGINT) IS NULL OR id < :before)"
            " ORDER BY id DESC LIMIT :limit",
            {
                "day": day.isoformat() if day else "",
                "state": state or "",
                "one": subscriber_id,
                "before": before,
                "limit": limit,
            },
        )
        return [_row(row) for row in rows]

    def retry_delivery(self, delivery_id: int, now: datetime) -> bool:
        """Send a deferred or held delivery now; false where that is no move or it grew stale."""
        values = {"id": delivery_id, "now": stamp(now), "fresh": stamp(now - STALE_AFTER)}
        with self.writing() as db:
            return bool(db.execute(RETRY, values).rowcount)

    def cancel_delivery(self, delivery_id: int, now: datetime) -> bool:
        """Never send what waits or is held; false where that is no move any more."""
        with self.writing() as db:
            return bool(db.execute(CANCEL, {"id": delivery_id, "now": stamp(now)}).rowcount)

    def closed_by_state(self, since: datetime, until: datetime) -> Mapping[DeliveryState, int]:
        """How many deliveries came to their end in that time, by the state they ended in."""
        rows = self.rows(
            "SELECT state, count(*) FROM deliveries WHERE prepared_at >= :fresh"
            " AND closed_at >= :since AND closed_at < :until GROUP BY state",
            _span(since, until),
        )
        return {DeliveryState(state): count for state, count in rows}

    def sent_by_domain(self, since: datetime, until: datetime) -> Mapping[str, int]:
        """How many mails, letters too, servers took in that time, by the recipient's domain."""
        return dict(self.rows(SENT_BY_DOMAIN, _span(since, until)))

    def note_state(self, topic: str, says: Sequence[str], now: datetime) -> bool:
        """Keep what the service says of a topic, nothing for all is well; false if it said so."""
        with self.writing() as db:
            if not says:
                return bool(
                    db.execute("DELETE FROM service_states WHERE topic = ?", (topic,)).rowcount
                )
            return bool(
                db.execute(
                    "INSERT INTO service_states (topic, says, since) VALUES (?, ?, ?)"
                    " ON CONFLICT (topic) DO UPDATE SET says = excluded.says,"
                    " since = excluded.since WHERE service_states.says != excluded.says",
                    (topic, json.dumps(list(says), ensure_ascii=False), stamp(now)),
                ).rowcount
            )

    def noted_states(self) -> Mapping[str, ServiceState]:
        """What is not well with the service, by topic, as it has last said."""
        rows = self.rows("SELECT topic, says, since FROM service_states ORDER BY topic")
        return {
            topic: ServiceState(tuple(json.loads(says)), moment(since))
            for topic, says, since in rows
        }

    def oldest_waiting_at(self) -> datetime | None:
        """When the longest waiting delivery was prepared; None when none waits."""
        ((oldest,),) = self.rows(
            "SELECT min(prepared_at) FROM deliveries"
            " WHERE state IN ('queued', 'deferred', 'unknown')"
        )
        return moment(oldest) if oldest else None


def _span(since: datetime, until: datetime) -> dict[str, str]:
    fresh = since - STALE_AFTER - timedelta(days=1)  # letters are tried for a day longer
    return {"fresh": stamp(fresh), "since": stamp(since), "until": stamp(until)}


def _row(row: Sequence[Any]) -> LedgerRow:
    number, subscriber_id, day, state, prepared_at, attempts, again, closed, code, reply = row
    return LedgerRow(
        id=number,
        subscriber_id=subscriber_id,
        digest_on=date.fromisoformat(day),
        state=DeliveryState(state),
        prepared_at=moment(prepared_at),
        attempts=attempts,
        next_attempt_at=moment(again) if again else None,
        closed_at=moment(closed) if closed else None,
        code=code,
        reply=reply,
    )
