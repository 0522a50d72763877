"""Lines: several commands under way, replies in their order, and every way in which they break."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from time import monotonic

import pytest

from digest.mailer import Envelope, Relay, SmtpMailer
from digest.model import Deferred, Outcome, Refused, Sent, Unknown
from tests.mailer.test_sending import RAW, envelope, scripted, send
from tests.smtp_server import DROP, HOLD, MailServer, mail_server

PIPELINING = ("PIPELINING", "SIZE 10000000")

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def with_talk(
    talk: Talk, *envelopes: Envelope, offer: bytes = b"PIPELINING", pipelining: bool = True
) -> list[Outcome]:
    """The outcomes of sending these one after the other to a server that speaks as `talk` does.

    `talk` begins after EHLO was answered with that offer.
    """

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 ready\r\n")
        await reader.readuntil(b"\r\n")
        writer.write(b"250-sink.example.org\r\n250 " + offer + b"\r\n")
        try:
            await talk(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the client left
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    relay = Relay("127.0.0.1", port, "none", timeout_s=2, pipelining=pipelining)
    async with server, SmtpMailer(relay).session() as session:
        return [await session.send(one, lambda: True) for one in envelopes]


async def read_envelope(reader: asyncio.StreamReader) -> None:
    """Wait for MAIL, RCPT and DATA."""
    for _ in range(3):
        await reader.readuntil(b"\r\n")


async def read_message(reader: asyncio.StreamReader) -> None:
    """Wait for a message and its dot."""
    await reader.readuntil(b"\r\n.\r\n")


@pytest.mark.parametrize(("offer", "wanted"), [(b"HELP", True), (b"PIPELINING", False)])
def test_q19_each_answer_is_waited_for_where_pipelining_is_not_offered_or_not_wanted(
    offer: bytes, *, wanted: bool
) -> None:
    """After MAIL nothing follows until the server has spoken, and so on to the message."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for answer in (b"250 OK", b"250 OK", b"354 go"):
            await reader.readuntil(b"\r\n")
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(reader.read(1), 0.1)
            writer.write(answer + b"\r\n")
        await read_message(reader)
        writer.write(b"250 OK\r\n")
        await reader.read()

    assert asyncio.run(with_talk(talk, envelope(), offer=offer, pipelining=wanted)) == [
        Sent("250 OK")
    ]


def test_q19_all_three_commands_are_written_before_an_answer() -> None:
    """A server that says nothing until it has MAIL, RCPT and DATA is not waited for."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_envelope(reader)
        writer.write(b"250 OK\r\n250 OK\r\n354 go\r\n")
        await read_message(reader)
        writer.write(b"250 2.0.0 taken\r\n")
        await reader.read()

    assert asyncio.run(with_talk(talk, envelope())) == [Sent("250 2.0.0 taken")]


def test_a_reply_may_come_in_pieces_and_in_many_lines() -> None:
    """Byte by byte, with lines that go on: each reply still belongs to its command."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_envelope(reader)
        for byte in b"250-first\r\n250-second\r\n250 third\r\n250 OK\r\n354 go\r\n":
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(0)
        await read_message(reader)
        writer.write(b"250-queued\r\n250 as 17\r\n")
        await reader.read()

    assert asyncio.run(with_talk(talk, envelope())) == [Sent("250 queued as 17")]


@pytest.mark.parametrize(
    "answers",
    [
        b"250 OK\r\n250 OK\r\n250 OK\r\n354 go\r\n",  # one too many
        b"250 OK\r\n250 OK\r\n354 go\r\n250 OK\r\n",
        b"354 go\r\n250 OK\r\n250 OK\r\n",  # in another order
        b"hello\r\n250 OK\r\n354 go\r\n",
        b"250 OK\r\n250",  # and then nothing
        b"250" + b"x" * 100_000,
        b"250-x\r\n" * 5_000,
        b"250 " + b"x" * 5_000 + b"\r\n250 OK\r\n354 go\r\n",
        b"\x00\xff\r\n",
        b"999 no\r\n250 OK\r\n354 go\r\n",
    ],
)
def test_q10_replies_that_fit_no_command_end_the_line_before_the_message(answers: bytes) -> None:
    """Nothing is sent to a server that cannot be followed, and nobody is blamed."""
    messages = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_envelope(reader)
        writer.write(answers)
        messages.append(await reader.read())

    (got,) = asyncio.run(with_talk(talk, envelope()))
    assert isinstance(got, Deferred)
    assert not got.counted
    assert set(messages) <= {b""}


