"""The store's verbs for listings, term counts and sources, on SQLite."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlite_utils import Database

from digest.model import Listing, SourceRun
from digest.store.connection import Connections, moment, stamp
from digest.store.freeze import LISTING, SOURCE_RUN


class ListingVerbs(Connections):
    """What sources announced; see `Store` for what each verb promises."""

    def known(self, ids: Collection[str]) -> Mapping[str, Listing]:
        """Stored listings by any of their identities."""
        rows = self.rows(
            "SELECT i.identity, l.id, l.body, l.first_seen_at FROM identities i"
            " JOIN listings l ON l.id = i.listing_id"
            " WHERE i.identity IN (SELECT value FROM json_each(?))",
            (json.dumps(list(ids)),),
        )
        return {identity: _listing(*row) for identity, *row in rows}

    def add_listings(
        self,
        new: Sequence[Listing],
        changed: Sequence[Listing],
        terms: Mapping[str, int],
        held_back: Collection[str],
        now: datetime,
    ) -> None:
        """Store new listings, replace changed ones (by `id`), add to the term counts."""
        with self.writing() as db:
            for listing in new:
                sendable = int(listing.key not in held_back)
                row = db.execute(
                    "INSERT INTO listings (key, title, body, first_seen_at, sendable)"
                    " VALUES (?, ?, ?, ?, ?) ON CONFLICT (key) DO NOTHING RETURNING id",
                    (listing.key, listing.title, _body(listing), stamp(now), sendable),
                ).fetchone()
                if row:  # else another run has added it meanwhile
                    _claim_identities(db, listing, row[0])
            for listing in changed:
                db.execute(
                    "UPDATE listings SET title = ?, body = ? WHERE id = ?",
                    (listing.title, _body(listing), listing.id),
                )
                _claim_identities(db, listing, listing.id)
            _count_terms(db, len(new), terms)

    def record_run(self, run: SourceRun, remembered: Mapping[str, str] | None = None) -> None:
        """Keep what one fetch of a source brought, and what to remember for each URL."""
        with self.writing() as db:
            db.execute(
                "INSERT INTO source_runs (source, started_at, succeeded, body) VALUES (?, ?, ?, ?)",
                (
                    run.source,
                    stamp(run.started_at),
                    int(not run.error or run.read > 0),  # a part of it that was read counts
                    SOURCE_RUN.dump_json(run).decode(),
                ),
            )
            db.conn.executemany(
                "INSERT OR REPLACE INTO remembered (source, url, body) VALUES (?, ?, ?)",
                [(run.source, url, body) for url, body in (remembered or {}).items()],
            )

    def latest_runs(self) -> Mapping[str, SourceRun]:
        """The newest run of each source, successful or not."""
        rows = self.rows(
            "SELECT source, body FROM source_runs WHERE id IN"
            " (SELECT max(id) FROM source_runs GROUP BY source) ORDER BY source"
        )
        return {source: SOURCE_RUN.validate_json(body) for source, body in rows}

    def successes(self, since: datetime) -> Mapping[str, Sequence[SourceRun]]:
        """The runs of each source since then that read something or all, oldest first."""
        runs: dict[str, list[SourceRun]] = defaultdict(list)
        for source, body in self.rows(
            "SELECT source, body FROM source_runs WHERE succeeded AND started_at >= ? ORDER BY id",
            (stamp(since),),
        ):
            runs[source].append(SOURCE_RUN.validate_json(body))
        return runs

    def last_success_at(self, source: str) -> datetime | None:
        """When a source was last read, wholly or in part."""
        rows = self.rows(
            "SELECT max(started_at) FROM source_runs WHERE source = ? AND succeeded", (source,)
        )
        return moment(rows[0][0]) if rows[0][0] else None

    def remembered(self, source: str) -> Mapping[str, str]:
        """What was remembered for each URL of a source."""
        return dict(self.rows("SELECT url, body FROM remembered WHERE source = ?", (source,)))

    def candidates(self, since: datetime) -> Sequence[Listing]:
        """Listings first seen since then that may be mailed, in the order of their ids."""
        rows = self.rows(
            "SELECT id, body, first_seen_at FROM listings"
            " WHERE sendable AND first_seen_at >= ? ORDER BY id",
            (stamp(since),),
        )
        return [_listing(*row) for row in rows]

    def find_listings(self, text: str, limit: int) -> Sequence[Listing]:
        """Listings by key, by whole title, else by part of the title, newest first."""
        part = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        rows = self.rows(
            "SELECT id, body, first_seen_at FROM listings"
            " WHERE key = :text OR title LIKE :part ESCAPE '\\'"
            " ORDER BY key = :text DESC, lower(title) = lower(:text) DESC, id DESC LIMIT :limit",
            {"text": text, "part": f"%{part}%", "limit": limit},
        )
        return [_listing(*row) for row in rows]

    def recent_listings(self, limit: int, before: datetime | None = None) -> Sequence[Listing]:
        """The newest stored listings, newest first; only those first seen before a time."""
        rows = self.rows(
            "SELECT id, body, first_seen_at FROM listings WHERE ? IS NULL OR first_seen_at < ?"
            " ORDER BY id DESC LIMIT ?",
            (before and stamp(before), before and stamp(before), limit),
        )
        return [_listing(*row) for row in rows]

    def counted_listings(self) -> int:
        """How many listings the term counts come from."""
        counted = self.rows("SELECT value FROM counters WHERE name = 'listings_counted'")
        return counted[0][0] if counted else 0

    def term_counts(self) -> tuple[int, Mapping[str, int]]:
        """How many listings were counted, and in how many of them each term stands."""
        return self.counted_listings(), dict(self.rows("SELECT * FROM terms"))


def _body(listing: Listing) -> str:
    return LISTING.dump_json(replace(listing, id=0, first_seen_at=None)).decode()


def _listing(row_id: int, body: str, first_seen_at: str) -> Listing:
    return replace(LISTING.validate_json(body), id=row_id, first_seen_at=moment(first_seen_at))


def _claim_identities(db: Database, listing: Listing, row_id: int) -> None:
    rows: list[tuple[Any, ...]] = [(i, row_id) for i in dict.fromkeys((listing.key, *listing.ids))]
    db.conn.executemany("INSERT OR IGNORE INTO identities VALUES (?, ?)", rows)


def _count_terms(db: Database, listings: int, terms: Mapping[str, int]) -> None:
    db.conn.executemany(
        "INSERT INTO terms VALUES (?, ?)"
        " ON CONFLICT (term) DO UPDATE SET listings = listings + excluded.listings",
        list(terms.items()),
    )
    db.execute(
        "INSERT INTO counters VALUES ('listings_counted', ?)"
        " ON CONFLICT (name) DO UPDATE SET value = value + excluded.value",
        (listings,),
    )
