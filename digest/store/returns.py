"""The store's verbs for what came back: which mail it was, and what follows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from digest.bounces import LIMIT, is_flood, points
from digest.model import SubscriberState
from digest.store.connection import Statements, moment, stamp
from digest.store.returned import Effect, Mailed, Reason, Suppression, What
from digest.store.subscribers import address_key, set_row_state
from digest.store.suppression import SuppressionList, without_addresses

DIGEST = "SELECT id, message_id, recipient, subscriber_id, digest_on FROM deliveries"
LETTER = (
    "SELECT l.id, l.message_id, l.recipient, NULL, l.created_at FROM letters l"
    " WHERE l.recipient != ''"
)
FLOOD_WITHIN = timedelta(days=1)
KEEP_RETURNS = timedelta(days=60)
"""Five points, seven days apart each, reach back four weeks."""

MAILABLE = (SubscriberState.ACTIVE, SubscriberState.PAUSED, SubscriberState.PENDING)


class ReturnVerbs(SuppressionList):
    """The accounts of what came back; see `Returned` for what each verb promises."""

    def mailed(self, kind: str, number: int) -> Mailed | None:
        """The mail of a row that is still kept; `kind` is `d` for a digest, `l` for a letter."""
        if kind == "d":
            return _mailed("d", self.rows(f"{DIGEST} WHERE id = ?", (number,)))
        return _mailed("l", self.rows(f"{LETTER} AND l.id = ?", (number,)))

    def mailed_as(self, message_id: str) -> Mailed | None:
        """The mail that had a Message-ID (without angles)."""
        return _mailed("d", self.rows(f"{DIGEST} WHERE message_id = ?", (message_id,))) or _mailed(
            "l", self.rows(f"{LETTER} AND l.message_id = ?", (message_id,))
        )

    def take_return(self, mail: Mailed, what: What, note: str, now: datetime) -> Effect:
        """Record what came back, and let follow what does; the same again changes nothing."""
        with self.writing() as db:
            if not _record(db, mail, what, note, now):
                return Effect.REPEATED
            match what:
                case What.COMPLAINT:
                    self._end(db, mail, Reason.COMPLAINED, note, now)
                    return Effect.SUPPRESSED
                case What.OPT_OUT:
                    _set_state(db, mail.recipient, SubscriberState.UNSUBSCRIBED, now)
                    self._note_left(db, mail.recipient, now)
                    return Effect.UNSUBSCRIBED
                case What.HARD | What.SOFT:
                    return self._fail(db, mail, what, note, now)

    def returned(self, since: datetime, until: datetime | None = None) -> Mapping[What, int]:
        """How many mails came back since then and before a time, and how."""
        rows = self.rows(
            "SELECT what, count(*) FROM returns WHERE returned_at >= :since"
            " AND (:until = '' OR returned_at < :until) GROUP BY what",
            {"since": stamp(since), "until": stamp(until) if until else ""},
        )
        return {What(what): count for what, count in rows}

    def suppress(self, email: str, reason: Reason, note: str, now: datetime) -> Suppression:
        """Let an address get no mail any more; returns what is in force, which may be stronger."""
        with self.writing() as db:
            said = self._list(db, email, reason, note, now)
            _set_state(db, email, SubscriberState.SUPPRESSED, now)
        return said

    def lift(self, email: str, now: datetime) -> Suppression | None:
        """Let the operator take back a suppression; returns what is left of it, or None."""
        with self.writing() as db:
            known = self._listed(email)
            if known is None or known.reason is Reason.LEFT:
                return known
            self._unlist(db, email, now)
            if known.reason is Reason.COMPLAINED:
                return self._list(db, email, Reason.LEFT, "the complaint was lifted", now)
            self._revive(db, email, now)
        return None

    def tidy_returns(self, now: datetime) -> Mapping[str, int]:
        """Delete what retention no longer allows; returns how many rows per table."""
        with self.writing() as db:
            old = stamp(now - KEEP_RETURNS)
            count = db.execute("DELETE FROM returns WHERE returned_at < ?", (old,)).rowcount
        return {"returns": count}

    def _fail(self, db: Statements, mail: Mailed, what: What, note: str, now: datetime) -> Effect:
        """A mail that did not arrive: an end, or a point."""
        hit = _failed_nearby(db, mail, now)
        flood = is_flood(len(hit), _mailed_nearby(db, mail, now))
        if flood:
            self._forgive(db, hit, now)
        if what is What.HARD and not flood:
            self._end(db, mail, Reason.BOUNCED, note, now)
            return Effect.SUPPRESSED
        if points(_failed_on(db, mail)) >= LIMIT:
            self._end(db, mail, Reason.FAILING, f"{LIMIT} days; the last: {note}", now)
            return Effect.SUPPRESSED
        return Effect.FLOOD if flood else Effect.COUNTED

    def _end(self, db: Statements, mail: Mailed, reason: Reason, note: str, now: datetime) -> None:
        """No mail goes to the address any more, and nothing that waits for it."""
        self._list(db, mail.recipient, reason, note, now)
        state = SubscriberState.SUPPRESSED
        if reason is Reason.COMPLAINED:
            state = SubscriberState.UNSUBSCRIBED
            key = address_key(mail.recipient)
            db.execute("DELETE FROM signups WHERE address_key = ?", (key,))
        _set_state(db, mail.recipient, state, now)
        db.execute(
            "UPDATE letters SET state = 'cancelled', next_attempt_at = NULL, closed_at = ?"
            " WHERE recipient = ? AND state IN ('queued', 'deferred')",
            (stamp(now), mail.recipient),
        )

    def _forgive(
        self, db: Statements, hit: Sequence[tuple[str, int | None]], now: datetime
    ) -> None:
        """Turn the ends of a flood's first hours into points."""
        for message_id, subscriber_id in hit:
            row = db.execute(
                "SELECT email FROM subscribers WHERE id = ? AND state = 'suppressed'",
                (subscriber_id,),
            ).fetchone()
            known = self._listed(row[0]) if row else None
            if known and known.reason is Reason.BOUNCED:
                self._unlist(db, row[0], now)
                _set_state(db, row[0], SubscriberState.ACTIVE, now)
            db.execute(
                "UPDATE returns SET what = 'soft' WHERE message_id = :id AND what = 'hard' AND NOT"
                " EXISTS (SELECT 1 FROM returns WHERE message_id = :id AND what = 'soft')",
                {"id": message_id},
            )

    def _revive(self, db: Statements, email: str, now: datetime) -> None:
        """Mail an address again; its points are gone, or the next one would end it."""
        revive(db, email, now)


