"""A scripted year of the whole service on a clock that we move, looked at on each of its days.

365 days with the DST changes of six zones, arXiv's holidays, a week each without sources, without
the mail server and without the service, three restores, and a zone that crosses the date line.
"""

from __future__ import annotations

import asyncio
import logging
import random
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.e2e.year import witness as holds
from tests.e2e.year import zones
from tests.e2e.year.papers import World
from tests.e2e.year.script import JOINED, LISTED, Script, at
from tests.e2e.year.service import Office, Service
from tests.e2e.year.witness import Witness
from tests.fetcher.server import Clock, serving

MOVES_SEEN = {
    ("", "queued"), ("", "empty"), ("", "held"), ("queued", "sending"), ("sending", "sent"),
    ("sending", "refused"), ("sending", "deferred"), ("sending", "unknown"),
    ("deferred", "sending"), ("deferred", "cancelled"), ("unknown", "sending"),
    ("held", "deferred"), ("held", "cancelled"),
}  # fmt: skip
"""The moves that the year brings about for sure."""

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


class Year:
    """The service, the world around it, and who looks on."""

    def __init__(self, service: Service, world: World) -> None:
        self.service, self.world, self.seen = service, world, Witness()
        self.script = Script(service, self.seen, world)
        self.told = self.arrived = 0
        self.moved: set[tuple[str, str]] = set()
        self.sizes: dict[datetime, int] = {}
        self._choose = random.Random(24)  # noqa: S311 - a test, the same at every run

    async def live(self) -> None:
        """All of it, day by day."""
        clock = self.service.clock
        clock.now = at(1, 1)
        self.service.write_config(*LISTED)
        self.service.start()
        for one in (*LISTED, *JOINED):
            self.service.app.store.put_subscriber(one, clock.now)
            self.seen.settles(one, clock.now)
        day = at(1, 1)
        while day < at(12, 31) + DAY:
            due = self.seen.hours(day)
            for hour in range(24):
                await self.pass_an_hour(day + hour * HOUR, tick=hour in due)
            day += DAY
            clock.now = day
            if self.service.is_up:
                self.look(day)
        self.service.stop()

    async def pass_an_hour(self, hour: datetime, *, tick: bool) -> None:
        """What the script has for the hour, then a tick some minutes past it."""
        self.service.clock.now = hour
        await self.script.play(hour)
        if tick and self.service.is_up:
            self.service.clock.now = hour + timedelta(minutes=self._choose.randint(3, 8))
            await self.service.tick()
            self.seen.sees(self.service.taken(self.seen.people), self.service.clock.now)

    def look(self, now: datetime) -> None:
        """Everything that holds on every day."""
        seen = self.seen
        seen.reads_ledger(self.service.database)
        holds.at_most_one_digest_a_local_day(seen)
        holds.nothing_to_who_has_left(seen)
        holds.nobody_is_lost(seen, now)
        holds.nothing_is_shown_twice(seen)
        holds.mails_and_ledger_agree(seen, now)
        holds.moves_are_those_of_the_table(seen)
        holds.empty_days_say_why(seen)
        holds.the_hour_is_kept(seen)
        self.told += holds.the_calendar_is_told(seen, self.world)
        self.arrived += holds.every_paper_arrives(seen, self.world, now)
        holds.what_is_old_is_forgotten(seen, now)
        holds.receipts_count_the_days_list(seen)
        self.moved.update(seen.moves)
        seen.checked = len(seen.mails)
        self.sizes[now] = size = self.service.database.stat().st_size
        assert size <= holds.stated_size(seen, self.world, now), f"{now}: {size}"

    def grown_by(self, since: datetime) -> tuple[int, int]:
        """The bytes by which the database has grown since a day, and those stated for good."""
        listings = self.world.announced(since, at(12, 31))
        return self.sizes[at(12, 31)] - self.sizes[since], holds.kept_for_good(listings)


def test_a_year(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """What is promised holds on each day, and the database stays within its stated size."""
    caplog.set_level(logging.WARNING)
    clock = Clock()

    async def run() -> Year:
        world = World(clock, at(1, 1).date(), at(12, 31).date())
        office = Office()
        await office.open()
        try:
            async with serving(world.answer) as stub:
                year = Year(Service(tmp_path, stub, office, clock), world)
                await year.live()
        finally:
            await office.end()
        return year

    zones.put_rules(tmp_path / "zones", zones.BEFORE)
    with zones.zones_of(tmp_path / "zones"):
        year = asyncio.run(run())
    assert not [one for one in caplog.records if one.levelno >= logging.ERROR]
    assert year.script.is_over
    assert len(year.seen.restores) == 3
    assert year.moved >= MOVES_SEEN
    assert year.told > 100
    assert year.arrived > 1_000
    holds.a_day_that_never_was_has_no_digest(year.seen)
    grown, stated = year.grown_by(at(7, 1))
    assert grown < stated, "besides listings, nothing may grow"
