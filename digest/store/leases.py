"""The store's verbs for rows on their way out: who holds them, what came of each try.

A row is leased while its mail is made, marked `sending` right before its first SMTP byte, and
closed with what came of it. A lease alone puts a row in no doubt: a worker that dies leaves in
doubt what it had begun, and nothing else.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, TypeVar

from digest.model import Deferred, Outcome, Refused, Sent, Unknown
from digest.schedule import STALE_AFTER, is_final, state_after
from digest.share import BUCKETS, EVERYBODY, Share
from digest.store import Lease, Tried
from digest.store.connection import Part, moment, stamp
from digest.store.trail import Trail
from digest.store.watermark import Watermark

T = TypeVar("T")

TRIES_WITHOUT_REPLY = 2
"""An unknown delivery is sent once more (same Message-ID, same bytes), then held for a person."""

LEASE = (
    # CROSS JOIN keeps the order: from the few that wait, by their index, to their subscribers; the
    # planner would begin with all the subscribers (22 ms a claim at 10,000 of them).
    "WITH taken AS (SELECT d.id FROM deliveries d CROSS JOIN subscribers s"
    " WHERE s.id = d.subscriber_id"
    " AND d.state IN ('queued', 'deferred', 'unknown') AND d.next_attempt_at <= :now"
    " AND (d.next_attempt_at, d.id) > (:waited_since, :after)"
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
    " WHERE id IN (SELECT CAST(value AS BIGINT) FROM json_each(:begun))"
    " AND owner = :owner AND coalesce(lease_until, '') > :now"
    " AND coalesce(state, '') IN ('queued', 'deferred', 'unknown')"
    " AND EXISTS (SELECT 1 FROM subscribers s WHERE s.id = d.subscriber_id AND s.state = 'active')"
    " AND NOT EXISTS (SELECT 1 FROM deliveries newer WHERE newer.subscriber_id = d.subscriber_id"
    "  AND newer.digest_on > d.digest_on)"
    " RETURNING id"
)

CLOSE = (
    "UPDATE deliveries SET state = told.state, code = told.code, reply = told.reply,"
    " next_attempt_at = told.again_at, closed_at = told.closed_at, lease_until = NULL,"
    " attempts = deliveries.attempts - told.blameless, unknowns = deliveries.unknowns + told.lost,"
    " imprint = coalesce(told.imprint, deliveries.imprint) FROM (SELECT"
    " CAST(json_extract(value, '$[0]') AS BIGINT) AS number,"
    " json_extract(value, '$[1]') AS state,"
    " CAST(json_extract(value, '$[2]') AS BIGINT) AS code,"
    " json_extract(value, '$[3]') AS reply,"
    " json_extract(value, '$[4]') AS again_at,"
    " json_extract(value, '$[5]') AS closed_at,"
    " CAST(json_extract(value, '$[6]') AS BIGINT) AS blameless,"
    " CAST(json_extract(value, '$[7]') AS BIGINT) AS lost,"
    " json_extract(value, '$[8]') AS imprint"
    " FROM json_each(:tried)) AS told"
    " WHERE id = told.number AND coalesce(deliveries.state, '') = 'sending' AND owner = :owner"
    " RETURNING id"
)
"""Both for all rows at once: each by itself takes a database over the network a round trip.

