"""The store's verbs for subscribers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, time
from functools import lru_cache
from typing import Any

from digest.errors import SuppressedError
from digest.model import Origin, Subscriber, SubscriberState
from digest.revisions import told
from digest.store.connection import Statements, stamp
from digest.store.freeze import PROFILE
from digest.store.remembering import Note, remember
from digest.store.returned import Suppression
from digest.store.suppression import SuppressionList

SUBSCRIBER = "id, email, origin, state, timezone, send_at, days, name, profile"
SELECT_SUBSCRIBER = f"SELECT {SUBSCRIBER} FROM subscribers"  # noqa: S608 - a constant

FILED = SELECT_SUBSCRIBER + " WHERE origin = 'file'"
LISTED = SELECT_SUBSCRIBER + " WHERE address_key IN (SELECT value FROM json_each(?))"  # noqa: S608 - constants
"""Those of the config file, and those that it names: not the million that signed up."""


def address_key(email: str) -> str:
    """The address under which a person is found: the domain's case folded, the local part kept.

    Source: RFC 5321 section 2.4.
    """
    local, _, domain = email.rpartition("@")
    return f"{local}@{domain.lower()}"


class SubscriberVerbs(SuppressionList):
    """Who is mailed; see `Store` for what each verb promises."""

    def sync_file(self, subscribers: Sequence[Subscriber], now: datetime) -> None:
        """Make the file's subscribers those given; who is missing is removed."""
        listed = {address_key(subscriber.email): subscriber for subscriber in subscribers}
        rows = self.rows(FILED) + self.rows(LISTED, (json.dumps(list(listed)),))
        stored = {address_key(one.email): one for one in map(subscriber_of, rows)}
        changed = [
            s
            for key, s in listed.items()
            if not _same_settings(stored.get(key), s) and not self._barred(stored.get(key), s)
        ]
        gone = [
            s.id
            for key, s in stored.items()
            if s.origin is Origin.FILE and s.state in FILE_STATES and key not in listed
        ]
        if not changed and not gone:
            return
        with self.writing() as db:
            for subscriber in changed:
                before = stored.get(address_key(subscriber.email))
                # A pause is the person's own: new settings in the file do not end it.
                if before and before.state is SubscriberState.PAUSED:
                    put_row(db, replace(subscriber, state=before.state), now)
                else:
                    put_row(db, subscriber, now)
            for row_id in gone:
                set_row_state(db, row_id, SubscriberState.REMOVED, now)

    def put_subscriber(self, subscriber: Subscriber, now: datetime, by: str = "cli") -> Subscriber:
        """Add a subscriber or replace the settings of the same address.

        Raises: SuppressedError for a new one whose address is suppressed.
        """
        key = address_key(subscriber.email)
        with self.writing() as db:
            before = db.execute(SELECT_SUBSCRIBER + " WHERE address_key = ?", (key,)).fetchone()
            if barred := self._barred(self.subscriber(subscriber.email), subscriber):
                raise SuppressedError(subscriber.email, barred.reason, barred.note)
            row_id = put_row(db, subscriber, now)
            row = db.execute(SELECT_SUBSCRIBER + " WHERE id = ?", (row_id,)).fetchone()
            return _remembered(db, before, row, by, now)

    def change_subscriber(
        self, subscriber: Subscriber, now: datetime, by: str = "form"
    ) -> Subscriber | None:
        """Replace the settings of a subscriber, by `id`; None for who is gone or erased."""
        select = (SELECT_SUBSCRIBER + " WHERE id = ?", (subscriber.id,))
        with self.writing() as db:
            before = db.execute(*select).fetchone()
            if before is None or address_key(before[1]) != address_key(subscriber.email):
                return None
            put_row(db, subscriber, now)
            return _remembered(db, before, db.execute(*select).fetchone(), by, now)

    def subscriber(self, email: str) -> Subscriber | None:
        """The subscriber of an address, whatever its state; the domain's case is folded."""
        rows = self.rows(SELECT_SUBSCRIBER + " WHERE address_key = ?", (address_key(email),))
        return subscriber_of(rows[0]) if rows else None

    def subscriber_by_id(self, subscriber_id: int) -> Subscriber | None:
        """The subscriber of a number, whatever its state."""
        rows = self.rows(SELECT_SUBSCRIBER + " WHERE id = ? AND email != ''", (subscriber_id,))
        return subscriber_of(rows[0]) if rows else None

    def subscribers(self) -> Sequence[Subscriber]:
        """Every subscriber that is not removed, in the order of addresses."""
        rows = self.rows(
            SELECT_SUBSCRIBER + " WHERE state != ? ORDER BY address_key",
            (SubscriberState.REMOVED,),
        )
        return [subscriber_of(row) for row in rows]

    def set_state(self, subscriber_id: int, state: SubscriberState, now: datetime) -> None:
        """Change a subscriber's state; leaving `active` cancels what waits to be sent."""
        with self.writing() as db:
            set_row_state(db, subscriber_id, state, now)
            if state is SubscriberState.UNSUBSCRIBED:
                for (email,) in db.execute(
                    "SELECT email FROM subscribers WHERE id = ? AND email != ''", (subscriber_id,)
                ).fetchall():
                    self._note_left(db, email, now)

    def _barred(self, known: Subscriber | None, new: Subscriber) -> Suppression | None:
        """Why a subscriber cannot be made of an address; a living row keeps its own state."""
        if known and known.state is not SubscriberState.REMOVED:
            return None
        return self.suppression(new.email)


