"""The lines to one relay: how many there may be, who has which, and when the relay is left alone.

Begins with one connection and grows with success (Q13). A relay in trouble rests, and then one
message at a time tries it (Q14). A message that met trouble was surely not taken.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections import deque

from aiosmtplib import SMTPException

from digest.mailer.breaker import Breaker, Chance, Clock
from digest.mailer.dialling import Relay, dial
from digest.mailer.envelope import Envelope, Permit
from digest.mailer.line import Line
from digest.mailer.replies import Reply, Trouble, printable
from digest.mailer.transaction import transact
from digest.model import Outcome, Sent, Unknown

logger = logging.getLogger("digest")

FEWER_S = 60.0
"""Seconds for which a relay that refused one more connection is not asked for one."""


class Trunk:
    """All connections to one relay."""

    def __init__(self, relay: Relay, clock: Clock, chance: Chance) -> None:
        self.relay = relay
        self.breaker = Breaker(clock, chance)
        self.load = 0
        self.credit = 0.0
        self._clock = clock
        self._lines: list[Line] = []
        self._dialling = 0
        self._most = 1.0
        self._fewer_until = 0.0
        self._next_at_s = 0.0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._reply = "it was in trouble before"

    @property
    def resting(self) -> Trouble | None:
        """The trouble for which it is left alone now."""
        rest_s = self.breaker.rest_s
        return Trouble(f"rests for {rest_s:.0f} s after: {self._reply}") if rest_s else None

    @property
    def trouble(self) -> str:
        """What it last said, or what befell the way to it, when it was in trouble."""
        return self._reply

    @property
    def roomy(self) -> bool:
        """Whether one more message need not wait for another to end."""
        return self.load < self.relay.connections

    async def send(self, envelope: Envelope, permit: Permit) -> Outcome | Trouble:
        """What came of one message; trouble of an old line is tried once more on another."""
        await self._turn()
        self.load += 1
        try:
            tries_left = 1 + self.relay.connections
            outcome, old = await self._once(envelope, permit)
            while old and tries_left and isinstance(outcome, Trouble):
                # A server may close what it finds idle or too long used; that is no trouble yet.
                tries_left -= 1
                outcome, old = await self._once(envelope, permit)
        finally:
            self.load -= 1
            self.breaker.end()
            self._wake(len(self._waiting))
        self._heed(outcome)
        return outcome

    async def _once(self, envelope: Envelope, permit: Permit) -> tuple[Outcome | Trouble, bool]:
        """What came of one try, and whether its line had been in use before."""
        line = await self._take()
        if isinstance(line, Trouble):
            return line, False
        old = line.begun > 0
        freed = False

        def release() -> None:
            nonlocal freed
            if not freed:
                freed, line.busy = True, False
                self._wake()

        try:
            return await transact(line, envelope, permit, release), old
        except BaseException:
            line.lose("given up")  # nobody knows any more which reply is whose
            raise
        finally:
            release()

    # --- lines --------------------------------------------------------------------------------

    async def _take(self) -> Line | Trouble:
        """A line for one message, or why there is none. Waits while all are in use."""
        while True:
            self._lines = [line for line in self._lines if not line.lost]
            if trouble := self.resting:
                return trouble
            if not self.breaker.probing:
                if line := await self._idle():
                    return self._begin(line)
                if len(self._lines) + self._dialling < self._allowed:
                    dialled = await self._dial()
                    if dialled:
                        return dialled
                    continue
                if line := self._overlapping():
                    return self._begin(line)
            await self._wait()

    @property
    def _allowed(self) -> int:
        """How many connections there may be now."""
        if self.breaker.wary:
            return 1
        if self._clock() < self._fewer_until:
            return max(1, len(self._lines))
        return min(int(self._most), self.relay.connections)

    async def _idle(self) -> Line | None:
        """A line that nobody uses; one that has had its messages is closed in order."""
        for line in self._lines:
            if not line.busy and not line.waiting:
                if line.begun < self.relay.messages_per_connection:
                    return line
                self._lines.remove(line)
                self._dialling += 1  # it counts until it is closed
                await line.quit()
                self._dialling -= 1
                break
        return None

    def _overlapping(self) -> Line | None:
        """A line on which only the reply to a whole message is still to come."""
        free = (line for line in self._lines if line.pipelining and not line.busy)
        return next((one for one in free if one.begun < self.relay.messages_per_connection), None)

    def _begin(self, line: Line) -> Line:
        self.breaker.begin()
        line.busy = True
        return line

    async def _dial(self) -> Line | Trouble | None:
        """A new line, the trouble that there is none, or None where another has to do."""
        self.breaker.begin()
        self._dialling += 1
        try:
            line = await dial(self.relay)
        except (SMTPException, OSError, ValueError) as error:
            if any(not one.lost for one in self._lines):
                self._fewer_until = self._clock() + FEWER_S
                return None
            return _trouble(error)
        finally:
            self._dialling -= 1
        line.busy = True
        self._lines.append(line)
        return line

    async def _wait(self) -> None:
        """Until something here has changed."""
        waiter = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        try:
            await waiter
        except asyncio.CancelledError:
            if waiter.done():
                self._wake()  # the word was for somebody
            raise

    def _wake(self, count: int = 1) -> None:
        while count and self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(None)
                count -= 1

    async def _turn(self) -> None:
        """Wait until the relay's rate lets the next message begin, over all lines."""
        if self.relay.rate_per_s:
            at_s = max(self._next_at_s, self._clock())
            self._next_at_s = at_s + 1 / self.relay.rate_per_s
            await asyncio.sleep(at_s - self._clock())

    async def quit(self) -> None:
        """Close every line in order."""
        lines, self._lines = self._lines, []
        await asyncio.gather(*(line.quit() for line in lines))

    # --- health -------------------------------------------------------------------------------

    def _heed(self, outcome: Outcome | Trouble) -> None:
        """Learn from what came of a message."""
        if isinstance(outcome, Trouble | Unknown):
            self._reply = outcome.reply
            self._most = max(1.0, self._most / 2)
            firm = isinstance(outcome, Trouble) and outcome.firm
            if rest_s := self.breaker.trouble(firm=firm):
                self._most = 1.0
                told = {"rest_s": round(rest_s), "reply": outcome.reply}
                logger.warning("relay.resting %s", json.dumps({"relay": self.relay.host, **told}))
            self._wake(len(self._waiting))
        elif isinstance(outcome, Sent):
            # One connection more for each round of all of them.
            self._most = min(self.relay.connections, self._most + 1 / self._most)
            if self.breaker.fine():
                logger.info("relay.back %s", json.dumps({"relay": self.relay.host}))
                self._wake(len(self._waiting))


def _trouble(error: Exception) -> Trouble:
    """Why no line came about."""
    code = int(getattr(error, "code", 0) or 0)
    text = str(getattr(error, "message", "") or error or type(error).__name__)
    return Trouble(Reply(code, text).words if code else printable(text), code, firm=True)
