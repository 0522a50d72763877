"""When a digest is due and when a failed send is tried again: local calendars, no clock.

Due-ness is computed from (zone, send hour, days) at every tick and never stored, so that new zone
rules take effect at once and a stopped service owes each subscriber today's digest at most.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from digest.model import (
    MOVES,
    WEEKDAYS,
    Deferred,
    DeliveryState,
    Outcome,
    Refused,
    Sent,
    Unknown,
)

RETRY_MINUTES = (5, 30, 60, 120, 240)
"""Waits after the first, second … deferral; the last repeats. A digest grows stale, so the first
retry comes sooner than the 30 minutes of RFC 5321 section 4.5.4.1."""

LATE = timedelta(hours=6)
"""How long past midnight the digest of the day before is still sent."""

STALE_AFTER = timedelta(hours=24)
"""After this a digest that could not be sent is cancelled: the next day's replaces it."""


@lru_cache(maxsize=1024)
def zone(name: str) -> ZoneInfo:
    """The time zone of an IANA name."""
    return ZoneInfo(name)


def send_instant(day: date, send_at: time, timezone: str) -> datetime:
    """The UTC moment of a local send time on a local day, also when the clock jumps then.

    In a DST gap the time does not exist and the moment is as long after the jump as the time is
    after the gap's start; in a fold it is the first of the two. Source: PEP 495.
    """
    local = datetime.combine(day, send_at.replace(fold=0), tzinfo=zone(timezone))
    return local.astimezone(UTC)


def due_on(now: datetime, timezone: str, send_at: time, days: Collection[str]) -> date | None:
    """The local day whose digest is due at `now`, or None.

    That is today from its send time on; and yesterday while its send time is no more than `LATE`
    ago, so that a mail meant for just before midnight survives a tick after it. Never an older day,
    nor one whose time is still to come: a day that a zone leaves out has its time in the next one.
    """
    today = now.astimezone(zone(timezone)).date()
    if now >= send_instant(today, send_at, timezone):
        day = today
    else:
        day = today - timedelta(days=1)
        if not timedelta() <= now - send_instant(day, send_at, timezone) <= LATE:
            return None
    return day if WEEKDAYS[day.weekday()] in days else None


def days_covered(day: date, days: Collection[str]) -> int:
    """How many days a digest on `day` answers for: 1 when daily, 7 when once a week."""
    for back in range(1, 8):
        if WEEKDAYS[(day - timedelta(days=back)).weekday()] in days:
            return back
    return 7


def retry_at(now: datetime, attempts: int, spread: float) -> datetime:
    """When to try again after so many attempts (1 or more); `spread`, 0..1, adds up to 20 %."""
    minutes = RETRY_MINUTES[min(attempts, len(RETRY_MINUTES)) - 1]
    return now + timedelta(minutes=minutes * (1 + 0.2 * spread))


def state_after(outcome: Outcome) -> DeliveryState:
    """The state that an outcome of sending leads to."""
    match outcome:
        case Sent():
            return DeliveryState.SENT
        case Refused():
            return DeliveryState.REFUSED
        case Deferred():
            return DeliveryState.DEFERRED
        case Unknown():
            return DeliveryState.UNKNOWN


def is_final(state: DeliveryState) -> bool:
    """Whether a delivery in this state has no further move."""
    return not MOVES[state]