FILE_STATES = (SubscriberState.ACTIVE, SubscriberState.PAUSED, SubscriberState.SUPPRESSED)
"""States that the config file may end by no longer naming the address."""


def _same_settings(stored: Subscriber | None, listed: Subscriber) -> bool:
    if stored is None or stored.state is SubscriberState.REMOVED:
        return False
    return replace(stored, state=listed.state) == listed


def _remembered(
    db: Statements, before: Sequence[Any] | None, after: Sequence[Any], by: str, now: datetime
) -> Subscriber:
    """The subscriber as stored now; what changed for who was there before is remembered."""
    changed = subscriber_of(after)
    known = subscriber_of(before) if before else None
    if known and known.state is not SubscriberState.REMOVED and (says := told(known, changed)):
        remember(db, known, Note(by, says), now)
    return changed


def subscriber_of(row: Sequence[Any]) -> Subscriber:
    """The subscriber of a row of `SELECT_SUBSCRIBER`."""
    row_id, email, origin, state, timezone, send_at, days, name, profile = row
    wanted = PROFILE.validate_json(profile)
    belongs, stands, at, on = _settings(origin, state, send_at, days)
    return Subscriber(email, wanted, timezone, at, on, name, belongs, stands, row_id)


@lru_cache(maxsize=4096)  # thousands of subscribers have the same
def _settings(
    origin: str, state: str, send_at: str, days: str
) -> tuple[Origin, SubscriberState, time, tuple[str, ...]]:
    return (
        Origin(origin),
        SubscriberState(state),
        time.fromisoformat(send_at),
        tuple(days.split(",")),
    )


def put_row(db: Statements, subscriber: Subscriber, now: datetime) -> int:
    """Write the settings; unsubscribed, paused and suppressed outlive them."""
    row_id: int = db.execute(
        "INSERT INTO subscribers (email, address_key, origin, state, timezone, send_at, days,"
        " name, profile, answered_on, created_at, updated_at)"
        " VALUES (:email, :key, :origin, :state, :timezone, :send_at, :days, :name, :profile,"
        " '', :now, :now)"
        " ON CONFLICT (address_key) DO UPDATE SET origin = :origin, timezone = :timezone,"
        " send_at = :send_at, days = :days, name = :name, profile = :profile, updated_at = :now,"
        " state = CASE WHEN subscribers.state IN ('unsubscribed', 'paused', 'suppressed')"
        " THEN subscribers.state ELSE :state END"
        " RETURNING id",
        {
            "email": subscriber.email,
            "key": address_key(subscriber.email),
            "origin": subscriber.origin,
            "state": subscriber.state,
            "timezone": subscriber.timezone,
            "send_at": subscriber.send_at.isoformat("minutes"),
            "days": ",".join(subscriber.days),
            "name": subscriber.name,
            "profile": PROFILE.dump_json(subscriber.profile).decode(),
            "now": stamp(now),
        },
    ).fetchone()[0]
    return row_id


def set_row_state(db: Statements, row_id: int, state: SubscriberState, now: datetime) -> None:
    """Change a state within a transaction; whoever is not active has no mail waiting."""
    db.execute(
        "UPDATE subscribers SET state = ?, updated_at = ?, paused_until = ''"
        " WHERE id = ? AND email != ''",  # erased
        (state, stamp(now), row_id),
    )
    if state is not SubscriberState.ACTIVE:
        db.execute(
            "UPDATE deliveries SET state = 'cancelled', closed_at = ?, reply = ?"
            " WHERE subscriber_id = ? AND state IN ('queued', 'deferred')",
            (stamp(now), f"the subscriber is {state.value}", row_id),
        )
