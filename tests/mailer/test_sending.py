"""The SMTP edge against a real server that misbehaves on command."""

from __future__ import annotations

import asyncio
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from digest.mailer import EmlFolder, Envelope, Login, Relay, SmtpMailer
from digest.model import Deferred, Outcome, Refused, Sent, Unknown
from tests.smtp_server import DROP, MailServer, Script, mail_server

RAW = b"Subject: x\r\n\r\n.leading dot\r\n..two\r\nend\r\n"


def envelope(recipient: str = "ada@example.org", raw: bytes = RAW) -> Envelope:
    """A message for one recipient."""
    return Envelope("digest@example.org", recipient, raw)


async def send(
    server: MailServer, *envelopes: Envelope, permitted: bool = True, **relay: Any
) -> list[Outcome]:
    """The outcomes of sending these over one session."""
    mailer = SmtpMailer(Relay("127.0.0.1", server.port, "none", **relay))
    async with mailer.session() as session:
        return [await session.send(one, lambda: permitted) for one in envelopes]


def scripted(step: str, answer: bytes, *, times: int = 1) -> Script:
    """A script with one answer to the first `times` occurrences of a step (or of A|B)."""
    return lambda seen, before: answer if seen in step.split("|") and before < times else None


def test_b5_dots_arrive_unchanged() -> None:
    """Lines that begin with dots reach the server as they were."""

    async def run() -> None:
        async with mail_server() as server:
            assert await send(server, envelope()) == [Sent("250 OK queued as 4F2A")]
            assert [one.raw for one in server.taken] == [RAW]

    asyncio.run(run())


def test_m2_one_recipient_a_message() -> None:
    """Fifty recipients give fifty transactions with one RCPT each."""

    async def run() -> None:
        async with mail_server() as server:
            people = [f"reader{n}@example.org" for n in range(50)]
            await send(server, *(envelope(one) for one in people))
            assert [one.recipients for one in server.taken] == [[one] for one in people]

    asyncio.run(run())


ADA = "RCPT <ada@example.org>"

BLAME: list[tuple[str, bytes, Outcome | str]] = [
    ("connect", b"554 no service", "rests"),
    ("connect", b"421 too many connections", "rests"),
    ("connect", DROP, "rests"),
    ("connect", b"\x16\x03\x01 nonsense", "rests"),
    ("EHLO|HELO", b"550 go away", "rests"),
    ("MAIL", b"451 later", "rests"),
    ("MAIL", b"452 4.3.1 no room", "rests"),
    ("MAIL", b"421 busy", "rests"),
    ("MAIL", b"550 5.7.1 not you", "rests"),
    ("MAIL", b"530 5.7.0 log in first", "rests"),
    ("MAIL", DROP, "cut"),
    ("MAIL", b"2", "cut"),
    (ADA, b"550 5.1.1 unknown", Refused(550, "550 5.1.1 unknown")),
    (ADA, b"553 5.1.3 no such form", Refused(553, "553 5.1.3 no such form")),
    (ADA, b"550 5.1.10 no mailbox", Refused(550, "550 5.1.10 no mailbox")),
    (ADA, b"550 no", Refused(550, "550 no")),
    (ADA, b"550-5.1.1 first\r\n550 5.1.1 second", Refused(550, "550 5.1.1 first 5.1.1 second")),
    (ADA, b"452 4.2.2 full", Deferred("452 4.2.2 full", 452)),
    (ADA, b"552 5.2.2 full", Deferred("552 5.2.2 full", 552)),
    (ADA, b"552 full", Deferred("552 full", 552)),
    (ADA, b"550 4.2.1 for now", Deferred("550 4.2.1 for now", 550)),
    (ADA, b"450 4.2.0 greylisted by relay3", Deferred("450 4.2.0 greylisted by relay3", 450)),
    (ADA, b"550 5.7.1 policy", Deferred("550 5.7.1 policy", 550)),
    (ADA, b"550 5.7.26 unsigned", Deferred("550 5.7.26 unsigned", 550)),
    (ADA, b"550 5.7.515 bulk", Deferred("550 5.7.515 bulk", 550)),
    (ADA, b"550 5.1.1 unknown [192.5.7.9]", Refused(550, "550 5.1.1 unknown [192.5.7.9]")),
    (ADA, b"421 busy", "cut"),
    (ADA, b"452 4.3.1 no room", "cut"),
    (ADA, b"503 5.5.1 what", "cut"),
    (ADA, b"530 5.7.0 log in first", "cut"),
    (ADA, b"554 Relay access denied", "rests"),
    (ADA, DROP, "cut"),
    (ADA, b"354 go on", "cut"),
    ("DATA", b"451 wait", Deferred("451 wait", 451)),
    ("DATA", b"554 5.6.0 no", Refused(554, "554 5.6.0 no")),
    ("DATA", b"421 busy", "cut"),
    ("DATA", DROP, "cut"),
    ("DATA", b"what?", "cut"),
    ("DATA", b"250 OK", "cut"),
    ("dot", b"554 5.6.0 spam", Refused(554, "554 5.6.0 spam")),
    ("dot", b"552 5.3.4 too big", Refused(552, "552 5.3.4 too big")),
    ("dot", b"550 5.7.1 spam", Deferred("550 5.7.1 spam", 550)),
    ("dot", b"451 4.3.0 try later", Deferred("451 4.3.0 try later", 451)),
    ("dot", b"421 closing", "cut"),
    ("dot", b"354 again", "unknown"),
    ("dot", b"250", "sent"),
    ("dot", b"2", "unknown"),
    ("dot", DROP, "unknown"),
]
"""(step, the server's answer to it, what comes of it); `rests`: the relay is at fault and left
alone; `cut`: this message waits, through nobody's fault."""


