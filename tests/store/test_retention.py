"""D3: what is kept for how long, by the clock and a search of every table."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from digest import jobs
from digest.app import App
from digest.model import Origin, Sent
from digest.store import Signup, SignupLimits
from digest.store.personal import Like
from digest.store.sqlite import SqliteStore
from tests.running import announce, running
from tests.samples import NOW, listing, profile, subscriber
from tests.store.steps import claim, close

RIVERS = profile(keywords={"a retelling of rivers": 2.0, "flash attention": 1.0})
LIMITS = SignupLimits(per_network_day=9, per_hour=9)


@pytest.fixture
def store(sqlite: SqliteStore) -> SqliteStore:
    """What is SQLite's alone is tried on it alone."""
    return sqlite


def tables(store: SqliteStore) -> list[str]:
    """Every table of the database, those behind the full text search included."""
    rows = store.rows("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
    return [name for (name,) in rows]


def holding(store: SqliteStore, text: str) -> set[str]:
    """The tables with a cell that holds a text."""
    found = set()
    for table in tables(store):
        rows = store.rows(f'SELECT * FROM "{table}"')  # noqa: S608 - from the schema
        if any(text in str(cell) for row in rows for cell in row):
            found.add(table)
    return found


def filled(store: SqliteStore) -> set[str]:
    """The tables with a row or more."""
    rows = "SELECT EXISTS (SELECT 1 FROM {})"
    return {table for table in tables(store) if store.rows(rows.format(table)) == [(1,)]}


def live_through_a_day(app: App) -> SqliteStore:
    """Someone signs up and never confirms, someone confirms, gets a mail, likes, changes a key."""
    store = app.store
    assert isinstance(store, SqliteStore)
    for email, client in (
        ("idle@example.org", "192.0.2.0/24"),
        ("busy@example.org", "198.51.100.0/24"),
    ):
        wanted = subscriber(email, origin=Origin.STORE, profile=RIVERS)
        signup = Signup(
            wanted, "form", client, NOW, f"hash of {email[:4]}", f"network of {email[:4]}"
        )
        assert store.sign_up(signup, LIMITS, "example.org", NOW)
    busy = store.confirm(2, NOW)
    assert busy
    for letter in store.claim_letters(NOW, 9, 60, "w"):
        store.close_letter(letter, Sent(f"250 {letter.recipient} ok"), NOW, NOW)
    store.use_link(["a link's hash"], NOW)
    paper = listing("Flash attention for a test of retention")
    announce(app, paper, at=NOW - timedelta(hours=3))
    jobs.prepare(app, NOW)
    for held in claim(store, NOW, 9, 60, "w"):
        close(store, held, Sent("250 queued as 4711"), NOW, NOW)
    store.like(busy.id, Like(paper, 1, NOW, "cli"))
    renamed = replace(busy, profile=replace(RIVERS, max_items=3))
    store.put_subscriber(renamed, NOW)
    return store


FORGOTTEN: tuple[tuple[str, set[str], int, set[str]], ...] = (
    # (a text, the tables that hold it at first, days, the tables that may hold it after them)
    ("idle@example.org", {"signups", "letters"}, 7, set()),
    ("192.0.2.", {"signups"}, 7, set()),
    ("network of idle", {"tries"}, 2, set()),
    ("198.51.100.", {"signups", "consents"}, 30, set()),
    ("hash of busy", {"letters"}, 30, set()),
    ("a link's hash", {"used_links"}, 30, set()),
    ("250 queued as 4711", {"deliveries"}, 30, set()),
    ("a retelling of rivers", {"bodies"}, 30, {"subscribers"}),
    ("busy@example.org", {"subscribers", "deliveries", "letters"}, 30, {"subscribers"}),
)


@pytest.mark.parametrize(
    ("text", "before", "days", "after"), FORGOTTEN, ids=[one[0] for one in FORGOTTEN]
)
def test_d3_what_retention_forgets_is_in_no_table(
    tmp_path: Path, text: str, before: set[str], days: int, after: set[str]
) -> None:
    """It stands where it should until its time is over, and nowhere after it."""
    with running(tmp_path) as app:
        store = live_through_a_day(app)
        assert before <= holding(store, text)
        jobs.tidy(app, NOW + timedelta(days=days))
        assert holding(store, text), "forgotten too early"
        jobs.tidy(app, NOW + timedelta(days=days, seconds=1))
        assert holding(store, text) <= after


def test_d3_message_bytes_go_after_30_days_with_all_that_they_were_made_from(
    tmp_path: Path,
) -> None:
    """Rows, bodies and the snapshots that they point at."""
    with running(tmp_path) as app:
        store = live_through_a_day(app)
        texts = {"deliveries", "bodies", "snapshots"}
        assert texts <= filled(store)
        jobs.tidy(app, NOW + timedelta(days=29))
        assert texts <= filled(store)
        jobs.tidy(app, NOW + timedelta(days=31))
        assert not texts & filled(store)


def test_d3_the_proof_of_consent_stays(tmp_path: Path) -> None:
    """When and by which form, for as long as there is a subscriber."""
    with running(tmp_path) as app:
        store = live_through_a_day(app)
        jobs.tidy(app, NOW + timedelta(days=400))
        one = store.subscriber("busy@example.org")
        assert one
        (proof,) = store.consents(one.id)
        assert (proof["form"], proof["client"]) == ("form", "")
        assert proof["confirmed_at"].startswith("2026-11-20")


KEPT = {
    # for good, or as long as their subscriber
    "subscribers", "consents", "likes", "api_keys", "feed_links", "suppressed",
    # what the sources say, without a person in it
    "listings", "identities", "terms", "counters", "facets", "search",
    # 30 days and less, held above; 90 days for runs, 60 for what came back
    "deliveries", "bodies", "snapshots", "signups", "letters", "tries", "used_links",
    "profile_history", "votes", "remembered", "source_runs", "returns", "notes",
    # what the service says of itself now
    "service_states", "beats",
}  # fmt: skip


def test_d3_every_table_has_its_retention(store: SqliteStore) -> None:
    """A new table is put into this list, and into `tidy` where it holds a person's data."""
    inner = ("sqlite_", "_sqlite_", "search_")
    assert {name for name in tables(store) if not name.startswith(inner)} == KEPT
