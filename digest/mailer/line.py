"""One connection once it is greeted, encrypted and logged in: commands out, replies in.

aiosmtplib waits for each reply before the next command, and drops what arrives unasked. So it does
what comes before the first mail, and then this takes the transport over and lets several commands
be under way. Replies belong to commands by their order alone. Whatever goes wrong ends the line,
and every reply that is still awaited then has the code 0 and says why. Never decides anything.
Source: RFC 2920 section 3, RFC 5321 sections 4.2 and 4.5.3.2.
"""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

from digest.mailer.replies import CLOSING, Reply, printable

REPLY_LINE = re.compile(rb"([2-5][0-9]{2})(?:([ -])([^\r\n]*))?\r?\n")
LONGEST_LINE = 2048
"""Bytes of a reply's line; RFC 5321 4.5.3.1.5 has 512, and some servers write stories."""
MOST_LINES = 100

LOOK_S = 1.0
"""Seconds between two looks at how long the next reply is being waited for."""


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds that each answer may take. Source: RFC 5321 4.5.3.2, its minimum for each command."""

    command: float = 300
    data: float = 120
    block: float = 180
    final: float = 600

    @classmethod
    def at_most(cls, command_s: float, final_s: float) -> Patience:
        """Those of the RFC, cut to what an operator is willing to wait."""
        return cls(min(300, command_s), min(120, command_s), min(180, command_s), final_s)


@dataclass(slots=True)
class Awaited:
    """A reply that is to come, to which command, and how long it may take once it is the next."""

    future: asyncio.Future[Reply]
    command: str
    timeout_s: float


class Line(asyncio.Protocol):
    """A connection in use. `lost` is empty while it lives, else why it does not.

    `begun` counts its messages; `busy` is whether one is being handed over right now.
    """

    def __init__(
        self,
        transport: asyncio.Transport,
        extensions: Mapping[str, str],
        patience: Patience,
        *,
        pipelining: bool = True,
    ) -> None:
        self.extensions = extensions
        self.patience = patience
        self.pipelining = pipelining and "pipelining" in extensions
        self.lost = ""
        self.begun = 0
        self.busy = False
        self._transport = transport
        self._loop = asyncio.get_running_loop()
        self._awaited: deque[Awaited] = deque()
        self._since = 0.0
        self._alarm: asyncio.TimerHandle | None = None
        self._held = b""
        self._lines: list[bytes] = []
        self._unwritten: asyncio.Future[bool] | None = None
        # Told at the first byte that the system did not take, so that what was not written is known
        # not to have been read.
        transport.set_write_buffer_limits(high=0)
        transport.set_protocol(self)
        if transport.is_closing():
            self.lose("connection lost")

    @property
    def waiting(self) -> int:
        """How many replies are still to come."""
        return len(self._awaited)

    # --- commands out -------------------------------------------------------------------------

    def write(self, *commands: str) -> list[asyncio.Future[Reply]]:
        """The replies to come to commands that go out in one write.

        DATA, RSET alone and QUIT may stand last only. Source: RFC 2920 3.1.
        """
        replies = [self._expect(one[:4], self._patience_with(one)) for one in commands]
        if not self.lost:
            self._transport.write("".join(f"{one}\r\n" for one in commands).encode())
        return replies

    async def ask(self, command: str) -> Reply:
        """The reply to one command."""
        return await self.write(command)[0]

    async def envelope(self, mail: str, rcpt: str) -> tuple[Reply, Reply, Reply]:
        """The replies to MAIL, RCPT and DATA, in one round trip where the server allows it.

        Without pipelining a refusal stands for the replies to the commands that were not sent.
        """
        self.begun += 1
        if self.pipelining:
            first, second, third = self.write(mail, rcpt, "DATA")
            last = await third  # replies come in order: with the last one all are there
            return first.result(), second.result(), last
        got = await self.ask(mail)
        if not got.good:
            return got, got, got
        for_whom = await self.ask(rcpt)
        return got, for_whom, await self.ask("DATA") if for_whom.good else for_whom

    async def message(self, content: bytes) -> tuple[bool, asyncio.Future[Reply]]:
        """Whether all of the content was handed to the system, and the reply that is to come.

        `content` is dot-stuffed and ends with its dot. False means that the server cannot have it.
        """
        reply = self._expect("the message", self.patience.final)
        if not self.lost:
            self._transport.write(content)
        return await self._flushed(), reply

    async def _flushed(self) -> bool:
        """Whether the system took all that was written, in the time that a block may take."""
        if self.lost or self._transport.is_closing():
            return False
        if self._unwritten is None:
            return True
        unwritten = self._unwritten
        await asyncio.wait({unwritten}, timeout=self.patience.block)
        if not unwritten.done():
            self.lose(f"the message was not taken within {self.patience.block:g} s")
        return unwritten.result()

    async def quit(self) -> None:
        """Say QUIT where somebody listens, and close."""
        if not self.lost:
            self.busy = True
            await self.ask("QUIT")
        self.lose("closed")

    def lose(self, reason: str) -> None:
        """End the line at once; what is still awaited gets `reason` for an answer."""
        if self.lost:
            return
        self.lost = printable(reason) or "connection lost"
        self._transport.abort()
        if self._alarm:
            self._alarm.cancel()
        self._end_writing(whole=False)
        while self._awaited:
            self._settle(Reply(0, self.lost))

    # --- replies in ---------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        """Take replies apart and hand each to the command that has waited longest."""
        self._held += data
        while not self.lost and (end := self._held.find(b"\n") + 1):
            line, self._held = self._held[:end], self._held[end:]
            found = REPLY_LINE.fullmatch(line)
            if not found or end > LONGEST_LINE or len(self._lines) >= MOST_LINES:
                self.lose(f"this is no SMTP reply: {_readable(line[:200])}")
                return
            self._lines.append(found[3] or b"")
            if found[2] != b"-":
                reply = Reply(int(found[1]), _readable(b" ".join(self._lines)))
                self._lines = []
                self._take(reply)
        if len(self._held) > LONGEST_LINE:
            self.lose("this is no SMTP reply: a line without an end")

    def _take(self, reply: Reply) -> None:
        if not self._awaited:
            self.lose(reply.words if reply.code == CLOSING else f"unasked reply: {reply.words}")
            return
        self._settle(reply)
        if reply.code == CLOSING:  # the server answers nothing after it. Source: RFC 5321 3.8
            self.lose(reply.words)

    def _settle(self, reply: Reply) -> None:
        future = self._awaited.popleft().future
        self._since = self._loop.time()
        if not future.done():
            future.set_result(reply)

    def pause_writing(self) -> None:
        """The system took less than was written."""
        self._unwritten = self._loop.create_future()

    def resume_writing(self) -> None:
        """The system has taken all."""
        self._end_writing(whole=True)

    def _end_writing(self, *, whole: bool) -> None:
        if self._unwritten and not self._unwritten.done():
            self._unwritten.set_result(whole)
        self._unwritten = None

    def connection_lost(self, error: Exception | None) -> None:
        """The other side is gone, or `lose` was called."""
        self.lose(f"connection lost ({error})" if error else "connection lost")

    # --- patience -----------------------------------------------------------------------------

    def _expect(self, command: str, timeout_s: float) -> asyncio.Future[Reply]:
        future: asyncio.Future[Reply] = self._loop.create_future()
        if self.lost:
            future.set_result(Reply(0, self.lost))
            return future
        if not self._awaited:
            self._since = self._loop.time()
        self._awaited.append(Awaited(future, command, timeout_s))
        if self._alarm is None:
            self._alarm = self._loop.call_later(min(timeout_s, LOOK_S), self._look)
        return future

    def _look(self) -> None:
        """Give up when the next reply has been waited for too long; else look again."""
        self._alarm = None
        if not self._awaited or self.lost:
            return
        first = self._awaited[0]
        left_s = self._since + first.timeout_s - self._loop.time()
        if left_s <= 0:
            self.lose(f"no answer to {first.command} within {first.timeout_s:g} s")
        else:
            self._alarm = self._loop.call_later(min(left_s, LOOK_S), self._look)

    def _patience_with(self, command: str) -> float:
        if command == "QUIT":
            return min(5, self.patience.command)
        return self.patience.data if command == "DATA" else self.patience.command


def _readable(text: bytes) -> str:
    return text.decode("utf-8", "replace")
