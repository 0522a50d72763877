"""Floors that bring about so many a day, whatever the profile and however large the day."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from random import Random
from statistics import median

import pytest

from digest.matcher import Floors, Lexicon, Likes, Matcher, Profiles, Statistics
from digest.model import Keyword, Listing, Profile
from tests.matcher.listings import archive, listing

PER_DAY = 8
FIRST = date(2026, 3, 2)
STORED = archive(600)
WORDS = [
    word
    for word, _ in Counter(" ".join(each.abstract for each in STORED).lower().split()).most_common()
]


def days_of(sizes: Sequence[int]) -> list[Listing]:
    """Listings of days of these sizes, of 20 to 90 words of the archive and others, all unlike."""
    dice = Random(7)  # noqa: S311 - nothing to guess, and the same on every run
    words = WORDS + [f"other{number}" for number in range(2000)]
    weights = [1 / (rank + 3) for rank in range(len(words))]
    listings = [
        listing(*(" ".join(dice.choices(words, weights, k=k)) for k in (8, dice.randint(12, 82))))
        for _ in range(sum(sizes))
    ]
    day = [FIRST + timedelta(days=at) for at, size in enumerate(sizes) for _ in range(size)]
    return [replace(one, listed_on=on) for one, on in zip(listings, day, strict=True)]


def wanted(keywords: int) -> Profile:
    """A profile of so many of the words that titles have most."""
    return Profile(
        tuple(Keyword(word) for word in WORDS[:keywords]), per_day=PER_DAY, max_items=100
    )


def passed(profile: Profile, listings: Sequence[Listing]) -> tuple[Profile, dict[date, int]]:
    """The profile as fitted on these listings, and how many items of each day pass its floor."""
    matcher = Matcher(Statistics.of(STORED))
    batch = matcher.read(listings)
    (fit,) = Floors(matcher, batch).fit([profile])
    days = {one.listed_on or FIRST: 0 for one in listings}
    for at, _ in matcher.rank([fit], batch, len(listings), [fit.min_score])[0]:
        days[listings[at].listed_on or FIRST] += 1
    return fit, days


@pytest.mark.parametrize("keywords", [2, 40])
@pytest.mark.parametrize("size", [30, 3000])
def test_about_so_many_a_day(keywords: int, size: int) -> None:
    """Two keywords or forty, thirty listings a day or three thousand: about eight pass."""
    _, days = passed(wanted(keywords), days_of([size] * 5))
    assert all(PER_DAY / 4 <= count <= PER_DAY * 2 for count in days.values())
    assert PER_DAY * 0.75 <= median(days.values()) <= PER_DAY * 1.25


@pytest.mark.parametrize("keywords", [2, 40])
def test_a_flood_starves_no_other_day(keywords: int) -> None:
    """One day of 3,000 among days of 30 leaves those their eight, and has its own cap."""
    fit, days = passed(wanted(keywords), days_of([30, 30, 3000, 30, 30]))
    counts = list(days.values())
    assert counts.pop(2) > fit.max_items
    assert PER_DAY * 0.75 <= median(counts) <= PER_DAY * 1.25


def test_what_asks_for_no_number_stays() -> None:
    """A profile with a floor of its own keeps floor and cap."""
    own = replace(wanted(2), per_day=None, min_score=0.4)
    matcher = Matcher(Statistics.of(STORED))
    assert Floors(matcher, matcher.read(STORED)).fit([own]) == [own]


class Counted(Matcher):
    """A matcher that counts the profiles it compiles."""

    compiled = 0

    def compile(
        self,
        profiles: Iterable[Profile],
        likes: Sequence[Likes | None] | None = None,
        lexicon: Lexicon | None = None,
    ) -> Profiles:
        """The profiles, counted."""
        many = list(profiles)
        self.compiled += len(many)
        return super().compile(many, likes, lexicon)


def test_a_new_profile_costs_itself_alone() -> None:
    """Floors that are known are not fitted again, neither beside a new profile nor without."""
    matcher = Counted(Statistics.of(STORED))
    floors = Floors(matcher, matcher.read(days_of([30] * 5)))
    many = [wanted(keywords) for keywords in range(1, 21)]
    first = floors.fit(many)
    assert matcher.compiled == 20
    assert floors.fit([wanted(30), *many])[1:] == first
    assert matcher.compiled == 21
    assert all(profile.min_score > 0 for profile in first)


def test_nothing_stored_fits_nothing() -> None:
    """On the first day whatever matches may come, up to the cap."""
    matcher = Matcher(Statistics.of(STORED))
    (fit,) = Floors(matcher, matcher.read([])).fit([wanted(2)])
    assert (fit.min_score, fit.max_items) == (0.0, 100)
