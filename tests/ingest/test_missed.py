"""Lists that were missed, and those that broke off."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from digest.model import Source
from tests.ingest.site import ARXIV, DAY, EMPTY, EXPIRED, MONDAY, Site, oai, rss

# --- what was missed --------------------------------------------------------------------------


class Arxiv:
    """arXiv: one paper a day in the feed, and in OAI-PMH; days listed in `broken` fail there."""

    def __init__(self) -> None:
        self.today = MONDAY.date()
        self.broken: set[str] = set()
        self.same = self.down = False

    def __call__(self, path: str, query: dict[str, str]) -> str | int:
        """The feed of today, or the records of a day."""
        if path.startswith("rss.arxiv.org"):
            if self.same or self.down:
                return 503 if self.down else 304
            return rss(self.today, (f"2611.000{self.today.day}", f"Paper of {self.today}", "new"))
        day = query["from"]
        if day in self.broken:
            return 503
        on = date.fromisoformat(day)
        return oai((f"2611.000{on.day}", f"Paper of {day}"), on=on) if on.weekday() < 5 else EMPTY


def test_lists_that_were_missed_are_made_up_for(tmp_path: Path) -> None:
    """After three days without a look the days between come by OAI-PMH, and may be mailed."""
    arxiv = Arxiv()
    site = Site(tmp_path, arxiv)
    site.ingest([ARXIV], MONDAY)
    arxiv.today, now = date(2026, 11, 20), MONDAY + 4 * DAY
    (run,) = site.ingest([ARXIV], now)
    assert (run.error, run.new) == ("", 4)
    windows = [one.partition("from=")[2][:10] for one in site.asked if "oaipmh" in one]
    assert windows == ["2026-11-16", "2026-11-17", "2026-11-18", "2026-11-19"]
    assert site.mailable(now) == {f"Paper of 2026-11-{day}" for day in (17, 18, 19, 20)}


def test_nothing_is_made_up_for_where_no_list_was_missed(tmp_path: Path) -> None:
    """From day to day, over a weekend, and when the feed still shows the same list."""
    arxiv = Arxiv()
    site = Site(tmp_path, arxiv)
    for day in (date(2026, 11, 19), date(2026, 11, 20), date(2026, 11, 23), date(2026, 11, 23)):
        arxiv.today = day
        site.ingest([ARXIV], datetime(day.year, day.month, day.day, 12, tzinfo=UTC))
        assert len(site.asked) == 1


def test_what_could_not_be_made_up_for_is_asked_again(tmp_path: Path) -> None:
    """The run tells the failure; the next one asks for the same days, until they came."""
    arxiv = Arxiv()
    site = Site(tmp_path, arxiv)
    site.ingest([ARXIV], MONDAY)
    arxiv.today, now = date(2026, 11, 18), MONDAY + 2 * DAY
    arxiv.broken = {"2026-11-17"}
    (failed,) = site.ingest([ARXIV], now)
    assert "503" in failed.error
    assert failed.new == 1
    arxiv.broken.clear()
    (run,) = site.ingest([ARXIV], now + timedelta(hours=1))
    assert (run.error, run.new) == ("", 1)
    assert "Paper of 2026-11-17" in site.mailable(now)
    site.ingest([ARXIV], now + timedelta(hours=2))
    assert len(site.asked) == 1


def test_a_feed_that_answers_is_no_silence_while_the_archive_is_down(tmp_path: Path) -> None:
    """The feed says that nothing changed, OAI-PMH fails: read in part, with the first reason."""
    arxiv = Arxiv()
    site = Site(tmp_path, arxiv)
    site.ingest([ARXIV], MONDAY)
    arxiv.today, now = date(2026, 11, 18), MONDAY + 2 * DAY
    arxiv.broken = {"2026-11-16", "2026-11-17"}
    site.ingest([ARXIV], now)
    arxiv.same = True
    for later in (timedelta(minutes=2), timedelta(minutes=9)):
        (run,) = site.ingest([ARXIV], now + later)
        assert (run.read, run.partly, run.failing_since) == (0, True, None)
        assert "503" in run.error
    assert len(site.asked) == 3
    arxiv.same, arxiv.down = False, True
    (run,) = site.ingest([ARXIV], now + timedelta(hours=1))
    assert (run.partly, run.failing_since) == (False, now + timedelta(hours=1))
    assert len(site.asked) == 1  # where the feed itself fails, the archive is left in peace


def test_a_list_of_feeds_none_of_which_answers_fails(tmp_path: Path) -> None:
    """The list itself is no listing: with every feed down nothing was read, in no part."""
    path = "feeds.opml"
    (tmp_path / path).write_text(
        '<opml><body><outline xmlUrl="https://example.org/a" text="A"/></body></opml>'
    )
    (run,) = Site(tmp_path, lambda path, query: 503).ingest(
        [Source("F", "opml", path=path)], MONDAY
    )
    assert (run.partly, run.failing_since) == (False, MONDAY)


def test_preprints_that_were_missed_are_made_up_for(tmp_path: Path) -> None:
    """Each look asks for the last days; after a gap the days between are asked for as well."""

    def answer(path: str, query: dict[str, str]) -> str:
        day = path.split("/")[4]
        paper = {"doi": f"10.64898/{day}.1", "title": f"Cells of {day}", "date": day}
        message = {"status": "ok", "cursor": 0, "count": 1, "total": "1"}
        return json.dumps({"messages": [message], "collection": [paper]})

    source = Source("bioRxiv", "biorxiv")
    site = Site(tmp_path, answer)
    site.ingest([source], MONDAY)
    assert len(site.asked) == 1
    site.ingest([source], MONDAY + 8 * DAY)
    spans = sorted(one.split("/")[3:5] for one in site.asked)
    assert spans == [
        ["2026-11-16", "2026-11-19"],
        ["2026-11-20", "2026-11-21"],
        ["2026-11-22", "2026-11-24"],
    ]


def test_making_up_is_bounded(tmp_path: Path) -> None:
    """After five weeks the last fourteen days are asked for, not all."""
    arxiv = Arxiv()
    site = Site(tmp_path, arxiv)
    arxiv.today = date(2026, 10, 19)
    site.ingest([ARXIV], MONDAY - 28 * DAY)
    arxiv.today = date(2026, 11, 20)
    site.ingest([ARXIV], MONDAY + 4 * DAY)
    assert 10 <= len([one for one in site.asked if "oaipmh" in one]) <= 15


def test_a_list_whose_token_expired_is_begun_again(tmp_path: Path) -> None:
    """The window is read from its start, twice at most; then the source says so."""
    tokens = {"left": 1}

    def answer(path: str, query: dict[str, str]) -> str:
        if query.get("resumptionToken") != "t1":
            return oai(("2611.00001", "First"), token="t1")
        if tokens["left"] > 0:
            tokens["left"] -= 1
            return EXPIRED
        return oai(("2611.00002", "Second"))

    source = Source("OAI", "arxiv_oai", categories=("cs.CL",))
    site = Site(tmp_path, answer)
    (run,) = site.ingest([source], MONDAY)
    assert (run.error, run.new) == ("", 2)
    tokens["left"] = 9
    (run,) = site.ingest([source], MONDAY + DAY)
    assert "badResumptionToken" in run.error
    assert sum("resumptionToken" in one for one in site.asked) == 3
