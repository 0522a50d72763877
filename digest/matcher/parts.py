"""The parts of many sums: what gives them, summed up, in points.

Owns what becomes of the entries that a profile and a listing have in common.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from digest.matcher.finder import Longs
from digest.matcher.profiles import Floats

OWN, MEANT, RELATED, LEARNED, OUT = range(5)
"""What an entry of a profile's row is: a keyword's, what it means, a weak feature, an exclusion."""


@dataclass(frozen=True, slots=True, eq=False)
class Entries:
    """The rows of some profiles, taken apart: entries in order of profile, text and kind.

    Those of profile `i` are from `first[i]` to `first[i + 1]`. `text` numbers `texts`. Entries of
    one `group` give one part; `owner` is the group of the keyword whose own word a related feature
    is, or -1.
    """

    first: Longs
    column: Longs
    value: Floats
    kind: Longs
    text: Longs
    group: Longs
    owner: Longs
    texts: list[str]


@dataclass(frozen=True, slots=True, eq=False)
class Sum:
    """Parts of the sums of some pairs, in order of the pair: by which entry, and how much."""

    pair: Longs
    entry: Longs
    gives: Floats

    def those(self, chosen: NDArray[np.bool_] | Longs) -> Sum:
        """Some of the parts."""
        return Sum(self.pair[chosen], self.entry[chosen], self.gives[chosen])


def grouped(whose: Longs, place: Longs, kind: Longs, owner: Longs) -> tuple[Longs, Longs]:
    """The group of each entry, and that of its owner or -1.

    `place` puts the texts of a profile in order, `owner` is the place of a keyword's text or -1.
    A keyword has one group with all its units, likeness in meaning one with all its dimensions;
    everything else is on its own.
    """
    key = (whose * (place.max(initial=0) + 1) + place) * (OUT + 1) + kind
    begins = (np.diff(key, prepend=-1) != 0) | (kind >= RELATED)
    group = np.cumsum(begins) - 1
    wanted = (whose * (place.max(initial=0) + 1) + owner) * (OUT + 1) + OWN
    at = np.minimum(np.searchsorted(key, wanted), max(0, len(key) - 1))
    return group, np.where((owner >= 0) & (kind == RELATED), group[at], -1)


def gathered(entries: Entries, parts: Sum) -> Sum:
    """The parts summed up by what gives them.

    A related term that is a keyword's own word goes to that keyword where it stands; a learned one
    never does.
    """
    key = parts.pair * (len(entries.group) + 1) + entries.group[parts.entry]
    begin = np.flatnonzero(np.diff(key, prepend=-1))
    group = np.repeat(np.arange(len(begin)), np.diff(begin, append=len(key)))
    owner = entries.owner[parts.entry]
    owned = np.flatnonzero(owner >= 0)
    if len(owned):
        known = key[begin]
        wanted = parts.pair[owned] * (len(entries.group) + 1) + owner[owned]
        place = np.minimum(np.searchsorted(known, wanted), len(begin) - 1)
        there = known[place] == wanted
        group[owned[there]] = place[there]
    gives = summed(group, parts.gives, len(begin))
    kept = np.flatnonzero(np.bincount(group, minlength=len(begin)))
    begin = begin[kept]
    return Sum(parts.pair[begin], parts.entry[begin], gives[kept])


def summed(where: Longs, values: Floats, many: int) -> Floats:
    """The sums of the values at each of so many places."""
    return np.bincount(where, values, many).astype(float)  # of no values it is an array of integers


def points_of(parts: Sum, totals: Floats, scores: Floats) -> tuple[Sum, NDArray[np.float32]]:
    """The parts of each pair with their points, most points first; they add up to its score.

    `totals` are the sums that became the scores.
    """
    many, gives = len(totals), parts.gives
    gained = summed(parts.pair, np.maximum(gives, 0), many)
    lost = summed(parts.pair, np.maximum(-gives, 0), many)
    passed = totals > 0
    gain = np.divide(scores, totals, where=passed, out=np.ones(many))
    # What counts against outweighs the rest: scaled so that both sum to 0.
    evened = np.divide(gained, lost, where=lost > 0, out=np.zeros(many))
    loss = np.where(passed, gain, evened)
    points = (gives * np.where(gives > 0, gain[parts.pair], loss[parts.pair])).astype(np.float32)
    some = np.flatnonzero(points)
    sort = some[_falling(parts.pair[some], points[some])]
    return parts.those(sort), points[sort]


def _falling(pair: Longs, points: NDArray[np.float32]) -> Longs:
    """The order by pair, most points first, even ones as they are.

    As whole numbers, which are in the order of the fractions that have the same bits: to sort by
    two keys takes four times as long.
    """
    bits = (-points).view(np.int32)
    return np.argsort((pair << 32) + (bits ^ (bits >> 31 & 0x7FFFFFFF)), kind="stable")
