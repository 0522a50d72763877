"""Zones, hours, days and durations, as people write them."""

from __future__ import annotations

import re
from datetime import time
from functools import cache
from zoneinfo import available_timezones

from digest.config.text import read_list
from digest.config.words import WrongValueError, either, expect_text, meant, nearest, shown
from digest.model import WEEKDAYS

SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
DURATION = re.compile(r"(\d{1,6})\s*([smhd])")
EVERY = (60, 31 * 86400)
"""Seconds between two fetches of a source, least and most: a minute, a month."""
MAX_AGE_DAYS = 3650
CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")
LOOSE_CLOCK = re.compile(r"(\d{1,2})[:.h]?([0-5]\d)?(?::00)?\s*([ap]m)?", re.IGNORECASE)


@cache
def zones() -> frozenset[str]:
    """Every IANA time zone name that this machine knows."""
    return frozenset(available_timezones())


def check_timezone(text: str) -> str:
    """`text` if it is an IANA time zone name; else the nearest, by the city alone as well."""
    if text in zones():
        return text
    cities = {name.rpartition("/")[2]: name for name in sorted(zones(), reverse=True)}
    words = text.strip().replace(" ", "_")
    city = nearest(words.rpartition("/")[2], cities)
    hint = nearest(words, zones()) or (cities[city] if city else "")
    raise WrongValueError(
        f'{shown(text)} is no IANA time zone such as "Europe/London"{meant(hint)}'
    )


def read_clock(value: object) -> time:
    """A local time of day in hours and minutes."""
    if isinstance(value, time):
        if value.second or value.microsecond:
            raise WrongValueError(f"must be hours and minutes, not {shown(value)}")
        return value
    text = expect_text(value, "07:30")
    exact = CLOCK.fullmatch(text)
    if exact:
        return time(int(exact[1]), int(exact[2]))
    raise WrongValueError(
        f'must be hours and minutes such as "07:30", not {shown(text)}{meant(_loose_clock(text))}'
    )


def _loose_clock(text: str) -> str:
    """The time that `7:30`, `7.30`, `7pm` or `24:00` was meant to be, or empty."""
    loose = LOOSE_CLOCK.fullmatch(text.strip())
    if not loose:
        return ""
    hour, half = int(loose[1]), (loose[3] or "").lower()
    if half:
        hour = hour % 12 + (12 if half == "pm" else 0)
    hour = 0 if hour == 24 else hour
    return f"{hour:02}:{loose[2] or '00'}" if hour < 24 else ""


def read_days(value: object) -> tuple[str, ...]:
    """The days in the order of the week, each once."""
    days = read_list(value)
    if not days:
        raise WrongValueError("must name one day at least")
    wrong = [day for day in days if day not in WEEKDAYS]
    if wrong:
        hints = [_day(day) if isinstance(day, str) else "" for day in wrong]
        hint = f"; did you mean {', '.join(map(shown, hints))}?" if all(hints) else ""
        raise WrongValueError(f"{', '.join(map(shown, wrong))}: days are {either(WEEKDAYS)}{hint}")
    return tuple(day for day in WEEKDAYS if day in days)


def _day(text: str) -> str:
    """The day that `Monday` or `thurs` was meant to be, or empty."""
    start = text.strip().casefold()[:3]
    return start if start in WEEKDAYS else nearest(text, WEEKDAYS)


def read_every(value: object) -> int:
    """Seconds of a duration such as `30m`, `6h` or `1d`."""
    if isinstance(value, int) and not isinstance(value, bool):
        raise WrongValueError(f"needs a unit: s, m, h or d; did you mean {shown(f'{value}m')}?")
    text = expect_text(value, "6h")
    found = DURATION.fullmatch(text.strip())
    if not found:
        raise WrongValueError(
            f'must be a number and s, m, h or d, such as "30m", "6h" or "1d", not {shown(text)}'
        )
    seconds = int(found[1]) * SECONDS[found[2]]
    if not EVERY[0] <= seconds <= EVERY[1]:
        raise WrongValueError(f'must be from "1m" to "31d", not {shown(text)}')
    return seconds


def write_every(seconds: int) -> str:
    """The duration in its largest whole unit: 5400 becomes `90m`."""
    unit = next(u for u in ("d", "h", "m", "s") if seconds % SECONDS[u] == 0)
    return f"{seconds // SECONDS[unit]}{unit}"


def read_max_age(value: object) -> int | None:
    """Days, or None for `false`: every age."""
    if value is None or value is False:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MAX_AGE_DAYS:
        raise WrongValueError(
            f"must be a whole number from 1 to {MAX_AGE_DAYS}, or false for every age, "
            f"not {shown(value)}"
        )
    return value
