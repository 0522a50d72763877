"""Health: what a watchdog is told, by real steps and a store that breaks."""

from __future__ import annotations

import asyncio
import threading
from datetime import timedelta

from digest.errors import StoreError
from digest.model import DeliveryState
from digest.store.sqlite import SqliteStore
from digest.ticks import Ticks
from digest.web.pulse import LONGEST_RUN, Pulse
from tests.samples import NOW
from tests.waiting import WAIT_S
from tests.web.running import Running

EVERY_S = 30


def test_a_healthy_service_says_so(site: Running) -> None:
    """200, alive and ready."""
    with site.client() as client:
        assert client.get("/healthz").json()["status"] == "ok"
        assert client.get("/healthz/live").status_code == 200


def test_a_scheduler_that_stands_still_is_told(site: Running) -> None:
    """503 with the step and how long; alive all the same; well again with the next tick."""
    site.site.pulse = pulse = Pulse({"deliver": EVERY_S}, NOW)
    with site.client() as client:
        assert client.get("/healthz").status_code == 200
        site.pass_time(seconds=5 * EVERY_S + 61)
        answer = client.get("/healthz")
        assert answer.status_code == 503
        assert answer.json()["reasons"] == ["deliver has not run for 211 s; it should every 30 s"]
        assert client.get("/healthz/live").status_code == 200
        pulse.begin("deliver", site.now)
        site.pass_time(hours=1)
        assert client.get("/healthz").status_code == 200  # a long run of mails is no fault
        pulse.end("deliver", site.now, failed=False)
        assert client.get("/healthz").json()["steps"] == {"deliver": {"age_s": 0}}


def test_a_step_that_hangs_or_fails_again_and_again_is_told() -> None:
    """Neither runs for ever nor ends badly for ever without a word."""
    pulse = Pulse({"write": EVERY_S}, NOW)
    pulse.begin("write", NOW)
    assert "has been running" in pulse.troubles(NOW + LONGEST_RUN + timedelta(seconds=1))[0]
    for _ in range(5):
        pulse.end("write", NOW, failed=True)
    assert pulse.troubles(NOW) == ["write has failed 5 times in a row; the log says why"]
    pulse.end("write", NOW, failed=False)
    assert pulse.troubles(NOW) == []


def test_the_scheduler_beats(site: Running) -> None:
    """A step that raises counts as failed, one that ends as done."""
    pulse = Pulse({"write": EVERY_S}, NOW)
    ticks = Ticks(site.app, lambda: site.now, asyncio.Event(), pulse)

    async def fail() -> None:
        raise StoreError("full")

    async def run() -> None:
        await ticks.guarded("write", ticks.write)()
        await ticks.guarded("write", fail)()

    asyncio.run(run())
    beat = pulse.beats["write"]
    assert (beat.done, beat.failed, beat.failed_in_a_row, beat.is_running) == (2, 1, 1, False)
    assert pulse.outcomes[DeliveryState.SENT] == 0


class Broken(SqliteStore):
    """A store whose file is gone."""

    def counted_listings(self) -> int:
        """Never."""
        raise StoreError(f"{self.path}: disk I/O error")


def test_a_store_that_cannot_be_used_is_told_without_its_path(site: Running) -> None:
    """503, and nothing about this machine."""
    before, site.app.store = site.app.store, Broken(site.app.folder / "digest.db")
    try:
        with site.client() as client:
            answer = client.get("/healthz")
    finally:
        site.app.store.close_store()
        site.app.store = before
    assert answer.status_code == 503
    assert answer.json()["reasons"] == ["the database cannot be used"]
    assert str(site.app.folder) not in answer.text


def test_threads_that_hang_are_told_in_time(site: Running) -> None:
    """All threads of the pages are taken: the answer comes all the same, and says so."""
    hold = threading.Event()
    for _ in range(8):
        site.site.threads.submit(hold.wait)
    try:
        with site.client() as client:
            answer = client.get("/healthz", timeout=WAIT_S)
            assert client.get("/healthz/live", timeout=WAIT_S).status_code == 200
    finally:
        hold.set()
    assert answer.status_code == 503
    assert "did not answer" in answer.text
