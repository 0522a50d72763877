"""What a receiver gets at a time, and what happens to the rest."""

from __future__ import annotations

import asyncio
from itertools import cycle

import pytest

from digest.mailer import Alone, Provider, Relay, SmtpMailer
from digest.mailer.limits import PROVIDER_REST_S, Limits, known_provider
from digest.mailer.sharing import Sharing
from digest.model import Deferred, Outcome, Sent
from tests.mailer.test_relays import Seconds
from tests.mailer.test_sending import envelope
from tests.smtp_server import MailServer, mail_server
from tests.waiting import see


@pytest.mark.parametrize(
    ("domain", "provider"),
    [
        ("gmail.com", "google"),
        ("googlemail.com", "google"),
        ("outlook.com", "microsoft"),
        ("hotmail.co.uk", "microsoft"),
        ("live.fr", "microsoft"),
        ("msn.com", "microsoft"),
        ("yahoo.co.jp", "yahoo"),
        ("aol.com", "yahoo"),
        ("example.org", "example.org"),
        ("notgmail.com", "notgmail.com"),
        ("gmail.com.example.org", "gmail.com.example.org"),
    ],
)
def test_domains_of_one_receiver_count_together(domain: str, provider: str) -> None:
    """The great ones are known; any other domain is a receiver of its own."""
    assert known_provider(domain) == provider


def test_configured_domains_come_before_known_ones() -> None:
    """An operator may group what belongs together, even what we think we know."""
    sharing = Sharing(Alone(), Seconds())
    limits = Limits([Provider("campus", ("lab.example.org", "msn.com"), per_hour=5)], sharing)
    assert {limits.provider_of(one) for one in ("lab.example.org", "msn.com")} == {"campus"}
    assert limits.provider_of("outlook.com") == "microsoft"


async def to(server: MailServer, *people: str, per_minute: int | None = None) -> list[Outcome]:
    """The outcomes of one message to each, one after the other; the limit is that of google."""
    providers = [Provider("google", per_minute=per_minute)]
    mailer = SmtpMailer(Relay("127.0.0.1", server.port, "none"), providers=providers)
    async with mailer.session() as session:
        return [await session.send(envelope(one), lambda: True) for one in people]


def test_q13_a_message_over_its_limit_waits_and_blocks_nobody() -> None:
    """The second to google is put off without an attempt, the next to anyone else goes out."""

    async def run() -> None:
        async with mail_server() as server:
            got = await to(server, "a@gmail.com", "b@googlemail.com", "c@example.org", per_minute=2)
            first, second, third = got
            assert (type(first), type(third)) == (Sent, Sent)
            assert isinstance(second, Deferred)
            assert not second.counted
            assert not second.relay
            assert 29 < second.wait_s < 34
            assert len(server.taken) == 2

    asyncio.run(run())


def test_q13_so_many_messages_to_one_receiver_are_under_way() -> None:
    """Two may be; while they are, a third is put off for a moment, and later it goes."""

    async def run() -> None:
        async with mail_server(hold=asyncio.Event()) as server:
            assert server.hold
            providers = [Provider("google", connections=2)]
            relay = Relay("127.0.0.1", server.port, "none", connections=5)
            async with SmtpMailer(relay, providers=providers).session() as session:
                people = [envelope(f"{who}@gmail.com") for who in "ab"]
                sending = [asyncio.create_task(session.send(one, lambda: True)) for one in people]
                await see("one under way", lambda: "DATA" in server.commands)
                third = await session.send(envelope("c@gmail.com"), lambda: True)
                assert isinstance(third, Deferred)
                assert 1 <= third.wait_s < 10
                server.hold.set()
                assert {type(one) for one in await asyncio.gather(*sending)} == {Sent}
                again = await session.send(envelope("c@gmail.com"), lambda: True)
                assert isinstance(again, Sent)

    asyncio.run(run())


def test_q11_a_receiver_that_refuses_us_rests_and_is_tried_again() -> None:
    """Three refusals of policy in a row: the fourth is not tried, others are, and it comes back."""
    clock = Seconds()

    def script(step: str, before: int) -> bytes | None:
        return b"550 5.7.26 unsigned" if "@gmail.com" in step else None

    async def run() -> None:
        async with mail_server(script) as server:
            relay = Relay("127.0.0.1", server.port, "none")
            mailer = SmtpMailer(relay, clock=clock, chance=lambda: 0.5)
            async with mailer.session() as session:

                async def send(who: str) -> Outcome:
                    return await session.send(envelope(who), lambda: True)

                refused = [await send(f"{who}@gmail.com") for who in "abc"]
                assert refused == [Deferred("550 5.7.26 unsigned", 550)] * 3
                fourth = await send("d@googlemail.com")
                assert isinstance(fourth, Deferred)
                assert fourth.wait_s >= PROVIDER_REST_S
                assert not fourth.counted
                assert isinstance(await send("e@outlook.com"), Sent)
                clock.now += PROVIDER_REST_S + 1
                server.script = lambda step, before: None
                assert isinstance(await send("d@gmail.com"), Sent)
                assert isinstance(await send("a@gmail.com"), Sent)

    asyncio.run(run())


def test_q11_full_or_unknown_mailboxes_and_greylisting_are_no_refusal_of_us() -> None:
    """Ten of them in a row leave the receiver as it is."""
    answers = cycle([b"550 5.1.1 unknown", b"452 4.2.2 full", b"450 4.7.1 greylisted"])

    def script(step: str, before: int) -> bytes | None:
        return next(answers) if "@gmail.com" in step else None

    async def run() -> list[Outcome]:
        async with mail_server(script) as server:
            return await to(server, *(f"reader{n}@gmail.com" for n in range(10)))

    got = asyncio.run(run())
    assert {one.reply[:3] for one in got} == {"550", "452", "450"}
    assert all(not isinstance(one, Deferred) or one.counted for one in got)
