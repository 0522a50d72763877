"""Ticks through pretended days: one digest a local day, also where the clock jumps."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest

from digest import jobs
from digest.app import App
from digest.doctor.machine import python_finding
from digest.mailer import EmlFolder
from digest.model import DeliveryState, Subscriber
from digest.schedule import zone
from digest.serving import log_start
from digest.ticks import Ticks
from tests.running import announce, delivery_of, running
from tests.samples import NOW, listing, subscriber

TICK = timedelta(minutes=7)
"""Coarse, and no divisor of an hour: a tick stands on no round time for long."""

JUMPS = [
    ("Europe/London", date(2026, 3, 29)),
    ("Europe/London", date(2026, 10, 25)),
    ("America/New_York", date(2026, 3, 8)),
    ("America/New_York", date(2026, 11, 1)),
]
"""Zones and the days on which their clocks jump; the jump is at 01:00 or 02:00 local time."""

HOURS = (time(0, 0), time(0, 30), time(1, 30), time(2, 0), time(2, 30), time(7, 30), time(23, 45))


def ticks(start: datetime, end: datetime, step: timedelta = TICK) -> Iterator[datetime]:
    """The times of the ticks from start to end."""
    while start < end:
        yield start
        start += step


def days_answered(app: App) -> Counter[tuple[str, str]]:
    """How many ledger rows each (address, local day) has."""
    rows = app.store.rows(  # type: ignore[attr-defined]  # the SQLite store's own
        "SELECT recipient, digest_on FROM deliveries"
    )
    return Counter(rows)


@pytest.mark.parametrize(("name", "jump"), JUMPS)
def test_a_digest_for_each_local_day_through_a_jump(tmp_path: Path, name: str, jump: date) -> None:
    """Whatever the hour, also one that does not exist or exists twice: one row a local day."""
    people = [
        subscriber(f"at{hour:%H%M}@example.org", timezone=name, send_at=hour) for hour in HOURS
    ]
    days = [jump + timedelta(days=n) for n in (-1, 0, 1)]
    start = datetime.combine(days[0], time(), zone(name)).astimezone(UTC)
    end = datetime.combine(days[-1] + timedelta(days=1), time(), zone(name)).astimezone(UTC)
    with running(tmp_path, *people) as app:
        announce(app, listing("Flash attention"), at=start)
        for now in ticks(start, end):
            jobs.prepare(app, now)
        answered = days_answered(app)
    wanted = {(one.email, str(day)) for one in people for day in days}
    before = {(one.email, str(days[0] - timedelta(days=1))) for one in people}
    assert wanted <= set(answered)
    assert set(answered) - wanted <= before  # yesterday's, still owed at the first midnight
    assert set(answered.values()) == {1}


@pytest.mark.parametrize(("name", "jump"), JUMPS)
def test_a_mail_comes_at_the_local_hour_before_and_after_a_jump(
    tmp_path: Path, name: str, jump: date
) -> None:
    """07:30 by the clock on the wall, to the tick."""
    reader = subscriber(timezone=name, send_at=time(7, 30))
    with running(tmp_path, reader) as app:
        announce(app, listing("Flash attention"), at=NOW)
        for day in (jump - timedelta(days=1), jump, jump + timedelta(days=1)):
            due = datetime.combine(day, time(7, 30), zone(name)).astimezone(UTC)
            assert jobs.prepare(app, due - timedelta(seconds=1)) == Counter()
            assert jobs.prepare(app, due).total() == 1


def test_started_late_it_makes_up_for_today_and_for_no_older_day(tmp_path: Path) -> None:
    """Stopped for five days: one digest, of today, at the first tick."""
    with running(tmp_path, subscriber()) as app:
        announce(app, listing("Flash attention"), at=NOW - timedelta(days=5))
        jobs.prepare(app, NOW - timedelta(days=5))
        announce(app, listing("More flash attention"), at=NOW)
        for now in ticks(NOW, NOW + timedelta(hours=3)):
            jobs.prepare(app, now)
        days = sorted(day for _, day in days_answered(app))
    assert days == [str((NOW - timedelta(days=5)).date()), str(NOW.date())]


def test_a_mail_of_late_evening_survives_midnight_by_a_few_hours(tmp_path: Path) -> None:
    """Due at 23:50 and looked at from 01:00: sent for the day before; looked at from 07:00: not."""
    people = (subscriber("one@example.org", send_at=time(23, 50)),)
    midnight = datetime(2026, 11, 21, tzinfo=UTC)
    for hours, day in ((1, "2026-11-20"), (7, None)):
        folder = tmp_path / str(hours)
        folder.mkdir()
        with running(folder, *people) as app:
            announce(app, listing("Flash attention"), at=NOW)
            jobs.prepare(app, midnight + timedelta(hours=hours))
            assert [found for _, found in days_answered(app)] == ([day] if day else [])


def test_moving_to_another_zone_brings_no_second_digest(tmp_path: Path) -> None:
    """Served in Tokyo, then moved to Honolulu, where it is still the same morning's date."""
    mover = subscriber(timezone="Asia/Tokyo")
    with running(tmp_path, mover, mailer=EmlFolder(tmp_path)) as app:
        announce(app, listing("Flash attention"), at=NOW)
        jobs.prepare(app, NOW)
    moved = Subscriber(mover.email, mover.profile, timezone="Pacific/Honolulu")
    with running(tmp_path, moved) as app:
        for now in ticks(NOW, NOW + timedelta(hours=20)):
            jobs.prepare(app, now)
        assert days_answered(app) == Counter({(mover.email, "2026-11-20"): 1})


