"""The floor that lets about so many items a day through.

Owns the fitting on stored days. A floor is worked out once for each profile while those days stand,
so that a changed or new profile costs itself alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from digest.matcher.likes import Likes
from digest.matcher.reading import Batch
from digest.model import Listing, Profile

if TYPE_CHECKING:  # the matcher hands itself in
    from digest.matcher.matching import Matcher

AT_ONCE = 200
"""Profiles fitted at a time: each has a score for nearly every stored listing."""

MOST_KEPT = 50_000
"""Floors that are remembered; beyond, they are worked out anew."""

_Asked = tuple[Profile, Likes | None]

ROUNDING = 1e-6
"""How far below the score of a listing a floor is set that is to let it through: the same sum may
be rounded in its last place, 6e-8, as it is added up in other company."""


def fit_floor(scores_by_day: Iterable[Sequence[float]], per_day: int) -> float:
    """The floor under which a usual day brings about `per_day` items, 0..1.

    The middle day counts, not the sum: one flood of 3,000 listings must not starve the others.
    Days with fewer items than `per_day` pull the floor down to 0 only if most days are so.
    """
    marks = [
        sorted(day, reverse=True)[per_day - 1] if 0 < per_day <= len(day) else 0.0
        for day in scores_by_day
    ]
    return float(np.median(marks)) if marks else 0.0


def fitted(
    profile: Profile, listing: NDArray[np.integer], score: NDArray[np.floating], days: Days
) -> Profile:
    """The profile with the floor that brings about `per_day` items a day of its ranking.

    The listings stand best first. A profile that asks for no number stays as it is. Its cap stays,
    too, and is what holds on a day far above the usual.
    """
    if not profile.per_day:
        return profile
    day = days.number[listing]
    sort = np.argsort(day, kind="stable")  # within a day still best first
    edges = np.searchsorted(day[sort], np.arange(len(days) + 1))
    ranked = score[sort].tolist()
    by_day = [ranked[low:high] for low, high in pairwise(edges.tolist())]
    floor = fit_floor(by_day, profile.per_day)
    return replace(profile, min_score=max(0.0, floor - ROUNDING))


def day_of(listing: Listing) -> date:
    """The day of a listing: that of its list or, where it is earlier, the one it was first seen."""
    seen = listing.first_seen_at.date() if listing.first_seen_at else date.max
    day = min(seen, listing.listed_on or date.max)
    return day if day < date.max else date.min


class Days:
    """The days of some listings: which there are, oldest first, and the number of each one's."""

    def __init__(self, listings: Sequence[Listing]) -> None:
        self.of = [day_of(listing) for listing in listings]
        self.all = sorted(set(self.of))
        known = {day: number for number, day in enumerate(self.all)}
        self.number = np.array([known[day] for day in self.of], dtype=np.int32)

    def __len__(self) -> int:
        return len(self.all)


class Floors:
    """The floors on one set of stored listings, by one matcher."""

    def __init__(self, matcher: Matcher, stored: Batch) -> None:
        self._matcher, self._stored = matcher, stored
        self._days = Days(stored.listings)
        self._known: dict[_Asked, Profile] = {}

    def stand_on(self, matcher: Matcher, stored: Batch) -> bool:
        """Whether these floors are those of this matcher on these listings."""
        return self._matcher is matcher and self._stored is stored

    def fit(
        self, profiles: Sequence[Profile], likes: Sequence[Likes | None] | None = None
    ) -> list[Profile]:
        """The profiles; those that ask for so many a day with the floor that brings them."""
        asked = list(zip(profiles, likes or [None] * len(profiles), strict=True))
        new = [one for one in dict.fromkeys(asked) if one[0].per_day and one not in self._known]
        if len(self._known) + len(new) > MOST_KEPT:
            self._known.clear()
            new = [one for one in dict.fromkeys(asked) if one[0].per_day]
        for start in range(0, len(new), AT_ONCE):
            self._fit(new[start : start + AT_ONCE])
        return [self._known.get(one, one[0]) for one in asked]

    def _fit(self, asked: Sequence[_Asked]) -> None:
        compiled = self._matcher.compile([one for one, _ in asked], [liked for _, liked in asked])
        ranking = self._matcher.rank(compiled, self._stored, max(1, len(self._stored)))
        for number, one in enumerate(asked):
            low, high = ranking.first[number], ranking.first[number + 1]
            listing, score = ranking.listing[low:high], ranking.score[low:high]
            self._known[one] = fitted(one[0], listing, score, self._days)
