"""One process's part in what a whole service may send: its quota of connections, permits, rests.

What all processes have in common is asked for in advance and in batches, so that it costs next to
nothing a mail: a beat a second tells and hears who rests, a quota holds for some seconds, permits
for one. Where a process is alone nobody is asked. What was granted runs out by this process's own
clock when the others cannot be reached, and no mail begins by it any more.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections import defaultdict, deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from math import ceil
from typing import TypeVar

from digest.allowance import HELD_S, Limit, News, Rest
from digest.errors import StoreError
from digest.mailer.breaker import Breaker, Clock
from digest.mailer.commons import Commons

logger = logging.getLogger("digest")

T = TypeVar("T")

Follower = Callable[[Mapping[str, Rest]], None]
"""Called with who rests, a second after it has changed at the latest."""

BEAT_S = 1.0
"""Seconds between two looks at what the others know."""

QUOTA_S = 2.0
"""Seconds after which a quota is asked for anew: so soon others get what they need of it."""

NEEDED_S = 2.0
"""Seconds for which a quota is wanted that no message needs any more."""

CLOSED_S = 0.25
"""Seconds for which nobody asks again after the limits had no room, at least."""


class Quota:
    """How many connections or messages this process may have at once under a name.

    `held` tells how many it has, `busy` how many messages are about; who has none for a while
    wants none.
    """

    def __init__(
        self, name: str, most: int, held: Callable[[], int], busy: Callable[[], int], clock: Clock
    ) -> None:
        self.name, self.most, self.held = name, most, held
        self.asked_at = self.needed_at = float("-inf")
        self._busy, self._clock = busy, clock
        self._granted, self._until = 0, 0.0

    @property
    def size(self) -> int:
        """How many it may have now; 0 once what was granted has run out."""
        return self._granted if self._clock() < self._until else 0

    @property
    def wanted(self) -> int:
        """How many it could use."""
        needed = self._busy() or self._clock() - self.needed_at < NEEDED_S
        return self.most if needed else 0

    def grant(self, granted: int, until: float) -> None:
        """So many until then, by this process's clock."""
        self._granted, self._until = granted, until


@dataclass(slots=True)
class _Pocket:
    """Permits at hand, and places in the line that were given out for this process."""

    permits: int = 0
    until: float = 0.0
    batch: int = 1
    closed_until: float = 0.0
    places: deque[float] = field(default_factory=deque)

    def take(self, now: float) -> float | None:
        """0 with a permit, else seconds to a place; None where somebody has to be asked."""
        if self.permits and now < self.until:
            self.permits -= 1
            return 0.0
        while self.places and self.places[0] <= now:
            self.places.popleft()
        return self.places.popleft() - now if now < self.closed_until and self.places else None

    def next_batch(self, now: float, most: int) -> int:
        """How many permits to ask for: twice as many where the last were used up in half a time."""
        if not self.permits and now < self.until - HELD_S / 2:
            self.batch = min(most, 2 * self.batch)
        else:
            self.batch = max(1, self.batch - self.permits)
        return self.batch


