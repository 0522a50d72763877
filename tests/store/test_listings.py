"""Stored listings, term counts and sources."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta

from digest.model import Link, SourceRun
from digest.store import Store
from digest.store.collected import Intake
from tests.samples import NOW, listing

FULL = listing(
    "Δ-DiT: <swi> & more",
    key="arxiv:2606.00467",
    abstract="One.\n\nTwo.",
    authors=("Paul Lévy", "Emmy Noether"),
    author_count=2,
    organization="École",
    url="https://example.org/1",
    subjects=("cs.CL",),
    published_at=NOW,
    listed_on=NOW.date(),
    votes=0,
    comments=3,
    ids=("arxiv:2606.00467", "doi:10.1101/x"),
    also_in=("other",),
    links=(Link("pdf", "https://example.org/1.pdf"),),
    note="version 2",
)


def test_a_listing_comes_back_as_it_was(store: Store) -> None:
    """Every field survives, and the store says when it saw the listing first."""
    store.add_listings([FULL], [], {}, (), NOW)
    (kept,) = store.recent_listings(5)
    assert kept == FULL
    assert kept.id > 0
    assert kept.first_seen_at == NOW


def test_a_listing_is_known_by_each_of_its_identities(store: Store) -> None:
    """Key and further ids lead to the same listing, unknown ones to none."""
    store.add_listings([FULL], [], {}, (), NOW)
    known = store.known(["doi:10.1101/x", "arxiv:2606.00467", "arxiv:1"])
    assert set(known) == {"doi:10.1101/x", "arxiv:2606.00467"}
    assert known["doi:10.1101/x"] == FULL


def test_thousands_of_identities_may_be_asked_at_once(store: Store) -> None:
    """There is no limit on how many identities one question holds."""
    store.add_listings([FULL], [], {}, (), NOW)
    asked = [f"title:{n}" for n in range(60_000)]
    assert list(store.known([*asked, FULL.key])) == [FULL.key]


def test_a_changed_listing_keeps_its_row_and_first_sight(store: Store) -> None:
    """Votes may grow; the listing does not become new by it."""
    store.add_listings([FULL], [], {}, (), NOW)
    (kept,) = store.recent_listings(1)
    store.add_listings([], [replace(kept, votes=9, ids=(*kept.ids, "pmid:1"))], {}, (), NOW)
    (again,) = store.known(["pmid:1"]).values()
    assert (again.id, again.votes, again.first_seen_at) == (kept.id, 9, NOW)


def test_a_listing_that_another_run_added_meanwhile_is_kept_once(store: Store) -> None:
    """Two runs that both take a listing for new leave one row and no error."""
    store.add_listings([FULL], [], {}, (), NOW)
    store.add_listings([FULL], [], {}, (), NOW + timedelta(hours=1))
    assert [kept.first_seen_at for kept in store.recent_listings(5)] == [NOW]


def test_a_key_that_comes_twice_is_kept_once_and_the_others_in_order(store: Store) -> None:
    """The first of a key stays, rows follow the order of the batch, each with its own words."""
    store.add_listings([listing("Nought", key="k0")], [], {}, (), NOW)
    batch = [listing(f"{word} {word}", key=key) for word, key in zip("abca", "1231", strict=True)]
    store.add_listings([*batch, listing("Late", key="k0")], [], {}, (), NOW)
    assert [one.title for one in store.listings_by_id([1, 2, 3, 4, 5])] == [
        "Nought",
        "a a",
        "b b",
        "c c",
    ]
    assert {name: one.title for name, one in store.known(["1", "3", "k0"]).items()} == {
        "1": "a a",
        "3": "c c",
        "k0": "Nought",
    }


def test_candidates_are_fresh_and_not_held_back(store: Store) -> None:
    """What is too old, or first seen too early, is not offered."""
    store.add_listings([listing("early")], [], {}, (), NOW - timedelta(days=9))
    aged = listing("aged")
    store.add_listings([listing("fresh"), aged], [], {}, {aged.key}, NOW)
    since = NOW - timedelta(days=3)
    assert [one.title for one in store.candidates(since)] == ["fresh"]


def test_listings_are_found_by_key_title_or_part_of_it(store: Store) -> None:
    """The exact title comes before titles that hold it; wildcards are plain characters."""
    store.add_listings(
        [listing("Flash Attention"), listing("Flash Attention 2"), listing("100% of it")],
        [],
        {},
        (),
        NOW,
    )
    assert store.find_listings("flash attention", 5)[0].title == "Flash Attention"
    assert len(store.find_listings("attention", 5)) == 2
    assert [one.title for one in store.find_listings("title:100%-of-it", 5)] == ["100% of it"]
    assert [one.title for one in store.find_listings("0% o", 5)] == ["100% of it"]
    assert not store.find_listings("_lash", 5)


def test_term_counts_add_up_over_runs(store: Store) -> None:
    """The counts are kept incrementally, with the number of listings they come from."""
    assert store.term_counts() == (0, {})
    assert store.counted_listings() == 0
    store.add_listings([listing("a"), listing("b")], [], {"decod": 2, "specul": 1}, (), NOW)
    store.add_listings([listing("c")], [], {"decod": 1}, (), NOW)
    assert store.term_counts() == (3, {"decod": 3, "specul": 1})


def test_recent_listings_come_newest_first(store: Store) -> None:
    """So many at most; their rows are told without those seen at or after a time."""
    store.add_listings([listing("older"), listing("old")], [], {}, (), NOW - timedelta(days=20))
    store.add_listings([listing("new")], [], {}, (), NOW)
    recent = store.recent_listings(9)
    assert [one.title for one in recent] == ["new", "old", "older"]
    assert store.recent_listings(1) == recent[:1]
    assert store.recent_ids(9, NOW) == [one.id for one in recent[1:]]
    assert store.recent_ids(1, NOW) == [recent[1].id]
    assert store.recent_ids(9, NOW + timedelta(seconds=1)) == [one.id for one in recent]


def test_runs_of_sources_are_kept_with_what_to_remember(store: Store) -> None:
    """The latest run of each source, its successes, and its validators come back."""
    good = SourceRun("arXiv", NOW, 239, 239, 200, 39, 0, date(2026, 11, 20))
    bad = SourceRun("arXiv", NOW + timedelta(hours=1), error="source 'arXiv': 503")
    store.record_run(good, {"https://example.org/feed": '{"etag":"x"}'})
    store.record_run(bad, {})
    assert store.latest_runs() == {"arXiv": bad}
    assert store.successes(NOW - timedelta(days=1)) == {"arXiv": [good]}
    assert store.last_success_at("arXiv") == NOW
    assert store.last_success_at("never read") is None
    part = SourceRun("pages", NOW, read=3, new=3, error="1 file of 2", partly=True)
    store.record_run(part)
    assert store.last_success_at("pages") == NOW  # what could be read was read
    assert store.remembered("arXiv") == {"https://example.org/feed": '{"etag":"x"}'}


def test_votes_are_remembered_by_days(store: Store) -> None:
    """Those of each day's first sight, for a month."""
    store.add_listings([listing("Tiles", votes=3)], [], {}, (), NOW)
    (one,) = store.recent_listings(1)
    for days, votes in ((0, 4), (1, 9), (1, 12)):
        intake = Intake(votes={one.id: votes})
        store.take_in(lambda look, intake=intake: intake, NOW + timedelta(days=days))  # type: ignore[misc]  # bound at once
    today = NOW.date()
    tomorrow = today + timedelta(days=1)
    assert store.vote_history(today) == {one.id: [(today, 3), (tomorrow, 9)]}
    assert store.vote_history(tomorrow) == {one.id: [(tomorrow, 9)]}
    assert store.tidy_sources(NOW + timedelta(days=31))["votes"] == 1
    assert [each.id for each in store.listings_by_id([99, one.id])] == [one.id]


def test_addresses_that_are_asked_no_more_are_forgotten(store: Store) -> None:
    """What failed is kept: it says when to ask again."""
    old = (NOW - timedelta(days=40)).isoformat()
    remembered = {
        "https://example.org/old": json.dumps({"read_at": old}),
        "https://example.org/new": json.dumps({"read_at": NOW.isoformat()}),
        "https://example.org/failed": json.dumps({"read_at": old, "retry_at": old}),
    }
    store.record_run(SourceRun("Papers", NOW), remembered)
    store.record_run(
        SourceRun("Papers", NOW), {"https://example.org/new": remembered["https://example.org/new"]}
    )
    assert store.tidy_sources(NOW)["remembered"] == 1
    assert set(store.remembered("Papers")) == set(remembered) - {"https://example.org/old"}
