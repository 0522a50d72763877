"""What goes into a digest, and what is said when nothing does."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.composer import FOLLOWED, NEAREST, RISING, TITLES, Day, choose, compose, cut_to
from digest.model import (
    Digest,
    Listing,
    Match,
    Profile,
    SectionName,
    SourceRun,
    Subscriber,
    WhenEmpty,
)
from tests.samples import NOW, listing, subscriber

TODAY = NOW.date()


def composed(day: Day, **wanted: object) -> Digest:
    """The digest of a day for a profile with these settings."""
    person: Subscriber = subscriber(profile=replace(Profile(), **wanted))  # type: ignore[arg-type]  # fields of Profile
    scores = {one.key: score for one, score in (*day.ranked, *day.earlier, *day.rising)}
    chosen = choose(person.profile, day)
    shown = [Match(one, scores.get(one.key, 0.0)) for part in chosen.values() for one in part]
    return compose(person, day, chosen, shown)


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
    whole = composed(day, max_items=3, trending=1)
    cut = cut_to(whole, 2)
    assert titles(cut, SectionName.FOR_YOU) == ["paper 0", "paper 1"]
    assert not titles(cut, SectionName.TRENDING)
    assert (whole.receipt.shown, whole.receipt.waiting) == (5, 0)
    assert (cut.receipt.shown, cut.receipt.waiting) == (2, 2)
    assert cut_to(whole, 5) == whole


def test_b8_near_misses_that_are_cut_were_never_shown() -> None:
    """They count neither as shown nor as waiting."""
    whole = composed(Day(TODAY, ranked(0.2, 0.1), considered=2), when_empty=WhenEmpty.NEAREST)
    cut = cut_to(whole, 1)
    assert titles(cut, SectionName.NEAREST) == ["paper 0"]
    assert cut.receipt == whole.receipt


KEYS = st.integers(0, 60).map("paper {}".format)
LISTINGS = st.builds(
    lambda title, age: listing(title, first_seen_at=NOW - timedelta(days=age)),
    KEYS,
    st.integers(0, 9),
)
SCORED = st.lists(
    st.tuples(LISTINGS, st.floats(0.01, 1)), max_size=40, unique_by=lambda pair: pair[0].key
)
PLAIN = st.lists(LISTINGS, max_size=30, unique_by=lambda one: one.key)
DAYS = st.builds(
    Day,
    st.just(TODAY),
    ranked=SCORED,
    earlier=SCORED,
    rising=SCORED,
    followed=PLAIN,
    voted=PLAIN,
    last_call=st.none() | st.just(NOW - timedelta(days=2)),
)


@settings(max_examples=60, deadline=None)
@given(
    DAYS, st.integers(1, 100), st.integers(0, 100), st.sampled_from(WhenEmpty), st.integers(1, 99)
)
def test_each_listing_stands_once_and_every_cap_holds(
    day: Day, cap: int, trending: int, when_empty: WhenEmpty, room: int
) -> None:
    """Whatever a day offers: no listing twice, no section beyond its cap, counts that add up."""
    whole = composed(day, max_items=cap, trending=trending, when_empty=when_empty)
    for digest in (whole, cut_to(whole, room, day.last_call)):
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
