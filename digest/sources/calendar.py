"""When sources bring a list and when they rest: weekends, holidays, in the source's own zone.

Pure. A calendar only predicts; what a source really brought decides (`digest.standing`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from types import MappingProxyType

from digest.model import Source
from digest.schedule import zone

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip

MOST_MISSED = 30
"""So many missed lists are as bad as more."""


# --- holidays -------------------------------------------------------------------------------

STATED: Mapping[int, Mapping[tuple[int, int], str]] = MappingProxyType(
    {
        2024: {
            (1, 15): "Martin Luther King Jr. Day",
            (5, 22): "",
            (6, 19): "Juneteenth",
            (7, 4): "Independence Day",
            (9, 2): "Labor Day",
            (11, 28): "Thanksgiving",
            (12, 25): "Christmas Day",
            (12, 26): "",
            (12, 31): "New Year’s Eve",
        },
        2026: {
            (1, 1): "New Year’s Day",
            (1, 19): "Martin Luther King Jr. Day",
            (6, 19): "Juneteenth",
            (7, 3): "Independence Day",
            (9, 7): "Labor Day",
            (11, 26): "Thanksgiving",
            (12, 25): "Christmas Day",
            (12, 29): "",
            (12, 31): "New Year’s Eve",
        },
    }
)
"""Evenings without an announcement as arXiv stated them for a whole year; some have no name.

Source: info.arxiv.org/help/availability.html, "On Deferred Mailings", as of 2024 and 2026.
"""


@lru_cache(maxsize=64)
def arxiv_holidays(year: int) -> Mapping[date, str]:
    """The evenings without an announcement by arXiv: as stated, else as they are in most years.

    No library knows them: federal holidays such as Memorial Day are none of arXiv's, and late
    December is set anew each year. A wrong guess is harmless, since a list that comes is shown.
    """
    if year in STATED:
        return {date(year, *day): name for day, name in STATED[year].items()}
    return {
        date(year, 1, 1): "New Year’s Day",
        _nth(year, 1, 0, 3): "Martin Luther King Jr. Day",
        date(year, 6, 19): "Juneteenth",
        _observed(date(year, 7, 4)): "Independence Day",
        _nth(year, 9, 0, 1): "Labor Day",
        _nth(year, 11, 3, 4): "Thanksgiving",
        date(year, 12, 25): "Christmas Day",
        date(year, 12, 31): "New Year’s Eve",
    }


def _nth(year: int, month: int, weekday: int, number: int) -> date:
    """The first, second … Monday (0), Tuesday (1) … of a month."""
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (number - 1))


def _observed(day: date) -> date:
    """The working day on which a holiday that falls on a weekend is kept."""
    return day + timedelta(days={5: -1, 6: 1}.get(day.weekday(), 0))


def _no_holidays(year: int) -> Mapping[date, str]:
    """No holidays."""
    return {}


# --- calendars ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Calendar:
    """When a source brings its lists, and in which words that is told.

    A list comes at `out_at` in `zone` on each of `weekdays` (0 is Monday) that is no holiday, and
    is late when it is not there after `grace`. Its own date is `dated_days` after that day; None
    where a list is not known by its date. `brings` and `rests` are said of the source: `announced`
    so many, `makes no announcement`; `free` says when it never does.
    """

    brings: str
    rests: str = ""
    free: str = ""
    zone: str = "UTC"
    out_at: time = time(0)
    weekdays: frozenset[int] = frozenset(range(7))
    grace: timedelta = timedelta()
    dated_days: int | None = None
    holidays: Callable[[int], Mapping[date, str]] = _no_holidays


MONDAY_TO_FRIDAY = frozenset(range(5))

CALENDARS: Mapping[str, Calendar] = MappingProxyType(
    {
        # Sunday to Thursday at 20:00; the feed follows at midnight and is dated the day after.
        "arxiv": Calendar(
            "announced",
            "makes no announcement",
            "on Fridays and Saturdays",
            "America/New_York",
            time(20),
            frozenset({6, 0, 1, 2, 3}),
            timedelta(hours=6),
            1,
            arxiv_holidays,
        ),
        # A list a working day, filled while the day goes on.
        "huggingface": Calendar(
            "listed",
            "has no list",
            "at weekends",
            weekdays=MONDAY_TO_FRIDAY,
            grace=timedelta(hours=24),
            dated_days=0,
        ),
        # Posts on working days, and now and then at a weekend; asked for by days, so never late.
        "biorxiv": Calendar(
            "posted",
            "posts little or nothing",
            "at weekends",
            "America/New_York",
            weekdays=MONDAY_TO_FRIDAY,
        ),
        # Whatever has no calendar that we know: known by its own rhythm.
        "rhythm": Calendar("brought"),
    }
)
"""Every calendar by its name."""

_BY_KIND = {
    "arxiv": "arxiv",
    "arxiv_listing": "arxiv",
    "huggingface": "huggingface",
    "biorxiv": "biorxiv",
    "medrxiv": "biorxiv",
}


def calendar_of(source: Source) -> str:
    """The name of the calendar that a source keeps; empty for files, which come when they come."""
    if source.path:
        return ""
    if source.kind == "huggingface" and source.query:
        return "rhythm"  # trending, a week, a month: no day's list
    return _BY_KIND.get(source.kind, "rhythm")


def slot(calendar: Calendar, now: datetime, grace: timedelta = timedelta()) -> date:
    """The newest day whose hour for a list, and `grace` after it, has passed; a list or a rest."""
    local = (now - grace).astimezone(zone(calendar.zone))
    return local.date() - timedelta(days=local.time() < calendar.out_at)


def rest_on(calendar: Calendar, day: date) -> str:
    """Why no list comes on a day: `at weekends`, `on Thanksgiving`; empty when one does."""
    if day.weekday() not in calendar.weekdays:
        return calendar.free
    holidays = calendar.holidays(day.year)
    return f"on {holidays[day] or f'{day.day} {MONTHS[day.month - 1]}'}" if day in holidays else ""


def announced_on(calendar: Calendar, list_on: date) -> date:
    """The day on which a list of that date came out."""
    return list_on - timedelta(days=calendar.dated_days or 0)


def newest_list(calendar: Calendar, list_on: date) -> date:
    """The day on which the newest list came out, by the date that the source gives.

    A feed without items is dated as well on days without a list; those are no lists.
    """
    day = announced_on(calendar, list_on)
    while rest_on(calendar, day):
        day -= timedelta(days=1)
    return day


def missed(calendar: Calendar, list_on: date, now: datetime) -> int:
    """How many lists after that of `list_on` should be out by now, counted to `MOST_MISSED`."""
    newest, day, count = slot(calendar, now, calendar.grace), announced_on(calendar, list_on), 0
    while day < newest and count < MOST_MISSED:
        day += timedelta(days=1)
        count += not rest_on(calendar, day)
    return count
