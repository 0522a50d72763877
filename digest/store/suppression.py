"""The suppression list: whom nobody may mail, known by keyed hashes alone.

An address stays on it when its subscriber is deleted, erased or imported again. Its case does not
matter: who complained as `Ada@` is not mailed as `ada@`.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from digest.store.connection import Statements, moment, stamp
from digest.store.journal import UNSUBSCRIBED, Journal
from digest.store.returned import Reason, Suppression

Hashes = Callable[[str], Sequence[str]]
"""A text -> its hashes by every key, the newest key's first."""

ADDRESS = re.compile(r"[^\s<>@;:,]+@[^\s<>@;:,]+")
NOTE = 300
"""Characters of a note that are kept."""

LISTED = "SELECT address, reason, note, since FROM suppressed ORDER BY since DESC, address"
LISTED_AS = (
    "SELECT address, reason, note, since FROM suppressed"
    " WHERE address IN (SELECT value FROM json_each(?))"
)
PUT_SUPPRESSED = (
    "INSERT INTO suppressed (address, reason, note, since) VALUES (?, ?, ?, ?)"
    " ON CONFLICT (address) DO UPDATE SET reason = excluded.reason, note = excluded.note,"
    " since = excluded.since"
)


def unkeyed(text: str) -> Sequence[str]:
    """A plain hash, for a store that no service uses."""
    return [hashlib.sha256(text.encode()).hexdigest()]


class SuppressionList(Journal):
    """Who is on the list; `hashes` comes from whoever knows the keys."""

    hashes: Hashes = staticmethod(unkeyed)

    def suppression(self, email: str) -> Suppression | None:
        """Why an address gets no mail; None where it may get some."""
        return self._listed(email)

    def suppressions(self) -> Sequence[Suppression]:
        """Every suppressed address, the newest first."""
        known = {
            address: email
            for (email,) in self.rows("SELECT email FROM subscribers WHERE email != ''")
            for address in self._hashed(email)
        }
        rows = self.rows(LISTED)
        return [_suppression(row, known.get(row[0], "")) for row in rows]

    def _listed(self, email: str) -> Suppression | None:
        rows = self.rows(LISTED_AS, (json.dumps(self._hashed(email)),))
        return _suppression(rows[0], email) if rows else None

    def _list(
        self, db: Statements, email: str, reason: Reason, note: str, now: datetime
    ) -> Suppression:
        """Put an address on the list, or a stronger reason in the place of a weaker one."""
        return self._list_all(db, [(email, reason, note)], now)[0]

    def _list_all(
        self, db: Statements, said: Iterable[tuple[str, Reason, str]], now: datetime
    ) -> list[Suppression]:
        """The same for several (address, reason, note), with one word to the disk for all."""
        made, entries = [], {}
        for email, reason, note in said:
            known = self._listed(email)
            if known and strength(known.reason) >= strength(reason):
                made.append(known)
                continue
            address = known.address if known else self._hashed(email)[0]
            one = Suppression(address, reason, without_addresses(note), now, email)
            db.execute(PUT_SUPPRESSED, (one.address, one.reason, one.note, stamp(now)))
            entries[address] = (str(one.reason), one.note, stamp(now))
            made.append(one)
        if entries:
            self._append(db, entries)
        return made

    def _unlist(self, db: Statements, email: str, now: datetime) -> None:
        """Take an address off the list; whoever left before may be mailed again."""
        for address in self._hashed(email):
            self._note(db, address, ("", "", stamp(now)))
        db.execute(
            "DELETE FROM suppressed WHERE address IN (SELECT value FROM json_each(?))",
            (json.dumps(self._hashed(email)),),
        )

    def _note_left(self, db: Statements, email: str, now: datetime) -> None:
        """Write down beside the database that the person of an address has unsubscribed."""
        self._note(db, self._hashed(email)[0], (UNSUBSCRIBED, "", stamp(now)))

    def _hashed(self, email: str) -> list[str]:
        return list(self.hashes(f"suppressed {email.lower()}"))


def without_addresses(text: str) -> str:
    """A note as it is kept: one line, cut, and no mail address in it."""
    return " ".join(ADDRESS.sub("…", text).split())[:NOTE]


def strength(reason: Reason) -> int:
    """What tells which of two reasons holds: the greater."""
    return list(Reason).index(reason)


def _suppression(row: Sequence[str], email: str) -> Suppression:
    address, reason, note, since = row
    return Suppression(address, Reason(reason), note, moment(since), email)
