"""How failures add up, and when so many come at once that no address can be to blame."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

LIMIT = 5
"""Points that end the mail to an address. Source: Mailman's bounce_score_threshold."""

FADES_AFTER = timedelta(days=7)
"""Points are gone when so long no mail bounced. Source: Mailman's bounce_info_stale_after."""

FLOOD = 10
"""Addresses of one receiver that fail within a day before it may be a flood."""


def points(failed_on: Iterable[date]) -> int:
    """The points of an address by the days whose mail failed: one a day, in the last run of them.

    A gap of more than seven days begins a new run; a mail that arrives in between ends none (N3).
    """
    days = sorted(set(failed_on), reverse=True)
    count = 0
    for number, day in enumerate(days):
        if number and days[number - 1] - day > FADES_AFTER:
            break
        count += 1
    return count


def is_flood(failed: int, mailed: int) -> bool:
    """Whether so many addresses of one receiver failed in a day that it must be the receiver.

    Receivers have called all their users unknown for hours. Half of those mailed, and ten at least.
    """
    return failed >= FLOOD and failed * 2 >= mailed
