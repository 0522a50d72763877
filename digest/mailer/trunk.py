"""The lines to one relay: how many there may be, who has which, and when the relay is left alone.

Begins with one connection and grows with success (Q13). A relay in trouble rests, and then one
message at a time tries it (Q14). A message that met trouble was surely not taken.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections import deque
from collections.abc import Mapping

from aiosmtplib import SMTPException

from digest.allowance import Rest
from digest.mailer.breaker import Breaker, Chance, Clock
from digest.mailer.dialling import Relay, dial
from digest.mailer.envelope import Envelope, Permit
from digest.mailer.line import Line
from digest.mailer.replies import Reply, Resting, Trouble, printable
from digest.mailer.sharing import Sharing
from digest.mailer.transaction import transact
from digest.model import Deferred, Outcome, Sent, Unknown

logger = logging.getLogger("digest")

PATIENCE_S = 20.0
"""Seconds that a message waits for a connection while other processes have them all."""

FEWER_S = 60.0
"""Seconds for which a relay that refused one more connection is not asked for one."""


class Trunk:
    """All connections to one relay."""

    def __init__(self, relay: Relay, sharing: Sharing, clock: Clock, chance: Chance) -> None:
        self.relay = relay
        self.name = relay.name
        self.breaker = Breaker(clock, chance)
        self.load = 0
        self.credit = 0.0
        self._clock = clock
        self._lines: list[Line] = []
        self._dialling = 0
        self._most = 1.0
        self._fewer_until = 0.0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._ending: set[asyncio.Task[None]] = set()
        self._reply = "it was in trouble before"
        self._sharing = sharing
        self._quota = sharing.quota(self.name, relay.connections, self._held, lambda: self.load)
        sharing.followers.append(self._follow)

    @property
    def resting(self) -> Resting | None:
        """The trouble for which it is left alone now."""
        rest_s = self.breaker.rest_s
        return Resting(f"rests for {rest_s:.0f} s after: {self._reply}") if rest_s else None

    @property
    def trouble(self) -> str:
        """What it last said, or what befell the way to it, when it was in trouble."""
        return self._reply

    @property
    def roomy(self) -> bool:
        """Whether one more message need not wait for another to end."""
        return self.load < self.relay.connections

    @property
    def usable(self) -> int:
        """How many connections there may be now, at least 1: before it is asked for there is none.

        By success, by health, and by the part of it that other processes leave.
        """
        return max(1, min(self._allowed, self._quota.size))

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
        if not isinstance(line, Line):
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

    async def _take(self) -> Line | Trouble | Deferred:
        """A line for one message, or why there is none. Waits while all are in use."""
        begun = self._clock()
        while True:
            self._lines = [line for line in self._lines if not line.lost]
            if trouble := self.resting:
                return trouble
            if await self._may_try():
                if line := await self._idle():
                    return self._begin(line)
                if await self._may_grow():
                    dialled = await self._dial()
                    if dialled:
                        return dialled
                    continue
                if line := self._overlapping():
                    return self._begin(line)
            if not self._held() and not self._quota.size and self._clock() - begun > PATIENCE_S:
                return Deferred("others have all connections to the relay", wait_s=PATIENCE_S)
            await self._wait()

    async def _may_try(self) -> bool:
        """Whether a message may be begun: after a rest one at a time, in one process of all."""
        if self.breaker.wary and not await self._sharing.may_probe(self.name, self.breaker):
            return False
        return not (self.breaker.probing or self.breaker.rest_s)

    async def _may_grow(self) -> bool:
        """Whether one more connection may be made, by this process's lights and by the quota."""
        if self._held() >= self._allowed or not await self._sharing.has_room(self._quota):
            return False
        return self._held() < self._allowed  # it was asked for, and another may have been made

    def _held(self) -> int:
        """How many connections there are or are about to be."""
        return sum(not line.lost for line in self._lines) + self._dialling

    @property
    def _ours(self) -> list[Line]:
        """The lines that may be used: those beyond this process's quota are left to end."""
        return self._lines[max(0, self._held() - self._quota.size) :]

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
        ours = self._ours
        for line in self._lines:
            if not line.busy and not line.waiting:
                if line in ours and line.begun < self.relay.messages_per_connection:
                    return line
                await self._end(line)
                break
        return None

    async def _end(self, line: Line) -> None:
        """Close a line in order; it counts until it is closed."""
        if line in self._lines:  # else it is being closed
            self._lines.remove(line)
            self._dialling += 1
            await line.quit()
            self._dialling -= 1
            self._wake()

    def _overlapping(self) -> Line | None:
        """A line on which only the reply to a whole message is still to come."""
        free = (line for line in self._ours if line.pipelining and not line.busy)
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
            await asyncio.sleep(await self._sharing.place(self.name, self.relay.rate_per_s))

    async def quit(self) -> None:
        """Close every line in order."""
        lines, self._lines = self._lines, []
        await asyncio.gather(*(line.quit() for line in lines), *self._ending)

    # --- health -------------------------------------------------------------------------------

    def _heed(self, outcome: Outcome | Trouble) -> None:
        """Learn from what came of a message."""
        if isinstance(outcome, Resting):
            return
        if isinstance(outcome, Trouble | Unknown):
            self._reply = outcome.reply
            self._most = max(1.0, self._most / 2)
            firm = isinstance(outcome, Trouble) and outcome.firm
            if rest_s := self.breaker.trouble(firm=firm):
                self._most = 1.0
                told = {"rest_s": round(rest_s), "reply": outcome.reply}
                logger.warning("relay.resting %s", json.dumps({"relay": self.relay.host, **told}))
                self._sharing.tell(self.name, Rest(self.breaker.rests, rest_s, outcome.reply))
            self._wake(len(self._waiting))
        elif isinstance(outcome, Sent):
            # One connection more for each round of all of them.
            self._most = min(self.relay.connections, self._most + 1 / self._most)
            if self.breaker.fine():
                logger.info("relay.back %s", json.dumps({"relay": self.relay.host}))
                self._sharing.tell(self.name, None)
                self._wake(len(self._waiting))

    def _follow(self, board: Mapping[str, Rest]) -> None:
        """Rest when others have found that the relay refuses, and go on when it no longer does."""
        rest = board.get(self.name)
        if self.breaker.learn(rest) and rest:
            self._reply, self._most = rest.reply, 1.0
            told = {"rest_s": round(rest.rest_s), "reply": rest.reply, "found_by": "others"}
            logger.info("relay.resting %s", json.dumps({"relay": self.relay.host, **told}))
        for line in set(self._lines) - set(self._ours):
            if not line.busy and not line.waiting:  # others wait for its place
                line.busy = True  # or a message would be begun before its QUIT, and hold that
                ending = asyncio.create_task(self._end(line))
                self._ending.add(ending)
                ending.add_done_callback(self._ending.discard)
        self._wake(len(self._waiting))  # the quota may have grown, too


def _trouble(error: Exception) -> Trouble:
    """Why no line came about."""
    code = int(getattr(error, "code", 0) or 0)
    text = str(getattr(error, "message", "") or error or type(error).__name__)
    return Trouble(Reply(code, text).words if code else printable(text), code, firm=True)
