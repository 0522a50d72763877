"""The backlog guard: which new listings are stored and not mailed, and which may be after all.

A source that is read for the first time, or that lists old work anew, must not fill a digest.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from enum import StrEnum

from digest.model import Announce, Listing


class Held(StrEnum):
    """Why a new listing is stored but not mailed."""

    REVISED = "revised"
    TOO_OLD = "too_old"
    UNDATED = "undated"


_REVISED = frozenset({Announce.REPLACE, Announce.REPLACE_CROSS})
MAX_UNDATED = 50  # items without a date that a source brings into the mail in a day


def held_back(
    new: Iterable[Listing], max_age_days: int | None, now: datetime, undated: int = MAX_UNDATED
) -> dict[str, Held]:
    """The keys of new listings to store but not to mail, with why: revised, old, undated and many.

    A paper that we first meet as a replaced one is old work. Old is what is older than the limit
    by its own day and by the day of the list that announced it; None lets every age through.
    `undated` is how many items without a day are let in.
    """
    held = dict[str, Held]()
    oldest = now.date() - timedelta(days=max_age_days) if max_age_days is not None else None
    for listing in new:
        day = _day(listing)
        if listing.announce in _REVISED:
            held[listing.key] = Held.REVISED
        elif oldest and day and day < oldest:
            held[listing.key] = Held.TOO_OLD
        elif oldest and not day:
            undated -= 1
            if undated < 0:
                held[listing.key] = Held.UNDATED
    return held


def released(
    met: Iterable[tuple[int, Listing]], max_age_days: int | None, now: datetime
) -> set[int]:
    """The rows that are announced as new work now, so that one held back may be mailed after all.

    What has no day is not enough: a feed without dates repeats its whole past.
    """
    fresh = [(row, listing) for row, listing in met if listing.announce not in _REVISED]
    if max_age_days is None:
        return {row for row, _ in fresh}
    oldest = now.date() - timedelta(days=max_age_days)
    return {row for row, listing in fresh if (day := _day(listing)) and day >= oldest}


def _day(listing: Listing) -> date | None:
    """The later of the work's own day and its list's."""
    own = listing.published_at.date() if listing.published_at else None
    return max(filter(None, (own, listing.listed_on)), default=None)
