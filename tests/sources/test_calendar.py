"""When sources bring a list, and when they rest."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from digest.model import Source
from digest.sources.calendar import (
    CALENDARS,
    STATED,
    arxiv_holidays,
    calendar_of,
    missed,
    newest_list,
    rest_on,
    slot,
)

ARXIV, HUGGINGFACE = CALENDARS["arxiv"], CALENDARS["huggingface"]


def at(text: str) -> datetime:
    """A UTC moment of 2026: `11-20 06:30`."""
    return datetime.strptime(f"2026-{text}", "%Y-%m-%d %H:%M").replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "newest"),
    [
        ("11-20 00:59", date(2026, 11, 18)),  # one minute before 20:00 in the east, in winter
        ("11-20 01:00", date(2026, 11, 19)),
        ("07-16 23:59", date(2026, 7, 15)),  # in summer the evening begins an hour earlier in UTC
        ("07-17 00:00", date(2026, 7, 16)),
        ("03-09 00:00", date(2026, 3, 8)),  # the evening after the clocks went forward
        ("11-02 01:00", date(2026, 11, 1)),  # and back
    ],
)
def test_arxiv_announces_at_eight_in_the_evening_in_the_east(now: str, newest: date) -> None:
    """The newest day whose hour has passed follows Eastern time, in winter and in summer."""
    assert slot(ARXIV, at(now)) == newest


@pytest.mark.parametrize(
    ("calendar", "day", "rest"),
    [
        ("arxiv", date(2026, 11, 19), ""),
        ("arxiv", date(2026, 11, 20), "on Fridays and Saturdays"),
        ("arxiv", date(2026, 11, 21), "on Fridays and Saturdays"),
        ("arxiv", date(2026, 11, 22), ""),
        ("arxiv", date(2026, 11, 26), "on Thanksgiving"),
        ("arxiv", date(2026, 12, 25), "on Fridays and Saturdays"),  # a Friday anyway
        ("arxiv", date(2026, 12, 29), "on 29 December"),  # stated, and without a name
        ("arxiv", date(2026, 5, 25), ""),  # Memorial Day is none of arXiv's
        ("arxiv", date(2030, 11, 28), "on Thanksgiving"),
        ("huggingface", date(2026, 11, 20), ""),
        ("huggingface", date(2026, 11, 21), "at weekends"),
        ("biorxiv", date(2026, 11, 22), "at weekends"),
        ("rhythm", date(2026, 11, 22), ""),
    ],
)
def test_weekends_and_holidays_are_told_apart(calendar: str, day: date, rest: str) -> None:
    """A day without a list says why; an ordinary day says nothing."""
    assert rest_on(CALENDARS[calendar], day) == rest


@pytest.mark.parametrize("year", STATED)
def test_the_rule_for_other_years_comes_near_what_arxiv_stated(year: int) -> None:
    """Of the evenings arXiv stated with a name, the rule finds all; it guesses at most one more."""
    rule = set(arxiv_holidays(year + 28).values())  # a year with the same weekdays
    stated = {name for name in arxiv_holidays(year).values() if name}
    assert stated <= rule
    assert len(rule - stated) <= 1


@pytest.mark.parametrize(
    ("list_on", "now", "count"),
    [
        (date(2026, 11, 20), "11-20 12:00", 0),
        (date(2026, 11, 20), "11-22 12:00", 0),  # Friday and Saturday bring nothing
        (date(2026, 11, 20), "11-23 06:30", 0),  # Sunday's is due, and not late yet
        (date(2026, 11, 20), "11-23 07:00", 1),
        (date(2026, 11, 22), "11-23 07:00", 1),  # a feed without items is dated on Sunday as well
        (date(2026, 11, 26), "11-29 12:00", 0),  # nothing on Thanksgiving either
        (date(2026, 11, 20), "11-26 12:00", 4),
        (date(1999, 1, 1), "11-26 12:00", 30),
    ],
)
def test_missed_lists_are_counted_by_the_calendar(list_on: date, now: str, count: int) -> None:
    """Weekends and holidays are no misses, and a list has six hours to appear."""
    assert missed(ARXIV, list_on, at(now)) == count


def test_the_newest_list_is_no_day_of_rest() -> None:
    """What a feed without items is dated is taken back to the last day with a list."""
    assert newest_list(ARXIV, date(2026, 11, 22)) == date(2026, 11, 19)
    assert newest_list(ARXIV, date(2026, 11, 23)) == date(2026, 11, 22)
    assert newest_list(HUGGINGFACE, date(2026, 11, 20)) == date(2026, 11, 20)


@pytest.mark.parametrize(
    ("source", "calendar"),
    [
        (Source("a", "arxiv"), "arxiv"),
        (Source("a", "arxiv_listing"), "arxiv"),
        (Source("a", "arxiv_listing", path="*.html"), ""),
        (Source("a", "arxiv_api", query="x"), "rhythm"),
        (Source("a", "huggingface"), "huggingface"),
        (Source("a", "huggingface", query="trending"), "rhythm"),
        (Source("a", "medrxiv"), "biorxiv"),
        (Source("a", "feed", url="https://example.org/feed"), "rhythm"),
        (Source("a", "jsonl", path="*.jsonl"), ""),
    ],
)
def test_each_source_has_the_calendar_of_its_kind(source: Source, calendar: str) -> None:
    """Files keep none: they come when the operator puts them there."""
    assert calendar_of(source) == calendar
