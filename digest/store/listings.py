"""The store's verbs for listings, term counts and sources."""

from __future__ import annotations

import json
from abc import abstractmethod
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

from digest.model import Listing, SourceRun
from digest.store.collected import Intake, Look
from digest.store.connection import Connections, Part, Statements, add_to_counter, moment, stamp
from digest.store.freeze import LISTING, SOURCE_RUN
from digest.store.shelving import KeepWords, reshelve, shelf_day, shelve

KEEP_ASIDE = timedelta(days=30)
"""How long votes of a day are kept, and what is remembered of an address that is asked no more."""

COUNTED = "listings_counted"
"""Counts the listings that the term counts come from."""


class ListingVerbs(Connections):
    """What sources announced; see `Store` for what each verb promises."""

    @abstractmethod
    def keep_words(self, db: Statements, texts: Mapping[int, tuple[str, ...]]) -> Collection[int]:
        """Keep what is searched of listings, by their rows; returns those that were not so yet."""

    def known(self, ids: Collection[str]) -> Mapping[str, Listing]:
        """Stored listings by any of their identities."""
        rows = self.rows(
            "SELECT i.identity, l.id, l.body, l.first_seen_at FROM identities i"
            " JOIN listings l ON l.id = i.listing_id"
            " WHERE i.identity IN (SELECT value FROM json_each(?))",
            (json.dumps(list(ids)),),
        )
        return {identity: listing_of(*row) for identity, *row in rows}

    def add_listings(
        self,
        new: Sequence[Listing],
        changed: Sequence[Listing],
        terms: Mapping[str, int],
        held_back: Collection[str],
        now: datetime,
    ) -> None:
        """Store new listings, replace changed ones (by `id`), add to the term counts."""
        with self.writing(Part.LISTINGS) as db:
            _store(db, self.keep_words, Intake(new, changed, terms, held_back), now)

    def take_in(self, sort: Callable[[Look], Intake], now: datetime) -> Intake:
        """Store what `sort` makes of the listings that come in; returns it."""
        with self.writing(Part.LISTINGS) as db:
            intake = sort(self.known)
            _store(db, self.keep_words, intake, now)
        return intake

    def vote_history(self, since: date) -> Mapping[int, Sequence[tuple[date, int]]]:
        """By listing the days since then on which votes were seen, and how many at first sight."""
        history: dict[int, list[tuple[date, int]]] = defaultdict(list)
        for listing, seen_on, votes in self.rows(
            "SELECT listing_id, seen_on, votes FROM votes WHERE seen_on >= ? ORDER BY seen_on",
            (since.isoformat(),),
        ):
            history[listing].append((date.fromisoformat(seen_on), votes))
        return history

    def tidy_sources(self, now: datetime) -> Mapping[str, int]:
        """Forget votes and addresses that are no longer asked; returns how many rows per table."""
        old = now - KEEP_ASIDE
        with self.writing(Part.LISTINGS) as db:
            votes = db.execute("DELETE FROM votes WHERE seen_on < ?", (old.date().isoformat(),))
            # What failed is kept: it says when to ask again, and that an address is gone.
            urls = db.execute(
                "DELETE FROM remembered WHERE json_extract(body, '$.read_at') < ?"
                " AND json_extract(body, '$.retry_at') IS NULL",
                (old.isoformat(),),
            )
            return {"votes": votes.rowcount, "remembered": urls.rowcount}

    def record_run(self, run: SourceRun, remembered: Mapping[str, str] | None = None) -> None:
        """Keep what one fetch of a source brought, and what to remember for each URL."""
        with self.writing(Part.LISTINGS) as db:
            db.execute(
                "INSERT INTO source_runs (source, started_at, succeeded, body) VALUES (?, ?, ?, ?)",
                (
                    run.source,
                    stamp(run.started_at),
                    int(not run.error or run.partly),  # a part of it that was read counts
                    SOURCE_RUN.dump_json(run).decode(),
                ),
            )
            db.executemany(
                "INSERT INTO remembered (source, url, body) VALUES (?, ?, ?)"
                " ON CONFLICT (source, url) DO UPDATE SET body = excluded.body",
                [(run.source, url, body) for url, body in (remembered or {}).items()],
            )

    def latest_runs(self) -> Mapping[str, SourceRun]:
        """The newest run of each source, successful or not."""
        rows = self.rows(
            "SELECT source, body FROM source_runs WHERE id IN"
            " (SELECT max(id) FROM source_runs GROUP BY source) ORDER BY source"
        )
        return {source: SOURCE_RUN.validate_json(body) for source, body in rows}

    def successes(
        self, since: datetime, source: str | None = None
    ) -> Mapping[str, Sequence[SourceRun]]:
        """The runs of each source since then that read something or all, oldest first."""
        runs: dict[str, list[SourceRun]] = defaultdict(list)
        for name, body in self.rows(
            "SELECT source, body FROM source_runs WHERE succeeded = 1 AND started_at >= :since"
            " AND (:every = 1 OR source = :source) ORDER BY id",
            {"since": stamp(since), "source": source or "", "every": int(source is None)},
        ):
            runs[name].append(SOURCE_RUN.validate_json(body))
        return runs

    def last_success_at(self, source: str) -> datetime | None:
        """When a source was last read, wholly or in part."""
        rows = self.rows(
            "SELECT max(started_at) FROM source_runs WHERE source = ? AND succeeded = 1",
            (source,),
        )
        return moment(rows[0][0]) if rows[0][0] else None

    def remembered(self, source: str) -> Mapping[str, str]:
        """What was remembered for each URL of a source."""
        return dict(self.rows("SELECT url, body FROM remembered WHERE source = ?", (source,)))

    def candidates(self, since: datetime) -> Sequence[Listing]:
        """Listings first seen since then that may be mailed, in the order of their ids."""
        rows = self.rows(
            "SELECT id, body, first_seen_at FROM listings"
            " WHERE sendable = 1 AND first_seen_at >= ? ORDER BY id",
            (stamp(since),),
        )
        return [listing_of(*row) for row in rows]

    def find_listings(self, text: str, limit: int) -> Sequence[Listing]:
        """Listings by key, by whole title, else by part of the title, newest first."""
        part = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        rows = self.rows(
            "SELECT id, body, first_seen_at FROM listings"
            " WHERE key = :text OR title LIKE :part ESCAPE '\\'"
            " ORDER BY key = :text DESC, lower(title) = lower(:text) DESC, id DESC LIMIT :limit",
            {"text": text, "part": f"%{part}%", "limit": limit},
        )
        return [listing_of(*row) for row in rows]

    def recent_listings(self, limit: int) -> Sequence[Listing]:
        """The newest stored listings, newest first."""
        rows = self.rows(
            "SELECT id, body, first_seen_at FROM listings ORDER BY id DESC LIMIT ?", (limit,)
        )
        return [listing_of(*row) for row in rows]

    def recent_ids(self, limit: int, before: datetime) -> Sequence[int]:
        """The rows of the newest listings first seen before a time, newest first."""
        rows = self.rows(  # by the index alone: no text is read
            "SELECT id FROM listings WHERE first_seen_at < ?"
            " ORDER BY first_seen_at DESC, id DESC LIMIT ?",
            (stamp(before), limit),
        )
        return [row[0] for row in rows]

    def listings_by_id(self, ids: Sequence[int]) -> Sequence[Listing]:
        """The listings of these rows, in their order; those that there are none of are left out."""
        rows = self.rows(
            "SELECT id, body, first_seen_at FROM listings"
            " WHERE id IN (SELECT CAST(value AS BIGINT) FROM json_each(?))",
            (json.dumps(ids),),
        )
        found = {row[0]: listing_of(*row) for row in rows}
        return [found[one] for one in ids if one in found]

    def counted_listings(self) -> int:
        """How many listings the term counts come from."""
        return self.counter(COUNTED)

    def term_counts(self) -> tuple[int, Mapping[str, int]]:
        """How many listings were counted, and in how many of them each term stands."""
        return self.counted_listings(), dict(self.rows("SELECT * FROM terms"))


