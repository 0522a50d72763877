"""What is remembered of an address between two fetches, and how long to wait after a failure."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

_FIRST_WAIT_S = 300  # after a first failure; doubled with each further one
_LONGEST_WAIT_S = 6 * 3600
_LONGEST_ASKED_S = 24 * 3600  # what a server may ask for
_GONE_WAIT_S = 7 * 24 * 3600  # 410 is for good; once a week we look whether it was a mistake


@dataclass(frozen=True, slots=True)
class Remembered:
    """What the next request for a URL needs to know.

    `etag` and `last_modified` belong to `seen_url`, where the body came from. `moved_to` is where
    the address moved for good. `retry_at` is None when it may be asked at once; `failing_since`
    and `failures` tell how long it has been failing, `fault` why, `unanswered` that the last time
    nothing came, or word that the server is busy. `gone` is true after a 410.
    `read_at` is when a body was last read from it, changed or not.
    """

    etag: str = ""
    last_modified: str = ""
    seen_url: str = ""
    moved_to: str = ""
    retry_at: datetime | None = None
    failing_since: datetime | None = None
    failures: int = 0
    gone: bool = False
    read_at: datetime | None = None
    fault: str = ""
    unanswered: bool = False

    def to_json(self) -> str:
        """The memory as text; what is empty is left out."""
        fields = {name: value for name, value in asdict(self).items() if value}
        return json.dumps(fields, default=lambda at: at.isoformat())

    @classmethod
    def from_json(cls, text: str) -> Remembered:
        """The memory out of text; empty where the text is none of ours."""
        try:
            fields = json.loads(text)
            for name in ("retry_at", "failing_since", "read_at"):
                if name in fields:
                    fields[name] = datetime.fromisoformat(fields[name]).astimezone(UTC)
            return cls(**fields)
        except (ValueError, TypeError):
            return cls()

    def waits(self, now: datetime) -> bool:
        """Whether it is too early to ask. A wait beyond the longest was set by a clock ahead."""
        longest = timedelta(seconds=_GONE_WAIT_S if self.gone else _LONGEST_ASKED_S)
        return self.retry_at is not None and now < self.retry_at <= now + longest

    def rests(self, now: datetime, rest_s: int) -> bool:
        """Whether it was read less than so many seconds ago."""
        rest = timedelta(seconds=rest_s)
        return self.read_at is not None and self.read_at <= now < self.read_at + rest

    def after_failure(
        self,
        now: datetime,
        fault: str,
        asked_s: float | None = None,
        *,
        gone: bool = False,
        unanswered: bool = False,
    ) -> Remembered:
        """The memory after one more failure: when to ask again, at the address first given."""
        failures = self.failures + 1
        wait_s = min(_FIRST_WAIT_S * 2 ** min(failures - 1, 10), _LONGEST_WAIT_S)
        if asked_s is not None:
            wait_s = max(0, min(asked_s, _LONGEST_ASKED_S))
        return replace(
            self,
            moved_to="",  # the new address may be the fault; the old one tells
            retry_at=now + timedelta(seconds=_GONE_WAIT_S if gone else wait_s),
            failing_since=min(self.failing_since or now, now),
            failures=failures,
            gone=gone,
            fault=fault,
            unanswered=unanswered,
        )


def asked_wait_s(retry_after: str | None, now: datetime) -> float | None:
    """The wait that a Retry-After header asks for, in seconds or by a date; None without one.

    Source: RFC 9110, section 10.2.3.
    """
    if not retry_after:
        return None
    if retry_after.strip().isdecimal():
        return float(retry_after.strip()[:9])
    try:
        at = parsedate_to_datetime(retry_after)
    except (ValueError, TypeError, IndexError):
        return None
    at = at.replace(tzinfo=UTC) if at.tzinfo is None else at
    return max(0.0, (at - now).total_seconds())
