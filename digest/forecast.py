"""A profile run over stored days before it is kept: how much it would bring, and why.

Pure. Says of each day how many listings would have come, of the whole which were best and which
just passed, and of each keyword what it does: nothing, its share, or noise.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import pairwise

import numpy as np

from digest.matcher import Batch, Days, Likes, Matcher, Pairs, fitted
from digest.model import Keyword, Listing, Match, Profile

PICKS = 5
"""Of the best, and of the worst that still pass."""

MOST_TERMS = 100
"""Keywords that are looked at one by one."""

FEW = 100
"""So few listings say nothing of how common a word is."""

OFTEN = 0.05
"""A keyword in more than this share of all listings says little of any of them."""


@dataclass(frozen=True, slots=True)
class DayForecast:
    """One day: listings that were new, those that pass the floor, those the cap lets through."""

    day: date
    considered: int
    passed: int
    shown: int


@dataclass(frozen=True, slots=True)
class TermForecast:
    """What a keyword does.

    `found` in so many listings, at least in part; `alone` counts the passing listings that would
    fall below the floor without it; `noisy` where it stands in very many.
    """

    term: str
    weight: float
    found: int
    alone: int
    noisy: bool


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a profile would have brought over the stored days, oldest day first.

    `floor` is the profile's own, or, where so many a day are `wanted`, the one that brings them.
    """

    floor: float
    listings: int
    days: tuple[DayForecast, ...]
    best: tuple[Match, ...]
    worst: tuple[Match, ...]
    terms: tuple[TermForecast, ...]
    wanted: int | None = None

    @property
    def per_day(self) -> float:
        """Items a day on average, over the days that had listings."""
        return sum(day.shown for day in self.days) / len(self.days) if self.days else 0.0

    @property
    def waiting(self) -> int:
        """How many passed the floor and did not fit under the cap."""
        return sum(day.passed - day.shown for day in self.days)

    @property
    def absent(self) -> tuple[str, ...]:
        """Keywords that stand in no listing."""
        return tuple(term.term for term in self.terms if not term.found)

    @property
    def noisy(self) -> tuple[TermForecast, ...]:
        """Keywords that stand in very many listings, and so tell little of any of them."""
        return tuple(term for term in self.terms if term.noisy)


def forecast(
    matcher: Matcher,
    profile: Profile,
    listings: Sequence[Listing],
    batch: Batch | None = None,
    likes: Likes | None = None,
) -> Forecast:
    """The forecast of a profile; `batch` is `matcher.read(listings)` where that is at hand.

    `likes` are what counts beside its keywords. A listing that is among them scores itself high.
    """
    read = batch if batch is not None else matcher.read(listings)
    asked = profile.keywords[:MOST_TERMS]
    # The profile, then each keyword by itself, then the profile without it: ranked in one go.
    single = [Profile((Keyword(k.term, abs(k.weight)),), related=False) for k in asked]
    without = [replace(profile, keywords=_but(profile.keywords, k)) for k in asked]
    profiles = [profile, *single, *without]
    taught = [likes, *[None] * len(single), *[likes] * len(without)]
    pairs = Pairs(matcher.compile(profiles, taught), read, profiles)
    ranking, days = pairs.rank(max(1, len(listings))), Days(listings)
    found, first = np.diff(ranking.first).tolist(), ranking.first.tolist()
    mine = slice(first[0], first[1])
    fit = fitted(profile, ranking.listing[mine], ranking.score[mine], days)
    # Scores stand best first, so what passes of each ranking is its beginning.
    over = np.concatenate(([0], np.cumsum(ranking.score.astype(float) >= fit.min_score)))
    passing = [ranking.listing[low : low + over[high] - over[low]] for low, high in pairwise(first)]
    passed, left = passing[0].tolist(), passing[len(asked) + 1 :]
    alone = [len(np.setdiff1d(passing[0], kept, assume_unique=True)) for kept in left]
    picked = passed[:PICKS] + passed[PICKS:][-PICKS:]
    picks = pairs.matches([0] * len(picked), picked)
    return Forecast(
        floor=fit.min_score,
        listings=len(listings),
        days=_days(days.of, passed, fit.max_items),
        best=tuple(picks[:PICKS]),
        worst=tuple(picks[PICKS:]),
        terms=_terms(asked, found[1 : len(asked) + 1], alone, len(listings)),
        wanted=profile.per_day,
    )


