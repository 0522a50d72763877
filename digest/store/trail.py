"""What one run has leased, and where its leases left off: few rows that wait stand before that.

An index of PostgreSQL keeps the entries of rows that have gone out until it is vacuumed, and who
begins at its start passes over all of them: at 200,000 mails 16 ms a lease.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

ANEW = 100
"""So many leases later one looks from the start again, for what was given back meanwhile."""

START = ("", 0)
"""Before every row: its time, and its number."""


class Trail:
    """The last row that was leased in each place, by its time and number; and the rows held.

    No index of the database has who holds a row: a lease would write into all of them.
    """

    def __init__(self) -> None:
        self.held: set[int] = set()
        self._leases = 0
        self._ends: dict[object, tuple[str, int]] = {}

    @property
    def rows(self) -> str:
        """The numbers of the rows held, as a JSON list."""
        return json.dumps(list(self.held))

    def begin(self) -> None:
        """One more lease begins."""
        self._leases += 1
        if self._leases % ANEW == 0:
            self._ends.clear()

    def starts(self, place: object) -> Iterator[tuple[str, int]]:
        """After which row to look in a place; from the start where the rest is not enough."""
        if place in self._ends:
            yield self._ends[place]
        yield START

    def went(self, place: object, found: Sequence[Sequence[Any]]) -> None:
        """What was found there: rows that begin with their number and end with their time."""
        self.held.update(row[0] for row in found)
        if found:
            self._ends[place] = max((row[-1], row[0]) for row in found)
        else:
            self._ends.pop(place, None)