def kind_of(outcome: Outcome) -> str:
    """The word of the table for an outcome that is judged by its kind alone."""
    match outcome:
        case Deferred(relay=True):
            return "rests"
        case Deferred() if outcome.wait_s:
            return "cut"
    return type(outcome).__name__.lower()


@pytest.mark.parametrize("extensions", [(), ("PIPELINING",)], ids=["waiting", "pipelining"])
@pytest.mark.parametrize(("step", "answer", "expected"), BLAME)
def test_q9_q10_q11_which_command_and_code_decide_who_is_blamed(
    step: str, answer: bytes, expected: Outcome | str, extensions: tuple[str, ...]
) -> None:
    """RCPT and the message speak of the recipient, all else and each cut of the relay."""

    async def run() -> None:
        script = scripted(step, answer, times=9)
        async with mail_server(script, extensions=extensions) as server:
            (got,) = await send(server, envelope())
        if isinstance(expected, str):
            assert kind_of(got) == expected
            assert not (isinstance(got, Deferred) and got.counted)
        else:
            assert got == expected

    asyncio.run(run())


def test_q3_a_connection_lost_after_the_final_dot_is_unknown() -> None:
    """The server may have the message, so neither sent nor failed is claimed."""

    async def run() -> None:
        async with mail_server(scripted("dot", DROP)) as server:
            (got,) = await send(server, envelope())
            assert isinstance(got, Unknown)
            assert len(server.taken) == 1

    asyncio.run(run())


def test_q12_a_silent_server_after_the_final_dot_is_unknown() -> None:
    """When the wait for the last reply ends, nobody knows."""

    async def run() -> None:
        async with mail_server(hold=asyncio.Event()) as server:
            (got,) = await send(server, envelope(), final_timeout_s=1)
            assert isinstance(got, Unknown)
            assert server.hold
            server.hold.set()

    asyncio.run(run())


def test_a_refused_recipient_leaves_the_line_usable() -> None:
    """After one refusal the next message goes out over the same connection."""

    async def run() -> None:
        script = scripted("RCPT <ada@example.org>", b"550 5.1.1 unknown")
        async with mail_server(script) as server:
            got = await send(server, envelope(), envelope("grace@example.org"))
            assert [type(one) for one in got] == [Refused, Sent]
            assert server.connections == 1

    asyncio.run(run())


def test_q13_a_connection_is_renewed_after_so_many_messages() -> None:
    """Five messages at two a connection take three connections."""

    async def run() -> None:
        async with mail_server() as server:
            await send(server, *[envelope()] * 5, messages_per_connection=2)
            assert server.connections == 3

    asyncio.run(run())


