"""Finished bytes to a mail server, and what came of it as a value: the SMTP edge.

Chooses among relays by their weights and passes over those in trouble. Never renders, and never
decides when a recipient is tried again.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from time import monotonic

from digest.mailer.breaker import Chance, Clock
from digest.mailer.commons import Alone, Commons
from digest.mailer.dialling import Relay
from digest.mailer.envelope import Envelope, Permit, Session
from digest.mailer.limits import Limits, Provider
from digest.mailer.replies import Trouble
from digest.mailer.sharing import Sharing
from digest.mailer.trunk import Trunk
from digest.model import Deferred, Outcome

AGAIN_S = 120.0
"""Seconds after which a message that met trouble is tried again while its relay goes on."""

OVERLAP = 2
"""Messages under way for each connection: while one waits for its reply the next hands over its
envelope, where the server pipelines."""


class SmtpMailer:
    """Sends through one relay or several, beside the other processes that `commons` stands for."""

    def __init__(
        self,
        *relays: Relay,
        providers: Sequence[Provider] = (),
        commons: Commons | None = None,
        clock: Clock = monotonic,
        chance: Chance = random.random,
    ) -> None:
        self._made_of = relays, tuple(providers)
        self.workers = OVERLAP * sum(relay.connections for relay in relays)
        self._sharing = Sharing(commons or Alone(clock), clock)
        self._trunks = [Trunk(relay, self._sharing, clock, chance) for relay in relays]
        self._limits = Limits(providers, self._sharing, clock, chance)
        self._clock, self._chance = clock, chance
        self._open = 0
        self._leaving: asyncio.Future[None] | None = None

    @property
    def room(self) -> int:
        """Messages that may be under way now: each has a connection, or follows on one."""
        return OVERLAP * sum(trunk.usable for trunk in self._trunks)

    @property
    def rest_s(self) -> float:
        """Seconds until some relay may be tried; 0 when one may be now."""
        return min(trunk.breaker.rest_s for trunk in self._trunks)

    @property
    def resting(self) -> list[tuple[str, str]]:
        """(host, its last reply) of each relay that is left alone for its trouble now."""
        return [(one.relay.host, one.trouble) for one in self._trunks if one.resting]

    def hear(self) -> None:
        """Hear who rests, as other processes know it; an open session does so all the time.

        Raises: StoreError.
        """
        if not self._open:
            self._sharing.hear()

    def is_like(self, other: SmtpMailer) -> bool:
        """Whether it sends by the same settings: then what it has learned of them holds."""
        return self._made_of == other._made_of

    @asynccontextmanager
    async def session(self) -> AsyncIterator[Session]:
        """A way to the relays; connections are opened when needed and shared by all sessions."""
        self._open += 1
        try:
            if self._open == 1:
                self._joining = asyncio.ensure_future(self._join(self._leaving))
            await asyncio.shield(self._joining)
            yield self
        finally:
            self._open -= 1
            if not self._open:
                self._leaving = asyncio.ensure_future(self._leave())
                await asyncio.shield(self._leaving)

    async def _join(self, leaving: asyncio.Future[None] | None) -> None:
        """Come among the others again, once this process has left them."""
        if leaving and not leaving.done():
            await asyncio.wait({leaving})
        await self._sharing.join()

    async def _leave(self) -> None:
        """Close every line, and give back what was had of the others."""
        for trunk in self._trunks:
            await trunk.quit()
        await self._sharing.leave()

    async def send(self, envelope: Envelope, permit: Permit) -> Outcome:
        """Send one message; whatever happens comes back as a value."""
        provider = self._limits.provider_of(envelope.recipient.rpartition("@")[2].lower())
        if wait := await self._limits.begin(provider):
            return Deferred(wait.reason, wait_s=wait.wait_s)
        begun, outcome = self._clock(), None
        try:
            outcome = await self._send(envelope, permit)
        finally:
            self._limits.end(provider, outcome, self._clock() - begun)
        return outcome

    async def _send(self, envelope: Envelope, permit: Permit) -> Outcome:
        """What the first relay that is not in trouble made of it."""
        left = list(self._trunks)
        last: Trouble | None = None
        while trunk := self._choice(left):
            left.remove(trunk)
            outcome = await trunk.send(envelope, permit)
            if not isinstance(outcome, Trouble):
                return outcome
            last = outcome
        return self._put_off(last)

    def _choice(self, trunks: Sequence[Trunk]) -> Trunk | None:
        """The next of these that is not resting; those of weight 0 when no other is left.

        Smooth weighted rounds, among those with a free connection if there are any.
        """
        ready = [one for one in trunks if not one.resting and not one.breaker.probing]
        # While a probe is out, to wait for it is better than to give up.
        ready = ready or [one for one in trunks if not one.resting]
        ready = [one for one in ready if one.relay.weight] or ready
        ready = [one for one in ready if one.roomy] or ready
        if not ready:
            return None
        weights = [max(1, one.relay.weight) for one in ready]
        for one, weight in zip(ready, weights, strict=True):
            one.credit += weight
        best = max(ready, key=lambda one: one.credit)
        best.credit -= sum(weights)
        return best

    def _put_off(self, last: Trouble | None) -> Deferred:
        """A message that no relay took: the run pauses when all of them rest."""
        resting = [trouble for one in self._trunks if (trouble := one.resting)]
        told = last or resting[0]
        if len(resting) == len(self._trunks):
            return Deferred(told.reply, told.code, relay=True)
        wait_s = AGAIN_S * (1 + self._chance())
        return Deferred(told.reply, told.code, wait_s=wait_s)