def _store(db: Statements, keep: KeepWords, intake: Intake, now: datetime) -> None:
    """Write what a batch of listings comes to."""
    votes = dict(intake.votes)
    for row, listing in _add(db, keep, intake, now).items():
        if listing.votes is not None:
            votes[row] = listing.votes
    for listing in intake.changed:
        _change(db, keep, listing)
    db.executemany(
        "UPDATE listings SET sendable = 1, first_seen_at = ? WHERE id = ? AND sendable = 0",
        [(stamp(now), row) for row in intake.released],
    )
    db.executemany(
        "INSERT INTO votes VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        [(row, now.date().isoformat(), seen) for row, seen in votes.items()],
    )
    _count_terms(db, len(intake.new), intake.terms)


def _add(db: Statements, keep: KeepWords, intake: Intake, now: datetime) -> dict[int, Listing]:
    """Write the new listings but for those whose key is taken; returns them by their rows."""
    taken = _rows_of(db, intake.new)
    free: dict[str, Listing] = {}
    for listing in intake.new:
        if listing.key not in taken:
            free.setdefault(listing.key, listing)
    days, seen_at = {key: shelf_day(one, now) for key, one in free.items()}, stamp(now)
    db.executemany(
        "INSERT INTO listings (key, title, body, first_seen_at, sendable, day, votes)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            (
                key,
                one.title,
                _body(one),
                seen_at,
                int(key not in intake.held_back),
                days[key].isoformat(),
                one.votes,
            )
            for key, one in free.items()
        ),
    )
    rows = _rows_of(db, free.values())
    added = {rows[key]: one for key, one in free.items()}
    _claim_identities(db, added)
    shelve(db, keep, added, {row: days[one.key] for row, one in added.items()})
    return added


