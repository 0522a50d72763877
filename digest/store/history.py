"""The store's verbs for the history of settings: how they were before each change."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from digest.model import Origin, Subscriber
from digest.revisions import told
from digest.store.connection import Connections, Statements, moment, stamp
from digest.store.freeze import SUBSCRIBER
from digest.store.likes import keep_like
from digest.store.remembering import KEEP_REVISIONS, Note, remember
from digest.store.revising import Revised, Revision
from digest.store.subscribers import SELECT_SUBSCRIBER, put_row, subscriber_of

SELECT_REVISION = "SELECT id, changed_at, origin, says, before, listing_key FROM profile_history"


class HistoryVerbs(Connections):
    """What settings were; see `ProfileKeeper` for what each verb promises."""

    def revise(self, subscriber_id: int, wanted: Revised, now: datetime) -> int | None:
        """Change a profile; returns the number of the change, None where it is another by now."""
        with self.writing() as db:
            before = _subscriber(db, subscriber_id)
            if before is None or before.profile != wanted.expected:
                return None
            after = replace(before, profile=wanted.profile)
            if after != before and before.origin is not Origin.FILE:
                put_row(db, after, now)
            if wanted.said:
                keep_like(db, subscriber_id, wanted.said)
            key = wanted.said.listing.key if wanted.said else ""
            return remember(db, before, Note(wanted.by, wanted.says, key), now)

    def revisions(self, subscriber_id: int) -> Sequence[Revision]:
        """The changes that are kept, the newest first."""
        rows = self.rows(
            SELECT_REVISION + " WHERE subscriber_id = ? ORDER BY id DESC", (subscriber_id,)
        )
        return [_revision(row) for row in rows]

    def go_back(self, subscriber_id: int, revision_id: int, now: datetime) -> Subscriber | None:
        """Make the settings what they were before a change, and take back what was said since."""
        with self.writing() as db:
            row = db.execute(
                SELECT_REVISION + " WHERE subscriber_id = ? AND id = ? AND changed_at > ?",
                (subscriber_id, revision_id, stamp(now - KEEP_REVISIONS)),
            ).fetchone()
            current = _subscriber(db, subscriber_id)
            if row is None or current is None:
                return None
            then = _revision(row).before
            db.execute(
                "DELETE FROM likes WHERE subscriber_id = :id AND listing_key IN (SELECT listing_key"
                " FROM profile_history WHERE subscriber_id = :id AND id >= :since)",
                {"id": subscriber_id, "since": revision_id},
            )
            after = replace(
                then, email=current.email, origin=current.origin, state=current.state, id=current.id
            )
            if after != current and current.origin is not Origin.FILE:
                put_row(db, after, now)
            says = told(current, after) or ("What was said of a paper is taken back.",)
            remember(db, current, Note("undo", says), now)
            return after


def _subscriber(db: Statements, subscriber_id: int) -> Subscriber | None:
    row = db.execute(
        SELECT_SUBSCRIBER + " WHERE id = ? AND email != ''", (subscriber_id,)
    ).fetchone()
    return subscriber_of(row) if row else None


def _revision(row: Sequence[Any]) -> Revision:
    number, changed_at, by, says, before, listing_key = row
    return Revision(
        id=number,
        changed_at=moment(changed_at),
        by=by,
        says=tuple(json.loads(says)),
        before=SUBSCRIBER.validate_json(before),
        listing_key=listing_key,
    )
