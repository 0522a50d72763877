"""The store's verbs for what a person does with their own row: links, pauses, leaving no trace."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime

from digest.model import SubscriberState
from digest.store.connection import Statements, moment, stamp
from digest.store.returned import Reason
from digest.store.subscribers import set_row_state
from digest.store.suppression import SuppressionList

USED = "SELECT 1 FROM used_links WHERE link IN (SELECT value FROM json_each(?))"


PERSONAL = (
    "deliveries", "consents", "likes", "api_keys", "profile_history", "feed_links", "returns",
)  # fmt: skip
"""Tables whose rows go with a person."""


ERASED = "erased at their own wish"
"""The note of an address whose person has erased their data."""


class PersonVerbs(SuppressionList):
    """What a subscriber may do; see `Store` for what each verb promises."""

    def is_link_used(self, names: Sequence[str]) -> bool:
        """Whether a link that works once has been used, by any of the names it may go by."""
        return bool(self.rows(USED, (json.dumps(list(names)),)))

    def use_link(self, names: Sequence[str], now: datetime) -> bool:
        """Use a link that works once; false when it was used before. The first name is kept."""
        with self.writing() as db:
            if db.execute(USED, (json.dumps(list(names)),)).fetchone():
                return False
            values = (names[0], stamp(now))
            db.execute("INSERT INTO used_links (link, used_at) VALUES (?, ?)", values)
        return True

    def pause(self, subscriber_id: int, until: datetime, now: datetime) -> bool:
        """Send nothing until a time, and cancel what waits; false for who is not mailed anyway."""
        with self.writing() as db:
            # Asked here and not by the caller: who has unsubscribed meanwhile stays so.
            if not _is_in(db, subscriber_id, SubscriberState.ACTIVE, SubscriberState.PAUSED):
                return False
            set_row_state(db, subscriber_id, SubscriberState.PAUSED, now)
            db.execute(
                "UPDATE subscribers SET paused_until = ? WHERE id = ?",
                (stamp(until), subscriber_id),
            )
        return True

    def unpause(self, subscriber_id: int, now: datetime) -> bool:
        """End a pause now; false where there is none."""
        with self.writing() as db:
            if not _is_in(db, subscriber_id, SubscriberState.PAUSED):
                return False
            set_row_state(db, subscriber_id, SubscriberState.ACTIVE, now)
        return True

    def paused_until(self, subscriber_id: int) -> datetime | None:
        """When a pause ends; None where there is none, or none with an end."""
        rows = self.rows(
            "SELECT paused_until FROM subscribers WHERE id = ? AND state = 'paused'",
            (subscriber_id,),
        )
        return moment(rows[0][0]) if rows and rows[0][0] else None

    def resume(self, now: datetime) -> int:
        """Make those active whose pause is over; returns how many."""
        with self.writing() as db:
            return db.execute(
                "UPDATE subscribers SET state = 'active', paused_until = '', updated_at = :now"
                " WHERE state = 'paused' AND paused_until != '' AND paused_until <= :now",
                {"now": stamp(now)},
            ).rowcount

    def make_feed_link(self, subscriber_id: int, now: datetime) -> None:
        """Let a fresh private link work, and no other."""
        with self.writing() as db:
            db.execute(
                "INSERT INTO feed_links (subscriber_id, made_at) VALUES (?, ?)"
                " ON CONFLICT (subscriber_id) DO UPDATE SET made_at = excluded.made_at",
                (subscriber_id, stamp(now.replace(microsecond=0))),
            )

    def drop_feed_link(self, subscriber_id: int) -> None:
        """Let no private link work any more."""
        with self.writing() as db:
            db.execute("DELETE FROM feed_links WHERE subscriber_id = ?", (subscriber_id,))

    def feed_link_made_at(self, subscriber_id: int) -> datetime | None:
        """When the private link was made that works, to the second; None where none does."""
        rows = self.rows("SELECT made_at FROM feed_links WHERE subscriber_id = ?", (subscriber_id,))
        return moment(rows[0][0]) if rows else None

    def consents(self, subscriber_id: int) -> Sequence[Mapping[str, str]]:
        """What proves that a subscriber asked for the mail, oldest first."""
        names = ("form", "client", "asked_at", "confirmed_at")
        rows = self.rows(
            "SELECT form, client, asked_at, confirmed_at FROM consents WHERE subscriber_id = ?"
            " ORDER BY id",
            (subscriber_id,),
        )
        return [dict(zip(names, row, strict=True)) for row in rows]

    def erase(self, subscriber_id: int, now: datetime) -> None:
        """Delete everything about a person; the row's number stays taken, as old links name it."""
        with self.writing() as db:
            row = db.execute(
                "SELECT email, address_key FROM subscribers WHERE id = ?", (subscriber_id,)
            ).fetchone()
            if row is None:
                return
            email, key = row
            if email:  # its keyed hash stays, so that nobody else adds it again
                self._list(db, email, Reason.LEFT, ERASED, now)
            for table in PERSONAL:
                db.execute(f"DELETE FROM {table} WHERE subscriber_id = ?", (subscriber_id,))  # noqa: S608 - constants
            db.execute("DELETE FROM signups WHERE address_key = ?", (key,))
            db.execute(
                "UPDATE letters SET recipient = '', reply = '',"
                " state = CASE WHEN state IN ('queued', 'deferred') THEN 'cancelled' ELSE state END"
                " WHERE recipient = ?",
                (email,),
            )
            db.execute(
                "UPDATE subscribers SET email = '', address_key = 'erased:' || id, name = '',"
                " origin = 'store', state = 'removed', profile = '{}', timezone = 'UTC',"
                " send_at = '00:00', days = 'mon', answered_on = '', paused_until = '',"
                " created_at = :now, updated_at = :now WHERE id = :id",
                {"now": stamp(now), "id": subscriber_id},
            )


def _is_in(db: Statements, subscriber_id: int, *states: SubscriberState) -> bool:
    """Whether a subscriber is in one of these states."""
    row = db.execute("SELECT state FROM subscribers WHERE id = ?", (subscriber_id,)).fetchone()
    return row is not None and row[0] in states
