"""What a process asks of the others: little, and nothing on trust once they cannot be reached."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence

import pytest

from digest.allowance import Booked, Limit, News, Rest
from digest.errors import StoreError
from digest.mailer import Alone, Provider, Relay, SmtpMailer, sharing
from digest.mailer.breaker import Breaker
from digest.mailer.limits import Limits, Wait
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

    def probe(self, name: str) -> bool:
        """Let this one try."""
        self._count("probe")
        return True

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


def rested(clock: Seconds) -> Breaker:
    """One whose rest is over."""
    breaker = Breaker(clock)
    breaker.learn(Rest(1, 1.0))
    clock.now += 1
    return breaker


def test_a_beat_goes_on_when_another_is_to_be_probed_meanwhile(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Two receivers come out of their rests, the second while the first one's probe is kept."""
    clock = Seconds()
    first, second = rested(clock), rested(clock)
    monkeypatch.setattr(sharing, "BEAT_S", 0.01)

    class Slow(Others):
        def probe(self, name: str) -> bool:
            """Meanwhile the other's time has come."""
            if self.asked["probe"] == 1:
                assert second.begin()
                one._probes["second"] = second
            return super().probe(name)

    others = Slow()
    one = Sharing(others, clock)

    async def run() -> None:
        await one.join()
        assert await one.may_probe("first", first)
        assert first.begin()
        while others.asked["probe"] < 6:
            assert one._beating
            assert not one._beating.done()
            await asyncio.sleep(0.01)
        await one.leave()

    asyncio.run(run())
    assert "limits.broke" not in caplog.text


def test_a_probe_of_an_earlier_run_is_asked_for_anew() -> None:
    """It was given back with the rest; another process may be the one that tries now."""
    others, clock = Others(), Seconds()

    async def run() -> None:
        one, breaker = Sharing(others, clock), rested(clock)
        for tries in (1, 2):
            await one.join()
            assert await one.may_probe("relay", breaker)
            assert others.asked["probe"] == tries
            await one.leave()

    asyncio.run(run())


def test_a_place_is_given_back_when_the_others_cannot_be_asked() -> None:
    """An outage as long as a few mails must not use up a receiver's places for good."""
    others, clock = Others(), Seconds()

    async def run() -> list[Wait | None]:
        one = Sharing(others, clock)
        limits = Limits([Provider("google", connections=1, per_minute=60)], one, clock)
        await one.join()
        assert await limits.begin("google") is None
        limits.end("google", None, 0.1)
        others.reachable = False
        clock.now += 1.5  # what permits there were have run out
        with pytest.raises(StoreError):
            await limits.begin("google")
        others.reachable = True
        again = [await limits.begin("google")]
        await one.leave()
        return again

    assert asyncio.run(run()) == [None]


def test_a_run_begins_when_the_one_before_has_left() -> None:
    """Letters and digests share the mailer: the last to leave takes no beat with it."""
    mailer = SmtpMailer(Relay("mail.example.org", 25), commons=Others())
    order: list[str] = []

    async def quit_slowly() -> None:
        order.append("leaves")
        await asyncio.sleep(0.05)
        order.append("has left")

    async def run() -> int:
        (trunk,) = mailer._trunks
        trunk.quit = quit_slowly  # type: ignore[method-assign]

        async def first() -> None:
            async with mailer.session():
                pass

        leaving = asyncio.create_task(first())
        while not order:  # noqa: ASYNC110 - it happens in the other task
            await asyncio.sleep(0)
        async with mailer.session():
            order.append("is there")
        await leaving
        return sum("_beat" in repr(one.get_coro()) for one in asyncio.all_tasks())

    assert asyncio.run(run()) == 0
    assert order == ["leaves", "has left", "is there", "leaves", "has left"]