def test_a_recipient_refused_before_354_gets_a_lone_dot_and_the_line_goes_on() -> None:
    """The server waits for a message to nobody: a dot ends it, and the next mail follows."""
    heard = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_envelope(reader)
        writer.write(b"250 OK\r\n550 5.1.1 unknown\r\n354 go\r\n")
        heard.append(await reader.readuntil(b"\r\n"))
        writer.write(b"554 5.5.1 nobody\r\n")
        await read_envelope(reader)
        writer.write(b"250 OK\r\n250 OK\r\n354 go\r\n")
        await read_message(reader)
        writer.write(b"250 OK\r\n")
        await reader.read()

    got = asyncio.run(with_talk(talk, envelope(), envelope("grace@example.org")))
    assert got == [Refused(550, "550 5.1.1 unknown"), Sent("250 OK")]
    assert heard == [b".\r\n"]


def test_a_refused_recipient_and_a_refused_data_are_followed_by_rset() -> None:
    """MAIL was accepted, so the transaction is ended before the next begins."""
    heard = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_envelope(reader)
        writer.write(b"250 OK\r\n550 5.1.1 unknown\r\n503 5.5.1 no recipient\r\n")
        heard.append(await reader.readuntil(b"\r\n"))
        writer.write(b"250 OK\r\n")
        await read_envelope(reader)
        writer.write(b"250 OK\r\n250 OK\r\n354 go\r\n")
        await read_message(reader)
        writer.write(b"250 OK\r\n")
        await reader.read()

    got = asyncio.run(with_talk(talk, envelope(), envelope("grace@example.org")))
    assert got == [Refused(550, "550 5.1.1 unknown"), Sent("250 OK")]
    assert heard == [b"RSET\r\n"]


def test_the_next_envelope_does_not_wait_for_the_reply_to_a_message() -> None:
    """While one message waits for its 250, the next one's MAIL, RCPT and DATA are there."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_envelope(reader)
        writer.write(b"250 OK\r\n250 OK\r\n354 go\r\n")
        await read_message(reader)
        await read_envelope(reader)  # the second is there before the first was answered
        writer.write(b"250 first\r\n250 OK\r\n250 OK\r\n354 go\r\n")
        await read_message(reader)
        writer.write(b"250 second\r\n")
        await reader.read()

    assert asyncio.run(both(talk)) == [Sent("250 first"), Sent("250 second")]


@pytest.mark.parametrize(
    ("answer", "first"),
    [
        (b"", Unknown("connection lost")),
        (b"421 4.3.2 closing\r\n", None),
        (b"554 5.6.0 no\r\n", Refused(554, "554 5.6.0 no")),
    ],
)
def test_q3_a_line_lost_between_two_messages_parts_their_fates(
    answer: bytes, first: Outcome | None
) -> None:
    """The first was sent and its reply decides; the second had only its envelope there."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_envelope(reader)
        writer.write(b"250 OK\r\n250 OK\r\n354 go\r\n")
        await read_message(reader)
        await read_envelope(reader)
        writer.write(answer)

    one, two = asyncio.run(both(talk))
    if first is None:
        assert isinstance(one, Deferred)
        assert not one.counted
    else:
        assert one == first
    assert isinstance(two, Deferred)
    assert not two.counted


