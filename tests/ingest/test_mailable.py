"""Votes, and what of a run may be mailed."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from digest.app import App
from digest.backlog import MAX_UNDATED
from digest.model import Source
from tests.ingest.site import ARXIV, DAILY, DAY, MONDAY, Site, daily, rss

# --- votes ------------------------------------------------------------------------------------


def test_votes_of_a_week_are_kept_day_by_day(tmp_path: Path) -> None:
    """Each past list is asked once a day, however often the newest is; the growth can be seen."""
    votes = {"now": 3}

    def answer(path: str, query: dict[str, str]) -> str:
        on = date.fromisoformat(query.get("date", "2026-11-16"))
        return (
            daily(("2611.00001", "Engines", votes["now"]), on=on) if on == MONDAY.date() else "[]"
        )

    site = Site(tmp_path, answer)
    site.ingest([DAILY], MONDAY)
    assert len(site.asked) == 8
    site.ingest([DAILY], MONDAY + timedelta(hours=1))
    assert len(site.asked) == 1
    votes["now"] = 40
    history: list[object] = []

    def look(app: App) -> None:
        (one,) = app.store.recent_listings(9)
        history[:] = [one.votes, app.store.vote_history(MONDAY.date())[one.id]]

    site.run(look, [DAILY], MONDAY + DAY)
    assert len(site.asked) == 8
    assert history == [40, [(date(2026, 11, 16), 3), (date(2026, 11, 17), 40)]]


def test_a_long_list_of_votes_is_read_to_its_end(tmp_path: Path) -> None:
    """A month has more than one page; one that ignores the page is not asked for ever."""
    papers = [(f"2611.{n:05}", f"Paper {n}", n) for n in range(250)]

    def answer(path: str, query: dict[str, str]) -> str:
        page = int(query.get("p", "0"))
        return daily(*papers[page * 100 : page * 100 + 100], on=MONDAY.date())

    month = Source("Month", "huggingface", query="month")
    (run,) = Site(tmp_path, answer).ingest([month], MONDAY)
    assert run.new == 250
    deaf = Site(tmp_path, lambda path, query: daily(*papers[:100], on=MONDAY.date()))
    (run,) = deaf.ingest([month], MONDAY)
    assert (run.error, len(deaf.asked)) == ("", 2)


@pytest.mark.parametrize(("query", "pages"), [("", 5), ("trending", 1)])
def test_an_endless_list_is_read_for_a_week(query: str, pages: int, tmp_path: Path) -> None:
    """The newest papers go back for years, two days a page here; they are not all asked for."""

    def answer(path: str, query: dict[str, str]) -> str:
        if "date" in query:
            return "[]"
        newest = 2 * int(query.get("p", "0"))
        days = [
            daily(
                *((f"26{day + 10}.{n:05}", f"Paper {day}-{n}", 1) for n in range(50)),
                on=(MONDAY - DAY * day).date(),
            )
            for day in (newest, newest + 1)
        ]
        return f"{days[0][:-1]},{days[1][1:]}"

    site = Site(tmp_path, answer)
    (run,) = site.ingest([replace(DAILY, query=query)], MONDAY)
    assert run.error == ""
    assert len([one for one in site.asked if "date" not in one]) == pages


def test_lists_of_days_before_are_not_counted_as_the_days(tmp_path: Path) -> None:
    """They are asked for again for their votes; what is new in them counts."""
    days = {
        MONDAY.date(): [("2611.00001", "Engines", 1), ("2611.00002", "Looms", 1)],
        (MONDAY + DAY).date(): [("2611.00003", "Rivers", 1)],
    }

    def answer(path: str, query: dict[str, str]) -> str:
        if query.get("date") == f"{MONDAY:%Y-%m-%d}":
            return daily(*days[MONDAY.date()], ("2611.00004", "Added late", 1), on=MONDAY.date())
        if query.get("date") == f"{MONDAY + DAY:%Y-%m-%d}":
            return daily(*days[(MONDAY + DAY).date()], on=(MONDAY + DAY).date())
        if "date" in query:
            return "[]"
        lists = [daily(*papers, on=on)[1:-1] for on, papers in days.items() if on <= today]
        return f"[{','.join(lists)}]"

    site, today = Site(tmp_path, answer), MONDAY.date()
    (run,) = site.ingest([DAILY], MONDAY)
    assert (run.read, run.new, run.joined) == (2, 2, 0)
    today = (MONDAY + DAY).date()
    (run,) = site.ingest([DAILY], MONDAY + DAY)
    assert (run.read, run.new, run.joined) == (2, 2, 0)  # the day's one, and the late one
    (run,) = site.ingest([DAILY], MONDAY + 2 * DAY)
    assert (run.read, run.new, run.joined) == (1, 0, 1)  # asked for twice: by day, and as newest


# --- what may be mailed -----------------------------------------------------------------------


def test_a_revision_that_is_announced_later_may_be_mailed(tmp_path: Path) -> None:
    """First met as replaced it is held back; on another source's list of today it is new."""

    def answer(path: str, query: dict[str, str]) -> str:
        if path.startswith("rss"):
            return rss(MONDAY.date(), ("2403.00001", "Engines", "replace"))
        listed = query.get("date") is None
        return daily(("2403.00001", "Engines", 9), on=date(2026, 11, 18)) if listed else "[]"

    site = Site(tmp_path, answer)
    site.ingest([ARXIV], MONDAY)
    assert site.mailable(MONDAY) == set()
    later = MONDAY + 2 * DAY
    site.ingest([DAILY], later)
    assert site.mailable(later) == {"Engines"}
    assert len(site.stored()) == 1


