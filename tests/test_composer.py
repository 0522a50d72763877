"""What goes into a digest, and what is said when nothing does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.composer import (
    FOLLOWED,
    NEAREST,
    RISING,
    TITLES,
    Asks,
    Composed,
    Days,
    Flags,
    Shelf,
    compose,
    drafted,
    joined,
    ranks,
)
from digest.drafts import Drafts
from digest.model import Digest, Listing, Profile, Receipt, SectionName, SourceRun, WhenEmpty
from digest.reason import Packed
from tests.samples import NOW, listing, subscriber

TODAY = NOW.date()


Scored = tuple[Listing, float]


@dataclass(frozen=True)
class Day:
    """What one subscriber's day offers: new and earlier listings, best first, and the others."""

    digest_on: date = TODAY
    ranked: Sequence[Scored] = ()
    earlier: Sequence[Scored] = ()
    rising: Sequence[Scored] = ()
    followed: Sequence[Listing] = ()
    voted: Sequence[Listing] = ()
    considered: int = 0
    last_call: datetime | None = None
    sources: tuple[SourceRun, ...] = ()

    @property
    def listings(self) -> dict[str, Listing]:
        """Every listing, by its key."""
        scored = (*self.ranked, *self.earlier, *self.rising)
        return {one.key: one for one in (*(o for o, _ in scored), *self.followed, *self.voted)}

    def has(self, these: Sequence[Listing]) -> Flags:
        """Which of the listings are among these."""
        keys = {one.key for one in these}
        return np.array([[key in keys for key in self.listings]], dtype=bool)

    def order(self, these: Sequence[Listing]) -> list[int]:
        """In which place each of the listings is among these."""
        places = {one.key: at for at, one in enumerate(these)}
        return [places.get(key, len(places)) for key in self.listings]


def laid_out(day: Day) -> tuple[Days, Shelf]:
    """A day as the composer has it."""
    scored = (*day.rising, *day.earlier, *day.ranked)
    scores = {one.key: score for one, score in scored}
    score = np.array([[scores.get(key, 0.0) for key in day.listings]], dtype=np.float32)
    risen = [one for one, _ in day.rising]
    seen = [one.first_seen_at for one in day.listings.values()]
    names = sorted({one.source for one in day.listings.values()})
    days = Days(
        score=score,
        rank=ranks(score),
        new=day.has([one for one, _ in day.ranked]),
        again=day.has([one for one, _ in day.earlier]),
        risen=day.has(risen),
        followed=day.has(day.followed),
        voted=day.has(day.voted),
        considered=np.array([day.considered]),
        newest=np.zeros(1, dtype=np.int64),
    )
    shelf = Shelf(
        listings=list(day.listings.values()),
        by_id=np.array(day.order(day.followed), dtype=np.int64),
        by_votes=np.array(day.order(day.voted), dtype=np.int64),
        by_rise=np.array(day.order(risen), dtype=np.int64),
        comes_again=np.array(
            [not (at and day.last_call) or at >= day.last_call for at in seen], dtype=bool
        ),
        source=np.array([names.index(one.source) for one in day.listings.values()], np.int64),
        sources=names,
    )
    return days, shelf


def drafts_of(day: Day, **wanted: object) -> Drafts:
    """The digest of a day for a profile with these settings, in columns."""
    person = subscriber(profile=replace(Profile(), **wanted))  # type: ignore[arg-type]  # fields of Profile
    days, shelf = laid_out(day)
    made = compose(Asks.of([person.profile]), days, shelf)
    scores = days.score[0, made.items.listing].tolist()
    reasons = Packed.of([0] * len(scores), [(score, ()) for score in scores])
    blank = Digest(person, day.digest_on, receipt=Receipt(day.sources))
    return drafted([person], blank, made, shelf, reasons)


def composed(day: Day, **wanted: object) -> Digest:
    """The digest of a day for a profile with these settings."""
    return next(drafts_of(day, **wanted).digests())


def cut_to(drafts: Drafts, items: int) -> Digest:
    """The same with so many items."""
    return next(drafts.cut_to(np.array([items])).digests())


def titles(digest: Digest, name: SectionName) -> list[str]:
    """The titles in a section, [] when it is not there."""
    return [m.listing.title for s in digest.sections if s.name is name for m in s.matches]


def ranked(*scores: float) -> list[tuple[Listing, float]]:
    """Listings named after their rank, with these scores."""
    return [(listing(f"paper {n}"), score) for n, score in enumerate(scores)]


