"""Searching all stored listings, and what a search would be as a profile; nothing is changed."""

from __future__ import annotations

from dataclasses import replace

from markupsafe import Markup, escape
from starlette.responses import Response

from digest.query import LONGEST, Query, QueryError, parse_query
from digest.renderer.clean import visible
from digest.store.shelves import MOST_FOUND, Hit, Marked, Order
from digest.web.cards import Card, card, shown
from digest.web.days import A_MINUTE
from digest.web.paging import SIZE, address, fitting, pager, start, value_of
from digest.web.site import Visit

SORTS = {Order.BEST: "Best first", Order.NEWEST: "Newest first"}


def show_search(visit: Visit) -> Response:
    """The form; with `?q=` what it finds, or what cannot be understood and the nearest form."""
    text = value_of(visit, "q")
    order = Order.NEWEST if value_of(visit, "sort") == Order.NEWEST else Order.BEST
    try:
        query = parse_query(text)
    except QueryError as error:
        values = {"fault": str(error), "hint": error.hint}
        return _page(visit, text, order, 422, **values)
    if not query.wanted:
        return _page(visit, "", order)
    answer = _found(visit, query, order)
    answer.headers["cache-control"] = A_MINUTE
    return answer


def _found(visit: Visit, query: Query, order: Order) -> Response:
    """A page of hits."""
    found = visit.app.store.search(query, order, SIZE, offset := start(visit))
    entries = fitting(shown(visit, (_card(hit, visit.now.year) for hit in found.hits)))
    sort = "" if order is Order.BEST else order.value
    path = visit.site.prefix + "/search"
    had = min(found.total, MOST_FOUND)  # older ones cannot be had
    return _page(
        visit,
        query.text,
        order,
        entries=entries,
        total=found.total,
        pager=pager(path, offset, len(entries), had, q=query.text, sort=sort),
        subscribe=_subscribe(visit, query),
    )


def _page(visit: Visit, text: str, order: Order, status: int = 200, **values: object) -> Response:
    blank = {"fault": "", "hint": "", "entries": (), "total": None, "pager": None}
    return visit.site.page(
        "search.html",
        status,
        **{**blank, "subscribe": "", "most": MOST_FOUND, **values},
        q=text,
        longest=LONGEST,
        order=order,
        sorts=SORTS,
    )


def _card(hit: Hit, year: int) -> Card:
    """The card of a hit, with what was found marked."""
    plain = card(hit.listing, year)
    found = any(is_hit for is_hit, _ in hit.passage)
    return replace(
        plain,
        title=_marked(hit.title, 300) if any(is_hit for is_hit, _ in hit.title) else plain.title,
        excerpt=_marked(hit.passage, 600) if found else plain.excerpt,
        rest=Markup(plain.excerpt + plain.rest) if found else plain.rest,  # noqa: S704 - both are safe
    )


def _marked(pieces: Marked, room: int) -> Markup:
    """The text as HTML in at most so many characters, what was found in `mark`."""
    made = Markup()
    for is_hit, text in pieces:
        shown = visible(text)
        part = escape(shown if len(shown) <= room else shown[:room] + "…")
        made += Markup("<mark>{}</mark>").format(part) if is_hit else part
        room -= len(shown)
        if room < 0:
            break
    return made


def _subscribe(visit: Visit, query: Query) -> str:
    """The address of the form with the search as a profile; empty where none says it."""
    keywords = query.keywords
    if not keywords:
        return ""
    return address(
        visit.site.prefix + "/subscribe",
        keyword=[keyword.term for keyword in keywords],
        weight=[f"{keyword.weight:g}" for keyword in keywords],
        exclude=list(query.exclude),
    )