By `coalesce` no index has what is asked, and rows are found by their numbers: a planner that
learned at night that none waits would look through all that wait.
"""

GIVE_BACK = (
    "UPDATE deliveries SET lease_until = NULL"
    " WHERE id IN (SELECT CAST(value AS BIGINT) FROM json_each(:held))"
    " AND coalesce(lease_until, '') > '' AND owner = :owner AND coalesce(state, '') != 'sending'"
)

RENEW = (
    "UPDATE deliveries SET lease_until = :until"
    " WHERE id IN (SELECT CAST(value AS BIGINT) FROM json_each(:held))"
    " AND coalesce(lease_until, '') > :now AND owner = :owner"
)

SETTLED_BY_TIME = (
    "UPDATE deliveries SET state = 'unknown', unknowns = unknowns + 1,"
    " lease_until = NULL, next_attempt_at = :now,"
    " reply = 'the sender stopped before it recorded a reply'"
    " WHERE state = 'sending' AND lease_until < :now",
    "UPDATE deliveries SET state = 'held', next_attempt_at = NULL, lease_until = NULL,"
    " closed_at = :now WHERE state IN ('deferred', 'unknown') AND state = 'unknown'"
    " AND (unknowns >= :tries OR prepared_at < :fresh)",
    "UPDATE deliveries SET state = 'cancelled', next_attempt_at = NULL, lease_until = NULL,"
    " closed_at = :now, reply = 'grew stale; last reply: ' || reply"
    " WHERE state IN ('deferred', 'unknown') AND state = 'deferred' AND prepared_at < :fresh",
    # What is queued has waited since it was prepared.
    "UPDATE deliveries SET state = 'cancelled', next_attempt_at = NULL, lease_until = NULL,"
    " closed_at = :now, reply = 'grew stale; last reply: ' || reply"
    " WHERE state IN ('queued', 'deferred', 'unknown') AND state = 'queued'"
    " AND next_attempt_at < :fresh AND prepared_at < :fresh",
    "UPDATE deliveries SET state = 'cancelled', next_attempt_at = NULL, lease_until = NULL,"
    " closed_at = :now, reply = 'the subscriber is no longer active'"
    " WHERE state IN ('deferred', 'unknown') AND state = 'deferred' AND NOT EXISTS"
    " (SELECT 1 FROM subscribers s WHERE s.id = subscriber_id AND s.state = 'active')",
    # Of what is queued the head is enough: what is not sent comes to stand there.
    "UPDATE deliveries SET state = 'cancelled', next_attempt_at = NULL, lease_until = NULL,"
    " closed_at = :now, reply = 'the subscriber is no longer active'"
    " WHERE id IN (SELECT id FROM deliveries WHERE state IN ('queued', 'deferred', 'unknown')"
    "  AND next_attempt_at <= :now ORDER BY next_attempt_at, id LIMIT 1000)"
    " AND state = 'queued' AND NOT EXISTS"
    " (SELECT 1 FROM subscribers s WHERE s.id = subscriber_id AND s.state = 'active')",
    "UPDATE deliveries SET state = 'cancelled', next_attempt_at = NULL, lease_until = NULL,"
    " closed_at = :now, reply = 'replaced by a later digest'"
    " WHERE state IN ('deferred', 'unknown') AND state = 'deferred'"
    " AND EXISTS (SELECT 1 FROM deliveries newer"
    "  WHERE newer.subscriber_id = deliveries.subscriber_id"
    "  AND newer.digest_on > deliveries.digest_on)",
)
"""Each looks at few rows, however many are kept or wait: a state is named twice, the first time as
the index of those rows has it.
"""

FIRST_TRIES = (
    # The rows in their order, not the least of all: the first that is somebody's ends the search.
    "SELECT d.next_attempt_at FROM deliveries d CROSS JOIN subscribers s"
    " WHERE s.id = d.subscriber_id AND d.state IN ('queued', 'deferred', 'unknown')"
    " AND d.next_attempt_at > '' AND d.unknowns < :tries AND s.state = 'active'"
    " ORDER BY d.next_attempt_at, d.id LIMIT 1",
    "SELECT min(d.lease_until) FROM deliveries d CROSS JOIN subscribers s"
    " WHERE s.id = d.subscriber_id AND d.state = 'sending' AND d.lease_until > ''"
    " AND d.unknowns < :tries AND s.state = 'active'",
)


class LeaseVerbs(Watermark):
    """The way of a delivery from waiting to its end; see `Store` for what each verb promises."""

    @cached_property
    def _trails(self) -> dict[str, Trail]:
        """That of each owner who has leased and not given back."""
        return {}

    def _trail(self, owner: str) -> Trail:
        return self._trails.setdefault(owner, Trail())

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
        trail = self._trail(owner)
        with self.writing(Part.LEASING) as db:
            for among, values in _looks(trail, share, now):
                sql = LEASE.format(skip_locked=self.skip_locked, among=among)
                values |= {"limit": limit - len(rows)}
                found = db.execute(sql, asked | values).fetchall()
                trail.went(values["place"], found)
                rows += found
                if len(rows) == limit:
                    break
        rows.sort(key=lambda row: (row[3], row[0]))
        return [Lease(number, recipient, attempt, owner) for number, recipient, attempt, _ in rows]

    def turn(
        self, tried: Sequence[Tried], begun: Sequence[Lease], now: datetime, lease_s: float
    ) -> frozenset[int]:
        """Close what was tried and begin what is next; returns whose lease still held."""
        until = stamp(now + timedelta(seconds=lease_s))
        held = set[int]()
        with self.writing(Part.SENDING) as db:
            for owner, asked in _by_owner([one.lease for one in tried], tried):
                told = [(one.lease.delivery_id, *_closing(one, now)) for one in asked]
                values = {"tried": json.dumps(told), "owner": owner}
                held.update(row for (row,) in db.execute(CLOSE, values).fetchall())
                self._trail(owner).held.difference_update(one.lease.delivery_id for one in asked)
            for owner, leases in _by_owner(begun, begun):
                rows = json.dumps([one.delivery_id for one in leases])
                values = {"begun": rows, "owner": owner, "now": stamp(now), "until": until}
                held.update(row for (row,) in db.execute(BEGIN, values).fetchall())
            number = self._count_send(db) if begun else 0
        if number:
            self._raise_mark(number, now)
        return frozenset(held)

    def give_back(self, owner: str) -> int:
        """Let go of what `owner` leased and did not begin; returns how many rows."""
        trail = self._trails.pop(owner, Trail())
        with self.writing() as db:
            return db.execute(GIVE_BACK, {"held": trail.rows, "owner": owner}).rowcount

    def renew(self, owner: str, now: datetime, lease_s: float) -> None:
        """Prolong every lease that `owner` still holds."""
        until = stamp(now + timedelta(seconds=lease_s))
        values = {"held": self._trail(owner).rows, "owner": owner, "now": stamp(now)}
        with self.writing() as db:
            db.execute(RENEW, values | {"until": until})

    def wanted(self, lease: Lease, now: datetime) -> bool:
        """Whether this delivery is still its owner's to send and its subscriber still active."""
        return bool(
            self.rows(
                "SELECT 1 FROM deliveries d JOIN subscribers s ON s.id = d.subscriber_id"
                " WHERE d.id = ? AND d.state = 'sending' AND d.owner = ?"
                " AND coalesce(d.lease_until, '') > ? AND s.state = 'active'",
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
        values = {"tries": TRIES_WITHOUT_REPLY}
        times = [row[0] for sql in FIRST_TRIES for row in self.rows(sql, values) if row[0]]
        return moment(min(times)) if times else None


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


def _looks(trail: Trail, share: Share, now: datetime) -> Iterator[tuple[str, dict[str, Any]]]:
    """The same, each place from where the last lease left off, then from its start."""
    trail.begin()
    for among, values in _places(share, now):
        for since, after in trail.starts(place := str(values)):
            yield among, values | {"place": place, "waited_since": since, "after": after}


def _by_owner(leases: Sequence[Lease], what: Sequence[T]) -> Iterable[tuple[str, list[T]]]:
    """What belongs to these leases, for each of their owners; a run has one."""
    found: dict[str, list[T]] = {}
    for lease, one in zip(leases, what, strict=True):
        found.setdefault(lease.owner, []).append(one)
    return found.items()


def _closing(tried: Tried, now: datetime) -> tuple[Any, ...]:
    """What is written of a try, in the order of `CLOSE`."""
    imprint = str(tried.imprint) if tried.imprint else None
    return *closing_values(tried.outcome, now, tried.retry_at), imprint


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
        # As a database can hold it: what was refused here would be a mail without an outcome.
        outcome.reply.replace("\x00", "").encode("utf-8", "replace").decode(),
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
