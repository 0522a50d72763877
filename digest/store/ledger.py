"""The store's verbs for deliveries: who is due, what was opened, what stands where."""

from __future__ import annotations

import json
import logging
from array import array
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime, time, timedelta
from functools import cached_property, lru_cache, partial
from typing import Any

from digest.model import (
    Delivery,
    DeliveryState,
    Digest,
    Frame,
    Imprint,
    Listing,
    Subscriber,
)
from digest.schedule import due_on, zone
from digest.share import BUCKETS, EVERYBODY, Share
from digest.store import Due
from digest.store.connection import Part, moment, stamp
from digest.store.freeze import (
    FRAME,
    LISTING,
    FrameSnapshot,
    Frozen,
    thaw,
)
from digest.store.opening import MATCHED, Opening
from digest.store.subscribers import SUBSCRIBER, subscriber_of
from digest.store.watermark import Watermark

logger = logging.getLogger("digest")

KEEP_DELIVERIES = timedelta(days=30)
KEEP_RUNS = timedelta(days=90)


SELECT_DELIVERY = (
    "SELECT id, state, message_id, digest_on, frame_id, body, prepared_at, attempts, reply, owner,"
    " imprint FROM deliveries JOIN bodies ON delivery_id = id"
)

FORGOTTEN_AT_ONCE = 1000

FORGET = """
DELETE FROM deliveries WHERE id IN (
    SELECT id FROM deliveries WHERE prepared_at < ?
    AND state NOT IN ('queued', 'sending', 'deferred', 'unknown') LIMIT ?
)
"""

SLOTS = """
WITH RECURSIVE
zones (timezone) AS (
    SELECT min(timezone) FROM subscribers WHERE state = 'active'
    UNION ALL
    SELECT (SELECT min(s.timezone) FROM subscribers s
        WHERE s.state = 'active' AND s.timezone > zones.timezone)
    FROM zones WHERE timezone IS NOT NULL
),
hours (timezone, send_at) AS (
    SELECT timezone, (SELECT min(s.send_at) FROM subscribers s
        WHERE s.state = 'active' AND s.timezone = zones.timezone)
    FROM zones WHERE timezone IS NOT NULL
    UNION ALL
    SELECT timezone, (SELECT min(s.send_at) FROM subscribers s
        WHERE s.state = 'active' AND s.timezone = hours.timezone AND s.send_at > hours.send_at)
    FROM hours WHERE send_at IS NOT NULL
),
slots (timezone, send_at, days) AS (
    SELECT timezone, send_at, (SELECT min(s.days) FROM subscribers s
        WHERE s.state = 'active' AND s.timezone = hours.timezone AND s.send_at = hours.send_at)
    FROM hours WHERE send_at IS NOT NULL
    UNION ALL
    SELECT timezone, send_at, (SELECT min(s.days) FROM subscribers s
        WHERE s.state = 'active' AND s.timezone = slots.timezone AND s.send_at = slots.send_at
        AND s.days > slots.days)
    FROM slots WHERE days IS NOT NULL
)
SELECT timezone, send_at, days FROM slots WHERE days IS NOT NULL
"""
"""The zones, hours and days that active subscribers have, a step in the index for each of them;
`DISTINCT` would read the entries of all subscribers."""

AMONG = (
    SELECT_DELIVERY + " WHERE id IN (SELECT CAST(value AS BIGINT) FROM json_each(?))"  # noqa: S608 - constants
)

SHOWING = (
    SELECT_DELIVERY + " WHERE subscriber_id = ? AND EXISTS"  # noqa: S608 - constants
    " (SELECT 1 FROM json_each(listing_ids) WHERE CAST(value AS BIGINT) = ?)"
    " ORDER BY digest_on DESC LIMIT 1"
)