class Sharing:
    """One process's dealings with the others, from `join` to `leave`."""

    def __init__(self, commons: Commons, clock: Clock) -> None:
        self.followers: list[Follower] = []
        self._commons, self._clock = commons, clock
        self._quotas: dict[str, Quota] = {}
        self._news: list[News] = []
        self._begin_anew()

    def _begin_anew(self) -> None:
        """Forget what belongs to one event loop."""
        self._locks: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._pockets: dict[str, _Pocket] = defaultdict(_Pocket)
        self._places: dict[str, deque[float]] = defaultdict(deque)
        self._waiting: dict[str, int] = defaultdict(int)
        self._probes: dict[str, Breaker] = {}  # of a run before this one they were given back
        self._others_probe: set[str] = set()
        self._told = asyncio.Event()
        self._beating: asyncio.Task[None] | None = None

    async def join(self) -> None:
        """Hear who rests, and go on hearing it. Raises: StoreError."""
        if self._commons.is_shared:
            self._begin_anew()
            await self._look()
            self._beating = asyncio.create_task(self._beat())

    async def leave(self) -> None:
        """Tell what is left to tell, and give everything back."""
        if self._beating is None:
            return
        self._beating.cancel()
        with suppress(asyncio.CancelledError):
            await self._beating
        self._beating = None
        for quota in self._quotas.values():
            quota.grant(0, 0.0)
        try:
            if self._news:
                await self._look()
            await self._ask(self._commons.leave)
        except StoreError as error:  # then it all ends of itself
            _warn(error)

    # --- quotas: how many at once ---------------------------------------------------------------

    def quota(
        self, name: str, most: int, held: Callable[[], int], busy: Callable[[], int] | None = None
    ) -> Quota:
        """The quota under a name; see `Quota`."""
        quota = self._quotas[name] = Quota(name, most, held, busy or held, self._clock)
        if not self._commons.is_shared:
            quota.grant(most, float("inf"))
        return quota

    async def has_room(self, quota: Quota) -> bool:
        """Whether one more may be held; asks for more unless that was done just now.

        Raises: StoreError.
        """
        quota.needed_at = self._clock()
        if quota.held() >= quota.size and self._commons.is_shared:
            async with self._locks[quota.name]:
                if quota.held() >= quota.size and self._clock() - quota.asked_at >= BEAT_S:
                    await self._renew(quota)
        return quota.held() < quota.size

    async def _renew(self, quota: Quota) -> None:
        quota.asked_at = self._clock()
        # What may be taken until the answer is here counts as held.
        held = max(quota.size, quota.held())
        granted = await self._ask(
            partial(self._commons.quota, quota.name, quota.most, held, quota.wanted)
        )
        quota.grant(granted, quota.asked_at + self._commons.lease_s)

    # --- rates: how many in what time -----------------------------------------------------------

    async def book(self, name: str, limits: Sequence[Limit]) -> float:
        """0 where one more may begin now, else seconds to come back after. Raises: StoreError."""
        if not self._commons.is_shared:
            got = self._commons.book(name, limits, 1)
            return 0.0 if got.mails else got.again_s[0]
        async with self._locks[name]:
            pocket, now = self._pockets[name], self._clock()
            if (wait_s := pocket.take(now)) is not None:
                return wait_s
            batch = pocket.next_batch(now, min(limit.a_second for limit in limits))
            got = await self._ask(partial(self._commons.book, name, limits, batch))
            if got.mails:
                pocket.permits, pocket.until = got.mails - 1, now + HELD_S
                return 0.0
            pocket.closed_until = self._clock() + max(CLOSED_S, got.free_s)
            pocket.places.extend(now + again_s for again_s in got.again_s)
            return pocket.places.popleft() - now

    async def place(self, name: str, rate_per_s: float) -> float:
        """Seconds until one mail may begin at that rate. Raises: StoreError."""
        if not self._commons.is_shared:
            return self._commons.place(name, rate_per_s, 1)
        self._waiting[name] += 1
        try:
            async with self._locks[name]:
                places = self._places[name]
                if not places:
                    mails = min(ceil(rate_per_s), self._waiting[name])
                    verb = partial(self._commons.place, name, rate_per_s, mails)
                    begin = await self._ask(verb) + self._clock()
                    places.extend(begin + number / rate_per_s for number in range(mails))
                return max(0.0, places.popleft() - self._clock())
        finally:
            self._waiting[name] -= 1

    # --- rests: who is left alone ---------------------------------------------------------------

    def tell(self, name: str, rest: Rest | None) -> None:
        """Let the others know at once who rests, or does so no longer."""
        if self._commons.is_shared:
            self._news.append((name, rest))
            self._told.set()

    async def may_probe(self, name: str, breaker: Breaker) -> bool:
        """Whether this process is to try what has rested. Raises: StoreError."""
        if not self._commons.is_shared:
            return True
        async with self._locks[name]:
            if name in self._others_probe:
                return False
            if name not in self._probes and not await self._ask(partial(self._commons.probe, name)):
                self._others_probe.add(name)
                return False
            self._probes[name] = breaker
            return True

    def hear(self) -> None:
        """Let everyone here know who rests, outside of an event loop. Raises: StoreError."""
        if self._commons.is_shared:
            board = self._commons.rests([])
            for follower in self.followers:
                follower(board)

    async def _beat(self) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(BEAT_S):
                    await self._told.wait()
            self._told.clear()
            self._others_probe.clear()
            try:
                await self._look()
                await self._keep()
            except StoreError as error:  # the next beat may get through
                _warn(error)
            except Exception:  # without a beat those who wait for others would wait for ever
                logger.exception("limits.broke")

    async def _look(self) -> None:
        """Tell what is new, and let everyone here know who rests. Raises: StoreError."""
        news, self._news = self._news, []
        try:
            board = await self._ask(partial(self._commons.rests, news))
        except BaseException:
            self._news = news + self._news
            raise
        if not self._news:  # else it is older than what is known here
            for follower in self.followers:
                follower(board)

    async def _keep(self) -> None:
        """Keep what is held: probes that are out, and quotas. Raises: StoreError."""
        self._probes = {name: one for name, one in self._probes.items() if one.probing}
        for name in list(self._probes):  # others may come meanwhile
            if not await self._ask(partial(self._commons.probe, name)):
                self._probes.pop(name, None)  # it ran out, and is another's now
        for quota in list(self._quotas.values()):
            in_use = quota.wanted or quota.size or quota.held()
            if in_use and self._clock() - quota.asked_at >= QUOTA_S:
                async with self._locks[quota.name]:
                    await self._renew(quota)

    async def _ask(self, verb: Callable[[], T]) -> T:
        return await asyncio.to_thread(verb)


def _warn(error: StoreError) -> None:
    logger.warning("limits.not_shared %s", json.dumps({"reason": str(error)}))
