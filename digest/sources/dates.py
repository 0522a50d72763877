"""Dates as sources write them, made aware UTC and kept within reason."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from email.utils import parsedate_to_datetime

EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
_QUARTER = timedelta(days=92)
AHEAD = timedelta(days=7)  # sources announce a little early, never more than a week
_NAMES = "jan feb mar apr may jun jul aug sep oct nov dec"
MONTHS = {name: number for number, name in enumerate(_NAMES.split(), start=1)}
SEASONS = {"winter": 1, "spring": 4, "summer": 7, "fall": 10, "autumn": 10}
_LOOSE = re.compile(
    r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[ T]+(\d{1,2}):(\d{2})(?::(\d{2}))?)?\s*(?:Z|UTC|GMT)?$"
)


def moment(text: object, now: datetime) -> datetime | None:
    """The moment that a text names, in UTC; None where it names none, or one out of all reason.

    Reads RFC 822 and ISO 8601 dates and the common slips of both. A day is its midnight in UTC.
    """
    if not isinstance(text, str) or not text or len(text) > 80:
        return None
    return reasonable(_iso(text.strip()) or _rfc822(text.strip()) or _loose(text.strip()), now)


def reasonable(at: datetime | None, now: datetime) -> datetime | None:
    """The moment in UTC where it lies between 1970 and a week ahead, else None."""
    if at is None:
        return None
    try:
        at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (OverflowError, ValueError):
        return None
    return at if EARLIEST <= at <= now + AHEAD else None


def _iso(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _rfc822(text: str) -> datetime | None:
    try:
        return parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None  # the library lets each of these out on some broken date


def _loose(text: str) -> datetime | None:
    found = _LOOSE.match(text)
    if not found:
        return None
    try:
        year, month, day, hour, minute, second = (int(part or 0) for part in found.groups())
        return datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None


def day_in(text: object, now: datetime) -> date | None:
    """The calendar day that a text names, in the zone it was written in."""
    if not isinstance(text, str) or moment(text, now) is None:
        return None
    written = _iso(text.strip()) or _rfc822(text.strip()) or _loose(text.strip())
    return written.date() if written else None


def from_parts(parts: object, now: datetime) -> datetime | None:
    """The midnight of [year, month, day], where month and day may be missing: then the first."""
    if not isinstance(parts, (list, tuple)) or not parts:
        return None
    try:
        year, month, day = (*(int(part) for part in parts[:3]), 1, 1)[:3]
        return reasonable(datetime(year, month, day, tzinfo=UTC), now)
    except (ValueError, TypeError, OverflowError):
        return None


def taken_in_on(day: date | None, published_at: datetime | None) -> date | None:
    """The day on which an index took a work in, which counts as the day it was announced.

    An issue is dated by its month or year alone, often long before or after. None for back volumes:
    works of an earlier year that are out for more than a quarter are announced to nobody.
    """
    if not day or not published_at:
        return day
    age = day - published_at.date()
    return day if published_at.year >= day.year or age < _QUARTER else None


def month_of(name: str) -> int | None:
    """The number of a month by its name, its number or its season; None for anything else."""
    name = name.strip().lower()
    if name.isdecimal():
        return int(name) if 1 <= int(name[:3]) <= 12 else None
    return MONTHS.get(name[:3]) or SEASONS.get(name)


def latest_day(month: int, day: int, not_after: date) -> date | None:
    """The latest day of that month and number that is not after another; None for `Feb 30`."""
    for year in range(not_after.year, not_after.year - 9, -1):  # nine years hold a leap year
        try:
            candidate = date(year, month, day)
        except ValueError:
            continue
        if candidate <= not_after:
            return candidate
    return None


def midnight(day: date | None) -> datetime | None:
    """The first moment of a day in UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC) if day else None
