"""A row of the history of settings, written in the transaction of the change itself."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from digest.model import Subscriber
from digest.store.connection import Statements, stamp
from digest.store.freeze import SUBSCRIBER

KEEP_REVISIONS = timedelta(days=7)
MOST_REVISIONS = 50
"""Changes of one subscriber; beyond them the oldest are forgotten."""


@dataclass(frozen=True, slots=True)
class Note:
    """What is told of a change: by what it was made, in words, and of which listing, if of one."""

    by: str
    says: Sequence[str]
    listing_key: str = ""


def remember(db: Statements, before: Subscriber, note: Note, now: datetime) -> int:
    """Keep what settings were before a change, within its transaction; returns its number."""
    row = db.execute(
        "INSERT INTO profile_history (subscriber_id, changed_at, origin, says, before, listing_key)"
        " VALUES (?, ?, ?, ?, ?, ?) RETURNING id",
        (
            before.id,
            stamp(now),
            note.by,
            json.dumps(list(note.says), ensure_ascii=False),
            SUBSCRIBER.dump_json(before).decode(),
            note.listing_key,
        ),
    ).fetchone()
    db.execute(
        "DELETE FROM profile_history WHERE subscriber_id = :id AND id NOT IN (SELECT id FROM"
        " profile_history WHERE subscriber_id = :id ORDER BY id DESC LIMIT :most)",
        {"id": before.id, "most": MOST_REVISIONS},
    )
    return int(row[0])
