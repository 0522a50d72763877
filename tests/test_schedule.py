"""Local calendars: when a digest is due, and when a failed send is tried again."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.model import WEEKDAYS
from digest.schedule import days_covered, due_on, retry_at, send_instant

ZONES = ("UTC", "Europe/London", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe")


@pytest.mark.parametrize(
    ("day", "send_at", "timezone", "moment"),
    [
        (date(2026, 11, 20), time(7, 30), "Europe/London", "2026-11-20T07:30"),
        (date(2026, 7, 1), time(7, 30), "Europe/London", "2026-07-01T06:30"),
        (date(2026, 11, 20), time(6, 45), "Asia/Kathmandu", "2026-11-20T01:00"),
        # The clocks of London jump from 01:00 to 02:00 on 29 March 2026: 01:30 does not exist.
        (date(2026, 3, 29), time(1, 30), "Europe/London", "2026-03-29T01:30"),
        # … and show 01:30 twice on 25 October 2026: the first one counts.
        (date(2026, 10, 25), time(1, 30), "Europe/London", "2026-10-25T00:30"),
    ],
)
def test_the_moment_of_a_local_send_time(
    day: date, send_at: time, timezone: str, moment: str
) -> None:
    """Gaps and folds have one moment each."""
    expected = datetime.fromisoformat(moment).replace(tzinfo=UTC)
    assert send_instant(day, send_at, timezone) == expected


def test_nothing_is_due_before_the_hour_or_on_another_day() -> None:
    """The digest is due from its local send time on, on its days only."""
    before = datetime(2026, 11, 20, 7, 29, tzinfo=UTC)
    after = datetime(2026, 11, 20, 7, 30, tzinfo=UTC)
    assert due_on(before, "Europe/London", time(7, 30), WEEKDAYS) is None
    assert due_on(after, "Europe/London", time(7, 30), WEEKDAYS) == date(2026, 11, 20)
    assert due_on(after, "Europe/London", time(7, 30), ("mon", "sat")) is None


def test_q16_only_today_is_ever_due() -> None:
    """After five days of silence the digest of today is due and no older one."""
    late = datetime(2026, 11, 25, 23, 0, tzinfo=UTC)
    assert due_on(late, "Europe/London", time(7, 30), WEEKDAYS) == date(2026, 11, 25)


def test_a_mail_for_just_before_midnight_survives_a_late_tick() -> None:
    """Yesterday's digest is due for six hours past its send time, then never again."""
    after = datetime(2026, 11, 21, 0, 5, tzinfo=UTC)
    assert due_on(after, "UTC", time(23, 59), WEEKDAYS) == date(2026, 11, 20)
    assert due_on(after + timedelta(hours=6), "UTC", time(23, 59), WEEKDAYS) is None


@pytest.mark.parametrize(
    ("now", "timezone", "send_at", "day"),
    [
        # Samoa had no 30 December 2011: midnight of the 29th, UTC-10, was that of the 31st, UTC+14.
        ("2011-12-30T09:55", "Pacific/Apia", time(8), date(2011, 12, 29)),
        ("2011-12-30T10:05", "Pacific/Apia", time(8), None),
        ("2011-12-30T18:05", "Pacific/Apia", time(8), date(2011, 12, 31)),
        # Greenland's Saturday of 28 March 2026 ends at 23:00: 23:30 comes half an hour after it.
        ("2026-03-29T01:05", "America/Nuuk", time(23, 30), None),
        ("2026-03-29T01:35", "America/Nuuk", time(23, 30), date(2026, 3, 28)),
    ],
)
def test_yesterday_is_not_due_before_its_time(
    now: str, timezone: str, send_at: time, day: date | None
) -> None:
    """What a jump at midnight leaves out, a time or a whole day, is not taken for past."""
    moment = datetime.fromisoformat(now).replace(tzinfo=UTC)
    assert due_on(moment, timezone, send_at, WEEKDAYS) == day


@given(
    hours=st.integers(0, 350 * 24),
    timezone=st.sampled_from(ZONES),
    send_at=st.times().map(lambda t: t.replace(second=0, microsecond=0, tzinfo=None)),
)
def test_each_local_day_is_due_exactly_once(hours: int, timezone: str, send_at: time) -> None:
    """Ticks over ten days, across every DST change, see each day once and in order."""
    now = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=hours)
    days: list[date] = []
    for _ in range(10 * 24 * 4):
        day = due_on(now, timezone, send_at, WEEKDAYS)
        if day and (not days or day != days[-1]):
            days.append(day)
        now += timedelta(minutes=15)
    assert days == sorted(set(days))
    assert 9 <= len(days) <= 11


@pytest.mark.parametrize(
    ("day", "days", "covered"),
    [
        (date(2026, 11, 20), WEEKDAYS, 1),
        (date(2026, 11, 23), ("mon", "tue", "wed", "thu", "fri"), 3),
        (date(2026, 11, 23), ("mon",), 7),
        (date(2026, 11, 23), ("mon", "thu"), 4),
    ],
)
def test_a_digest_answers_for_the_days_since_the_one_before(
    day: date, days: tuple[str, ...], covered: int
) -> None:
    """Monday's digest of a working-day subscriber covers the weekend."""
    assert days_covered(day, days) == covered


def test_q8_retries_wait_longer_each_time() -> None:
    """About 5, 30, 60, 120 and 240 minutes, then every 4 hours, spread by up to a fifth."""
    now = datetime(2026, 11, 20, 8, tzinfo=UTC)
    waits = [int((retry_at(now, n, 0.0) - now) / timedelta(minutes=1)) for n in range(1, 8)]
    assert waits == [5, 30, 60, 120, 240, 240, 240]
    assert retry_at(now, 1, 1.0) - now == timedelta(minutes=6)
