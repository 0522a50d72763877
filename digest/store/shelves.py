"""How stored listings are read by days and found by words: what is asked, what comes back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Protocol

from digest.model import Listing
from digest.query import Query


class Order(StrEnum):
    """In which order listings are shown; `best` is for searches, `rising` and `votes` for days."""

    BEST = "best"
    NEWEST = "newest"
    VOTES = "votes"
    RISING = "rising"


@dataclass(frozen=True, slots=True)
class Shelf:
    """The listings of some days, both included; of one source and category where they are named.

    The day of a listing is that of the list that announced it, else that of the work itself, else
    that on which it was first seen; it is never later than that.
    """

    since: date
    until: date
    source: str = ""
    category: str = ""


@dataclass(frozen=True, slots=True)
class Facets:
    """Sources and categories with the number of their listings, the largest first."""

    sources: Sequence[tuple[str, int]] = ()
    categories: Sequence[tuple[str, int]] = ()


Marked = tuple[tuple[bool, str], ...]
"""A text in pieces, each with whether a search found it."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A listing that was found: its title, and the passage of its abstract, with what was found."""

    listing: Listing
    title: Marked
    passage: Marked


@dataclass(frozen=True, slots=True)
class Found:
    """One page of what a search found. `total` counts no further than `MOST_FOUND` and one."""

    hits: Sequence[Hit]
    total: int


MOST_FOUND = 1_000
"""Hits that a search goes through, the newest; a page cannot wait for more."""


class ListingReader(Protocol):
    """The verbs that read stored listings for people; none changes anything."""

    def listings_by_id(self, ids: Sequence[int]) -> Sequence[Listing]:
        """The listings of these rows, in their order; those that there are none of are left out."""

    def shelf(
        self, shelf: Shelf, order: Order, today: date, limit: int, offset: int
    ) -> tuple[int, Sequence[Listing]]:
        """How many listings stand on a shelf, and some of them in that order.

        What rises is what gathered most votes in the week before `today`.
        """

    def facets(self, since: date, until: date, limit: int) -> Facets:
        """The sources and categories of some days, so many of each at most."""

    def days_beside(self, since: date, until: date) -> tuple[date | None, date | None]:
        """The nearest days with listings before and after some days."""

    def search(self, query: Query, order: Order, limit: int, offset: int) -> Found:
        """What a search finds, best or newest first.

        Of more than `MOST_FOUND` only the newest so many can be had.
        """
