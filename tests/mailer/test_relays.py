"""Several relays, and one that rests, grows, and takes fewer connections than it was thought to."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import AsyncExitStack

import pytest

from digest.mailer import Login, Relay, SmtpMailer
from digest.mailer.breaker import FIRST_S, LONGEST_S, Breaker
from digest.model import Deferred, Outcome, Sent
from tests.mailer.test_sending import envelope, scripted
from tests.smtp_server import DROP, MailServer, Script, mail_server


class Seconds:
    """A clock that stands until it is told to go on."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """The seconds."""
        return self.now


async def servers(stack: AsyncExitStack, *scripts: Script) -> list[MailServer]:
    """A running server for each script."""
    return [await stack.enter_async_context(mail_server(script)) for script in scripts]


def relay(server: MailServer, **settings: object) -> Relay:
    """The relay that a server is."""
    return Relay("127.0.0.1", server.port, "none", **settings)  # type: ignore[arg-type]  # real fields


async def send_many(mailer: SmtpMailer, count: int) -> list[Outcome]:
    """The outcomes of so many messages, as many under way as the mailer asks for."""
    room = asyncio.Semaphore(mailer.workers)

    async def one(number: int) -> Outcome:
        async with room:
            return await session.send(envelope(f"reader{number}@example.org"), lambda: True)

    async with mailer.session() as session:
        return list(await asyncio.gather(*map(one, range(count))))


def silent(step: str, before: int) -> None:
    """A server without moods."""


def test_relays_share_by_their_weights() -> None:
    """Two to one, and nothing for the one that is kept for worse times."""

    async def run() -> None:
        async with AsyncExitStack() as stack:
            two, one, spare = await servers(stack, silent, silent, silent)
            mailer = SmtpMailer(relay(two, weight=2), relay(one), relay(spare, weight=0))
            async with mailer.session() as session:
                for _ in range(30):
                    assert isinstance(await session.send(envelope(), lambda: True), Sent)
            assert [len(server.taken) for server in (two, one, spare)] == [20, 10, 0]

    asyncio.run(run())


@pytest.mark.parametrize(
    ("step", "answer"),
    [
        ("connect", DROP),
        ("connect", b"554 no"),
        ("EHLO|HELO", b"550 no"),
        ("MAIL", b"451 later"),
        ("MAIL", DROP),
        ("DATA", DROP),
        ("dot", b"421 closing"),
    ],
)
def test_q9_trouble_of_one_relay_is_made_good_by_another(step: str, answer: bytes) -> None:
    """Each message goes out at once, and once; the relay in trouble is asked less and less."""

    async def run() -> None:
        async with AsyncExitStack() as stack:
            bad, spare = await servers(stack, scripted(step, answer, times=999), silent)
            mailer = SmtpMailer(relay(bad), relay(spare, weight=0))
            got = await send_many(mailer, 40)
            assert {type(one) for one in got} == {Sent}
            assert Counter(mail.recipients[0] for mail in spare.taken) == Counter(
                f"reader{n}@example.org" for n in range(40)
            )
            assert bad.connections <= 8

    asyncio.run(run())


def test_runs_pause_only_when_all_relays_rest() -> None:
    """One down: nobody waits. Both down: the run pauses and says what was the matter."""

    async def run() -> None:
        async with AsyncExitStack() as stack:
            first, second = await servers(stack, scripted("MAIL", b"451 full", times=999), silent)
            mailer = SmtpMailer(relay(first), relay(second))
            async with mailer.session() as session:
                assert isinstance(await session.send(envelope(), lambda: True), Sent)
                assert mailer.rest_s == 0
                second.script = scripted("MAIL", b"452 full as well", times=999)
                got = await session.send(envelope(), lambda: True)
                assert got == Deferred("452 full as well", 452, relay=True)
                asked = len(second.commands)
                again = await session.send(envelope(), lambda: True)
                assert isinstance(again, Deferred)
                assert again.relay
                assert len(second.commands) == asked
                assert FIRST_S * 0.7 < mailer.rest_s < FIRST_S * 1.3

    asyncio.run(run())


def test_q14_after_an_outage_one_probe_and_then_no_burst() -> None:
    """A relay that was away an hour is asked by one message at a time until one is taken."""
    clock = Seconds()
    most: list[int] = []

    async def run() -> None:
        async with mail_server(scripted("connect", b"421 away", times=999)) as server:
            mailer = SmtpMailer(relay(server, connections=10), clock=clock, chance=lambda: 0.5)
            async with mailer.session() as session:

                async def tries() -> list[Outcome]:
                    sending = (session.send(envelope(), lambda: True) for _ in range(20))
                    return list(await asyncio.gather(*sending))

                while clock.now < 3600:
                    before = server.connections
                    assert {type(one) for one in await tries()} == {Deferred}
                    most.append(server.connections - before)
                    clock.now += mailer.rest_s
                waits = len(most)
                server.script = silent
                before = server.connections
                assert {type(one) for one in await tries()} == {Sent}
                assert max(most) == 1
                assert waits < 15
                assert server.connections - before < 8

    asyncio.run(run())


def test_q13_a_relay_begins_with_one_connection_and_grows() -> None:
    """The first message goes alone; with success there are more, never more than allowed."""
    open_now: list[int] = []

    async def run() -> None:
        async with mail_server() as server:

            def script(step: str, before: int) -> None:
                open_now.append(len(server._talks))

            server.script = script
            mailer = SmtpMailer(relay(server, connections=4, messages_per_connection=1000))
            got = await send_many(mailer, 60)
            assert {type(one) for one in got} == {Sent}
            assert open_now[:4] == [1, 1, 1, 1]
            assert max(open_now) == 4

    asyncio.run(run())


def test_q13_a_relay_that_takes_fewer_connections_gets_fewer() -> None:
    """A second connection is answered by 421: all mails go over the first."""

    async def run() -> None:
        async with mail_server() as server:

            def script(step: str, before: int) -> bytes | None:
                full = step == "connect" and len(server._talks) > 1
                return b"421 4.7.0 too many connections" if full else None

            server.script = script
            mailer = SmtpMailer(relay(server, connections=4, messages_per_connection=1000))
            got = await send_many(mailer, 40)
            assert {type(one) for one in got} == {Sent}
            assert server.connections < 6

    asyncio.run(run())


def test_q10_every_twentieth_connection_cut_pauses_nothing() -> None:
    """Cut in the middle of a message, again and again: no run pauses, every other mail goes out."""

    def script(step: str, before: int) -> bytes | None:
        return DROP if step == "DATA" and before % 20 == 19 else None

    async def run() -> None:
        async with mail_server(script) as server:
            got = await send_many(SmtpMailer(relay(server)), 100)
            assert not [one for one in got if isinstance(one, Deferred) and one.relay]
            assert sum(isinstance(one, Sent) for one in got) == len(server.taken) >= 97

    asyncio.run(run())


def test_q14_rests_grow_and_end_with_the_first_success() -> None:
    """Each rest is twice the one before, up to the longest; a success forgets them all."""
    clock = Seconds()
    breaker = Breaker(clock, lambda: 0.5)
    rests = []
    for _ in range(10):
        assert breaker.begin()
        rests.append(breaker.trouble(firm=True))
        assert not breaker.begin()
        clock.now += rests[-1]
        assert breaker.wary
    assert rests[:4] == [FIRST_S, 2 * FIRST_S, 4 * FIRST_S, 8 * FIRST_S]
    assert rests[-1] == LONGEST_S
    assert breaker.begin()
    assert not breaker.begin()  # one probe at a time
    assert breaker.fine()
    assert breaker.begin()
    assert breaker.begin()
    assert [breaker.trouble() for _ in range(3)] == [0, 0, FIRST_S]


def test_q14_rests_of_several_processes_do_not_end_together() -> None:
    """Chance moves the end by a quarter to either side."""
    ends = {Breaker(Seconds(), lambda one=one: one).trouble(firm=True) for one in (0.0, 0.5, 1.0)}  # type: ignore[misc]  # bound at once
    assert ends == {0.75 * FIRST_S, FIRST_S, 1.25 * FIRST_S}


@pytest.mark.parametrize(
    ("host", "own"),
    [("127.0.0.1", True), ("::1", True), ("localhost", True), ("smtp.example.org", False)],
)
def test_a_relay_on_the_machine_itself_is_no_other_machines(
    host: str, own: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two that are named alike are one for all machines, but on loopback."""
    names = set()
    for machine in ("one", "two"):
        monkeypatch.setattr("socket.gethostname", lambda machine=machine: machine)
        names.add(Relay(host, 25, login=Login("ours")).name)
    assert len(names) == (2 if own else 1)


