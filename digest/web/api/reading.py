"""What everybody may read: the listings of a day, one listing, a search."""

from __future__ import annotations

from datetime import date
from enum import StrEnum

from pydantic import Field

from digest.query import QueryError, parse_query
from digest.schedule import zone
from digest.store.shelves import Order, Shelf
from digest.web.api.operations import Call, Number, Operation, Parameters
from digest.web.api.problems import ProblemError
from digest.web.api.shapes import Day, DayShape, FoundShape, ListingShape
from digest.web.settings import Fault

MOST = 100
FURTHEST = 100_000
"""Listings in an answer, and listings that may be left out before its first."""


class DaySort(StrEnum):
    """In which order the listings of a day come."""

    NEWEST = "newest"
    VOTES = "votes"
    RISING = "rising"


class FoundSort(StrEnum):
    """In which order the listings of a search come."""

    BEST = "best"
    NEWEST = "newest"


class Some(Parameters):
    """Which part of a list."""

    limit: Number = Field(20, ge=1, le=MOST, description="How many listings at most.")
    offset: Number = Field(0, ge=0, le=FURTHEST, description="How many to leave out before them.")


class OfDay(Some):
    """Which listings of which day."""

    day: Day = Field(description="The day of the list that announced them.")
    source: str = Field("", max_length=200, description="Only those of this source, by its name.")
    category: str = Field("", max_length=200, description="Only those of this category.")
    sort: DaySort = Field(DaySort.NEWEST, description="Their order.")


class Search(Some):
    """What to look for."""

    q: str = Field(
        min_length=1,
        max_length=200,
        description='Words; `"a phrase"`, `prefix*`, `title:word`, `this | that`, `-without`.',
    )
    sort: FoundSort = Field(FoundSort.BEST, description="Their order.")


class Identity(Parameters):
    """Which listing."""

    key: str = Field(
        min_length=1, max_length=500, description="Any identity of it, such as `arxiv:2606.00467`."
    )


def list_day(call: Call) -> DayShape:
    """The listings of a day."""
    asked: OfDay = call.parameters
    app, now = call.visit.app, call.visit.now
    shelf = Shelf(asked.day, asked.day, asked.source, asked.category)
    today: date = now.astimezone(zone(app.config.service.timezone)).date()
    order = Order(asked.sort.value)
    total, listings = app.store.shelf(shelf, order, today, asked.limit, asked.offset)
    before, after = app.store.days_beside(asked.day, asked.day)
    return DayShape(
        day=asked.day,
        previous=before,
        next=after,
        total=total,
        listings=[ListingShape.of(one) for one in listings],
    )


def search(call: Call) -> FoundShape:
    """The listings that a search finds."""
    asked: Search = call.parameters
    try:
        query = parse_query(asked.q)
    except QueryError as error:
        hint = f" Did you mean {error.hint}?" if error.hint else ""
        raise ProblemError(422, faults=[Fault("q", f"{error}{hint}")]) from None
    order = Order(asked.sort.value)
    found = call.visit.app.store.search(query, order, asked.limit, asked.offset)
    listings = [ListingShape.of(hit.listing) for hit in found.hits]
    return FoundShape(total=found.total, listings=listings)


def show_listing(call: Call) -> ListingShape:
    """One listing, by any of its identities."""
    found = call.visit.app.store.known([call.parameters.key])
    if not found:
        raise ProblemError(404, "No stored listing has that key.")
    return ListingShape.of(next(iter(found.values())))


OPERATIONS = (
    Operation(
        "GET",
        "/days/{day}",
        "listDay",
        "The listings of a day.",
        list_day,
        DayShape,
        parameters=OfDay,
    ),
    Operation(
        "GET",
        "/search",
        "search",
        "The listings that a search finds.",
        search,
        FoundShape,
        parameters=Search,
    ),
    Operation(
        "GET",
        "/listing",
        "getListing",
        "One listing.",
        show_listing,
        ListingShape,
        parameters=Identity,
        refuses=(404,),
    ),
)
