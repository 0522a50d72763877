"""How fast one profile is tried on a month, a floor is fitted, and a score is explained.

Run: `python -m tests.benchmarks.bench_forecast`. A month of 30 days with 300 listings each, related
terms from 5,000 older ones, profiles of 10 keywords. Prints what the month costs once, then the
middle of 20 profiles: a forecast, a floor for so many a day, and the reasons of an item, for the
first reader of a listing and for a further one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from statistics import median

from digest.forecast import forecast
from digest.matcher import Floors, Matcher, Statistics
from digest.model import Profile
from tests.benchmarks.bench_matcher import BEST, listings, profiles, terms, vocabulary

DAYS, A_DAY, OLDER, PROFILES, READERS = 30, 300, 5_000, 20, 200
FIRST = date(2026, 1, 1)


def timed(work: Callable[[], object]) -> float:
    """Seconds that it takes."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def reasons(matcher: Matcher, asked: Sequence[Profile]) -> tuple[float, float]:
    """Seconds an item: when nobody has read the listings yet, and when all have been read."""
    shown = listings(vocabulary(), A_DAY, 8)
    spent = []
    pairs = matcher.pairs([*asked, *asked], shown)
    ranking = pairs.rank(BEST)
    for part in (range(len(asked)), range(len(asked), 2 * len(asked))):
        items = [(number, at) for number in part for at, _ in ranking[number]]
        begun = time.perf_counter()
        for number, at in items:
            pairs.match(number, at)
        spent.append((time.perf_counter() - begun) / len(items))
    return spent[0], spent[1]


def main() -> None:
    """Print the figures."""
    words = vocabulary()
    older, month = listings(words, OLDER, 5), listings(words, DAYS * A_DAY, 6)
    month = [replace(x, listed_on=FIRST + timedelta(days=i // A_DAY)) for i, x in enumerate(month)]
    matcher = Matcher(Statistics.of(older), older)
    asked = list(profiles(terms(words), READERS))
    print(f"reading the archive, once: {timed(lambda: matcher.related):.2f} s")
    begun = time.perf_counter()
    batch = matcher.read(month)
    forecast(matcher, asked[0], month, batch)
    print(f"reading the month and the first forecast: {time.perf_counter() - begun:.2f} s")
    made = [timed(partial(forecast, matcher, p, month, batch)) for p in asked[:PROFILES]]
    print(f"a forecast: {median(made) * 1e3:.0f} ms")
    floors = Floors(matcher, batch)
    fitted = [replace(profile, per_day=8) for profile in asked[:PROFILES]]
    alone = median(timed(partial(floors.fit, [profile])) for profile in fitted)
    print(f"a floor for so many a day: {alone * 1e3:.0f} ms, known {_known(floors, fitted):.2f} ms")
    first, further = reasons(matcher, asked)
    print(
        f"reasons of an item: {first * 1e6:.0f} µs, of listings read before {further * 1e6:.0f} µs"
    )


def _known(floors: Floors, profiles: Sequence[Profile]) -> float:
    """Milliseconds a profile when all floors were fitted before."""
    return timed(lambda: floors.fit(profiles)) / len(profiles) * 1e3


if __name__ == "__main__":
    main()
