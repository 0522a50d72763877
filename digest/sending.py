"""One run of sending: mails are made ahead, and each session sends one after the other.

A row goes this way: leased, made, begun in the ledger, sent, closed in the ledger. A session begins
its next row in the transaction that closes its last, so a kill leaves in doubt one message a
session and no more.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import secrets
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing, asynccontextmanager
from datetime import datetime, timedelta
from zlib import crc32

from digest.app import App
from digest.clerk import Clerk
from digest.clock import Clock
from digest.errors import StoreError
from digest.mailer import Envelope, Session
from digest.model import Deferred, DeliveryState, Outcome, Refused, Sent, Unknown
from digest.press import Made, mails
from digest.returns import refused
from digest.schedule import retry_at, state_after
from digest.share import EVERYBODY, Share
from digest.store import Lease, Tried

logger = logging.getLogger("digest")

BATCH = 32
"""Rows leased at once, and handed to a process at once."""

AHEAD = 64
"""Mails that are made and wait for a session, at most: about 3 MB of them."""

Told = Callable[[Lease, Outcome, DeliveryState], None]
"""Called with each try to send, what came of it, and the state that this led to."""


class Run:
    """One run of `deliver`: whether it has to pause, and what came of it."""

    def __init__(
        self,
        app: App,
        clock: Clock,
        stopping: Callable[[], bool],
        told: Told,
        share: Share = EVERYBODY,
    ) -> None:
        self.tally: Counter[DeliveryState] = Counter()
        self._app = app
        self._clock = clock
        self._stopping = stopping
        self._told = told
        self._troubled = False
        self._unanswered = ""
        self._ready: asyncio.Queue[Made | None] = asyncio.Queue(AHEAD)
        self._under_way = 0
        self._ended = asyncio.Event()
        owner = f"{os.getpid()}-{secrets.token_hex(4)}"
        self._clerk = Clerk(app.store, clock, app.lease_s, owner, share)

    @property
    def paused(self) -> bool:
        """Whether no further message may be begun."""
        return self._troubled or self._stopping()

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Mails are made and leases kept alive inside; at the end, what was not begun is let go.

        Raises: StoreError when the ledger could not be read or written.
        """
        making = asyncio.create_task(self._make_ahead())
        beating = asyncio.create_task(self._keep_leases())
        try:
            yield
        finally:
            for task in (making, beating):
                task.cancel()
            ends = await asyncio.gather(making, beating, return_exceptions=True)
            await self._clerk.close()
        for end in ends:
            if isinstance(end, Exception):
                raise end

    async def work(self, session: Session) -> None:
        """Send over one session, a mail at a time, until none waits or the run has to pause."""
        tried: Tried | None = None
        try:
            while not self.paused:
                if tried and (self._ready.empty() or not self._has_room):
                    tried = await self._turn(tried)  # nothing to begin with it: not later, then
                async with self._place():
                    made = None if self.paused else await self._next()
                    if made is None:
                        break
                    tried = await self._turn(tried, made, session)
        except BaseException:
            self._troubled = True  # the others finish and record what they have in flight
            raise
        finally:
            if tried:
                await self._turn(tried)

    @property
    def _has_room(self) -> bool:
        """Whether one more message need not wait for a connection."""
        return self._under_way < self._app.mailer.room

    @asynccontextmanager
    async def _place(self) -> AsyncIterator[None]:
        """A place among the messages under way, once there is one or the run has to pause.

        A row that was begun and waits for a connection would be in doubt after a kill for nothing.
        """
        while not (self.paused or self._has_room):
            self._ended.clear()
            await self._ended.wait()
        self._under_way += 1
        try:
            yield
        finally:
            self._under_way -= 1
            self._ended.set()

    async def _turn(
        self, tried: Tried | None, made: Made | None = None, session: Session | None = None
    ) -> Tried | None:
        """Record what was tried, and try what was made; returns what came of that."""
        turned = await self._clerk.turn(tried, made.lease if made else None)
        if tried:
            self._account(tried, recorded=turned.recorded)
            if isinstance(tried.outcome, Refused):
                number, now = tried.lease.delivery_id, self._clock()
                await asyncio.to_thread(refused, self._app, "d", number, tried.outcome, now)
        if not (made and session and turned.begun):
            return None
        outcome = await self._send(session, made)
        self._troubled = self._troubled or (isinstance(outcome, Deferred) and outcome.relay)
        went_out = isinstance(outcome, Sent | Unknown)
        imprint = made.imprint if went_out else None
        return Tried(made.lease, outcome, self._again_at(made.lease, outcome), imprint)

    async def _send(self, session: Session, made: Made) -> Outcome:
        if made.fault:
            return Deferred(made.fault)
        envelope = Envelope(made.sender, made.lease.recipient, made.raw)
        return await session.send(envelope, lambda: self._is_wanted(made.lease))

    def _is_wanted(self, lease: Lease) -> bool:
        """Whether it is still wanted; one failure to ask answers for all. Raises: StoreError.

        Each would hold up this process, its pages and its stop as long as the first.
        """
        if self._unanswered:
            raise StoreError(self._unanswered)
        try:
            return self._app.store.wanted(lease, self._clock())
        except StoreError as error:
            self._unanswered = str(error)
            raise

    def _again_at(self, lease: Lease, outcome: Outcome) -> datetime:
        now = self._clock()
        if isinstance(outcome, Deferred) and not outcome.counted:
            # Behind all that waited before it: one address that upsets the relay holds up nobody.
            return now + timedelta(seconds=outcome.wait_s)
        # Spread by the row's number: a whole batch must not come back in one second.
        return retry_at(now, lease.attempt, crc32(str(lease.delivery_id).encode()) / 2**32)

    def _account(self, tried: Tried, *, recorded: bool) -> None:
        """Say what came of a try, in the log and to the caller."""
        lease, outcome = tried.lease, tried.outcome
        state = state_after(outcome)
        if not recorded:
            logger.warning("delivery.lease_lost %s", json.dumps({"delivery": lease.delivery_id}))
        details = {
            "delivery": lease.delivery_id,
            "attempt": lease.attempt,
            "reply": outcome.reply,
        }
        logger.info("delivery.%s %s", state, json.dumps(details))
        self.tally[state] += 1
        self._told(lease, outcome, state)

    async def _next(self) -> Made | None:
        """The next mail that is made; None when there is no further one."""
        made = await self._ready.get()
        if made is None:
            self._ready.put_nowait(None)  # for the other sessions
        return made

    async def _make_ahead(self) -> None:
        """Make what waits, some mails ahead of the sessions."""
        try:
            async with aclosing(mails(self._app, self._lease, self._app.processes)) as made:
                async for one in made:
                    await self._ready.put(one)
            await self._ready.put(None)
        except BaseException:
            self._troubled = True
            while not self._ready.empty():  # no session may wait for what never comes
                self._ready.get_nowait()
            self._ready.put_nowait(None)
            raise

    async def _lease(self) -> Sequence[Lease]:
        """Rows to make mails of; none while every relay rests, which would only give them back."""
        if self.paused or self._app.mailer.rest_s:
            return []
        return await self._clerk.lease(BATCH)

    async def _keep_leases(self) -> None:
        """Keep the leases of a living worker alive, renewed three times a lease."""
        while True:
            await asyncio.sleep(self._app.lease_s / 3)
            try:
                await self._clerk.renew()
            except StoreError as error:  # the next beat may get through before the lease ends
                logger.warning("lease.not_renewed %s", json.dumps({"reason": str(error)}))