async def both(talk: Talk) -> list[Outcome]:
    """Two messages at once over the one connection that there may be; the server goes after it."""
    stopping = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if stopping.is_set():
            writer.close()
            return
        stopping.set()
        writer.write(b"220 ready\r\n")
        await reader.readuntil(b"\r\n")
        writer.write(b"250-sink.example.org\r\n250 PIPELINING\r\n")
        await talk(reader, writer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    relay = Relay("127.0.0.1", server.sockets[0].getsockname()[1], "none", connections=1)
    async with server, SmtpMailer(relay).session() as session:
        sending = [session.send(envelope(f"{who}@example.org"), lambda: True) for who in "ab"]
        return list(await asyncio.wait_for(asyncio.gather(*sending), 20))


@pytest.mark.parametrize("step", ["MAIL", "RCPT <ada@example.org>", "DATA", "QUIT"])
def test_q12_each_command_has_its_own_time(step: str) -> None:
    """A server that falls silent is given up after the time for that command, QUIT's included."""

    async def run() -> None:
        async with mail_server(scripted(step, HOLD, times=99), extensions=PIPELINING) as server:
            begun = monotonic()
            (got,) = await send(server, envelope(), timeout_s=1)
            assert 0.9 < monotonic() - begun < 4
            assert isinstance(got, Sent) if step == "QUIT" else not isinstance(got, Sent)
            if isinstance(got, Deferred):
                assert got.reply == f"no answer to {step[:4]} within 1 s"

    asyncio.run(run())


def test_q9_a_message_that_the_server_stops_reading_is_not_unknown() -> None:
    """The connection is cut in the middle of 20 MB: the dot never left, so nobody has the mail."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_envelope(reader)
        writer.write(b"250 OK\r\n250 OK\r\n354 go\r\n")
        await reader.readexactly(100_000)
        writer.transport.abort()

    raw = b"Subject: x\r\n\r\n" + (b"x" * 70 + b"\r\n") * 300_000
    (got,) = asyncio.run(with_talk(talk, envelope(raw=raw)))
    assert isinstance(got, Deferred)
    assert not got.counted


def test_q12_a_block_that_is_not_taken_in_its_time_is_given_up() -> None:
    """The server says 354 and reads no further: the message is known not to be there."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_envelope(reader)
        writer.write(b"250 OK\r\n250 OK\r\n354 go\r\n")
        await asyncio.sleep(4)

    raw = b"Subject: x\r\n\r\n" + (b"x" * 70 + b"\r\n") * 300_000
    (got,) = asyncio.run(with_talk(talk, envelope(raw=raw)))
    assert got == Deferred("the message was not taken within 2 s", wait_s=got.wait_s)  # type: ignore[union-attr]  # compared as a whole


@pytest.mark.parametrize("extensions", [(), PIPELINING])
def test_q10_an_old_connection_that_the_server_closed_costs_nothing(
    extensions: tuple[str, ...],
) -> None:
    """Every third MAIL is answered by 421 or by nothing: all mails go out, none has to wait."""

    async def run(answer: bytes) -> None:
        def script(step: str, before: int) -> bytes | None:
            return answer if step == "MAIL" and before % 3 == 2 else None

        async with mail_server(script, extensions=extensions) as server:
            got = await send(server, *[envelope()] * 10)
            assert {type(one) for one in got} == {Sent}
            assert len(server.taken) == 10

    for answer in (b"421 4.4.2 idle for too long", DROP):
        asyncio.run(run(answer))


def test_m10_a_message_arrives_as_it_was_whatever_its_dots() -> None:
    """Dots, a last line without its end, nothing: the same bytes; but a bare LF starts no line."""
    raws = [RAW, b".", b"..\r\n", b"", b"a\r\n.\r\nb\r\n", b"\r\n.", b"x\n.\r\n"]

    async def run(server: MailServer) -> list[bytes]:
        await send(server, *(envelope(raw=raw) for raw in raws))
        return [mail.raw for mail in server.taken]

    async def with_server() -> list[bytes]:
        async with mail_server(extensions=PIPELINING) as server:
            return await run(server)

    expected = [raw if raw.endswith(b"\r\n") else raw + b"\r\n" for raw in raws]
    assert asyncio.run(with_server()) == [*expected[:6], b"x\n..\r\n"]


def test_a_permit_that_fails_leaves_no_message_and_no_line() -> None:
    """The ledger cannot be asked: the error passes on, and the server never gets the mail."""

    def broken() -> bool:
        raise RuntimeError("the ledger is gone")

    async def run() -> None:
        async with mail_server(extensions=PIPELINING) as server:
            mailer = SmtpMailer(Relay("127.0.0.1", server.port, "none"))
            async with mailer.session() as session:
                with pytest.raises(RuntimeError):
                    await session.send(envelope(), broken)
                assert isinstance(await session.send(envelope(), lambda: True), Sent)
            assert len(server.taken) == 1
            assert server.connections == 2

    asyncio.run(run())