SOURCE = """
[[sources]]
name = "Papers"
kind = "jsonl"
path = "papers.jsonl"
every = "6h"
"""


def test_a_tick_reads_what_is_due_and_prepares_from_it(tmp_path: Path) -> None:
    """The first tick reads before it prepares; the next ones read only when it is time."""
    papers = tmp_path / "papers.jsonl"
    papers.write_text(json.dumps({"title": "Flash attention"}) + "\n")
    clock = [NOW]

    async def tick(app: App) -> None:
        await Ticks(app, lambda: clock[0], asyncio.Event()).prepare()

    with running(tmp_path, subscriber(), sources=SOURCE) as app:
        asyncio.run(tick(app))
        assert delivery_of(app, "ada@example.org").state is DeliveryState.QUEUED
        papers.write_text(json.dumps({"title": "More flash attention"}) + "\n")
        clock[0] = NOW + timedelta(hours=5)
        asyncio.run(tick(app))
        assert len(app.store.recent_listings(9)) == 1
        clock[0] = NOW + timedelta(hours=6)
        asyncio.run(tick(app))
        assert len(app.store.recent_listings(9)) == 2


@pytest.mark.parametrize(("stopped", "runs"), [(False, 2), (True, 1)])
def test_what_comes_up_during_a_step_has_it_run_again_at_once(
    tmp_path: Path, *, stopped: bool, runs: int
) -> None:
    """Digests prepared while a run of sending ends wait for no further tick; a stop comes first."""
    begun: list[int] = []

    async def steps(app: App) -> None:
        stop, reached, go_on = asyncio.Event(), asyncio.Event(), asyncio.Event()
        of = Ticks(app, lambda: NOW, stop)

        async def step() -> None:
            begun.append(len(begun))
            reached.set()
            await go_on.wait()

        assert not of.follow("deliver")  # nothing is under way: it is for the scheduler to begin
        task = asyncio.create_task(of.guarded("deliver", step)())
        await reached.wait()
        assert of.follow("deliver")
        assert of.follow("deliver")  # two wishes are one
        assert not of.follow("write")
        if stopped:
            stop.set()
        go_on.set()
        await task
        assert not of.follow("deliver")

    with running(tmp_path, subscriber()) as app:
        asyncio.run(steps(app))
    assert len(begun) == runs


@pytest.mark.parametrize(("patch", "warned"), [(14, True), (15, False)])
def test_d5_the_start_warns_of_a_python_without_the_fixes(
    caplog: pytest.LogCaptureFixture, *, patch: int, warned: bool
) -> None:
    """One line says what runs here; an older patch level gets a second, with what to do."""
    caplog.set_level("INFO", "digest")
    log_start(python_finding(NOW, (3, 11, patch)))
    first, *others = [record.getMessage().partition(" ") for record in caplog.records]
    assert first[0] == "service.started"
    assert set(json.loads(first[2])) == {"version", "python", "sqlite"}
    assert [event for event, _, _ in others] == ["python.old"] * warned
    assert all("3.11.15" in json.loads(told)["do"] for _, _, told in others)
