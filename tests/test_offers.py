"""What is new to a subscriber, what comes again, and what rises."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.composer import Asks, Flags, compose, drafted
from digest.matcher import Matcher, Statistics
from digest.model import Digest, Listing, Profile, SectionName
from digest.offers import GATHERED, RISES_FOR, TOP_OF_DAY, Look, Offers, of_labs, rising
from tests.samples import NOW, listing, profile, subscriber

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ATTENTION = profile(min_score=0.2, trending=3)
History = Mapping[int, Sequence[tuple[date, int]]]


def stored(number: int, at: datetime = NOW, **fields: object) -> Listing:
    """A listing about flash attention with that row number, first seen then."""
    fields.setdefault("abstract", "Flash attention.")
    made = listing(f"Paper {number}", first_seen_at=at, **fields)
    return replace(made, id=number)


def offers(
    *listings: Listing,
    one: Profile = ATTENTION,
    now: datetime = NOW,
    history: History | None = None,
) -> Offers:
    """What these listings offer, with a rollover of two days."""
    matcher = Matcher(Statistics(0, {}))
    batch = matcher.read(listings)
    pairs = matcher.pairs([one], batch)
    labs = of_labs([one], listings, pairs)
    return Offers(
        batch=batch,
        pairs=pairs,
        followed=[{*matcher.followed([one], listings)[0], *labs[0]}],
        rising=rising(listings, history or {}, now),
        opens_at=now - 3 * DAY,
        last_call=now - 2 * DAY,
    )


@dataclass(frozen=True)
class Day:
    """The row numbers of what one profile is offered, in the order of rows."""

    ranked: list[int]
    earlier: list[int]
    rising: list[int]
    followed: list[int]
    voted: list[int]
    considered: int
    newest: int


def day(
    made: Offers, shown: Collection[int] = (), look: Look | None = None, one: Profile = ATTENTION
) -> Day:
    """The day that one profile is offered."""
    days = made.days(0, [one], [shown], [look])

    def ids(of: Flags) -> list[int]:
        return sorted(made.shelf.listings[at].id for at in np.flatnonzero(of[0]).tolist())

    fits = days.score > 0
    return Day(
        ids(days.new & fits),
        ids(days.again & fits),
        ids(days.risen),
        ids(days.followed),
        ids(days.voted),
        int(days.considered[0]),
        int(days.newest[0]),
    )


def digest_of(
    made: Offers, one: Profile, shown: Collection[int] = (), look: Look | None = None
) -> Digest:
    """The digest that is made of what one profile is offered."""
    composed = compose(Asks.of([one]), made.days(0, [one], [shown], [look]), made.shelf)
    places = made.batch.order[composed.items.listing].astype(np.int64)
    packed = made.pairs.packed(composed.items.who, places)
    reader = subscriber(profile=one)
    drafts = drafted([reader], Digest(reader, NOW.date()), composed, made.shelf, packed)
    return next(drafts.digests())


def test_everything_is_new_to_who_had_no_digest() -> None:
    """The first digest draws on all its days, and nothing rolls over or rises."""
    made = day(
        offers(stored(1, NOW - 2 * DAY, votes=99), stored(2), history={1: [(NOW.date(), 1)]})
    )
    assert (made.ranked, made.earlier, made.rising) == ([1, 2], [], [])
    assert (made.considered, made.newest) == (2, 2)


def test_what_the_last_digest_looked_at_is_not_new() -> None:
    """It is offered again under its own name, and no longer considered, voted for or counted."""
    made = day(offers(stored(1, NOW - DAY, votes=9), stored(2, votes=3)), look=(1, NOW - 12 * HOUR))
    assert (made.ranked, made.earlier) == ([2], [1])
    assert made.voted == [2]
    assert made.considered == 1


def test_what_was_stored_late_or_let_in_late_is_new() -> None:
    """Its row came after those that were looked at, or its time did."""
    late, released = stored(5, NOW - 13 * HOUR), stored(2, NOW - 11 * HOUR)
    made = day(offers(stored(1, NOW - DAY), released, late), look=(4, NOW - 12 * HOUR))
    assert (made.ranked, made.earlier) == ([2, 5], [1])


def test_what_was_shown_is_offered_in_no_form() -> None:
    """Neither as new, nor again, nor for its votes, its author or its rise."""
    one = replace(ATTENTION, authors=("Emmy Noether",))
    listings = [stored(n, NOW - n * HOUR, votes=90, authors=("Emmy Noether",)) for n in range(1, 5)]
    made = day(
        offers(*listings, one=one, history={n: [(NOW.date(), 1)] for n in range(1, 5)}),
        shown=[1, 2, 3, 4],
        look=(2, NOW - DAY),
        one=one,
    )
    assert [*made.ranked, *made.earlier, *made.rising, *made.followed, *made.voted] == []
    assert made.considered == 0


def test_what_has_no_room_is_counted() -> None:
    """Matched, by source, and waiting: all that fits, whether it is shown or not."""
    fresh = [stored(n, NOW - n * HOUR, source="a" if n % 3 else "b") for n in range(1, 40)]
    old = [stored(n, NOW - (n - 5) * HOUR) for n in range(41, 60)]  # some never come again
    one = replace(ATTENTION, min_score=0.05, max_items=3, trending=0)
    made = offers(*fresh, *old, one=one)
    for look in (None, (30, NOW - 20 * HOUR)):
        receipt = digest_of(made, one, look=look).receipt
        after = look[1] if look else NOW - 9 * DAY
        new = [n for n in made.batch.listings if n.id > 30 or (n.first_seen_at or NOW) > after]
        assert receipt.matched == receipt.considered == len(new)
        assert dict(receipt.matched_by)["b"] == sum(n.source == "b" for n in new)
        lasting = [n for n in made.batch.listings if (n.first_seen_at or NOW) >= NOW - 2 * DAY]
        assert len(lasting) < len(made.batch)
        assert receipt.waiting == len(lasting) - receipt.shown


def test_nothing_comes_again_where_nothing_rolls_over() -> None:
    """Without a rollover what was looked at is done with, but may still rise."""
    made = replace(
        offers(stored(1, NOW - HOUR, votes=50), history={1: [(NOW.date(), 2)]}), rolls=False
    )
    found = day(made, look=(1, NOW))
    assert (found.earlier, found.rising) == ([], [1])


def test_what_is_there_to_rise_is_there_for_nothing_else() -> None:
    """A listing from before the days of the digest is not followed, voted or new."""
    one = replace(ATTENTION, authors=("Emmy Noether",))
    old = stored(1, NOW - 6 * DAY, votes=50, authors=("Emmy Noether",))
    made = day(offers(old, one=one, history={1: [(NOW.date(), 2)]}), look=(1, NOW - DAY), one=one)
    assert made.rising == [1]
    assert [*made.ranked, *made.earlier, *made.followed, *made.voted] == []
    assert made.considered == 0


@pytest.mark.parametrize(
    ("listings", "history", "risen"),
    [
        ([stored(1, votes=GATHERED + 3)], {1: [(NOW.date(), 3)]}, [0]),
        ([stored(1, votes=GATHERED + 2)], {1: [(NOW.date(), 3)]}, []),
        ([stored(1, votes=99)], {}, []),
        ([stored(1)], {1: [(NOW.date(), 3)]}, []),
        ([stored(1, NOW - RISES_FOR - HOUR, votes=99)], {1: [(NOW.date(), 3)]}, []),
        (
            [stored(n, votes=99) for n in (1, 2)],
            {1: [(NOW.date(), 50)], 2: [(NOW.date() - DAY, 20), (NOW.date(), 90)]},
            [1, 0],
        ),
    ],
    ids=["gathered", "too few", "unknown", "no votes", "too old", "most gathered first"],
)
def test_a_listing_rises_by_the_votes_it_gathered(
    listings: list[Listing], history: History, risen: list[int]
) -> None:
    """From those it had when first seen to those it has now."""
    assert rising(listings, history, NOW) == risen


def test_only_the_most_voted_of_a_day_rise() -> None:
    """On a day when all gather votes the best places count, on each day for itself."""
    crowd = [stored(n, votes=100 + n) for n in range(1, 31)]
    alone = stored(31, NOW - 3 * DAY, votes=20)
    history = {one.id: [(NOW.date(), 0)] for one in (*crowd, alone)}
    listings = [*crowd, alone]
    assert [listings[at].id for at in rising(listings, history, NOW)] == [
        *range(30, 30 - TOP_OF_DAY, -1),
        31,
    ]


def test_a_followed_lab_is_found_by_its_whole_name() -> None:
    """However it is written; what the profile excludes is not shown for it either."""
    one = profile(organizations=("Example Lab",), exclude=("medical imaging",))
    listings = [
        stored(1, organization="EXAMPLE-LAB"),
        stored(2, organization="Example Lab", abstract="Medical imaging."),
        stored(3, organization="Another Example Lab"),
        stored(4),
    ]
    made = day(offers(*listings, one=one), one=one)
    assert made.followed == [1]


# --- over many days -----------------------------------------------------------------------------

FINDS = st.tuples(
    st.integers(0, 4),  # times that the keyword stands in it
    st.integers(0, 40),  # votes when first seen
    st.integers(0, 20),  # votes gathered a day
    st.booleans(),  # by a followed author
)
CALENDAR = st.lists(st.lists(FINDS, max_size=6), min_size=4, max_size=9)


@settings(max_examples=40, deadline=None)
@given(CALENDAR, st.integers(1, 4), st.integers(0, 3))
def test_nothing_is_shown_twice_over_many_days(
    calendar: list[list[tuple[int, int, int, bool]]], cap: int, trending: int
) -> None:
    """Day after day: no listing in two mails or sections, none rises twice, no cap is broken."""
    one = profile(max_items=cap, trending=trending, min_score=0.2, authors=("Emmy Noether",))
    found: list[tuple[Listing, int]] = []
    shown: list[int] = []
    look: Look | None = None
    for past, finds in enumerate(calendar):
        now = NOW + past * DAY
        for times, votes, more, by_her in finds:
            new = stored(
                len(found) + 1,
                now - HOUR,
                votes=votes,
                abstract="Rivers and stones. " + "Flash attention. " * times,
                authors=("Emmy Noether",) if by_her else ("Lise Meitner",),
            )
            found.append((new, more))
        digest = _next(one, found, shown, look, now)
        came = [m.listing.id for s in digest.sections for m in s.matches]
        assert not set(came) & set(shown)
        assert len(came) == len(set(came))
        risen = [s for s in digest.sections if s.name is SectionName.RISING]
        assert all(m.listing.id <= (look or (0, now))[0] for s in risen for m in s.matches)
        assert len(came) <= cap + 12 + trending + 3 + cap + cap
        shown += came
        look = digest.newest, now


def _next(
    one: Profile,
    found: Sequence[tuple[Listing, int]],
    shown: Collection[int],
    look: Look | None,
    now: datetime,
) -> Digest:
    """The digest of a day, the listings of the past week with the votes they have by now."""
    week = [
        replace(new, votes=(new.votes or 0) + more * (now - new.first_seen_at).days)
        for new, more in found
        if new.first_seen_at and new.first_seen_at >= now - RISES_FOR
    ]
    history = {new.id: [(now.date(), new.votes or 0)] for new, _ in found}
    made = offers(*week, one=one, now=now, history=history)
    return digest_of(made, one, shown, look)
