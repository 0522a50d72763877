"""The store's verbs that read listings by their days."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from digest.model import Listing
from digest.store.listings import ListingVerbs
from digest.store.shelves import Facets, Order, Shelf

RISES_FOR = timedelta(days=7)

_GAIN = (
    "(SELECT listings.votes - v.votes FROM votes v WHERE v.listing_id = listings.id"
    " AND v.seen_on >= :rises_from ORDER BY v.seen_on LIMIT 1)"
)
_ORDERS = {
    Order.NEWEST: "day DESC, id DESC",
    Order.VOTES: "votes DESC NULLS LAST, id DESC",
    Order.RISING: f"{_GAIN} DESC NULLS LAST, votes DESC NULLS LAST, id DESC",
}
# The plus keeps SQLite from looking up each of a month's listings by its row.
_FACET = (
    " AND +id IN (SELECT listing_id FROM facets WHERE kind = '{kind}' AND name = :{kind}"
    " AND day BETWEEN :since AND :until)"
)


class BrowsingVerbs(ListingVerbs):
    """The days of the stored listings; see `ListingReader` for what each verb promises."""

    def shelf(
        self, shelf: Shelf, order: Order, today: date, limit: int, offset: int
    ) -> tuple[int, Sequence[Listing]]:
        """How many listings stand on a shelf, and some of them in that order."""
        where = "day BETWEEN :since AND :until" if shelf.since != shelf.until else "day = :since"
        where += _FACET.format(kind="source") if shelf.source else ""
        where += _FACET.format(kind="category") if shelf.category else ""
        values = {
            "since": shelf.since.isoformat(),
            "until": shelf.until.isoformat(),
            "source": shelf.source,
            "category": shelf.category,
            "rises_from": (today - RISES_FOR).isoformat(),
            "limit": limit,
            "offset": offset,
        }
        counted = self.rows(f"SELECT count(*) FROM listings WHERE {where}", values)  # noqa: S608 - pieces of ours
        ids = self.rows(
            f"SELECT id FROM listings WHERE {where} ORDER BY {_ORDERS[order]}"  # noqa: S608 - as above
            " LIMIT :limit OFFSET :offset",
            values,
        )
        return counted[0][0], self.listings_by_id([row[0] for row in ids])

    def facets(self, since: date, until: date, limit: int) -> Facets:
        """The sources and categories of some days, so many of each at most."""
        sources, categories = (
            self.rows(
                "SELECT name, count(*) FROM facets INDEXED BY facets_by_day"
                " WHERE day BETWEEN ? AND ? AND kind = ?"
                " GROUP BY name ORDER BY count(*) DESC, name LIMIT ?",
                (since.isoformat(), until.isoformat(), kind, limit),
            )
            for kind in ("source", "category")
        )
        return Facets(sources, categories)

    def days_beside(self, since: date, until: date) -> tuple[date | None, date | None]:
        """The nearest days with listings before and after some days."""
        ((before, after),) = self.rows(
            "SELECT (SELECT max(day) FROM listings WHERE day < ? AND day != ''),"
            " (SELECT min(day) FROM listings WHERE day > ?)",
            (since.isoformat(), until.isoformat()),
        )
        return before and date.fromisoformat(before), after and date.fromisoformat(after)
