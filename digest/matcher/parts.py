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

    Those of profile `i` are from `first[i]` to `first[i + 1]`. `text` numbers `texts`, `rank` puts
    them in order; `owner` is the text of the keyword whose own word a related feature is, or -1.
    """

    first: Longs
    column: Longs
    value: Floats
    kind: Longs
    text: Longs
    owner: Longs
    texts: list[str]
    rank: Longs


@dataclass(frozen=True, slots=True, eq=False)
class Sum:
    """Parts of the sums of some pairs, in order of the pair: by which entry, and how much."""

    pair: Longs
    entry: Longs
    gives: Floats

    def those(self, chosen: NDArray[np.bool_] | Longs) -> Sum:
        """Some of the parts."""
        return Sum(self.pair[chosen], self.entry[chosen], self.gives[chosen])


def gathered(entries: Entries, parts: Sum) -> Sum:
    """The parts summed up by what gives them.

    A keyword counts with all its units, likeness in meaning with all its dimensions. A related
    term that is a keyword's own word goes to that keyword where it stands; a learned one never
    does.
    """
    kind, text = entries.kind[parts.entry], entries.text[parts.entry]
    size = len(entries.texts)
    key = (parts.pair * size + entries.rank[text]) * (OUT + 1) + kind
    begin = np.flatnonzero((np.diff(key, prepend=-1) != 0) | (kind >= RELATED))
    group = np.repeat(np.arange(len(begin)), np.diff(begin, append=len(key)))
    owned = np.flatnonzero((entries.owner[parts.entry] >= 0) & (kind == RELATED))
    if len(owned) and len(begin):
        owner = entries.owner[parts.entry[owned]]
        wanted = (parts.pair[owned] * size + entries.rank[owner]) * (OUT + 1) + OWN
        place = np.minimum(np.searchsorted(key[begin], wanted), len(begin) - 1)
        there = key[begin][place] == wanted
        group[owned[there]] = place[there]
    gives = summed(group, parts.gives, len(begin))
    kept = np.bincount(group, minlength=len(begin)) > 0
    return Sum(parts.pair[begin], parts.entry[begin], gives).those(kept)


def summed(where: Longs, values: Floats, many: int) -> Floats:
    """The sums of the values at each of so many places."""
    return np.bincount(where, values, many).astype(float)  # of no values it is an array of integers


def points_of(parts: Sum, totals: Floats, scores: Floats) -> tuple[Sum, Floats]:
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
    sort = np.lexsort((-points, parts.pair))  # even ones stay in their order
    sort = sort[points[sort] != 0]
    return parts.those(sort), points[sort]
