"""Stored listings read by days and found by words."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlite_utils import Database

from digest.errors import StoreError
from digest.model import Listing
from digest.query import QueryError, parse_query
from digest.store import Store
from digest.store.collected import Intake
from digest.store.file import check_full_text
from digest.store.migrations import migrations
from digest.store.shelves import MOST_FOUND, Order, Shelf
from digest.store.shelving import shelf_day
from digest.store.sqlite import SqliteStore
from tests.samples import NOW, listing

TODAY = NOW.date()
A_DAY = timedelta(days=1)


def titles(found: Sequence[Listing]) -> list[str]:
    """The titles of listings."""
    return [one.title for one in found]


def shelf(store: Store, order: Order = Order.NEWEST, days: int = 1, **named: str) -> list[str]:
    """The titles on the shelf of the days up to today."""
    wanted = Shelf(TODAY - (days - 1) * A_DAY, TODAY, **named)
    count, found = store.shelf(wanted, order, TODAY, 50, 0)
    assert count == len(found)
    return titles(found)


def search(store: Store, text: str, order: Order = Order.BEST) -> list[str]:
    """The titles of what a search finds."""
    return titles([hit.listing for hit in store.search(parse_query(text), order, 50, 0).hits])


@pytest.mark.parametrize(
    ("fields", "day"),
    [
        ({"listed_on": TODAY - A_DAY, "published_at": NOW}, TODAY - A_DAY),
        ({"published_at": NOW - 3 * A_DAY}, TODAY - 3 * A_DAY),
        ({}, TODAY),
        ({"listed_on": TODAY + A_DAY}, TODAY),
    ],
)
def test_the_day_of_a_listing(fields: dict[str, date], day: date) -> None:
    """That of its list, else its own, else that of its first sight; never a later one."""
    assert shelf_day(listing("x", **fields), NOW) == day


def test_a_shelf_is_sorted_and_filtered(store: Store) -> None:
    """Newest, most voted, by source (also those it stands in as well) and category."""
    store.add_listings(
        [
            listing("old", listed_on=TODAY - A_DAY, subjects=("cs.CL",), votes=1),
            listing("a", subjects=("cs.CL", "cs.LG"), votes=3),
            listing("b", source="other", also_in=("test",), votes=7),
            listing("c", source="other", subjects=("cs.LG",)),
        ],
        [], {}, (), NOW,
    )  # fmt: skip
    assert shelf(store) == ["c", "b", "a"]
    assert shelf(store, days=2) == ["c", "b", "a", "old"]
    assert shelf(store, Order.VOTES, days=2) == ["b", "a", "old", "c"]
    assert shelf(store, days=2, source="test") == ["b", "a", "old"]
    assert shelf(store, days=2, source="test", category="cs.CL") == ["a", "old"]
    assert shelf(store, category="cs") == []
    facets = store.facets(TODAY, TODAY, 2)
    assert list(facets.sources) == [("other", 2), ("test", 2)]
    assert list(facets.categories) == [("cs.LG", 2), ("cs.CL", 1)]
    assert store.shelf(Shelf(TODAY, TODAY), Order.NEWEST, TODAY, 1, 1)[0] == 3
    assert titles(store.shelf(Shelf(TODAY, TODAY), Order.NEWEST, TODAY, 1, 1)[1]) == ["b"]


def test_what_gathers_votes_rises(store: Store) -> None:
    """More votes since they were first seen, not more votes."""
    named = [listing("great", votes=90), listing("rising", votes=1), listing("mute")]
    store.add_listings(named, [], {}, (), NOW - A_DAY)
    for one in store.recent_listings(9):
        gained = {"great": 2, "rising": 30}.get(one.title)
        if gained:
            changed = replace(one, votes=(one.votes or 0) + gained)
            intake = Intake(changed=[changed], votes={one.id: changed.votes or 0})
            store.take_in(lambda look, intake=intake: intake, NOW)  # type: ignore[misc]  # bound at once
    assert shelf(store, Order.RISING, days=2) == ["rising", "great", "mute"]
    assert shelf(store, Order.VOTES, days=2) == ["great", "rising", "mute"]


def test_the_days_beside_are_those_with_listings(store: Store) -> None:
    """Weekends and gaps are passed over."""
    assert store.days_beside(TODAY, TODAY) == (None, None)
    days = [TODAY - 9 * A_DAY, TODAY - 4 * A_DAY, TODAY]
    named = [listing(f"{day}", listed_on=day) for day in days]
    store.add_listings(named, [], {}, (), NOW)
    assert store.days_beside(days[1], days[1]) == (days[0], days[2])
    assert store.days_beside(days[0], days[1]) == (None, days[2])


def test_a_changed_listing_moves_and_is_found_anew(store: Store) -> None:
    """Its day, its categories and its words follow it; what it was is no longer found."""
    store.add_listings([listing("Alpha", subjects=("cs.CL",))], [], {}, (), NOW)
    (kept,) = store.recent_listings(1)
    changed = replace(kept, title="Beta", subjects=("cs.LG",), listed_on=TODAY - A_DAY)
    store.add_listings([], [changed], {}, (), NOW)
    assert shelf(store) == []
    assert shelf(store, days=2, category="cs.LG") == ["Beta"]
    assert shelf(store, days=2, category="cs.CL") == []
    assert (search(store, "alpha"), search(store, "beta")) == ([], ["Beta"])


FOUND = [
    listing(
        "Flash attention for networks",
        key="arxiv:2606.00467",
        ids=("arxiv:2606.00467", "doi:10.1000/xy"),
        abstract="Tiles of memory.",
        authors=("Emmy Noether",),
        subjects=("cs.CL",),
    ),
    listing("On tiles", abstract="A flash of attention.", subjects=("cs.LG",), source="other"),
    listing("L\\'evy flights at universities", abstract="A time-step of $\\alpha$ and a timestep."),
    listing('Quotes " and %_ NEAR', abstract="100% off."),
]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("flash attention", [0, 1]),
        ('"flash attention"', [0]),
        ("NETWORK", [0]),
        ("title:tiles", [1]),
        ("tiles -title:tiles", [0]),
        ("flash title:tiles | author:noether", [0, 1]),
        ("category:cs.CL", [0]),
        ("category:cs.*", [0, 1]),
        ("source:other", [1]),
        ("levy", [2]),
        ("Lévy", [2]),
        ("α", [2]),
        ("universi*", [2]),
        ("universiti*", [2]),
        ("time-step", [2]),
        ("netw*", [0]),
        ("arXiv:2606.00467", [0]),
        ("https://doi.org/10.1000/XY", [0]),
        ("2606.00467", [0]),
        ("100%", [3]),
        ('"', None),
        ("nothing", []),
    ],
)
def test_words_find_listings(store: Store, text: str, found: list[int] | None) -> None:
    """Endings, accents, TeX, phrases, beginnings, fields, identities; best first."""
    store.add_listings(FOUND, [], {}, (), NOW)
    if found is None:
        with pytest.raises(QueryError):
            parse_query(text)
        return
    assert set(search(store, text)) == {FOUND[at].title for at in found}


def test_the_title_counts_more_than_the_abstract(store: Store) -> None:
    """Best first; newest first where that is asked for."""
    store.add_listings(FOUND, [], {}, (), NOW)
    assert search(store, "flash attention") == [FOUND[0].title, FOUND[1].title]
    assert search(store, "flash attention", Order.NEWEST) == [FOUND[1].title, FOUND[0].title]


def test_what_was_found_is_marked(store: Store) -> None:
    """In the readable title and in the passage of the abstract."""
    store.add_listings(FOUND, [], {}, (), NOW)
    (hit,) = store.search(parse_query("levy timestep"), Order.BEST, 5, 0).hits
    assert hit.title == ((True, "Lévy"), (False, " flights at universities"))
    assert (True, "timestep") in hit.passage


@pytest.mark.parametrize(
    "text",
    [
        "*", "NEAR(a b)", "col:", "-a", "%", "_", "');--", "a NEAR b", "^a", "{title}:a",
        "title : a", "a AND", "OR a", "NOT", 'a "" b', "a + + b", "\x02a\x03", "\ud800",
        "((((", "a*b*c", "id:1", "rowid:1", "search:x",
        "深度", "أهلا", "a" * 200, 'author:"a b*"', "∑ ∂", "🙂 x",
    ],
)  # fmt: skip
def test_x8_no_search_breaks_out_of_its_quotes(store: Store, text: str) -> None:
    """Signs of the query language are words or faults, never an error of the database."""
    store.add_listings(FOUND, [], {}, (), NOW)
    try:
        query = parse_query(text)
    except QueryError:
        return
    store.search(query, Order.BEST, 5, 0)


def test_a_search_goes_through_so_many_of_its_hits(store: Store) -> None:
    """The newest ones; the count stops one beyond them."""
    many = [listing(f"word {n}") for n in range(MOST_FOUND + 5)]
    store.add_listings(many, [], {}, (), NOW)
    found = store.search(parse_query("word"), Order.BEST, 20, MOST_FOUND - 10)
    assert (found.total, len(found.hits)) == (MOST_FOUND + 1, 10)


@pytest.mark.parametrize(
    ("sql", "uses"),
    [
        ("SELECT id FROM listings WHERE day = '' ORDER BY day DESC, id DESC", "listings_by_day"),
        ("SELECT 1 FROM listings WHERE day = '' ORDER BY votes DESC, id DESC", "listings_by_votes"),
        ("SELECT max(day) FROM listings WHERE day < 'x'", "listings_by"),
        (
            "SELECT listing_id FROM facets WHERE day BETWEEN 1 AND 2 AND kind = '' AND name = ''",
            "PRIMARY KEY (kind=? AND name=? AND day>? AND day<?)",
        ),
        ("DELETE FROM facets WHERE day = '' AND listing_id = 1", "facets_by_day (day=?)"),
    ],
)  # fmt: skip
def test_every_page_is_read_by_an_index(sqlite: SqliteStore, sql: str, uses: str) -> None:
    """Nothing is scanned, and the pages of one day are not even sorted."""
    plan = " ".join(row[3] for row in sqlite.rows(f"EXPLAIN QUERY PLAN {sql}"))
    assert uses in plan
    assert "SCAN" not in plan
    assert "TEMP B-TREE" not in plan


def test_an_older_database_is_made_findable(tmp_path: Path) -> None:
    """What was stored before there were pages is on its page and in the search."""
    path = tmp_path / "digest.db"
    old = Database(sqlite3.connect(path, isolation_level=None))
    migrations.apply(old, stop_before="m011_shelves")
    body = '{"key": "k", "source": "test", "title": "Weaving", "votes": 4, "subjects": ["cs.CL"]}'
    old.execute(
        "INSERT INTO listings (key, title, body, first_seen_at, sendable)"
        " VALUES ('k', 'Weaving', ?, '2026-11-20T08:00:00.000000+00:00', 1)",
        (body,),
    )
    old.close()
    store = SqliteStore(path)
    assert shelf(store, Order.VOTES, category="cs.CL") == ["Weaving"]
    assert search(store, "weave") == ["Weaving"]
    store.close_store()


def test_an_sqlite_without_full_text_search_is_said() -> None:
    """In one line that says what would do, before anything is stored."""
    connection = sqlite3.connect(":memory:")
    deny = sqlite3.SQLITE_DENY
    connection.set_authorizer(
        lambda action, *rest: deny if action == sqlite3.SQLITE_CREATE_VTABLE else sqlite3.SQLITE_OK
    )
    with pytest.raises(StoreError, match=r"without full text search \(FTS5\)"):
        check_full_text(connection)