class LedgerVerbs(Watermark):
    """The accounts of every mail; see `Store` for what each verb promises."""

    # A snapshot's number is never used again, so that what is kept of it cannot grow stale.
    @cached_property
    def _frame(self) -> Callable[[int], FrameSnapshot]:
        return lru_cache(maxsize=64)(self._read_frame)

    @cached_property
    def _listing(self) -> Callable[[int], Listing]:
        return lru_cache(maxsize=8192)(self._read_listing)

    def due(self, now: datetime, limit: int, *, at_once: bool = False) -> Sequence[Due]:
        """Active subscribers whose send time has passed and whose day has no delivery yet."""
        return self.due_among(self.due_ids(now, at_once=at_once)[:limit], now, at_once=at_once)

    def due_ids(
        self, now: datetime, *, at_once: bool = False, share: Share = EVERYBODY
    ) -> Sequence[int]:
        """Their numbers, in 8 bytes each; who was answered longest ago comes first of each hour."""
        found = array("q")
        some = share != EVERYBODY
        among = f" AND id % {BUCKETS} % ? = ?" if some else ""
        dealt = (share.of, share.number) if some else ()
        for timezone, send_at, days in self.rows(SLOTS):
            try:
                day = _day_due(now, timezone, send_at, days, at_once=at_once)
            except (KeyError, ValueError):  # a zone that this machine's data no longer has
                logger.exception("subscribers.unreadable %s", json.dumps([timezone, send_at, days]))
                continue
            if day is None:
                continue
            rows = self.stream(
                "SELECT id FROM subscribers WHERE state = 'active' AND timezone = ?"  # noqa: S608 - constants
                f" AND send_at = ? AND days = ? AND answered_on < ?{among}"
                " ORDER BY answered_on, id",  # as the index has them: nothing is sorted
                (timezone, send_at, days, day.isoformat(), *dealt),
            )
            found.extend(row for (row,) in rows)
        return found

    def due_among(
        self, subscriber_ids: Sequence[int], now: datetime, *, at_once: bool = False
    ) -> Sequence[Due]:
        """Those of these subscribers who are still due, in the order given."""
        due_on = lru_cache(maxsize=None)(partial(_readable_day, now, at_once=at_once))
        found: dict[int, Due] = {}
        for answered_on, *row in self.rows(
            f"SELECT answered_on, {SUBSCRIBER} FROM subscribers WHERE state = 'active'"  # noqa: S608 - constants
            " AND id IN (SELECT CAST(value AS BIGINT) FROM json_each(?))",
            (json.dumps(list(subscriber_ids)),),
        ):
            day = due_on(*row[4:7])  # by what they ask for now
            one = _readable_subscriber(row) if day and answered_on < day.isoformat() else None
            if one and day:
                found[one.id] = Due(one, day)
        return [found[one] for one in subscriber_ids if one in found]

    def shown(
        self, subscriber_ids: Collection[int], since: date, until: date
    ) -> Mapping[int, frozenset[int]]:
        """Per subscriber the ids of listings that a digest since that day holds or held."""
        seen: dict[int, set[int]] = defaultdict(set)
        for subscriber_id, listing_ids in self.rows(
            "SELECT subscriber_id, listing_ids FROM deliveries WHERE digest_on >= ?"
            " AND state NOT IN ('refused', 'cancelled', 'empty')"
            " AND NOT (state IN ('queued', 'deferred') AND digest_on < ?)"
            " AND subscriber_id IN (SELECT CAST(value AS BIGINT) FROM json_each(?))",
            (since.isoformat(), until.isoformat(), json.dumps(list(subscriber_ids))),
        ):
            seen[subscriber_id].update(json.loads(listing_ids))
        return {subscriber_id: frozenset(ids) for subscriber_id, ids in seen.items()}

    def open_deliveries(
        self, frame: Frame, digests: Sequence[Digest | Frozen], now: datetime
    ) -> int:
        """Write the ledger rows of digests; returns how many are new."""
        with self.writing(Part.OPENING) as db:
            return Opening(db, self.skip_locked, frame, now, self._restored_until()).write(digests)

    def matched_so_far(self) -> int:
        """How many listings fitted, added up over every digest that was opened."""
        return self.counter(MATCHED)

    def delivery(self, subscriber_id: int, digest_on: date) -> Delivery | None:
        """The delivery of a subscriber's day with its digest, if there is one."""
        rows = self.rows(
            SELECT_DELIVERY + " WHERE subscriber_id = ? AND digest_on = ?",
            (subscriber_id, digest_on.isoformat()),
        )
        return self._delivery(rows[0]) if rows else None

    def delivery_by_id(self, delivery_id: int) -> Delivery:
        """The delivery of a number. Raises: LookupError, ValueError when it cannot be read."""
        rows = self.rows(SELECT_DELIVERY + " WHERE id = ?", (delivery_id,))
        if not rows:
            raise LookupError(f"delivery {delivery_id} is gone")
        return self._delivery(rows[0])

    def deliveries_by_id(self, delivery_ids: Sequence[int]) -> Mapping[int, Delivery]:
        """The deliveries of these numbers as far as they can be read, by one query."""
        found: dict[int, Delivery] = {}
        for row in self.rows(AMONG, (json.dumps(list(delivery_ids)),)):
            with suppress(
                ValueError, LookupError, TypeError
            ):  # whoever asks for it alone is told why
                found[row[0]] = self._delivery(row)
        return found

    def deliveries_of(self, subscriber_id: int) -> Sequence[Delivery]:
        """Every delivery of a subscriber that is still kept, the newest day first."""
        rows = self.rows(
            SELECT_DELIVERY + " WHERE subscriber_id = ? ORDER BY digest_on DESC", (subscriber_id,)
        )
        return [self._delivery(row) for row in rows]

    def delivery_showing(self, subscriber_id: int, listing_id: int) -> Delivery | None:
        """The newest delivery of a subscriber that shows a listing."""
        rows = self.rows(SHOWING, (subscriber_id, listing_id))
        return self._delivery(rows[0]) if rows else None

    def deliveries_by_state(self, since: datetime) -> Mapping[DeliveryState, int]:
        """How many deliveries prepared since then stand in each state."""
        rows = self.rows(
            "SELECT state, count(*) FROM deliveries WHERE prepared_at >= ? GROUP BY state",
            (stamp(since),),
        )
        return {DeliveryState(state): count for state, count in rows}

    def tidy(self, now: datetime) -> Mapping[str, int]:
        """Delete what retention no longer allows; returns how many rows per table."""
        old = stamp(now - KEEP_DELIVERIES)
        deliveries = 0
        while more := self._forget(old):
            deliveries += more
        with self.writing() as db:
            runs = db.execute(
                "DELETE FROM source_runs WHERE started_at < ?", (stamp(now - KEEP_RUNS),)
            ).rowcount
            # Used last when a digest was opened, so no row that is kept can need it.
            snapshots = db.execute("DELETE FROM snapshots WHERE used_at < ?", (old,)).rowcount
        return {"deliveries": deliveries, "source_runs": runs, "snapshots": snapshots}

    def _forget(self, old: str) -> int:
        """Delete some of the old rows, since nothing is sent meanwhile; returns how many."""
        with self.writing() as db:
            return db.execute(FORGET, (old, FORGOTTEN_AT_ONCE)).rowcount

    def _delivery(self, row: Sequence[Any]) -> Delivery:
        number, state, message_id, digest_on, frame_id, body, prepared_at, *counts = row
        attempts, reply, owner, imprint = counts
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
            imprint=Imprint.read(imprint),
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


def _readable_day(
    now: datetime, timezone: str, send_at: str, days: str, *, at_once: bool
) -> date | None:
    """The same; nobody is due in a zone that this machine's data no longer has."""
    try:
        return _day_due(now, timezone, send_at, days, at_once=at_once)
    except (KeyError, ValueError):
        return None


def _day_due(
    now: datetime, timezone: str, send_at: str, days: str, *, at_once: bool
) -> date | None:
    if at_once:
        return now.astimezone(zone(timezone)).date()
    return due_on(now, timezone, time.fromisoformat(send_at), days.split(","))