def counts(digest: Digest) -> tuple[int, int, int, int]:
    """The receipt's numbers: considered, matched, shown, waiting."""
    receipt = digest.receipt
    return receipt.considered, receipt.matched, receipt.shown, receipt.waiting


def test_the_floor_and_the_cap_choose() -> None:
    """What scores at least the floor is taken, best first, up to the cap; the next come short."""
    day = Day(TODAY, ranked(0.9, 0.6, 0.3, 0.25, 0.24), considered=40)
    digest = composed(day, max_items=3)
    assert titles(digest, SectionName.FOR_YOU) == ["paper 0", "paper 1", "paper 2"]
    assert titles(digest, SectionName.SHORT) == ["paper 3"]
    assert counts(digest) == (40, 4, 4, 0)
    assert digest.mailed
    assert not digest.empty_reason


def test_what_finds_no_room_as_a_title_waits() -> None:
    """As many titles as the cap, never more than twelve; what is left is offered again."""
    small = composed(Day(TODAY, ranked(*[0.9] * 9)), max_items=2)
    assert list(map(len, (s.matches for s in small.sections))) == [2, 2]
    assert counts(small)[1:] == (9, 4, 5)
    large = composed(Day(TODAY, ranked(*[0.9] * 90)), max_items=50)
    assert len(titles(large, SectionName.SHORT)) == TITLES
    assert counts(large)[1:] == (90, 62, 28)


def test_what_is_offered_for_the_last_time_does_not_wait() -> None:
    """Only what the next digest can offer counts as waiting."""
    seen = [(NOW - timedelta(days=age)) for age in (1, 3)]
    day = Day(
        TODAY,
        ranked(0.9, 0.8),
        earlier=[
            (listing(f"old {n}{m}", first_seen_at=at), 0.5)
            for n, at in enumerate(seen)
            for m in range(4)
        ],
        last_call=NOW - timedelta(days=2),
    )
    digest = composed(day, max_items=1)
    assert titles(digest, SectionName.WAITING) == ["old 00"]
    assert counts(digest) == (0, 2, 3, 3)


def test_what_rolled_over_has_a_section_of_its_own() -> None:
    """It stands under still waiting, best first, and never among what is new."""
    day = Day(
        TODAY,
        [(listing("new"), 0.3)],
        earlier=[(listing("second"), 0.8), (listing("third"), 0.5), (listing("low"), 0.2)],
    )
    digest = composed(day)
    assert titles(digest, SectionName.FOR_YOU) == ["new"]
    assert titles(digest, SectionName.WAITING) == ["second", "third"]
    assert counts(digest)[1:] == (1, 3, 0)


def test_what_waits_alone_is_a_mail() -> None:
    """A day without anything new still brings what had no room, to whoever skips empty days."""
    digest = composed(Day(TODAY, earlier=[(listing("second"), 0.8)]), when_empty=WhenEmpty.SKIP)
    assert digest.mailed
    assert not digest.empty_reason


def test_rising_is_about_what_the_profile_asks() -> None:
    """Half the floor is enough, less is not; three at most, in the order of their votes."""
    risen = [(listing(f"risen {n}"), s) for n, s in enumerate((0.1, 0.13, 0.9, 0.125, 0.2))]
    digest = composed(Day(TODAY, rising=risen), min_score=0.25)
    assert titles(digest, SectionName.RISING) == ["risen 1", "risen 2", "risen 3"]


def test_a_listing_stands_in_one_section() -> None:
    """For you comes before followed, followed before trending."""
    best, other, third = listing("best"), listing("other"), listing("third")
    day = Day(TODAY, [(best, 0.9)], followed=[best, other], voted=[other, best, third])
    digest = composed(day, trending=2)
    assert titles(digest, SectionName.FOR_YOU) == ["best"]
    assert titles(digest, SectionName.FOLLOWED) == ["other"]
    assert titles(digest, SectionName.TRENDING) == ["third"]
    assert digest.receipt.shown == 3


def test_a_match_beyond_the_cap_that_trends_does_not_wait() -> None:
    """What another section shows is neither a title nor counted as waiting."""
    day = Day(TODAY, ranked(0.9, 0.8), voted=[listing("paper 1")])
    digest = composed(day, max_items=1, trending=1)
    assert not titles(digest, SectionName.SHORT)
    assert digest.receipt.waiting == 0


def test_trending_shows_only_where_it_is_asked_for() -> None:
    """Without `trending` the votes show nothing."""
    assert not composed(Day(TODAY, voted=[listing("loud")])).sections


