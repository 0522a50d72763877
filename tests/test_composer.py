"""What goes into a digest, and what is said when nothing does."""

from __future__ import annotations

from dataclasses import replace

import pytest

from digest.composer import Day, compose, cut_to
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


def composed(day: Day, **settings: object) -> Digest:
    """The digest of a day for a profile with these settings."""
    person: Subscriber = subscriber(profile=replace(Profile(), **settings))  # type: ignore[arg-type]  # fields of Profile
    return compose(person, day, lambda one: Match(one, 0.5))


def titles(digest: Digest, name: SectionName) -> list[str]:
    """The titles in a section, [] when it is not there."""
    return [m.listing.title for s in digest.sections if s.name is name for m in s.matches]


def ranked(*scores: float) -> list[tuple[Listing, float]]:
    """Listings named after their rank, with these scores."""
    return [(listing(f"paper {n}"), score) for n, score in enumerate(scores)]


def test_the_floor_and_the_cap_choose() -> None:
    """What scores at least the floor is taken, best first, up to the cap; the rest waits."""
    day = Day(TODAY, ranked(0.9, 0.6, 0.3, 0.25, 0.24), considered=40)
    digest = composed(day, max_items=3)
    assert titles(digest, SectionName.FOR_YOU) == ["paper 0", "paper 1", "paper 2"]
    receipt = digest.receipt
    assert (receipt.considered, receipt.matched, receipt.shown, receipt.waiting) == (40, 4, 3, 1)
    assert digest.mailed
    assert not digest.empty_reason


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
    """What another section shows is not counted as waiting."""
    day = Day(TODAY, ranked(0.9, 0.8), voted=[listing("paper 1")])
    digest = composed(day, max_items=1, trending=1)
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
    assert (whole.receipt.shown, whole.receipt.waiting) == (4, 1)
    assert (cut.receipt.shown, cut.receipt.waiting) == (2, 2)
    assert cut_to(whole, 4) == whole
