"""The past, rehearsals, and what is remembered."""

from __future__ import annotations

import asyncio
import json
from datetime import date, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from digest.app import App
from digest.model import Source
from digest.reader import Reading, at_its_own_risk
from tests.ingest.site import ARXIV, DAILY, DAY, MONDAY, Site, daily, rss

# --- the past ---------------------------------------------------------------------------------


def test_the_past_is_stored_and_not_mailed(tmp_path: Path) -> None:
    """Each day's list comes in; no run is kept, none of it is offered, the terms are counted."""

    def answer(path: str, query: dict[str, str]) -> str:
        on = date.fromisoformat(query["date"])
        return daily((f"2611.000{on.day}", f"Paper of {on}", 3), on=on)

    site = Site(tmp_path, answer)
    counts: list[int] = []
    (run,) = site.run(
        lambda app: counts.extend([app.store.counted_listings(), len(app.store.latest_runs())]),
        [DAILY],
        MONDAY,
        since=date(2026, 11, 12),
    )
    assert (run.error, run.new, run.read) == ("", 5, 5)
    assert len(site.stored()) == 5
    assert site.mailable(MONDAY) == set()
    assert counts == [5, 0]


def test_a_paper_of_the_past_is_mailed_when_it_is_announced(tmp_path: Path) -> None:
    """Looking back changes nothing about what the day's list brings."""

    def answer(path: str, query: dict[str, str]) -> str:
        on = date.fromisoformat(query.get("date", "2026-11-16"))
        return daily(("2611.00001", "Engines", 3), on=on) if on == MONDAY.date() else "[]"

    site = Site(tmp_path, answer)
    site.ingest([DAILY], MONDAY, since=MONDAY.date())
    assert site.mailable(MONDAY) == set()
    (run,) = site.ingest([DAILY], MONDAY)
    assert (run.new, run.joined) == (0, 1)
    assert site.mailable(MONDAY) == {"Engines"}


def test_a_past_that_fails_is_left_in_peace(tmp_path: Path) -> None:
    """Three failures in a row are enough; the fault is told, with how many more there were."""
    site = Site(tmp_path, lambda path, query: 500)
    (run,) = site.ingest([DAILY], MONDAY, since=date(2026, 11, 1))
    assert len(site.asked) == 3
    assert "answered 500" in run.error
    assert run.read == 0


def test_pages_of_the_past_keep_their_span(tmp_path: Path) -> None:
    """The second page of a span of days asks for the same span."""

    def answer(path: str, query: dict[str, str]) -> str:
        first = query["cursor"] == "*"
        works = [
            {"DOI": f"10.1000/{n}", "title": [f"Work {n}"]} for n in range(100 if first else 1)
        ]
        message = {"items": works, "next-cursor": "c+/="}
        return json.dumps({"status": "ok", "message": message})

    journal = Source("Journal", "crossref", categories=("2470-0010",))
    site = Site(tmp_path, answer)
    (run,) = site.ingest([journal], MONDAY, since=date(2026, 11, 10))
    assert run.error == ""
    spans = [parse_qs(urlsplit(one).query) for one in site.asked]
    assert [one["cursor"] for one in spans] == [["*"], ["c+/="]]
    assert spans[0]["filter"] == spans[1]["filter"]
    assert "until-created-date:2026-11-16" in spans[1]["filter"][0]


# --- rehearsing, and what is remembered -------------------------------------------------------


def test_a_rehearsal_stores_nothing(tmp_path: Path) -> None:
    """Not a listing, a run or a validator; and it asks for whole lists, changed or not."""
    site = Site(tmp_path, lambda path, query: rss(MONDAY.date(), ("2611.00001", "Engines", "new")))
    kept: list[object] = []

    def look(app: App) -> None:
        kept[:] = [
            app.store.latest_runs(),
            app.store.remembered("arXiv"),
            app.store.recent_listings(9),
        ]

    (run,) = site.run(look, [ARXIV], MONDAY, dry=True)
    assert (run.read, run.new) == (1, 1)
    assert kept == [{}, {}, []]
    site.ingest([ARXIV], MONDAY)
    site.ingest([ARXIV], MONDAY)
    assert site.conditions == ['"v"']
    site.ingest([ARXIV], MONDAY, dry=True)
    assert site.conditions == [""]


def test_a_page_that_names_a_feed_leads_to_it_each_time(tmp_path: Path) -> None:
    """That the page has not changed says nothing of its feed: both are asked again."""

    def answer(path: str, query: dict[str, str]) -> str:
        if path.endswith("feed.xml"):
            return "<rss><channel><item><title>On Heat</title></item></channel></rss>"
        return "<!doctype html><link rel='alternate' type='application/rss+xml' href='/feed.xml'>"

    blog = Source("Blog", "feed", url="https://example.org/blog")
    site = Site(tmp_path, answer)
    for now in (MONDAY, MONDAY + DAY):
        (run,) = site.ingest([blog], now)
        assert (run.error, run.read, len(site.asked)) == ("", 1, 2)
    assert site.conditions == ["", '"v"']


# --- time -------------------------------------------------------------------------------------


def test_s10_a_source_has_its_own_time_and_keeps_what_it_gave() -> None:
    """When the time is over the rest is given up, and that is told."""
    reading = Reading(Source("Slow", "feed"))

    async def run() -> None:
        async with at_its_own_risk(reading, 0.05):
            await asyncio.sleep(9)

    asyncio.run(run())
    assert reading.unreadable  # it may have waited for its turn: not known to be silent
    assert reading.error == "source 'Slow': took longer than 0.05 s"


@pytest.mark.parametrize(("told", "unreadable"), [(503, False), (404, True), ("a login", True)])
def test_how_a_source_failed_is_known_until_it_is_asked_again(
    told: str | int, unreadable: bool, tmp_path: Path
) -> None:
    """A run within the wait asks nobody, and still tells silence from what cannot be read."""
    site = Site(tmp_path, lambda path, query: told)
    journal = Source("A journal", "feed", url="https://example.org/feed.xml")
    (first,) = site.ingest([journal], MONDAY)
    assert len(site.asked) == 1
    (again,) = site.ingest([journal], MONDAY + timedelta(minutes=1))
    assert (site.asked, again.failing_since) == ([], MONDAY)
    assert (first.unreadable, again.unreadable) == (unreadable, unreadable)