def _rows_of(db: Statements, listings: Collection[Listing]) -> dict[str, int]:
    """The rows that there are under the keys of these listings."""
    keys = json.dumps([listing.key for listing in listings])
    found = "SELECT key, id FROM listings WHERE key IN (SELECT value FROM json_each(?))"
    return dict(db.execute(found, (keys,)).fetchall())


def _change(db: Statements, keep: KeepWords, listing: Listing) -> None:
    """Write what a stored listing has become."""
    row = db.execute(
        "SELECT first_seen_at, day FROM listings WHERE id = ?", (listing.id,)
    ).fetchone()
    if row is None:
        return
    day, was = shelf_day(listing, moment(row[0])), date.fromisoformat(row[1])
    db.execute(
        "UPDATE listings SET title = ?, body = ?, day = ?, votes = ? WHERE id = ?",
        (listing.title, _body(listing), day.isoformat(), listing.votes, listing.id),
    )
    _claim_identities(db, {listing.id: listing})
    reshelve(db, keep, listing, was, day)


def _body(listing: Listing) -> str:
    if listing.id or listing.first_seen_at:
        listing = replace(listing, id=0, first_seen_at=None)
    return LISTING.dump_json(listing).decode()


def listing_of(row_id: int, body: str, first_seen_at: str) -> Listing:
    """The listing of a row."""
    return replace(LISTING.validate_json(body), id=row_id, first_seen_at=moment(first_seen_at))


def _claim_identities(db: Statements, listings: Mapping[int, Listing]) -> None:
    db.executemany(
        "INSERT INTO identities VALUES (?, ?) ON CONFLICT DO NOTHING",
        ((name, row) for row, one in listings.items() for name in (one.key, *one.ids)),
    )


def _count_terms(db: Statements, listings: int, terms: Mapping[str, int]) -> None:
    db.executemany(
        "INSERT INTO terms VALUES (?, ?)"
        " ON CONFLICT (term) DO UPDATE SET listings = terms.listings + excluded.listings",
        list(terms.items()),
    )
    add_to_counter(db, COUNTED, listings)
