"""What a process asks of the others: little, and nothing on trust once they cannot be reached."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence

import pytest

from digest.allowance import Booked, Limit, News, Rest
from digest.errors import StoreError
from digest.mailer import Alone
from digest.mailer.breaker import Breaker
from digest.mailer.sharing import Sharing
from tests.mailer.test_relays import Seconds

FAST = Limit(60_000, 60.0)


class Others(Alone):
    """Others who leave everything to this process, and count what they are asked."""

    is_shared = True
    lease_s = 10.0

    def __init__(self) -> None:
        super().__init__()
        self.asked: Counter[str] = Counter()
        self.heard: list[News] = []
        self.reachable = True

    def _count(self, verb: str) -> None:
        self.asked[verb] += 1
        if not self.reachable:
            raise StoreError("the database is gone")

    def quota(self, name: str, most: int, held: int, wanted: int) -> int:
        """All that is wanted."""
        self._count("quota")
        return min(most, wanted)

    def book(self, name: str, limits: Sequence[Limit], mails: int) -> Booked:
        """As many as are asked for."""
        self._count("book")
        return Booked(mails)

    def place(self, name: str, rate_per_s: float, mails: int) -> float:
        """As alone."""
        self._count("place")
        return super().place(name, rate_per_s, mails)

    def rests(self, news: Sequence[News]) -> Mapping[str, Rest]:
        """Keep what is told."""
        self._count("rests")
        self.heard += news
        return {name: rest for name, rest in self.heard if rest}


def test_a_thousand_permits_cost_a_dozen_questions() -> None:
    """Batches grow while they are used up fast, to a second's worth at most."""
    others, clock = Others(), Seconds()

    async def run() -> None:
        sharing = Sharing(others, clock)
        for _ in range(1000):
            assert await sharing.book("receiver google", [FAST]) == 0
            clock.now += 0.0001

    asyncio.run(run())
    assert others.asked["book"] <= 12


def test_permits_are_not_used_after_their_second() -> None:
    """What is left of a batch is forgotten, and the next is no larger than what was used."""
    others, clock = Others(), Seconds()

    async def run() -> None:
        sharing = Sharing(others, clock)
        for _ in range(20):
            await sharing.book("receiver google", [FAST])
        asked = others.asked["book"]
        clock.now += 1.1
        await sharing.book("receiver google", [FAST])
        assert others.asked["book"] == asked + 1

    asyncio.run(run())


def test_those_who_wait_for_the_rate_are_given_places_together() -> None:
    """Fifty at a hundred a second ask twice: the first, and one for all who came meanwhile."""
    others = Others()

    async def run() -> list[float]:
        sharing = Sharing(others, Seconds())
        return await asyncio.gather(*(sharing.place("relay", 100.0) for _ in range(50)))

    waits = sorted(asyncio.run(run()))
    assert others.asked["place"] <= 2
    assert waits[-1] == pytest.approx(0.49, abs=0.1)


def test_a_quota_runs_out_by_this_clock_when_the_others_are_gone() -> None:
    """A process that was stopped, or cut off, holds nothing by it after its lease."""
    others, clock = Others(), Seconds()

    async def run() -> None:
        sharing = Sharing(others, clock)
        quota = sharing.quota("relay", 4, lambda: 0)
        assert quota.size < 1
        assert await sharing.has_room(quota)
        assert quota.size == 4
        others.reachable = False
        clock.now += 9.9
        assert await sharing.has_room(quota)
        clock.now += 0.2
        assert not quota.size
        with pytest.raises(StoreError):
            await sharing.has_room(quota)

    asyncio.run(run())


def test_news_that_could_not_be_told_are_told_later(caplog: pytest.LogCaptureFixture) -> None:
    """The beat goes on; what others know is not taken up before they know this."""
    others = Others()
    learnt: list[Mapping[str, Rest]] = []

    async def run() -> None:
        sharing = Sharing(others, Seconds())
        sharing.followers.append(learnt.append)
        await sharing.join()
        others.reachable = False
        sharing.tell("relay", Rest(1, 15.0, "421 away"))
        while "limits.not_shared" not in caplog.text:  # noqa: ASYNC110 - it happens in a beat
            await asyncio.sleep(0.01)
        assert learnt == [{}]
        others.reachable = True
        await sharing.leave()

    asyncio.run(run())
    assert others.heard == [("relay", Rest(1, 15.0, "421 away"))]


def test_a_breaker_learns_and_forgets_what_others_know() -> None:
    """A rest of theirs is one of its own; the count of rests goes on from theirs."""
    clock = Seconds()
    breaker = Breaker(clock, lambda: 0.5)
    assert breaker.learn(Rest(3, 20.0))
    assert breaker.rest_s == 20
    assert not breaker.learn(Rest(3, 18.0))
    assert not breaker.begin()
    clock.now += 18
    assert breaker.begin()
    assert breaker.probing
    assert not breaker.learn(Rest(3, 0.0))
    assert breaker.probing, "its own probe is still out"
    assert breaker.trouble() == 15 * 2**3
    assert not breaker.learn(None)
    assert not breaker.rest_s
    assert breaker.begin()