@pytest.mark.parametrize(
    ("when_empty", "mailed", "nearest"),
    [
        (WhenEmpty.SKIP, False, []),
        (WhenEmpty.NOTE, True, []),
        (WhenEmpty.NEAREST, True, ["paper 0", "paper 1", "paper 2"]),
    ],
)
def test_q17_an_empty_day_does_what_the_subscriber_chose(
    when_empty: WhenEmpty, mailed: bool, nearest: list[str]
) -> None:
    """No mail by default, a note, or the three nearest misses."""
    day = Day(TODAY, ranked(0.2, 0.15, 0.1, 0.05), considered=9)
    digest = composed(day, when_empty=when_empty)
    assert digest.mailed is mailed
    assert titles(digest, SectionName.NEAREST) == nearest
    assert digest.empty_reason == (
        "None of the 9 new listings reached your floor of 0.25; the nearest scored 0.20."
    )


def run(name: str, error: str = "") -> SourceRun:
    """A source's part of the receipt."""
    return SourceRun(name, NOW, error=error)


@pytest.mark.parametrize(
    ("day", "reason"),
    [
        (Day(TODAY), "No source has been read yet."),
        (
            Day(TODAY, sources=(run("arXiv"),)),
            "No source announced anything that is new to you.",
        ),
        (
            Day(TODAY, sources=(run("arXiv", "503"),)),
            "No source could be read (arXiv could not be read).",
        ),
        (
            Day(TODAY, sources=(run("arXiv", "503"), run("HF"))),
            "No source announced anything that is new to you (arXiv could not be read).",
        ),
        (
            Day(TODAY, considered=7, sources=(run("HF"),)),
            "None of the 7 new listings reached your floor of 0.25;"
            " none of your keywords stands in any of them.",
        ),
    ],
)
def test_an_empty_day_says_why(day: Day, reason: str) -> None:
    """Nothing announced, a source that failed and nothing that fits are told apart."""
    assert composed(day).empty_reason == reason


def test_b8_what_one_mail_cannot_hold_waits() -> None:
    """A digest that is cut counts what it shows, and what is lost from it as waiting."""
    day = Day(TODAY, ranked(0.9, 0.8, 0.7, 0.6), voted=[listing("loud")])
    drafts = drafts_of(day, max_items=3, trending=1)
    whole, cut = next(drafts.digests()), cut_to(drafts, 2)
    assert titles(cut, SectionName.FOR_YOU) == ["paper 0", "paper 1"]
    assert not titles(cut, SectionName.TRENDING)
    assert (whole.receipt.shown, whole.receipt.waiting) == (5, 0)
    assert (cut.receipt.shown, cut.receipt.waiting) == (2, 2)
    assert cut_to(drafts, 5) == whole


def test_b8_near_misses_that_are_cut_were_never_shown() -> None:
    """They count neither as shown nor as waiting."""
    drafts = drafts_of(Day(TODAY, ranked(0.2, 0.1), considered=2), when_empty=WhenEmpty.NEAREST)
    cut = cut_to(drafts, 1)
    assert titles(cut, SectionName.NEAREST) == ["paper 0"]
    assert cut.receipt == next(drafts.digests()).receipt


LISTINGS = st.builds(
    lambda title, age: listing(title, first_seen_at=NOW - timedelta(days=age)),
    st.integers(0, 60).map("paper {}".format),
    st.integers(0, 9),
)
OFFERED = st.tuples(
    LISTINGS,
    st.floats(0.0, 1, width=32),
    st.sampled_from(["ranked", "earlier", "gone"]),
    st.sets(st.sampled_from(["rising", "followed", "voted"])),
)


def day_of(offered: Sequence[tuple[Listing, float, str, set[str]]], last_call: bool) -> Day:
    """A day that offers these: each new, earlier or neither, and perhaps in another way as well."""
    best = sorted(offered, key=lambda each: -each[1])
    return Day(
        ranked=[(one, score) for one, score, when, _ in best if when == "ranked"],
        earlier=[(one, score) for one, score, when, _ in best if when == "earlier"],
        rising=[(one, score) for one, score, _, also in offered if "rising" in also],
        followed=[one for one, _, _, also in offered if "followed" in also],
        voted=[one for one, _, _, also in offered if "voted" in also],
        last_call=NOW - timedelta(days=2) if last_call else None,
    )


DAYS = st.builds(
    day_of,
    st.lists(OFFERED, max_size=50, unique_by=lambda each: each[0].key),
    st.booleans(),
)