def test_q13_a_rate_holds_over_all_sessions() -> None:
    """At 50 messages a second the tenth cannot begin before 180 ms have passed."""

    async def run() -> None:
        async with mail_server() as server:
            mailer = SmtpMailer(Relay("127.0.0.1", server.port, "none", rate_per_s=50))
            async with mailer.session() as one, mailer.session() as two:
                begun = monotonic()
                for _ in range(5):
                    await one.send(envelope(), lambda: True)
                    await two.send(envelope(), lambda: True)
                assert monotonic() - begun >= 9 / 50

    asyncio.run(run())


def test_u4_nothing_is_sent_when_the_permit_is_withdrawn() -> None:
    """The last question before the message says no: the server gets no message."""

    async def run() -> None:
        async with mail_server() as server:
            (got,) = await send(server, envelope(), permitted=False)
            assert isinstance(got, Deferred)
            assert not got.relay
            assert not server.taken

    asyncio.run(run())


def test_m18_a_letter_beyond_ascii_needs_smtputf8() -> None:
    """The address is refused in words without the extension, sent with it."""

    async def run() -> None:
        person = envelope("ü@example.org")
        async with mail_server() as server:
            (got,) = await send(server, person)
            assert isinstance(got, Refused)
            assert "SMTPUTF8" in got.reply
        async with mail_server(extensions=("SMTPUTF8",)) as server:
            assert isinstance((await send(server, person))[0], Sent)
            assert server.taken[0].recipients == ["ü@example.org"]

    asyncio.run(run())


def test_q19_a_message_over_the_servers_size_is_refused_unsent() -> None:
    """The limit that EHLO states is honoured."""

    async def run() -> None:
        async with mail_server(extensions=("SIZE 10",)) as server:
            (got,) = await send(server, envelope())
            assert isinstance(got, Refused)
            assert not server.commands[1:2] or "MAIL" not in server.commands[1]

    asyncio.run(run())


def test_a_port_that_refuses_is_the_relays_trouble() -> None:
    """A closed port defers and blames nobody."""

    async def run() -> None:
        async with mail_server() as server:
            port = server.port
        mailer = SmtpMailer(Relay("127.0.0.1", port, "none"))
        async with mailer.session() as session:
            got = await session.send(envelope(), lambda: True)
        assert isinstance(got, Deferred)
        assert got.relay

    asyncio.run(run())


def test_a6_no_mail_goes_out_where_starttls_is_wanted_and_missing() -> None:
    """A server without STARTTLS gets neither a login nor a message."""

    async def run() -> None:
        async with mail_server() as server:
            relay = Relay("127.0.0.1", server.port, "starttls", Login("digest", "secret"))
            async with SmtpMailer(relay).session() as session:
                got = await session.send(envelope(), lambda: True)
            assert isinstance(got, Deferred)
            assert got.relay
            assert not [c for c in server.commands if c.startswith(("AUTH", "MAIL"))]

    asyncio.run(run())


def test_x10_a_hostile_reply_becomes_one_printable_line() -> None:
    """Control characters of a reply never reach the log or the ledger."""

    async def run() -> None:
        answer = b"550 no\x1b[31m\x07 " + b"x" * 3000
        async with mail_server(scripted("RCPT <ada@example.org>", answer)) as server:
            (got,) = await send(server, envelope())
            assert got.reply.isprintable()
            assert len(got.reply) <= 500

    asyncio.run(run())


def test_x6_an_address_that_no_command_may_carry_is_refused_alone() -> None:
    """A line end in an address reaches no server and upsets no run."""

    async def run() -> None:
        async with mail_server() as server:
            got = await send(server, envelope("a@b.example>\r\nDATA"), envelope())
            assert [type(one) for one in got] == [Refused, Sent]
            assert not [c for c in server.commands if "b.example" in c]

    asyncio.run(run())


def test_d1_a_relay_does_not_show_its_password() -> None:
    """The password stays out of what is printed of a relay."""
    assert "secret" not in repr(Relay("mx.example.org", 587, login=Login("digest", "secret")))


def test_d6_the_folder_mailer_writes_files(tmp_path: Path) -> None:
    """A rehearsal writes the very bytes under a harmless name and sends nothing."""

    async def run() -> None:
        folder = EmlFolder(tmp_path / "mails")
        async with folder.session() as session:
            await session.send(envelope("../a/b@example.org"), lambda: True)
        assert [path.name for path in folder.written] == [".._a_b@example.org.eml"]
        assert folder.written[0].read_bytes() == RAW
        assert folder.written[0].parent == tmp_path / "mails"

    asyncio.run(run())
