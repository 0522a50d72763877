"""The store's verbs for what a person does with their own row: links, pauses, leaving no trace."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from digest.model import SubscriberState
from digest.store.connection import Connections, moment, stamp
from digest.store.subscribers import set_row_state


class PersonVerbs(Connections):
    """What a subscriber may do; see `Store` for what each verb promises."""

    def is_link_used(self, link: str) -> bool:
        """Whether a link that works once has been used."""
        return bool(self.rows("SELECT 1 FROM used_links WHERE link = ?", (link,)))

    def use_link(self, link: str, now: datetime) -> bool:
        """Use a link that works once; false when it was used before."""
        with self.writing() as db:
            return bool(
                db.execute(
                    "INSERT OR IGNORE INTO used_links (link, used_at) VALUES (?, ?)",
                    (link, stamp(now)),
                ).rowcount
            )

    def pause(self, subscriber_id: int, until: datetime, now: datetime) -> None:
        """Send nothing until a time, and cancel what waits."""
        with self.writing() as db:
            set_row_state(db, subscriber_id, SubscriberState.PAUSED, now)
            db.execute(
                "UPDATE subscribers SET paused_until = ? WHERE id = ?",
                (stamp(until), subscriber_id),
            )

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
            for table in ("deliveries", "consents", "likes"):
                db.execute(f"DELETE FROM {table} WHERE subscriber_id = ?", (subscriber_id,))  # noqa: S608 - constants
            db.execute("DELETE FROM signups WHERE address_key = ?", (key,))
            db.execute(
                "UPDATE letters SET recipient = '', reply = '',"
                " state = iif(state IN ('queued', 'deferred'), 'cancelled', state)"
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
