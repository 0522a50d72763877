"""The store's verbs for what subscribers said of listings: more like this, less like this.

A listing is kept as it was when it was liked, so that no tidying of listings takes it away.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from digest.model import Listing
from digest.store.connection import Connections, Statements, moment, stamp
from digest.store.freeze import LISTING
from digest.store.personal import Like

MOST_LIKES = 500
"""Likes and dislikes of one subscriber; beyond them the oldest are forgotten."""


class LikeVerbs(Connections):
    """What was liked and disliked; see `Store` for what each verb promises."""

    def like(self, subscriber_id: int, said: Like) -> None:
        """Keep what a subscriber says of a listing, in the place of what they said before."""
        with self.writing() as db:
            keep_like(db, subscriber_id, said)

    def unlike(self, subscriber_id: int, listing: Listing) -> bool:
        """Take back what was said of a listing; false where nothing was."""
        with self.writing() as db:
            return _forget(db, subscriber_id, listing)

    def likes(self, subscriber_ids: Collection[int]) -> Mapping[int, Sequence[Like]]:
        """What these subscribers liked and disliked, the newest first."""
        found: dict[int, list[Like]] = defaultdict(list)
        for subscriber_id, body, value, liked_at, origin in self.rows(
            "SELECT subscriber_id, body, value, liked_at, origin FROM likes"
            " WHERE subscriber_id IN (SELECT CAST(value AS BIGINT) FROM json_each(?))"
            " ORDER BY liked_at DESC, rowid DESC",
            (json.dumps(list(subscriber_ids)),),
        ):
            listing = LISTING.validate_json(body)
            found[subscriber_id].append(Like(listing, value, moment(liked_at), origin))
        return found


def _forget(db: Statements, subscriber_id: int, listing: Listing) -> bool:
    """Delete what was said of a listing under any of its identities: its key may have changed."""
    deleted = db.execute(
        "DELETE FROM likes WHERE subscriber_id = ?"
        " AND listing_key IN (SELECT value FROM json_each(?))",
        (subscriber_id, json.dumps([listing.key, *listing.ids])),
    )
    return bool(deleted.rowcount)


def keep_like(db: Statements, subscriber_id: int, said: Like) -> None:
    """Keep what a subscriber says of a listing, within a transaction."""
    listing = replace(said.listing, id=0, first_seen_at=None)
    _forget(db, subscriber_id, listing)
    db.execute(
        "INSERT INTO likes (subscriber_id, listing_key, value, origin, liked_at, body)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        (
            subscriber_id,
            listing.key,
            said.value,
            said.origin,
            stamp(said.liked_at),
            LISTING.dump_json(listing).decode(),
        ),
    )
    db.execute(
        "DELETE FROM likes WHERE subscriber_id = :id AND rowid NOT IN (SELECT rowid"
        " FROM likes WHERE subscriber_id = :id ORDER BY liked_at DESC, rowid DESC"
        " LIMIT :most)",
        {"id": subscriber_id, "most": MOST_LIKES},
    )