@settings(max_examples=60, deadline=None)
@given(
    DAYS, st.integers(1, 100), st.integers(0, 100), st.sampled_from(WhenEmpty), st.integers(1, 99)
)
def test_each_listing_stands_once_and_every_cap_holds(
    day: Day, cap: int, trending: int, when_empty: WhenEmpty, room: int
) -> None:
    """Whatever a day offers: no listing twice, no section beyond its cap, counts that add up."""
    drafts = drafts_of(day, max_items=cap, trending=trending, when_empty=when_empty)
    whole = next(drafts.digests())
    for digest in (whole, cut_to(drafts, room)):
        shown = [m.listing.key for s in digest.sections for m in s.matches]
        assert len(shown) == len(set(shown))
        lengths = {s.name: len(s.matches) for s in digest.sections}
        caps = {
            SectionName.FOR_YOU: cap,
            SectionName.FOLLOWED: FOLLOWED,
            SectionName.TRENDING: trending,
            SectionName.RISING: RISING,
            SectionName.WAITING: min(TITLES, cap),
            SectionName.SHORT: min(TITLES, cap),
            SectionName.NEAREST: NEAREST,
        }
        assert all(0 < length <= caps[name] for name, length in lengths.items())
        assert digest.receipt.shown == len(shown) - lengths.get(SectionName.NEAREST, 0)
    assert bool(whole.empty_reason) == (not whole.receipt.shown)
    assert whole.mailed == (bool(whole.receipt.shown) or when_empty is not WhenEmpty.SKIP)


@settings(max_examples=60, deadline=None)
@given(DAYS, st.integers(1, 100), st.integers(0, 9))
def test_sections_hold_the_best_in_their_order(day: Day, cap: int, trending: int) -> None:
    """Each section is the first of what is offered for it and not taken, as said one by one."""
    digest = composed(day, max_items=cap, trending=trending)
    floor, taken = Profile().min_score, set[str]()

    def take(offered: Sequence[Listing], limit: int) -> list[str]:
        free = [one for one in offered if one.key not in taken][:limit]
        taken.update(one.key for one in free)
        return [one.title for one in free]

    fits = [one for one, score in day.ranked if score >= floor]
    waits = [one for one, score in day.earlier if score >= floor]
    risen = [one for one, score in day.rising if score >= floor / 2]
    expected = {
        SectionName.FOR_YOU: take(fits, cap),
        SectionName.FOLLOWED: take(day.followed, FOLLOWED),
        SectionName.TRENDING: take(day.voted, trending),
        SectionName.RISING: take(risen, RISING),
        SectionName.WAITING: take(waits, min(cap, TITLES)),
        SectionName.SHORT: take(fits, min(cap, TITLES)),
    }
    assert {name: titles(digest, name) for name in expected} == expected
    left = [one for one in (*fits, *waits) if one.key not in taken]
    ages = [one.first_seen_at for one in left]
    again = [at for at in ages if not (at and day.last_call) or at >= day.last_call]
    assert counts(digest)[1:] == (len(fits), len(taken), len(again))


def test_sums_are_ranked_as_fractions_are() -> None:
    """Highest first, equal ones as they come; below 0, and one that is not 0 but next to it."""
    sums = [0.5, -3.0, 0.0, 7.25, 0.5, -1e9, 1e-30, -0.25, 0.5]
    order = np.argsort(ranks(np.array([sums], dtype=np.float32))[0]).tolist()
    assert order == sorted(range(len(sums)), key=lambda at: -sums[at])
    assert order.index(0) < order.index(4) < order.index(8)


def test_groups_that_are_composed_apart_are_joined() -> None:
    """The same digests as of all at once: whose they are, what they show, what is counted."""
    day = Day(TODAY, ranked(0.9, 0.8, 0.4, 0.3), voted=[listing("paper 3")], considered=4)
    days, shelf = laid_out(day)
    wanted = [Profile(max_items=n, trending=n % 2, min_score=0.1 * n) for n in range(1, 8)]

    def made(low: int, high: int) -> Composed:
        many = {name: np.repeat(getattr(days, name), high - low, axis=0) for name in Days.__slots__}
        return compose(Asks.of(wanted[low:high]), Days(**many), shelf)

    whole, parts = made(0, 7), joined([made(0, 3), made(3, 4), made(4, 7)])
    for name in ("who", "section", "listing"):
        assert getattr(parts.items, name).tolist() == getattr(whole.items, name).tolist()
    for name in ("considered", "newest", "matched_by", "waiting", "nearest"):
        assert getattr(parts, name).tolist() == getattr(whole, name).tolist()
    assert len(set(whole.items.who.tolist())) == 7
