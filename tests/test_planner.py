"""What a digest's receipt knows of the sources, from the runs in the store."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta
from pathlib import Path

from digest import jobs
from digest.app import App
from digest.model import Digest, Source, SourceRun, Standing, WhenEmpty
from digest.planner import plan
from digest.standing import carried
from digest.store import Due
from tests.running import announce, delivery_of, running
from tests.samples import NOW, listing, profile, subscriber

ADA = "ada@example.org"
ARXIV = Source("arXiv", "arxiv", categories=("cs.CL",))
SOURCES = '[[sources]]\nname = "arXiv"\nkind = "arxiv"\ncategories = ["cs.CL"]\n'
DAY = timedelta(days=1)


def read(app: App, back: int, count: int, listed: date) -> None:
    """Record that arXiv gave so many listings, so many days ago."""
    papers = [listing(f"{listed} {n}", listed_on=listed) for n in range(count)]
    run = SourceRun("arXiv", NOW - back * DAY, read=count, new=count, batch_on=listed)
    before = app.store.latest_runs().get("arXiv")
    app.store.record_run(carried(run, ARXIV, before, papers))


def planned(app: App, **settings: object) -> Digest:
    """The digest that a subscriber of these settings would get now."""
    one = app.store.put_subscriber(subscriber("emmy@example.org", **settings), NOW)
    return next(iter(plan(app, [Due(one, NOW.date())], NOW)))


def test_a_saturday_is_told_from_a_failure(tmp_path: Path) -> None:
    """The mail, the ledger's row and what a retry is made from give the weekend as the reason."""
    asks = subscriber(ADA, profile=profile(when_empty=WhenEmpty.NOTE))
    with running(tmp_path, asks, sources=SOURCES) as app:
        read(app, 0, 2, NOW.date())
        read(app, -1, 0, NOW.date() + DAY)
        jobs.prepare(app, NOW + DAY)
        kept = delivery_of(app, ADA, NOW + DAY).digest
    assert kept.empty_reason == "Nothing new: arXiv makes no announcement on Fridays and Saturdays."
    assert [run.standing for run in kept.receipt.sources] == [Standing.REST]


def test_a_weekly_receipt_adds_up_the_lists_of_its_week(tmp_path: Path) -> None:
    """Three lists in seven days, each counted once, and only one for who is mailed daily."""
    with running(tmp_path, sources=SOURCES) as app:
        for back in (2, 1, 0):
            read(app, back, 10 + back, NOW.date() - back * DAY)
        (weekly,) = planned(app, days=("fri",)).receipt.sources
        (daily,) = planned(app).receipt.sources
    assert (weekly.lists, weekly.read, weekly.new) == (3, 33, 33)
    assert daily.batch_on == NOW.date()
    assert daily.lists <= 2


def test_what_fits_is_counted_by_source(tmp_path: Path) -> None:
    """A listing counts for the source that it is known from."""
    with running(tmp_path) as app:
        announce(app, listing("Flash attention", source="arXiv", also_in=("Papers",)))
        announce(app, listing("Flash attention again", source="Papers"), listing("Rivers"))
        receipt = planned(app).receipt
    assert receipt.matched_by == (("Papers", 1), ("arXiv", 1))


def test_a_source_that_left_the_config_leaves_the_receipt(tmp_path: Path) -> None:
    """It is named while what it brought is, and not called silent for ever."""
    with running(tmp_path) as app:
        read(app, 5, 3, NOW.date() - 5 * DAY)
        assert not planned(app).receipt.sources
        assert [run.source for run in planned(app, days=("fri",)).receipt.sources] == ["arXiv"]


def test_a_failure_is_dated_from_its_beginning(tmp_path: Path) -> None:
    """Each further failure keeps the first time, and says when the source is asked again."""
    (tmp_path / "bad.jsonl").write_text("{not json\n")
    config = '[[sources]]\nname = "Bad"\nkind = "jsonl"\npath = "bad.jsonl"\nevery = "1h"\n'
    with running(tmp_path, sources=config) as app:
        sources = app.config.sources
        asyncio.run(jobs.ingest(app, NOW, sources))
        (again,) = asyncio.run(jobs.ingest(app, NOW + DAY / 24, sources))
        assert (again.failing_since, again.retry_at) == (NOW, NOW + DAY / 12)
        (tmp_path / "bad.jsonl").write_text('{"title": "Good"}\n')
        (good,) = asyncio.run(jobs.ingest(app, NOW + DAY / 12, sources))
        assert (good.failing_since, good.retry_at) == (None, None)
