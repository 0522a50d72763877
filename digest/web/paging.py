"""Lists in pages: as many entries as are wanted and as fit, and the addresses of the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from markupsafe import Markup

from digest.web.site import Visit

SIZE = 20
"""Entries of a page at most."""

ROOM = 36_000
"""Octets of a page's entries: with all that stands around them it has less than 50 kB."""

_LAST = 1_000_000
"""No list is longer."""


@dataclass(frozen=True, slots=True)
class Pager:
    """Where a page stands in its list; `back` and `on` are addresses, or empty."""

    first: int
    last: int
    total: int
    back: str
    on: str


def start(visit: Visit) -> int:
    """How many entries the page leaves out before its first."""
    return min(int(given), _LAST) if (given := value_of(visit, "from")[:9]).isdecimal() else 0


def value_of(visit: Visit, name: str) -> str:
    """A value of the address's query, at most 1,000 characters."""
    return visit.request.query_params.get(name, "")[:1_000].replace("\x00", "")


def fitting(entries: Sequence[Markup]) -> Sequence[Markup]:
    """The first entries, as finished HTML, that fit on a page; one at least."""
    room = ROOM
    for count, text in enumerate(entries):
        room -= len(text.encode("utf-8", "replace"))
        if room < 0:
            return entries[: max(1, count)]
    return entries


def address(path: str, **values: str | int | list[str]) -> str:
    """A path with those values of its query that are not empty; a list repeats its name."""
    given = {name.rstrip("_"): value for name, value in values.items() if value}
    return f"{path}?{urlencode(given, doseq=True)}" if given else path


def pager(path: str, offset: int, shown: int, total: int, **values: str | int) -> Pager:
    """The pager of a list of which `shown` entries are shown after `offset`."""
    end = offset + shown
    return Pager(
        first=offset + 1,
        last=end,
        total=total,
        back=address(path, **values, from_=max(0, offset - SIZE)) if offset else "",
        on=address(path, **values, from_=end) if shown and end < total else "",
    )