def revive(db: Statements, email: str, now: datetime) -> None:
    """Make a suppressed subscriber active and take away the points."""
    key = address_key(email)
    row = db.execute("SELECT id, state FROM subscribers WHERE address_key = ?", (key,)).fetchone()
    if row:
        db.execute("UPDATE returns SET counts = 0 WHERE subscriber_id = ?", (row[0],))
        if row[1] == SubscriberState.SUPPRESSED:
            set_row_state(db, row[0], SubscriberState.ACTIVE, now)


def _mailed(kind: str, rows: Sequence[Sequence[Any]]) -> Mailed | None:
    if not rows:
        return None
    number, message_id, recipient, subscriber_id, on = rows[0]
    day = date.fromisoformat(on) if kind == "d" else moment(on).date()
    return Mailed(kind, number, message_id, recipient, subscriber_id, day)


def _record(db: Statements, mail: Mailed, what: What, note: str, now: datetime) -> bool:
    """Write down what came back; false when it was there already."""
    cursor = db.execute(
        "INSERT INTO returns (message_id, what, subscriber_id, domain, failed_on,"
        " returned_at, note, counts) VALUES (?, ?, ?, ?, ?, ?, ?, 1)"
        " ON CONFLICT (message_id, what) DO NOTHING",
        (
            mail.message_id,
            what,
            mail.subscriber_id,
            mail.recipient.rpartition("@")[2].lower(),
            mail.mailed_on.isoformat(),
            stamp(now),
            without_addresses(note),
        ),
    )
    return bool(cursor.rowcount)


def _failed_on(db: Statements, mail: Mailed) -> list[date]:
    """The days whose mails to the same subscriber failed."""
    rows = db.execute(
        "SELECT failed_on FROM returns WHERE subscriber_id = ? AND counts = 1"
        " AND what IN ('hard', 'soft')",
        (mail.subscriber_id,),
    )
    return [date.fromisoformat(day) for (day,) in rows]


def _failed_nearby(db: Statements, mail: Mailed, now: datetime) -> list[tuple[str, int | None]]:
    """(Message-ID, subscriber) of what failed at the same receiver within a day; one a person."""
    rows = db.execute(
        "SELECT max(message_id), subscriber_id FROM returns WHERE domain = ? AND returned_at > ?"
        " AND what IN ('hard', 'soft') AND subscriber_id IS NOT NULL GROUP BY subscriber_id",
        (mail.recipient.rpartition("@")[2].lower(), stamp(now - FLOOD_WITHIN)),
    )
    return list(rows)


def _mailed_nearby(db: Statements, mail: Mailed, now: datetime) -> int:
    """How many subscribers of the same receiver were mailed within a day."""
    (count,) = db.execute(
        "SELECT count(DISTINCT subscriber_id) FROM deliveries WHERE prepared_at > ?"
        " AND state NOT IN ('empty', 'queued', 'cancelled')"
        " AND lower(substr(recipient, instr(recipient, '@') + 1)) = ?",
        (stamp(now - FLOOD_WITHIN), mail.recipient.rpartition("@")[2].lower()),
    ).fetchone()
    return int(count)


def _set_state(db: Statements, email: str, state: SubscriberState, now: datetime) -> None:
    """Change the state of an address that is mailed, or was; who left or was removed stays so."""
    row = db.execute(
        "SELECT id, state FROM subscribers WHERE address_key = ?", (address_key(email),)
    ).fetchone()
    if row and row[1] in (*MAILABLE, SubscriberState.SUPPRESSED):
        set_row_state(db, row[0], state, now)
