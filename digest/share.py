"""A share of the subscribers: what one worker of several takes up at a time.

Subscribers are dealt out by their numbers into buckets that never change, so that an index can have
them; a share is some of these buckets. Shares are for speed alone, lest workers meet at the same
rows: whose a row is, the ledger says.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

BUCKETS = 32
"""The bucket of a subscriber is their number modulo this; it stands in an index, so it stays."""


@dataclass(frozen=True, slots=True)
class Share:
    """The subscribers whose buckets, modulo `of`, leave `number`; 0 <= number < of <= BUCKETS."""

    number: int = 0
    of: int = 1

    @property
    def buckets(self) -> Sequence[int]:
        """Its buckets, in ascending order."""
        return range(self.number, BUCKETS, self.of)

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"


EVERYBODY = Share()


def shares(count: int) -> list[Share]:
    """Everybody in so many shares, each subscriber in one of them; at most BUCKETS."""
    of = min(max(1, count), BUCKETS)
    return [Share(number, of) for number in range(of)]
