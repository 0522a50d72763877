"""A real mail server on loopback that keeps what it takes and misbehaves as a script tells it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from time import monotonic

DROP = b"DROP"
"""An answer that closes the connection without a word."""

HOLD = b"HOLD"
"""An answer that never comes: the server takes what it got and waits for the client to leave."""

Script = Callable[[str, int], bytes | None]
"""(step, how often the step came before) -> the answer, DROP, HOLD, or None for the usual one.

Steps are `connect`, `EHLO`, `MAIL`, `RCPT`, `DATA`, `dot` (after the message), `QUIT`, `RSET`; for
RCPT the step is followed by the address: `RCPT <ada@example.org>`.
"""


@dataclass
class Taken:
    """One message that the server said 250 to, or took without saying anything."""

    sender: str
    recipients: list[str]
    raw: bytes
    # When MAIL came and the answer went, by the monotonic clock.
    begun_at: float = field(default=0.0, compare=False)
    ended_at: float = field(default=0.0, compare=False)


@dataclass
class MailServer:
    """The server's port and its mailbox."""

    script: Script = lambda step, before: None
    port: int = 0
    taken: list[Taken] = field(default_factory=list)
    connections: int = 0
    at_once: int = 0
    most_at_once: int = 0
    commands: list[str] = field(default_factory=list)
    extensions: tuple[str, ...] = ("SIZE 10000000", "8BITMIME")
    hold: asyncio.Event | None = None
    _counts: dict[str, int] = field(default_factory=dict)
    _talks: set[asyncio.Task[None]] = field(default_factory=set)

    def answer(self, step: str, usual: bytes) -> bytes:
        """The script's answer to a step, or the usual one."""
        before = self._counts.get(step, 0)
        self._counts[step] = before + 1
        told = self.script(step, before)
        return usual if told is None else told

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Speak SMTP with one client until it leaves or the script drops it."""
        self.connections += 1
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        task = asyncio.current_task()
        assert task
        self._talks.add(task)
        task.add_done_callback(self._talks.discard)
        try:
            await self._converse(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the client left, or the test is over
        finally:
            self.at_once -= 1
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def stop(self) -> None:
        """End every conversation that is still going on."""
        for task in list(self._talks):
            task.cancel()
        await asyncio.gather(*self._talks, return_exceptions=True)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        envelope = Taken("", [], b"")
        step, usual = "connect", b"220 sink.example.org ready"
        while (told := self.answer(step, usual)) != DROP:
            if told == HOLD:
                await reader.read()
                return
            writer.write(told + b"\r\n")
            await writer.drain()
            if step.startswith("RCPT") and not told.startswith(b"2"):
                envelope.recipients.pop()
            if step == "QUIT":
                return
            if step == "DATA" and told.startswith(b"354"):
                envelope.raw = await self._message(reader)
                if self.hold:
                    await self.hold.wait()
                step, usual = "dot", b"250 OK queued as 4F2A"
                if envelope.recipients:
                    self._keep(envelope)
                else:
                    usual = b"554 5.5.1 no valid recipients"
                envelope = Taken("", [], b"")
            else:
                line = (await reader.readuntil(b"\r\n")).decode("utf-8").strip()
                self.commands.append(line)
                step, usual = self._usual(line, envelope)

    def _keep(self, envelope: Taken) -> None:
        """Take a message unless the script is about to refuse it."""
        envelope.ended_at = monotonic()
        planned = self.script("dot", self._counts.get("dot", 0))
        if planned in {None, DROP, HOLD} or planned.startswith(b"2"):
            self.taken.append(envelope)

    def _usual(self, line: str, envelope: Taken) -> tuple[str, bytes]:
        """The step that a command is, and its usual answer."""
        verb, _, rest = line.partition(" ")
        address = rest.partition("<")[2].partition(">")[0]
        match verb.upper():
            case "EHLO":
                names = ["sink.example.org", *self.extensions]
                lines = [f"250-{name}" for name in names[:-1]] + [f"250 {names[-1]}"]
                return "EHLO", "\r\n".join(lines).encode()
            case "MAIL":
                envelope.sender, envelope.begun_at = address, monotonic()
            case "RCPT":
                envelope.recipients.append(address)
                return f"RCPT <{address}>", b"250 OK"
            case "DATA":
                return "DATA", b"354 go ahead"
            case "QUIT":
                return "QUIT", b"221 bye"
        return verb.upper(), b"250 OK"

    @staticmethod
    async def _message(reader: asyncio.StreamReader) -> bytes:
        """The message without its final dot, and without the dots that were stuffed."""
        lines = []
        while (line := await reader.readuntil(b"\r\n")) != b".\r\n":
            lines.append(line.removeprefix(b"."))
        return b"".join(lines)


@asynccontextmanager
async def mail_server(
    script: Script = lambda step, before: None, **settings: object
) -> AsyncIterator[MailServer]:
    """A running server on a free port of loopback."""
    served = MailServer(script, **settings)  # type: ignore[arg-type]  # the tests name real fields
    server = await asyncio.start_server(served.talk, "127.0.0.1", 0)
    served.port = server.sockets[0].getsockname()[1]
    try:
        yield served
    finally:
        server.close()
        await served.stop()
        await server.wait_closed()