def test_what_a_resting_relay_has_said_is_told_once() -> None:
    """Those that waited for a connection repeat its words, and not what others were told."""

    async def run() -> None:
        async with mail_server(scripted("connect", b"421 away", times=999)) as server:
            mailer = SmtpMailer(relay(server), chance=lambda: 0.5)
            got = await send_many(mailer, 12)
            assert {one.reply.count("rests for") for one in got} == {0, 1}
            assert all(one.reply.endswith("421 away") for one in got)
            assert mailer.resting == [("127.0.0.1", "421 away")]

    asyncio.run(run())


def test_no_message_is_begun_on_a_line_that_is_left_to_others() -> None:
    """Its QUIT would be the first line of that message."""

    async def run() -> None:
        async with mail_server(extensions=("SIZE 10000000", "PIPELINING")) as server:
            mailer = SmtpMailer(relay(server, connections=1))
            async with mailer.session() as session:
                await session.send(envelope(), lambda: True)
                (trunk,) = mailer._trunks
                trunk._quota.grant(0, float("inf"))
                trunk._follow({})
                trunk._quota.grant(1, float("inf"))  # nobody wanted it after all
                assert isinstance(await session.send(envelope(), lambda: True), Sent)
            assert [mail.raw for mail in server.taken] == [server.taken[0].raw] * 2
            assert server.connections == 2

    asyncio.run(run())
