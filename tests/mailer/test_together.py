"""Several processes that send by one service's limits: mailers on one database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

from digest.mailer import Provider, Relay, Session, SmtpMailer
from digest.mailer.limits import PROVIDER_REST_S
from digest.mailer.sharing import BEAT_S
from digest.model import Deferred, Outcome, Sent
from digest.store.postgres.commons import PostgresCommons
from digest.store.postgres.store import PostgresStore
from tests.mailer.test_relays import relay, silent
from tests.mailer.test_sending import envelope, scripted
from tests.smtp_server import MailServer, mail_server


def mailer(store: PostgresStore, where: Relay, *providers: Provider) -> SmtpMailer:
    """The mailer of one more process."""
    commons = PostgresCommons(store, lease_s=5)
    return SmtpMailer(where, providers=providers, commons=commons, chance=lambda: 0.5)


@asynccontextmanager
async def sessions(*mailers: SmtpMailer) -> AsyncIterator[list[Session]]:
    """A session of each."""
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(one.session()) for one in mailers]


async def send(session: Session, who: str) -> Outcome:
    """What came of one message."""
    return await session.send(envelope(who), lambda: True)


async def send_all(session: Session, people: list[str], at_once: int) -> None:
    """Every message gets through in the end; who is sent away comes back when told to."""
    room = asyncio.Semaphore(at_once)

    async def one(who: str) -> None:
        while True:
            async with room:
                got = await send(session, who)
            if isinstance(got, Sent):
                return
            assert isinstance(got, Deferred)
            assert not got.counted, got
            await asyncio.sleep(got.wait_s)

    await asyncio.gather(*map(one, people))


async def until(holds: Callable[[], bool]) -> None:
    """Wait for what happens in a beat or two."""
    async with asyncio.timeout(20):
        while not holds():  # noqa: ASYNC110 - it happens elsewhere
            await asyncio.sleep(0.05)


async def until_sent(session: Session, who: str) -> None:
    """Try one message until it goes out."""
    async with asyncio.timeout(20):
        while not isinstance(await send(session, who), Sent):  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.05)


def readers(name: str, count: int, domain: str = "example.org") -> list[str]:
    """So many addresses."""
    return [f"{name}{number}@{domain}" for number in range(count)]


def overlapping(server: MailServer, domain: str) -> int:
    """How many messages to a domain were under way at once, at most."""
    spans = [
        (mail.begun_at, mail.ended_at)
        for mail in server.taken
        if mail.recipients[0].endswith(f"@{domain}")
    ]
    return max(sum(begun <= moment < ended for begun, ended in spans) for moment, _ in spans)


def test_q13_all_together_have_so_many_connections(postgres: PostgresStore) -> None:
    """Four that send as fast as they can never have more than what one may have."""

    async def run() -> None:
        async with mail_server() as server:
            four = [mailer(postgres, relay(server, connections=3)) for _ in range(4)]
            async with sessions(*four) as all_of:
                await asyncio.gather(
                    *(
                        send_all(session, readers(name, 60), 6)
                        for name, session in zip("abcd", all_of, strict=True)
                    )
                )
            assert len(server.taken) == 240
            assert server.most_at_once <= 3
            assert postgres.rows("SELECT * FROM quotas") == []

    asyncio.run(run())


def test_who_comes_later_gets_a_part_of_what_the_first_has(postgres: PostgresStore) -> None:
    """The first grows into all connections and gives some back; both go on sending."""

    async def run() -> None:
        async with mail_server() as server:
            first, second = (mailer(postgres, relay(server, connections=4)) for _ in range(2))
            async with sessions(first, second) as (one, two):
                await send_all(one, readers("early", 40), 8)
                assert server.at_once == 4
                busy = asyncio.create_task(send_all(one, readers("busy", 40_000), 8))
                await send_all(two, readers("late", 40), 8)
                assert not busy.done()
                busy.cancel()
            assert server.most_at_once == 4

    asyncio.run(run())


def test_q13_a_receiver_gets_from_all_together_what_it_takes(postgres: PostgresStore) -> None:
    """So many messages under way, so many a minute; other receivers do not wait."""
    google = Provider("google", connections=2, per_minute=60)

    async def run() -> None:
        async with mail_server() as server:
            three = [mailer(postgres, relay(server, connections=6), google) for _ in range(3)]
            async with sessions(*three) as all_of:

                async def some(name: str, session: Session) -> list[Outcome]:
                    mine = [send(session, who) for who in readers(name, 20, "gmail.com")]
                    others = [send(session, who) for who in readers(name, 20)]
                    return list(await asyncio.gather(*mine, *others))

                got = await asyncio.gather(*map(some, "abc", all_of))
            outcomes = [outcome for part in got for outcome in part]
            assert all(isinstance(one, Sent) for part in got for one in part[20:])
            away = [one for one in outcomes if isinstance(one, Deferred)]
            assert 1 <= 60 - len(away) <= 6
            assert all(not one.counted and one.wait_s >= 1 for one in away)
            assert overlapping(server, "gmail.com") <= 2

    asyncio.run(run())


def test_q14_one_finds_that_the_relay_refuses_and_all_rest(postgres: PostgresStore) -> None:
    """The others ask it nothing until one has tried it; then all go on."""
    refusing = scripted("MAIL", b"421 too much", times=999)

    async def run() -> None:
        async with mail_server(refusing) as server:
            first, second, third = (mailer(postgres, relay(server)) for _ in range(3))
            async with sessions(first, second) as (one, two):
                got = await send(one, "a@example.org")
                assert isinstance(got, Deferred)
                assert got.relay
                await until(lambda: second.rest_s > 0)
                asked = len(server.commands)
                again = await send(two, "b@example.org")
                assert isinstance(again, Deferred)
                assert "421 too much" in again.reply
                async with third.session() as late:
                    assert third.rest_s > 0
                    assert isinstance(await send(late, "c@example.org"), Deferred)
                assert len(server.commands) == asked
                assert second.resting == [("127.0.0.1", "421 too much")]
                assert third.rest_s > 0
                silent_one = mailer(postgres, relay(server))
                assert not silent_one.rest_s
                await asyncio.to_thread(silent_one.hear)
                assert silent_one.resting == second.resting
                server.script = silent
                postgres.rows("UPDATE rests SET until = clock_timestamp() RETURNING 1")
                await until(lambda: not (second.rest_s or first.rest_s))
                got_all = await asyncio.gather(
                    *(
                        send(session, f"d{n}@example.org")
                        for n in range(8)
                        for session in (one, two)
                    )
                )
                assert {type(one) for one in got_all} == {Sent}
                assert postgres.rows("SELECT * FROM rests") == []

    asyncio.run(run())


def test_q14_after_a_rest_one_message_of_one_process_tries(postgres: PostgresStore) -> None:
    """A dozen wait in three processes; the relay sees one connection, and then they rest again."""

    async def run() -> None:
        async with mail_server(scripted("connect", b"421 away", times=999)) as server:
            three = [mailer(postgres, relay(server, connections=4)) for _ in range(3)]
            async with sessions(*three) as all_of:
                await send(all_of[0], "a@example.org")
                await until(lambda: all(one.rest_s for one in three))
                for rests in (2, 3):
                    asked = server.connections
                    postgres.rows("UPDATE rests SET until = clock_timestamp() RETURNING 1")
                    await until(lambda: not any(one.rest_s for one in three))
                    sending = (send(one, f"{n}@example.org") for n in range(4) for one in all_of)
                    got = await asyncio.gather(*sending)
                    assert all(isinstance(one, Deferred) and one.relay for one in got)
                    assert server.connections == asked + 1
                    assert postgres.rows("SELECT rests FROM rests") == [(rests,)]

    asyncio.run(run())


def test_q11_a_receiver_that_refuses_one_rests_for_all(postgres: PostgresStore) -> None:
    """Its mails are not tried by the others; those to anyone else go out."""

    def script(step: str, before: int) -> bytes | None:
        return b"550 5.7.26 unsigned" if "@gmail.com" in step else None

    async def run() -> None:
        async with mail_server(script) as server:
            first, second = (mailer(postgres, relay(server)) for _ in range(2))
            async with sessions(first, second) as (one, two):
                for name in "abc":
                    await send(one, f"{name}@gmail.com")
                await until(lambda: bool(postgres.rows("SELECT 1 FROM rests")))
                await asyncio.sleep(2 * BEAT_S)
                asked = len(server.commands)
                got = await send(two, "d@googlemail.com")
                assert isinstance(got, Deferred)
                assert got.wait_s >= PROVIDER_REST_S / 2
                assert len(server.commands) == asked
                assert isinstance(await send(two, "e@outlook.com"), Sent)
                server.script = silent
                postgres.rows("UPDATE rests SET until = clock_timestamp() RETURNING 1")
                await until_sent(two, "f@gmail.com")
                await until_sent(one, "g@gmail.com")

    asyncio.run(run())


def test_the_rate_of_a_relay_is_that_of_all(postgres: PostgresStore) -> None:
    """Three processes at ten a second together take as long as one."""

    async def run() -> None:
        async with mail_server() as server:
            three = [
                mailer(postgres, relay(server, connections=9, rate_per_s=10)) for _ in range(3)
            ]
            async with sessions(*three) as all_of:
                sending = (send(one, f"{n}@example.org") for n in range(8) for one in all_of)
                assert {type(one) for one in await asyncio.gather(*sending)} == {Sent}
            begun = sorted(mail.begun_at for mail in server.taken)
            assert len(begun) == 24
            assert begun[-1] - begun[0] >= 2.0

    asyncio.run(run())
