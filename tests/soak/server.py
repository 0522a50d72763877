"""A mail server with moods that notes each message it took, and kills its client when told to.

By address: 2 % are told to come back later, 1 % do not exist, 1 % lose the connection (half of them
before the final dot, half after it), 1 % wait for the reply. In between comes a storm of 421. One
of even temper knows who does not exist, and makes everybody wait for as long as it is told.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import signal
import socket
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.policy import compat32
from time import monotonic
from zlib import crc32

SLOW_S = 0.05
STORM = 12
"""Transactions that meet a 421, one after the other."""


@dataclass(frozen=True)
class Took:
    """A message whose final dot arrived: its id, its content, and when its DATA was allowed."""

    message_id: str
    content: bytes
    allowed_at_s: float


@dataclass
class Moody:
    """What the server has seen, and whom it is to kill at which step.

    `strike` is (process, step, how many times the step is let pass); `even` is its temper, and
    `reply_after_s` how long its reply to a message then takes.
    """

    port: int = 0
    even: bool = False
    reply_after_s: float = 0.0
    storm_from: int = 0
    strike: tuple[int, str, int] | None = None
    killed: int = 0
    transactions: int = 0
    lost_after_dot: int = 0
    took: dict[str, list[Took]] = field(default_factory=lambda: defaultdict(list))
    tries: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def step(self, name: str) -> None:
        """Note a step of a conversation; kill the client when its time has come."""
        if not self.strike or self.strike[1] != name:
            return
        process, _, left = self.strike
        self.strike = (process, name, left - 1) if left else None
        if not left:
            self.killed += 1
            os.kill(process, signal.SIGKILL)

    def mood(self, recipient: str) -> str:
        """What befalls an address: `refuse` for good; the others at its first try alone."""
        bucket = crc32(recipient.encode()) % 1000
        if bucket < 10:
            return "refuse"
        if self.even or self.tries[recipient] > 1:
            return ""
        for below, mood in ((30, "later"), (35, "drop"), (40, "drop after"), (50, "slow")):
            if bucket < below:
                return mood
        return ""

    @property
    def stormy(self) -> bool:
        """Whether the server is closing just now."""
        return not self.even and self.storm_from <= self.transactions < self.storm_from + STORM


class Talk(asyncio.Protocol):
    """One conversation, pipelined or not."""

    def __init__(self, moody: Moody) -> None:
        self._moody = moody
        self._held = b""
        self._in_message = False
        self._recipient = ""
        self._allowed_at_s = 0.0
        self._thinking = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._loop = asyncio.get_running_loop()
        self._say("220 moody.example.org")

    def data_received(self, data: bytes) -> None:
        """Answer each command that is complete, or take the end of a message."""
        self._held += data
        while not (self._transport.is_closing() or self._thinking):
            if self._in_message:
                self._moody.step("mid-DATA")
                if (self._held[:3] != b".\r\n") and b"\r\n.\r\n" not in self._held:
                    return
                message, _, self._held = self._held.partition(b"\r\n.\r\n")
                self._in_message = False
                self._dot(message)
            elif b"\r\n" in self._held:
                line, _, self._held = self._held.partition(b"\r\n")
                self._command(line.decode())
            else:
                return

    def _say(self, *lines: str) -> None:
        if not self._transport.is_closing():
            self._transport.write("".join(f"{line}\r\n" for line in lines).encode())

    def _command(self, line: str) -> None:
        match line.partition(" ")[0].upper():
            case "EHLO":
                self._say("250-moody.example.org", "250-PIPELINING", "250 SIZE 1000000")
            case "MAIL":
                self._recipient = ""
                self._moody.transactions += 1
                self._moody.step("MAIL")
                self._say("421 4.3.2 closing" if self._moody.stormy else "250 OK")
                if self._moody.stormy:
                    self._transport.close()
            case "RCPT":
                self._rcpt(line.partition("<")[2].partition(">")[0])
            case "DATA" if self._recipient:
                self._allowed_at_s = monotonic()
                self._in_message = True
                self._say("354 go ahead")
            case "DATA":
                self._say("554 5.5.1 no valid recipients")
            case "QUIT":
                self._say("221 bye")
                self._transport.close()
            case _:
                self._say("250 OK")

    def _rcpt(self, recipient: str) -> None:
        moody = self._moody
        moody.tries[recipient] += 1
        moody.step("RCPT")
        mood = moody.mood(recipient)
        if mood == "refuse":
            self._say("550 5.1.1 no such user")
        elif mood == "later":
            self._say("451 4.2.0 come back later")
        else:
            self._recipient = recipient
            self._say("250 OK")

    def _dot(self, message: bytes) -> None:
        moody, recipient = self._moody, self._recipient
        mood = moody.mood(recipient)
        if mood == "drop":
            self._transport.abort()
            return
        headers = message_from_bytes(message.partition(b"\r\n\r\n")[0], policy=compat32)
        content = hashlib.sha256(message).digest()
        moody.took[recipient].append(Took(headers["Message-ID"], content, self._allowed_at_s))
        moody.step("dot")
        if mood == "drop after":
            moody.lost_after_dot += 1
            self._transport.abort()
        elif (wait_s := SLOW_S if mood == "slow" else moody.reply_after_s) > 0:
            self._thinking = True  # what was sent ahead is answered after this, in its order
            self._loop.call_later(wait_s, self._think_no_more)
        else:
            self._say("250 OK queued")

    def _think_no_more(self) -> None:
        self._thinking = False
        self._say("250 OK queued")
        self.data_received(b"")


@contextmanager
def moody_server(*listening: socket.socket, even: bool = False) -> Iterator[Moody]:
    """A running server in a thread of its own, on loopback or on sockets that listen already."""
    moody, ready = Moody(even=even), threading.Event()
    loop, stop = asyncio.new_event_loop(), asyncio.Event()
    sockets = listening or (socket.create_server(("127.0.0.1", 0)),)
    moody.port = sockets[0].getsockname()[1]

    async def serve() -> None:
        servers = [await loop.create_server(lambda: Talk(moody), sock=one) for one in sockets]
        ready.set()
        await stop.wait()
        for server in servers:
            server.close()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()), daemon=True)
    thread.start()
    try:
        assert ready.wait(10)
        yield moody
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
        loop.close()
