r"""What makes a stored listing findable: its day, its sources and categories, its text.

Kept in the transaction that stores the listing. The text is as people read it, without TeX, so that
a search for `Lévy` finds what was announced as `L\'evy`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import date, datetime

from digest.model import Listing
from digest.store.connection import Statements
from digest.tex import readable

COLUMNS = ("title", "abstract", "author", "category", "org", "source", "id")
"""The columns of the table `search`, as searches name them."""

FULL_TEXT = f"""
CREATE VIRTUAL TABLE search USING fts5(
    {", ".join(COLUMNS)},
    tokenize = 'porter unicode61 remove_diacritics 2'
)
"""
"""An index of a few listings, for what was found in them."""

KeepWords = Callable[[Statements, Mapping[int, tuple[str, ...]]], Collection[int]]
"""Keeps what is searched of rows, the texts by `COLUMNS`; returns those that were not so yet."""

OPENS, CLOSES = "\x02", "\x03"
"""What marks a hit in a text; no stored text has these."""

_MARKS = re.compile("[\x00-\x03]")
_LONGEST = 20_000  # characters of an abstract that are searched
_MOST_FACETS = 20  # of one kind
_LONGEST_FACET = 80

_INSERT = (
    f"INSERT INTO search (rowid, {', '.join(COLUMNS)})"  # noqa: S608 - names of ours
    f" VALUES (?{', ?' * len(COLUMNS)})"
)
_SELECT = (
    f"SELECT rowid, {', '.join(COLUMNS)} FROM search"  # noqa: S608 - as above
    " WHERE rowid IN (SELECT value FROM json_each(?))"
)


def shelf_day(listing: Listing, first_seen_at: datetime) -> date:
    """The day on whose page a listing stands."""
    own = listing.listed_on or (listing.published_at and listing.published_at.date())
    seen = first_seen_at.date()
    return min(own, seen) if own else seen


def shelve(
    db: Statements, keep: KeepWords, listings: Mapping[int, Listing], days: Mapping[int, date]
) -> None:
    """Make new listings findable, each by its row, on the page of its day."""
    keep(db, {row: texts_of(one) for row, one in listings.items()})
    _place(db, listings, days)


def reshelve(db: Statements, keep: KeepWords, listing: Listing, was: date, day: date) -> None:
    """Keep what makes a changed listing findable in step with it."""
    row = listing.id
    if keep(db, {row: texts_of(listing)}) or was != day:
        values = (was.isoformat(), row)
        db.execute("DELETE FROM facets WHERE day = ? AND listing_id = ?", values)
        _place(db, {row: listing}, {row: day})


def keep_in_fts(db: Statements, texts: Mapping[int, tuple[str, ...]]) -> Collection[int]:
    """Keep what is searched of rows in SQLite's FTS5; returns those that were not so yet."""
    found = db.execute(_SELECT, (json.dumps(list(texts)),)).fetchall()
    kept = {row: tuple(old) for row, *old in found}
    changed = [row for row in texts if kept.get(row) != texts[row]]
    db.executemany("DELETE FROM search WHERE rowid = ?", [(row,) for row in changed if row in kept])
    db.executemany(_INSERT, [(row, *texts[row]) for row in changed])
    return changed


def _place(db: Statements, listings: Mapping[int, Listing], days: Mapping[int, date]) -> None:
    db.executemany(
        "INSERT INTO facets (day, kind, name, listing_id) VALUES (?, ?, ?, ?)"
        " ON CONFLICT DO NOTHING",
        (
            (days[row].isoformat(), kind, name, row)
            for row, listing in listings.items()
            for kind, name in _facets(listing)
        ),
    )


def _facets(listing: Listing) -> Iterator[tuple[str, str]]:
    """(source or category, its name) of a listing."""
    for kind, names in (
        ("source", (listing.source, *listing.also_in)),
        ("category", listing.subjects),
    ):
        for name in names[:_MOST_FACETS]:
            if name and len(name) <= _LONGEST_FACET:
                yield kind, name


def texts_of(listing: Listing) -> tuple[str, ...]:
    """What is searched of a listing, by `COLUMNS`."""
    ids = [name for name in listing.ids if name.startswith(("arxiv:", "doi:", "pmid:"))]
    return tuple(
        text if text.isprintable() else _MARKS.sub("", text)
        for text in (
            readable(listing.title),
            readable(listing.abstract[:_LONGEST]),
            "; ".join(listing.authors),
            "; ".join(listing.subjects),
            listing.organization,
            "; ".join((listing.source, *listing.also_in)),
            " ".join(dict.fromkeys((*ids, listing.key) if ids else ids)),
        )
    )
