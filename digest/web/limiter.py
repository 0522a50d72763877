"""How often somebody may ask: counts by name within a span, kept in memory.

One process serves the site, and a restart forgives: what must outlast it (sign-ups) is counted in
the store.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from threading import Lock

MINUTE = timedelta(minutes=1)

MOST_NAMES = 20_000
"""Names that are counted at a time; the oldest are forgotten beyond them."""


class Limiter:
    """Lets `most` through for each name in each span, which begins with the first."""

    def __init__(self, most: int, span: timedelta) -> None:
        self.most, self.span = most, span
        self._counts: dict[str, tuple[datetime, int]] = {}
        self._lock = Lock()

    def wait_s(self, name: str, now: datetime) -> int:
        """Count one more; 0 if it may pass, else the seconds until the next may."""
        with self._lock:
            began, count = self._current(name, now)
            if count >= self.most:
                return max(1, int((began + self.span - now).total_seconds()) + 1)
            self._counts[name] = began, count + 1
        return 0

    def is_over(self, name: str, now: datetime) -> bool:
        """Whether the next would not pass; counts nothing."""
        with self._lock:
            return self._current(name, now)[1] >= self.most

    def _current(self, name: str, now: datetime) -> tuple[datetime, int]:
        """When the span of a name began, and its count."""
        began, count = self._counts.get(name, (now, 0))
        if began <= now < began + self.span:
            return began, count
        self._counts.pop(name, None)  # the new span goes to the end of the line
        while len(self._counts) >= MOST_NAMES:
            del self._counts[next(iter(self._counts))]
        return now, 0
