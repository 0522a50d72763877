"""What the store tells of a subscriber's earlier digests."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from digest.model import Digest, Refused, Sent, Subscriber
from tests.postgres.database import AnyStore
from tests.samples import FRAME, NOW, digest_of, listing, subscriber
from tests.store import steps

TODAY = NOW.date()
DAY = timedelta(days=1)


@pytest.fixture
def one(store: AnyStore) -> Subscriber:
    """A subscriber in the store."""
    return store.put_subscriber(subscriber(), NOW)


def opened(store: AnyStore, one: Subscriber, back: int, **fields: object) -> Digest:
    """A digest of so many days ago in the ledger; with a title in it where `title` is given."""
    title = fields.pop("title", "")
    shown = [listing(str(title))] if title else []
    made = digest_of(one, *shown, digest_on=TODAY - back * DAY)
    made = replace(made, **fields)  # type: ignore[arg-type]  # fields of Digest
    store.open_deliveries(FRAME, [made], NOW - back * DAY)
    return made


def close(store: AnyStore, outcome: Sent | Refused, back: int) -> None:
    """Give the one mail that waits its outcome."""
    now = NOW - back * DAY
    (claimed,) = steps.claim(store, now, 1, 60, "worker")
    assert steps.close(store, claimed, outcome, now, now)


def test_the_last_look_is_that_of_the_last_digest(store: AnyStore, one: Subscriber) -> None:
    """An empty day looked as well; the digest of the day itself is not asked."""
    opened(store, one, 2, newest=40)
    opened(store, one, 1, newest=50)
    opened(store, one, 0, newest=60)
    assert store.last_looks([one.id, 999], TODAY) == {one.id: (50, NOW - DAY)}


def test_what_was_not_seen_was_not_looked_at(store: AnyStore, one: Subscriber) -> None:
    """After a refusal, or a mail that never went out, its listings are new again."""
    opened(store, one, 3, newest=30)
    opened(store, one, 2, newest=40, title="a")
    close(store, Refused(550, "no"), 2)
    opened(store, one, 1, newest=50, title="b")
    assert store.last_looks([one.id], TODAY) == {one.id: (30, NOW - 3 * DAY)}
    close(store, Sent("ok"), 1)
    assert store.last_looks([one.id], TODAY) == {one.id: (50, NOW - DAY)}


def test_a_row_that_cannot_be_read_tells_nothing(store: AnyStore, one: Subscriber) -> None:
    """A broken body, or one from before the look was kept, holds up nobody."""
    opened(store, one, 1, newest=40)
    with store.writing() as db:
        db.execute("UPDATE bodies SET body = '{'")
    assert store.last_looks([one.id], TODAY) == {}
    assert store.without_match([one.id], TODAY - DAY, TODAY) == frozenset()
    with store.writing() as db:
        db.execute("UPDATE bodies SET body = '{}'")
    assert store.last_looks([one.id], TODAY) == {}


@pytest.mark.parametrize(
    ("days", "found"),
    [
        ({14: {}, 7: {}}, True),
        ({20: {}, 6: {}, 5: {}}, True),
        ({13: {}, 7: {}}, False),
        ({20: {}, 6: {}}, False),
        ({14: {}, 7: {"title": "a"}}, False),
        ({14: {"title": "a"}, 7: {}, 6: {}}, False),
        ({15: {"title": "a"}, 7: {}, 6: {}}, True),
        ({14: {}, 7: {"hint": "shorter ones"}, 6: {}}, False),
        ({15: {"hint": "shorter ones"}, 14: {}, 6: {}}, True),
    ],
    ids=[
        "a weekly reader", "after a gap", "not that long yet", "hardly asked", "a match",
        "a match at first", "a match before", "a hint", "an old hint",
    ],
)  # fmt: skip
def test_who_matched_nothing_for_two_weeks_is_known(
    store: AnyStore, one: Subscriber, days: dict[int, dict[str, object]], found: bool
) -> None:
    """Two digests at least, none with a match or a hint, and one as old as the time asked for."""
    for back, fields in days.items():
        opened(store, one, back, **fields)
    missing = store.without_match([one.id], TODAY - 14 * DAY, TODAY)
    assert missing == (frozenset({one.id}) if found else frozenset())


def test_a_hint_and_a_look_are_kept_with_the_digest(store: AnyStore, one: Subscriber) -> None:
    """A replay says what the mail said."""
    made = opened(store, one, 0, newest=7, hint="shorter ones find more", mailed=True)
    row = store.delivery(one.id, TODAY)
    assert row
    assert row.digest == made
