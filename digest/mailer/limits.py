"""How much a receiver gets at a time: a message over the limit waits its turn and blocks nobody.

Receivers are grouped by who runs them: gmail.com and googlemail.com count together. A receiver that
refuses us as such rests (Q11). All that holds for every process of the service together.
"""

from __future__ import annotations

import json
import logging
import random
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from time import monotonic

from digest.allowance import Limit, Rest
from digest.mailer.breaker import Breaker, Chance, Clock
from digest.mailer.commons import Alone
from digest.mailer.replies import is_policy
from digest.mailer.sharing import Sharing
from digest.model import Deferred, Outcome

logger = logging.getLogger("digest")

KNOWN: Mapping[str, re.Pattern[str]] = {
    "google": re.compile(r"(gmail|googlemail)\.com"),
    "microsoft": re.compile(r"(outlook|hotmail|live)(\.[a-z]{2,3}){1,2}|msn\.com|passport\.com"),
    "yahoo": re.compile(
        r"yahoo(\.[a-z]{2,3}){1,2}|(ymail|rocketmail|aol|aim|verizon|netscape)\.(com|net)"
    ),
}
"""The great receivers and the domains that they keep mailboxes under."""

USUAL_S = 1.0
"""Seconds that a message takes, before one was measured."""

PROBE_S = 30.0
"""Seconds for which others wait while one message tries whether a receiver takes mail again."""

PROVIDER_REST_S = 300.0
PROVIDER_LONGEST_S = 6 * 3600.0


@dataclass(frozen=True, slots=True)
class Provider:
    """A receiver and what it takes of us; `domains` beside those that are known by its name."""

    name: str
    domains: tuple[str, ...] = ()
    connections: int | None = None
    per_minute: int | None = None
    per_hour: int | None = None

    @property
    def limits(self) -> tuple[Limit, ...]:
        """Its limits in time."""
        limits = ((self.per_minute, 60.0), (self.per_hour, 3600.0))
        return tuple(Limit(mails, seconds) for mails, seconds in limits if mails)


@lru_cache(maxsize=4096)
def known_provider(domain: str) -> str:
    """Who keeps this domain, as far as that is known; else the domain itself."""
    return next((name for name, known in KNOWN.items() if known.fullmatch(domain)), domain)


@dataclass(frozen=True, slots=True)
class Wait:
    """Why a message is not tried now, and the seconds after which it may be."""

    reason: str
    wait_s: float


class Limits:
    """Which messages may go to whom now."""

    def __init__(
        self,
        providers: Sequence[Provider],
        sharing: Sharing,
        clock: Clock = monotonic,
        chance: Chance = random.random,
    ) -> None:
        self._clock, self._chance = clock, chance
        self._sharing = sharing
        self._limits = {one.name: one for one in providers}
        self._names = {domain: one.name for one in providers for domain in one.domains}
        self._under_way: Counter[str] = Counter()
        self._quotas = {
            one.name: sharing.quota(_name(one.name), one.connections, self._held(one.name))
            for one in providers
            if one.connections
        }
        self._line = Alone(clock)
        self._took_s: dict[str, float] = defaultdict(lambda: USUAL_S)
        self._resting: dict[str, Breaker] = {}
        sharing.followers.append(self._follow)

    def provider_of(self, domain: str) -> str:
        """The name of the receiver that keeps this domain; its own where none is known."""
        return self._names.get(domain) or known_provider(domain)

    async def begin(self, provider: str) -> Wait | None:
        """Take a place for one message; `end` gives it back. Or why there is none.

        Raises: StoreError.
        """
        breaker = self._resting.get(provider)
        if breaker and not await self._may_try(provider, breaker):
            wait_s = self._after(max(breaker.rest_s, PROBE_S))
            return Wait(f"{provider} refuses our mail; it rests", wait_s)
        try:
            wait = await self._over(provider)
        except BaseException:
            if breaker:
                breaker.end()
            raise
        if wait and breaker:
            breaker.end()
        return wait

    async def _may_try(self, provider: str, breaker: Breaker) -> bool:
        """Whether a message to a receiver that was in trouble may be tried; maybe as the probe."""
        if breaker.wary and not await self._sharing.may_probe(_name(provider), breaker):
            return False
        return breaker.begin()

    async def _over(self, provider: str) -> Wait | None:
        """Why a message would be over its receiver's limits; else it is under way."""
        quota, known = self._quotas.get(provider), self._limits.get(provider)
        if quota and not await self._sharing.has_room(quota):
            # Come back one by one, as fast as this receiver has been taking them.
            pace_s = self._took_s[provider] / quota.most
            wait_s = self._line.place(provider, 1 / pace_s, 1) + pace_s
            return Wait(f"{provider} has {quota.most} messages under way", max(wait_s, 1.0))
        self._under_way[provider] += 1
        if not (known and known.limits):
            return None
        try:
            wait_s = await self._sharing.book(_name(provider), known.limits)
        except BaseException:
            self._give_back(provider)
            raise
        if not wait_s:
            return None
        self._give_back(provider)
        return Wait(f"{provider} has had what its limits allow for now", self._after(wait_s))

    def _held(self, provider: str) -> Callable[[], int]:
        return lambda: self._under_way[provider]

    def end(self, provider: str, outcome: Outcome | None, took_s: float) -> None:
        """Give a place back, and learn from what came of the message."""
        self._give_back(provider)
        if provider in self._limits:
            self._took_s[provider] += (took_s - self._took_s[provider]) / 8
        if outcome and is_policy(outcome):
            self._refused(provider, outcome)
        elif breaker := self._resting.get(provider):
            breaker.end()
            untried = isinstance(outcome, Deferred) and not outcome.counted
            if outcome and not untried and breaker.fine():
                logger.info("provider.back %s", json.dumps({"provider": provider}))
                self._sharing.tell(_name(provider), None)
            self._forget(provider)

    def _give_back(self, provider: str) -> None:
        self._under_way[provider] -= 1
        if not self._under_way[provider]:
            del self._under_way[provider]

    def _forget(self, provider: str) -> None:
        """Keep nothing of a receiver with which all is well."""
        breaker = self._resting[provider]
        if not breaker.wary and not breaker.rest_s:
            del self._resting[provider]

    def _refused(self, provider: str, outcome: Outcome) -> None:
        breaker = self._breaker(provider)
        if rest_s := breaker.trouble():
            told = {"provider": provider, "rest_s": round(rest_s), "reply": outcome.reply}
            logger.warning("provider.resting %s", json.dumps(told))
            self._sharing.tell(_name(provider), Rest(breaker.rests, rest_s, outcome.reply))

    def _breaker(self, provider: str) -> Breaker:
        return self._resting.setdefault(
            provider,
            Breaker(
                self._clock, self._chance, first_s=PROVIDER_REST_S, longest_s=PROVIDER_LONGEST_S
            ),
        )

    def _follow(self, board: Mapping[str, Rest]) -> None:
        """Let those rest whom others have found to refuse us, and those go on who no longer do."""
        resting = {
            name.removeprefix(_name("")): rest
            for name, rest in board.items()
            if name.startswith(_name(""))
        }
        for provider, rest in resting.items():
            self._breaker(provider).learn(rest)
        for provider in self._resting.keys() - resting.keys():
            self._resting[provider].learn(None)

    def _after(self, wait_s: float) -> float:
        """That wait and up to a tenth more: not all at one second."""
        return max(wait_s, 1.0) * (1 + self._chance() / 10)


def _name(provider: str) -> str:
    """What a receiver is called among all that processes have in common."""
    return f"receiver {provider}"
