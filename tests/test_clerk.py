"""The ledger written for many sessions at once."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import pytest

from digest.clerk import Clerk
from digest.errors import StoreError
from digest.model import DeliveryState, Sent
from digest.store import Lease, Tried
from digest.store.sqlite import SqliteStore
from tests.samples import NOW
from tests.store.test_ledger import LATER, person, queued, state
from tests.waiting import WAIT_S, see

PEOPLE = 8


class Slow(SqliteStore):
    """A store whose turns wait for a signal, counted."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.begun, self.go = threading.Event(), threading.Event()
        self.sizes: list[tuple[int, int]] = []
        self.fault = ""

    def turn(
        self, tried: Sequence[Tried], begun: Sequence[Lease], now: datetime, lease_s: float
    ) -> frozenset[int]:
        """The same, once it may go on."""
        self.begun.set()
        self.go.wait(WAIT_S)
        self.sizes.append((len(tried), len(begun)))
        if self.fault:
            raise StoreError(self.fault)
        return super().turn(tried, begun, now, lease_s)


@pytest.fixture
def slow(tmp_path: Path) -> Slow:
    """A slow store with queued digests."""
    store = Slow(tmp_path / "digest.db")
    for number in range(PEOPLE):
        queued(store, person(store, f"r{number}@example.org"))
    return store


def clerk(store: Slow) -> Clerk:
    """A clerk over it."""
    return Clerk(store, lambda: NOW, 60, "w")


def test_what_is_asked_while_a_commit_is_written_becomes_one_transaction(slow: Slow) -> None:
    """The first wish goes alone, the others together after it."""

    async def run() -> None:
        keeper = clerk(slow)
        leases = await keeper.lease(PEOPLE)
        asked = [asyncio.create_task(keeper.turn(None, leases[0]))]
        await see("the first wish on its way", slow.begun.is_set)
        asked += [asyncio.create_task(keeper.turn(None, lease)) for lease in leases[1:]]
        for _ in range(20):
            await asyncio.sleep(0)
        assert not asked[0].done()
        slow.go.set()
        assert all(turned.begun for turned in await asyncio.gather(*asked))
        assert slow.sizes == [(0, 1), (0, PEOPLE - 1)]
        turned = await keeper.turn(Tried(leases[0], Sent("250"), LATER), None)
        assert turned.recorded
        assert not turned.begun
        await keeper.close()

    asyncio.run(run())
    one = slow.subscriber("r0@example.org")
    assert one
    assert state(slow, one) is DeliveryState.SENT


def test_who_lost_the_lease_is_told_so(slow: Slow) -> None:
    """Nothing is recorded and nothing begun for a row that is somebody else's."""
    slow.go.set()

    async def run() -> None:
        keeper = clerk(slow)
        foreign = Lease(1, "r0@example.org", 1, "somebody else")
        turned = await keeper.turn(Tried(foreign, Sent("250"), LATER), foreign)
        assert not turned.recorded
        assert not turned.begun
        await keeper.close()

    asyncio.run(run())


def test_q18_a_ledger_that_cannot_be_written_is_told_to_everyone_who_asked(slow: Slow) -> None:
    """Each session gets the fault, and the clerk goes on with the next wishes."""
    slow.go.set()

    async def run() -> None:
        keeper = clerk(slow)
        leases = await keeper.lease(PEOPLE)
        slow.fault = "no room left on the disk"
        ends = await asyncio.gather(
            *(keeper.turn(None, lease) for lease in leases), return_exceptions=True
        )
        assert all(isinstance(end, StoreError) for end in ends)
        slow.fault = ""
        assert (await keeper.turn(None, leases[0])).begun
        await keeper.close()

    asyncio.run(run())


def test_q5_the_event_loop_goes_on_while_the_disk_is_waited_for(slow: Slow) -> None:
    """Other sessions talk to their mail servers meanwhile."""

    async def run() -> None:
        keeper = clerk(slow)
        (lease, *_) = await keeper.lease(PEOPLE)
        asked = asyncio.create_task(keeper.turn(None, lease))
        for _ in range(20):
            await asyncio.sleep(0)
        assert not asked.done()
        slow.go.set()
        await asked
        await keeper.close()

    asyncio.run(run())
