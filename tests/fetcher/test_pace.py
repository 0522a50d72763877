"""Turns of hosts."""

from __future__ import annotations

import asyncio
import fcntl
import threading
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest

from digest.fetcher import LocalTurns, Pace, patience
from digest.fetcher.pace import TurnError, is_arxiv
from tests.fetcher.server import Clock

LIMIT_S = 0.5
"""What a source may take here; a busy machine is given that for nothing at all."""


@pytest.mark.parametrize(
    ("host", "ours"),
    [
        ("arxiv.org", True),
        ("export.arxiv.org", True),
        ("rss.arxiv.org", True),
        ("oaipmh.arxiv.org", True),
        ("notarxiv.org", False),
        ("arxiv.org.example.com", False),
    ],
)
def test_s9_all_arxiv_hosts_are_one(host: str, ours: bool) -> None:
    """The limit holds for arXiv's hosts together, and for no other."""
    assert is_arxiv(host) is ours


def test_s9_arxiv_is_asked_once_in_three_seconds() -> None:
    """Four requests to three hosts of arXiv at once go one after the other, three seconds apart."""
    clock = Clock()
    pace = Pace(LocalTurns(clock), sleep=clock.sleep)
    moments: list[float] = []
    busy = 0

    async def one(host: str) -> None:
        nonlocal busy
        async with pace.turn(host):
            busy += 1
            assert busy == 1
            moments.append(clock.now.timestamp())
            await asyncio.sleep(0)
            busy -= 1

    async def run() -> None:
        hosts = ["rss.arxiv.org", "export.arxiv.org", "oaipmh.arxiv.org", "rss.arxiv.org"]
        await asyncio.gather(*map(one, hosts))

    asyncio.run(run())
    gaps = [later - earlier for earlier, later in pairwise(moments)]
    assert gaps == [3, 3, 3]


def test_s9_arxiv_waits_for_other_processes(tmp_path: Path) -> None:
    """Two paces that share a stamp file, as two processes do, keep the three seconds together."""
    clock = Clock()
    first, second = (
        Pace(LocalTurns(clock, stamp_file=tmp_path / "arxiv.stamp"), sleep=clock.sleep)
        for _ in range(2)
    )

    async def run() -> None:
        async with first.turn("rss.arxiv.org"):
            waiting = asyncio.create_task(_enter(second))
            for _ in range(5):
                await asyncio.sleep(0)
            assert not waiting.done()
        await waiting

    began = clock.now
    asyncio.run(run())
    assert (clock.now - began).total_seconds() >= 3


def test_s10_waiting_for_others_takes_none_of_a_sources_time() -> None:
    """Of two on one host the second waits for longer than it may take; alone it is cut off."""
    told: list[str] = []

    def real_clock() -> datetime:
        return datetime.now(UTC)

    async def read(name: str, pace: Pace, request_s: float, requests: int) -> None:
        try:
            async with patience(LIMIT_S):
                for _ in range(requests):
                    async with pace.turn("example.org"):
                        await asyncio.sleep(request_s)
        except TimeoutError:
            told.append(f"{name} took too long")
        else:
            told.append(name)

    async def run() -> None:
        pace = Pace(LocalTurns(real_clock), pause_s=0)
        async with pace.turn("example.org"):
            second = asyncio.create_task(read("second", pace, 0, 3))
            await asyncio.sleep(2 * LIMIT_S)
        await second
        await read("slow", pace, LIMIT_S / 2, 9)
        await read("pauses", Pace(LocalTurns(real_clock), pause_s=LIMIT_S / 2), 0, 9)

    asyncio.run(run())
    assert told == ["second", "slow took too long", "pauses took too long"]


async def _enter(pace: Pace) -> None:
    async with pace.turn("export.arxiv.org"):
        pass


def test_s9_the_wait_for_other_processes_ends(tmp_path: Path) -> None:
    """A process that never lets go of the turn costs two minutes, not the whole day."""
    clock = Clock()
    first, second = (
        Pace(LocalTurns(clock, stamp_file=tmp_path / "arxiv.stamp"), sleep=clock.sleep)
        for _ in range(2)
    )

    async def run() -> None:
        async with first.turn("rss.arxiv.org"):
            with pytest.raises(TurnError, match="other processes"):
                await _enter(second)

    began = clock.now
    asyncio.run(run())
    assert 100 < (clock.now - began).total_seconds() < 150


def test_s9_the_pause_is_slept_without_the_turn(tmp_path: Path) -> None:
    """While one process waits for the three seconds to pass, the lock is free for another."""
    clock = Clock()
    stamp = tmp_path / "arxiv.stamp"
    free: list[bool] = []

    async def sleep(seconds: float) -> None:
        with stamp.open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                free.append(True)
            except BlockingIOError:
                free.append(False)
        await clock.sleep(seconds)

    async def run() -> None:
        pace = Pace(LocalTurns(clock, stamp_file=stamp), sleep=sleep)
        await _enter(pace)
        await _enter(pace)

    asyncio.run(run())
    assert free == [True]


def test_a_stamp_from_the_future_holds_nobody_up(tmp_path: Path) -> None:
    """A clock that was set back, or a broken file, does not stop arXiv for good."""
    clock = Clock()
    stamp = tmp_path / "arxiv.stamp"
    for text in ("99999999999.0", "not a number", ""):
        stamp.write_text(text)
        asyncio.run(_enter(Pace(LocalTurns(clock, stamp_file=stamp), sleep=clock.sleep)))
    assert clock.slept == [] or max(clock.slept) <= 3


def test_other_hosts_do_not_wait_for_each_other() -> None:
    """Hosts have turns of their own; the same host waits a second."""
    clock = Clock()
    pace = Pace(LocalTurns(clock), sleep=clock.sleep)

    async def run() -> None:
        async with pace.turn("a.example.org"), pace.turn("b.example.org"):
            assert clock.slept == []
        async with pace.turn("a.example.org"):
            assert clock.slept == [1.0]

    asyncio.run(run())


def test_s9_a_turn_that_comes_too_late_for_its_source_is_given_back(tmp_path: Path) -> None:
    """A slow disk, or a slow database: the source's time is over while the turn is being taken."""
    begun, go = threading.Event(), threading.Event()

    class Slow(LocalTurns):
        def take(self, name: str, pause_s: float) -> float:
            begun.set()
            assert go.wait(30)
            return super().take(name, pause_s)

    turns = Slow(stamp_file=tmp_path / "arxiv.stamp")
    pace = Pace(turns, pause_s=0, arxiv_pause_s=0)

    async def ask() -> None:
        async with pace.turn("arxiv.org"):
            pytest.fail("nobody waits for it any more")

    async def run() -> None:
        asking = asyncio.create_task(ask())
        await asyncio.to_thread(begun.wait, 30)
        asking.cancel()
        go.set()
        with pytest.raises(asyncio.CancelledError):
            await asking

    asyncio.run(run())
    other = LocalTurns(stamp_file=tmp_path / "arxiv.stamp")
    assert not other.take("arxiv.org", 0)
    other.give_back("arxiv.org")