def test_a_feed_without_dates_whose_ids_change_brings_no_flood(tmp_path: Path) -> None:
    """Fifty of its items a day at most, however often it is read and whatever it calls them."""
    run = {"number": 0}

    def answer(path: str, query: dict[str, str]) -> str:
        run["number"] += 1
        items = "".join(
            f"<item><title>Item {n} of {run['number']}</title>"
            f"<guid>{run['number']}-{n}</guid></item>"
            for n in range(60)
        )
        return f"<rss><channel>{items}</channel></rss>"

    feed = Source("Feed", "feed", url="https://example.org/feed.xml")
    site = Site(tmp_path, answer)
    for hour in range(3):
        site.ingest([feed], MONDAY + timedelta(hours=hour))
    assert len(site.stored()) == 180
    assert len(site.mailable(MONDAY)) == MAX_UNDATED


def test_a_feed_whose_ids_all_changed_repeats_nothing(tmp_path: Path) -> None:
    """Items of one title and one time of day are the same, under a new id and a new address."""
    feed = Source("Feed", "feed", url="https://example.org/feed.xml")
    run = {"number": 0}

    def answer(path: str, query: dict[str, str]) -> str:
        run["number"] += 1
        stamps = [f"Mon, 16 Nov 2026 08:{n:02}:11 GMT" for n in range(30)]
        items = "".join(
            f"<item><title>An item on engines and looms, {n}</title><pubDate>{stamp}</pubDate>"
            f"<link>https://example.org/{run['number']}/{n}</link></item>"
            for n, stamp in enumerate(stamps)
        )
        return f"<rss><channel>{items}</channel></rss>"

    site = Site(tmp_path, answer)
    assert [site.ingest([feed], MONDAY)[0].new for _ in range(2)] == [30, 0]


@pytest.mark.parametrize("dated", [True, False])
@pytest.mark.parametrize(
    ("name", "site_now", "ids_now"),
    [
        ("Another name", "http://example.org", "a"),
        ("Feed", "https://example.org", "a"),
        ("Feed", "http://example.org", "b"),
    ],
)
def test_a_new_name_scheme_or_id_repeats_no_bare_item(
    name: str, site_now: str, ids_now: str, dated: bool, tmp_path: Path
) -> None:
    """Items of a title and a page alone, as in lists of links, are mailed once all the same."""
    now = {"site": "http://example.org", "ids": "a"}

    def answer(path: str, query: dict[str, str]) -> str:
        stamp = "<pubDate>Mon, 16 Nov 2026 00:00:00 GMT</pubDate>" if dated else ""
        items = "".join(
            f"<item><title>Post {n}</title><guid>{now['ids']}{n}</guid>{stamp}"
            f"<link>{now['site']}/{n}</link></item>"
            for n in range(9)
        )
        return f"<rss><channel>{items}</channel></rss>"

    site = Site(tmp_path, answer)
    feed = Source("Feed", "feed", url="https://example.org/feed.xml")
    assert site.ingest([feed], MONDAY)[0].new == 9
    now |= {"site": site_now, "ids": ids_now}
    assert site.ingest([replace(feed, name=name)], MONDAY + DAY / 2)[0].new == 0
