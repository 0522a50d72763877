"""What a profile would have brought, told from listings of known days."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from xml.etree import ElementTree as ET

import pytest

from digest.forecast import Forecast, chart, forecast
from digest.matcher import Matcher, Statistics, terms_of
from digest.model import Listing, Profile
from tests.samples import NOW, listing, profile


def stored(days: int = 10) -> list[Listing]:
    """Each day one listing about flash attention, one that names it, two of other things."""
    made = []
    for day in range(days):
        titles = (
            f"Flash Attention number {day}",
            f"Rivers {day}",
            f"Stones {day}",
            f"Kernels {day}",
        )
        abstracts = ("", "Water moves.", "They lie.", "We compare flash attention, among others.")
        for title, abstract in zip(titles, abstracts, strict=True):
            seen = NOW - timedelta(days=day)
            made.append(replace(listing(title, abstract=abstract), first_seen_at=seen))
    return [replace(one, id=at + 1) for at, one in enumerate(made)]


def forecast_of(wanted: Profile, listings: list[Listing]) -> Forecast:
    """The forecast by a matcher that knows these listings' terms."""
    counts = Counter(term for one in listings for term in terms_of(one))
    return forecast(Matcher(Statistics(len(listings), counts)), wanted, listings)


def test_each_day_has_its_counts() -> None:
    """Oldest first: what was new, what passed, what the cap let through."""
    made = forecast_of(profile(min_score=0.01, max_items=1), stored())
    assert len(made.days) == 10
    assert [day.day for day in made.days] == sorted(day.day for day in made.days)
    assert {(day.considered, day.passed, day.shown) for day in made.days} == {(4, 2, 1)}
    assert made.per_day == 1
    assert made.waiting == 10


def test_the_best_and_the_worst_that_pass() -> None:
    """Five of each, none twice, all above the floor, with their reasons."""
    made = forecast_of(profile(min_score=0.01), stored())
    assert all("Flash Attention" in match.listing.title for match in made.best)
    assert all("Kernels" in match.listing.title for match in made.worst)
    assert len(made.best) == len(made.worst) == 5
    assert all(match.score >= 0.01 and match.reasons for match in (*made.best, *made.worst))


def test_the_floor_moves_the_counts() -> None:
    """A higher floor lets less through."""
    counts = [
        sum(day.passed for day in forecast_of(profile(min_score=floor), stored()).days)
        for floor in (0.01, 0.3, 1.0)
    ]
    assert counts == sorted(counts, reverse=True)
    assert counts[0] == 20
    assert counts[-1] == 0


def test_per_day_fits_the_floor() -> None:
    """Who asks for one a day gets a floor that gives one."""
    made = forecast_of(profile(min_score=0.0, per_day=1), stored())
    assert made.floor > 0.01
    assert made.per_day == pytest.approx(1)


def test_terms_that_match_nothing_and_terms_that_bring_noise() -> None:
    """Each keyword with what it finds and what would be missing without it."""
    wanted = profile(
        keywords={"flash attention": 2.0, "zeolite": 1.0, "rivers": 1.0}, min_score=0.01
    )
    listings = stored(60)
    made = forecast_of(wanted, listings)
    terms = {term.term: term for term in made.terms}
    assert made.absent == ("zeolite",)
    assert terms["flash attention"].found == 120
    assert terms["flash attention"].alone == 120
    assert terms["rivers"].alone == 60
    assert {term.term for term in made.noisy} == {"flash attention", "rivers"}


def test_nothing_stored_and_nothing_wanted() -> None:
    """Neither an empty store nor an empty profile is a fault."""
    assert forecast_of(profile(), []).per_day == 0
    assert forecast_of(Profile(), stored()).per_day == 0
    assert ET.fromstring(chart(forecast_of(profile(), []))).tag == "svg"  # noqa: S314 - our own text


def test_the_chart_is_well_formed_and_says_what_it_shows() -> None:
    """One group a day, days without listings included; it names itself to a screen reader."""
    listings = [one for one in stored() if one.id <= 4 or one.id > 20]
    svg = ET.fromstring(chart(forecast_of(profile(), listings), standalone=True))  # noqa: S314
    groups = [part for part in svg if part.tag.endswith("}g")]
    assert len(groups) == 10
    assert "items a day" in str(svg.get("aria-label"))
    assert "style" not in chart(forecast_of(profile(), listings))
