"""The store's verbs for the keys of programs; only their keyed hashes are known here."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from digest.store.connection import Connections, moment, stamp
from digest.store.operating import MOST_KEYS, ApiKey

SELECT_KEY = "SELECT id, subscriber_id, name, created_at, used_on FROM api_keys"


class KeyVerbs(Connections):
    """Keys of programs; see `Operating` for what each verb promises."""

    def add_api_key(
        self, subscriber_id: int, name: str, fingerprint: str, now: datetime
    ) -> ApiKey | None:
        """Keep the keyed hash of a new key; None for who has `MOST_KEYS` or is gone."""
        with self.writing() as db:
            row = db.execute(
                "INSERT INTO api_keys (subscriber_id, name, fingerprint, created_at, used_on)"
                " SELECT id, :name, :fingerprint, :now, '' FROM subscribers"
                " WHERE id = :subscriber AND email != '' AND"
                " (SELECT count(*) FROM api_keys WHERE subscriber_id = :subscriber) < :most"
                " RETURNING id, subscriber_id, name, created_at, used_on",
                {
                    "subscriber": subscriber_id,
                    "name": name,
                    "fingerprint": fingerprint,
                    "now": stamp(now),
                    "most": MOST_KEYS,
                },
            ).fetchone()
        return _key(row) if row else None

    def api_keys(self, subscriber_id: int) -> Sequence[ApiKey]:
        """The keys of a subscriber, oldest first."""
        rows = self.rows(SELECT_KEY + " WHERE subscriber_id = ? ORDER BY id", (subscriber_id,))
        return [_key(row) for row in rows]

    def api_key(self, fingerprints: Sequence[str], now: datetime) -> ApiKey | None:
        """The key that one of these keyed hashes is of; the day of its use is kept."""
        rows = self.rows(
            SELECT_KEY + " WHERE fingerprint IN (SELECT value FROM json_each(?))",  # noqa: S608 - constants
            (json.dumps(list(fingerprints)),),
        )
        if not rows:
            return None
        found, today = _key(rows[0]), now.date()
        if found.used_on != today:  # once a day: a request must not wait for the disk
            with self.writing() as db:
                values = (today.isoformat(), found.id)
                db.execute("UPDATE api_keys SET used_on = ? WHERE id = ?", values)
        return found

    def revoke_api_key(self, subscriber_id: int, key_id: int) -> bool:
        """Make a key worthless; false where the subscriber has no such key."""
        with self.writing() as db:
            values = (key_id, subscriber_id)
            sql = "DELETE FROM api_keys WHERE id = ? AND subscriber_id = ?"
            return bool(db.execute(sql, values).rowcount)


def _key(row: Sequence[Any]) -> ApiKey:
    number, subscriber_id, name, created_at, used_on = row
    used = date.fromisoformat(used_on) if used_on else None
    return ApiKey(number, subscriber_id, name, moment(created_at), used)
