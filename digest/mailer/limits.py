"""How much a receiver gets at a time: a message over the limit waits its turn and blocks nobody.

Receivers are grouped by who runs them: gmail.com and googlemail.com count together. A receiver that
refuses us as such rests (Q11). Rates are kept behind a protocol, so that several processes can
share them later; who rests and how many messages are under way is each process's own knowledge.
"""

from __future__ import annotations

import json
import logging
import random
import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from time import monotonic
from typing import Protocol

from digest.mailer.breaker import Breaker, Chance, Clock
from digest.mailer.replies import is_policy
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
    def rates(self) -> tuple[tuple[int, float], ...]:
        """(messages, seconds) of each limit."""
        limits = ((self.per_minute, 60.0), (self.per_hour, 3600.0))
        return tuple((count, seconds) for count, seconds in limits if count)


class Rates(Protocol):
    """Who counts what was sent."""

    def book(self, key: str, limits: Sequence[tuple[int, float]]) -> float:
        """0 and one more counted when all limits allow it, else seconds to come back after.

        Each that is sent away gets a later moment than the one before, so that they do not all come
        back at once. `limits` are (messages, seconds).
        """


class LocalRates:
    """The counts of this process."""

    def __init__(self, clock: Clock = monotonic) -> None:
        self._clock = clock
        self._next: dict[tuple[str, float], float] = {}
        self._line: dict[tuple[str, float], float] = {}

    def book(self, key: str, limits: Sequence[tuple[int, float]]) -> float:
        """See `Rates`. A virtual schedule: each message moves the next one's moment on.

        Up to a tenth of a window's messages may go at once.
        """
        now = self._clock()
        wait_s = 0.0
        for count, seconds in limits:
            early_s = seconds * max(1, count // 10) / count
            over_s = self._next.get((key, seconds), now) - now - early_s + seconds / count
            if over_s > 1e-9:  # sums of fractions are not exact
                begin = max(self._line.get((key, seconds), now), now + over_s - seconds / count)
                self._line[key, seconds] = begin + seconds / count
                wait_s = max(wait_s, self._line[key, seconds] - now)
        if not wait_s:
            for count, seconds in limits:
                after = max(self._next.get((key, seconds), now), now) + seconds / count
                self._next[key, seconds] = after
        return wait_s


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
        providers: Sequence[Provider] = (),
        rates: Rates | None = None,
        clock: Clock = monotonic,
        chance: Chance = random.random,
    ) -> None:
        self._clock, self._chance = clock, chance
        self._rates = rates or LocalRates(clock)
        self._limits = {one.name: one for one in providers}
        self._names = {domain: one.name for one in providers for domain in one.domains}
        self._under_way: Counter[str] = Counter()
        self._took_s: dict[str, float] = defaultdict(lambda: USUAL_S)
        self._resting: dict[str, Breaker] = {}

    def provider_of(self, domain: str) -> str:
        """The name of the receiver that keeps this domain; its own where none is known."""
        return self._names.get(domain) or known_provider(domain)

    def begin(self, provider: str) -> Wait | None:
        """Take a place for one message; `end` gives it back. Or why there is none."""
        breaker = self._resting.get(provider)
        if breaker and not breaker.begin():
            wait_s = self._after(max(breaker.rest_s, PROBE_S))
            return Wait(f"{provider} refuses our mail; it rests", wait_s)
        limits = self._limits.get(provider)
        if limits and (wait := self._over(limits)):
            if breaker:
                breaker.end()
            return wait
        self._under_way[provider] += 1
        return None

    def _over(self, limits: Provider) -> Wait | None:
        name = limits.name
        if limits.connections and self._under_way[name] >= limits.connections:
            # Come back one by one, as fast as this receiver has been taking them.
            pace = (1, self._took_s[name] / limits.connections)
            wait_s = self._rates.book(f"{name}/connections", (pace,))
            return Wait(f"{name} has {limits.connections} messages under way", max(wait_s, 1.0))
        if limits.rates and (wait_s := self._rates.book(name, limits.rates)):
            return Wait(f"{name} has had what its limits allow for now", self._after(wait_s))
        return None

    def end(self, provider: str, outcome: Outcome | None, took_s: float) -> None:
        """Give a place back, and learn from what came of the message."""
        self._under_way[provider] -= 1
        if not self._under_way[provider]:
            del self._under_way[provider]
        if provider in self._limits:
            self._took_s[provider] += (took_s - self._took_s[provider]) / 8
        if outcome and is_policy(outcome):
            self._refused(provider, outcome)
        elif breaker := self._resting.get(provider):
            breaker.end()
            untried = isinstance(outcome, Deferred) and not outcome.counted
            if outcome and not untried and breaker.fine():
                logger.info("provider.back %s", json.dumps({"provider": provider}))
            if not breaker.wary and not breaker.rest_s:
                del self._resting[provider]

    def _refused(self, provider: str, outcome: Outcome) -> None:
        breaker = self._resting.setdefault(
            provider,
            Breaker(
                self._clock, self._chance, first_s=PROVIDER_REST_S, longest_s=PROVIDER_LONGEST_S
            ),
        )
        if rest_s := breaker.trouble():
            told = {"provider": provider, "rest_s": round(rest_s), "reply": outcome.reply}
            logger.warning("provider.resting %s", json.dumps(told))

    def _after(self, wait_s: float) -> float:
        """That wait and up to a tenth more: not all at one second."""
        return max(wait_s, 1.0) * (1 + self._chance() / 10)
