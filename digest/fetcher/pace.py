"""The pace of asking: one request at a time for a host, with a pause between; arXiv is one host.

arXiv asks for one connection and one request in three seconds over all its hosts together, and
that holds for all who share the turns. Source: arXiv API, terms of use.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress

from digest.errors import StoreError
from digest.fetcher.patience import asking, waiting, whose
from digest.fetcher.turns import ARXIV, Turns

logger = logging.getLogger("digest")

Sleep = Callable[[float], Awaitable[None]]
_LONGEST_WAIT_S = 120  # for a turn that others do not let go; a request takes 30 s at most


class TurnError(OSError):
    """A host's turn was not to be had; it is asked another time."""


class Pace:
    """Turns for hosts: `async with pace.turn(host)` waits for the host's next free moment."""

    def __init__(
        self,
        turns: Turns,
        *,
        sleep: Sleep = asyncio.sleep,
        pause_s: float = 1.0,
        arxiv_pause_s: float = 3.0,
    ) -> None:
        self._turns = turns
        self._sleep = sleep
        self._pause_s = pause_s
        self._arxiv_pause_s = arxiv_pause_s
        self._locks: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._latest: dict[str, object] = {}  # for whom a host was asked last

    @asynccontextmanager
    async def turn(self, host: str) -> AsyncIterator[None]:
        """The host's turn, held until the request is over. Raises: TurnError."""
        name = ARXIV if is_arxiv(host) else host
        async with AsyncExitStack() as stack:
            with waiting():
                await stack.enter_async_context(self._locks[name])
            await self._take(name, self._arxiv_pause_s if name == ARXIV else self._pause_s)
            stack.push_async_callback(self._give_back, name)
            self._latest[name] = whose()
            with asking():
                yield

    async def _take(self, name: str, pause_s: float) -> None:
        """Wait until the turn is ours. Raises: TurnError when that takes too long."""
        waited_s, is_own_pause = 0.0, self._latest.get(name) is whose()
        while waited_s < _LONGEST_WAIT_S:
            try:
                wait_s = await self._ask(name, pause_s)
            except StoreError as error:
                raise TurnError(f"no turn to ask {name} was to be had ({error})") from error
            if not wait_s:
                return
            with asking() if is_own_pause else waiting():
                await self._sleep(wait_s)
            waited_s, is_own_pause = waited_s + wait_s, False
        raise TurnError(f"other processes have been asking {name} for {_LONGEST_WAIT_S} s")

    async def _ask(self, name: str, pause_s: float) -> float:
        """Seconds until the turn may be ours; 0 when it is. Raises: StoreError."""
        taking = asyncio.ensure_future(asyncio.to_thread(self._turns.take, name, pause_s))
        try:
            return await asyncio.shield(taking)
        except asyncio.CancelledError:
            # The thread goes on, and a turn that it takes is nobody's to give back but ours.
            with suppress(StoreError):
                if not await taking:
                    await self._give_back(name)
            raise

    async def _give_back(self, name: str) -> None:
        """Let the next one ask. What was fetched is good, whatever becomes of the turn."""
        try:
            await asyncio.to_thread(self._turns.give_back, name)
        except StoreError as error:  # then it ends of itself
            logger.warning("turn.kept %s", json.dumps({"host": name, "reason": str(error)}))


def is_arxiv(host: str) -> bool:
    """True for arXiv's hosts, which share one limit."""
    return host == ARXIV or host.endswith("." + ARXIV)