def fitting(matcher: Matcher, term: str, batch: Batch) -> int:
    """In how many of the listings a keyword stands, at least in part."""
    alone = [Profile((Keyword(term),), related=False)]
    ranking = Pairs(matcher.compile(alone, [None]), batch, alone).rank(len(batch.listings))
    return len(ranking.listing)


def _days(days: Sequence[date], passed: Sequence[int], cap: int) -> tuple[DayForecast, ...]:
    considered, fitting = Counter(days), Counter(days[at] for at in passed)
    return tuple(
        DayForecast(day, considered[day], fitting[day], min(fitting[day], cap))
        for day in sorted(considered)
    )


def _terms(
    asked: Sequence[Keyword], found: Sequence[int], alone: Sequence[int], listings: int
) -> tuple[TermForecast, ...]:
    """What each keyword does, those that bring most by themselves first."""
    often = OFTEN * max(listings, FEW)
    terms = [
        TermForecast(keyword.term, keyword.weight, here, own, keyword.weight > 0 and here > often)
        for keyword, here, own in zip(asked, found, alone, strict=True)
    ]
    return tuple(sorted(terms, key=lambda term: (-term.alone, -term.found, term.term)))


def _but(keywords: Sequence[Keyword], left_out: Keyword) -> tuple[Keyword, ...]:
    return tuple(keyword for keyword in keywords if keyword is not left_out)


# --- the chart --------------------------------------------------------------------------------

WIDTH, HEIGHT, FOOT, HEAD = 600, 160, 26, 22
STYLE = (
    "<style>.bar{fill:#b0551f}.rest{fill:#e3dfd6}.rule{stroke:#8d877a}"
    "text{fill:#5d5a53;font:11px sans-serif}</style>"
)


def chart(made: Forecast, *, standalone: bool = False) -> str:
    """Items a day as bars, in SVG; numbers and dates alone, so that nothing need be escaped.

    What passed the floor and did not fit under the cap stands pale above its bar. `standalone`
    brings the colours with it, for a file; a page has them in its style sheet.
    """
    days = _every_day(made.days)
    most = max([day.passed for day in days] + [1])
    step = WIDTH / max(len(days), 1)
    space = ' xmlns="http://www.w3.org/2000/svg"' if standalone else ""
    bars = "".join(_bar(day, at * step, step, most) for at, day in enumerate(days))
    ends = [(0, "start", days[0].day), (WIDTH, "end", days[-1].day)] if days else []
    labels = "".join(
        f'<text x="{x}" y="{HEIGHT - 6}" text-anchor="{anchor}">{day.isoformat()}</text>'
        for x, anchor, day in ends
    )
    base = HEIGHT - FOOT
    return (
        f'<svg{space} class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="{made.per_day:.1f} items a day over {len(made.days)} days, '
        f'{max((d.shown for d in made.days), default=0)} at most">'
        f"{STYLE if standalone else ''}{bars}"
        f'<line class="rule" x1="0" x2="{WIDTH}" y1="{base}" y2="{base}"/>'
        f'<text x="0" y="{HEAD - 6}">{most}</text>{labels}</svg>'
    )


def _bar(day: DayForecast, x: float, step: float, most: int) -> str:
    base, room = HEIGHT - FOOT, HEIGHT - FOOT - HEAD
    pale, full = (value * room / most for value in (day.passed, day.shown))
    width = max(step * 0.78, 1)
    drawn = [("rest", pale), ("bar", full)] if day.passed > day.shown else [("bar", full)]
    rects = "".join(
        f'<rect class="{name}" x="{x:.1f}" y="{base - tall:.1f}" width="{width:.1f}" '
        f'height="{tall:.1f}"/>'
        for name, tall in drawn
    )
    return f"<g><title>{day.day.isoformat()}: {day.shown} of {day.considered}</title>{rects}</g>"


def _every_day(days: Sequence[DayForecast], most: int = 120) -> list[DayForecast]:
    """The days with those between them that had no listing, so that time runs evenly."""
    if not days or (days[-1].day - days[0].day).days > most:
        return list(days)
    known = {day.day: day for day in days}
    empty = DayForecast(days[0].day, 0, 0, 0)
    span = (days[-1].day - days[0].day).days + 1
    calendar = [days[0].day + timedelta(days=at) for at in range(span)]
    return [known.get(day, replace(empty, day=day)) for day in calendar]
