"""The ledger as many sessions write it: what they ask at the same moment is one transaction.

A commit waits for the disk (about 4 ms), so while one is written the next wishes gather. All writes
of a run take place in one thread of their own, so that no session's mail server waits for the disk.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from digest.clock import Clock
from digest.share import EVERYBODY, Share
from digest.store import Lease, Store, Tried

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Turned:
    """Whether a try was recorded, and whether the next delivery may be begun."""

    recorded: bool = False
    begun: bool = False


@dataclass(frozen=True, slots=True)
class _Asked:
    tried: Tried | None
    begun: Lease | None
    answer: asyncio.Future[Turned]

    def turned(self, held: frozenset[int]) -> Turned:
        return Turned(
            recorded=self.tried is not None and self.tried.lease.delivery_id in held,
            begun=self.begun is not None and self.begun.delivery_id in held,
        )


class Clerk:
    """Keeps the ledger for one run over a share, whose leases belong to `owner`."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        lease_s: float,
        owner: str,
        share: Share = EVERYBODY,
    ) -> None:
        self._owner = owner
        self._share = share
        self._store = store
        self._clock = clock
        self._lease_s = lease_s
        self._thread = ThreadPoolExecutor(1, "ledger")
        self._asked: list[_Asked] = []
        self._writing: asyncio.Task[None] | None = None

    async def lease(self, limit: int) -> Sequence[Lease]:
        """Up to `limit` deliveries that are to be sent now. Raises: StoreError."""
        return await self._in_thread(
            lambda: self._store.lease(self._clock(), limit, self._lease_s, self._owner, self._share)
        )

    async def turn(self, tried: Tried | None, begun: Lease | None) -> Turned:
        """Close what was tried and begin what is next, both or neither. Raises: StoreError."""
        answer: asyncio.Future[Turned] = asyncio.get_running_loop().create_future()
        self._asked.append(_Asked(tried, begun, answer))
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write())
        return await answer

    async def renew(self) -> None:
        """Prolong the run's leases. Raises: StoreError."""
        await self._in_thread(lambda: self._store.renew(self._owner, self._clock(), self._lease_s))

    async def close(self) -> None:
        """Let go of what was leased and not begun. Raises: StoreError."""
        try:
            await self._in_thread(lambda: self._store.give_back(self._owner))
        finally:
            self._thread.shutdown()

    async def _write(self) -> None:
        while self._asked:
            asked, self._asked = self._asked, []
            try:
                held = await self._in_thread(partial(self._turn, asked))
            except BaseException as error:
                for one in asked:
                    _answer(one.answer, error)
                if not isinstance(error, Exception):
                    raise
            else:
                for one in asked:
                    _answer(one.answer, one.turned(held))

    def _turn(self, asked: Sequence[_Asked]) -> frozenset[int]:
        tried = [one.tried for one in asked if one.tried]
        begun = [one.begun for one in asked if one.begun]
        return self._store.turn(tried, begun, self._clock(), self._lease_s)

    async def _in_thread(self, verb: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, verb)


def _answer(future: asyncio.Future[Turned], answer: Turned | BaseException) -> None:
    """Answer whoever still waits."""
    if future.done():
        return
    if isinstance(answer, BaseException):
        future.set_exception(answer)
    else:
        future.set_result(answer)
