"""The stored listings by day, week and month, as a visitor reads them; looking changes nothing."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import accumulate

from markupsafe import escape
from starlette.exceptions import HTTPException
from starlette.responses import Response

from digest.renderer.words import long_day, short_day
from digest.schedule import zone
from digest.sources.calendar import MONTHS
from digest.store.shelves import Facets, Order, Shelf
from digest.web.cards import card, shown
from digest.web.paging import SIZE, fitting, pager, start, value_of
from digest.web.site import Visit

FIRST, LAST = date(1970, 1, 1), date(2199, 12, 31)
"""No listing is older, and no page later."""

SORTS = {Order.NEWEST: "Newest", Order.VOTES: "Most voted", Order.RISING: "Rising"}
MOST_FACETS = 60
"""Sources, and categories, that a page offers for filtering; fewer where their names are long."""
ROOM = 2_000  # characters of them all

A_MINUTE = "public, max-age=60"


@dataclass(frozen=True, slots=True)
class Span:
    """A day, a week or a month: what it is called, its path, and its days, both included."""

    kind: str
    name: str
    short: str
    path: str
    since: date
    until: date


def day_span(day: date) -> Span:
    """The span of one day."""
    name = f"{long_day(day)} {day.year}"
    return Span("day", name, short_day(day), f"/{day.isoformat()}", day, day)


def week_span(day: date) -> Span:
    """The span of the week around a day, from Monday to Sunday."""
    year, week, weekday = day.isocalendar()
    monday = day - timedelta(days=weekday - 1)
    name, path = f"Week {week} of {year}", f"/week/{year}-W{week:02}"
    return Span("week", name, f"Week {week}", path, monday, monday + timedelta(days=6))


def month_span(day: date) -> Span:
    """The span of the month around a day."""
    first = day.replace(day=1)
    after = (first + timedelta(days=31)).replace(day=1)
    name, path = f"{MONTHS[day.month - 1]} {day.year}", f"/month/{day:%Y-%m}"
    return Span("month", name, name, path, first, after - timedelta(days=1))


SPANS = {"day": day_span, "week": week_span, "month": month_span}


def show_today(visit: Visit) -> Response:
    """Today's listings, or those of the newest day that has any."""
    today = today_of(visit)
    newest, _ = visit.app.store.days_beside(today + timedelta(days=1), today)
    return _page(visit, day_span(newest or today), is_front=True, is_late=newest != today)


def show_day(visit: Visit) -> Response:
    """The listings of the day in the path."""
    at = visit.request.path_params
    return _page(visit, day_span(_day(f"{at['year']}-{at['month']}-{at['day']}")))


def show_week(visit: Visit) -> Response:
    """The listings of the ISO week in the path."""
    return _page(visit, week_span(_day(visit.request.path_params["week"], "{}-1", "{:%G-W%V}")))


def show_month(visit: Visit) -> Response:
    """The listings of the month in the path."""
    return _page(visit, month_span(_day(visit.request.path_params["month"], "{}-01", "{:%Y-%m}")))


def today_of(visit: Visit) -> date:
    """Today, in the time zone of the service."""
    return visit.now.astimezone(zone(visit.app.config.service.timezone)).date()


def _day(text: str, whole: str = "{}", form: str = "{:%Y-%m-%d}") -> date:
    """The first day of what a path names. Raises: HTTPException 404 for any other text."""
    try:
        day = date.fromisoformat(whole.format(text[:20]))
    except ValueError:
        raise HTTPException(404) from None
    if not FIRST <= day <= LAST or form.format(day) != text:  # a page has one address
        raise HTTPException(404)
    return day


def _page(visit: Visit, span: Span, *, is_front: bool = False, is_late: bool = False) -> Response:
    """The listings of a span, as the query of the address sorts and filters them."""
    chosen = Chosen.of(visit)
    total, listings = visit.app.store.shelf(
        Shelf(span.since, span.until, chosen.source, chosen.category),
        chosen.order,
        today_of(visit),
        SIZE,
        offset := start(visit),
    )
    entries = fitting(shown(visit, (card(one, span.until.year) for one in listings)))
    path = visit.site.prefix + ("/" if is_front else span.path)
    answer = visit.site.page(
        "days.html",
        span=span,
        beside=_beside(visit, span),
        around=[make(span.since) for make in _WIDER[span.kind]],
        facets=_offered(visit, span, chosen),
        chosen=chosen,
        sorts=SORTS,
        entries=entries,
        pager=pager(path, offset, len(entries), total, **chosen.values),
        path=path,
        is_front=is_front,
        is_late=is_late,
    )
    answer.headers["cache-control"] = A_MINUTE
    return answer


_WIDER = {"day": (week_span, month_span), "week": (month_span,), "month": ()}


@dataclass(frozen=True, slots=True)
class Chosen:
    """How a visitor wants to see a span."""

    order: Order
    source: str
    category: str

    @classmethod
    def of(cls, visit: Visit) -> Chosen:
        """What the query of the address says; what it says wrong counts for nothing."""
        order = next((way for way in SORTS if way.value == value_of(visit, "sort")), Order.NEWEST)
        return cls(order, value_of(visit, "source")[:80], value_of(visit, "category")[:80])

    @property
    def values(self) -> dict[str, str]:
        """The query of an address that says the same."""
        order = "" if self.order is Order.NEWEST else self.order.value
        return {"sort": order, "source": self.source, "category": self.category}


def _beside(visit: Visit, span: Span) -> list[Span | None]:
    """The nearest spans of the same kind that have listings, before and after."""
    days = visit.app.store.days_beside(span.since, span.until)
    return [SPANS[span.kind](day) if day else None for day in days]


def _offered(visit: Visit, span: Span, chosen: Chosen) -> Facets:
    """What the page may be filtered by; what is chosen is among it."""
    facets = visit.app.store.facets(span.since, span.until, MOST_FACETS)
    return Facets(_with(facets.sources, chosen.source), _with(facets.categories, chosen.category))


def _with(names: Sequence[tuple[str, int]], chosen: str) -> Sequence[tuple[str, int]]:
    """The names for which there is room, and the chosen one, first, if it is not among them."""
    room = list(accumulate(len(escape(name)) for name, _ in names))
    kept = names[: bisect_right(room, ROOM)]
    if not chosen or any(name == chosen for name, _ in kept):
        return kept
    return [(chosen, dict(names).get(chosen, 0)), *kept]
