"""Profiles compiled into rows of numbers: standing queries.

Owns the rows. A row holds, for each column of the lexicon that a profile uses, its weight over the
profile's norm. Rows are canonical: the order of a profile's keywords changes nothing.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence

import numpy as np
from scipy.sparse import csr_matrix

from digest.matcher import formula
from digest.matcher.lexicon import Lexicon, Role
from digest.model import Profile

OUT = -1e9
"""The weight of an exclusion: more than everything else together, so that no score is left."""

Row = tuple[list[int], list[float]]


class Profiles:
    """Compiled profiles, in the order given; `replace` and `append` touch one row only."""

    def __init__(self, lexicon: Lexicon) -> None:
        self.lexicon = lexicon
        self._columns = array("i")
        self._weights = array("f")
        self._first = array("q", [0])
        self._changed: dict[int, Row] = {}

    def __len__(self) -> int:
        return len(self._first) - 1

    def extend(self, profiles: Iterable[Profile]) -> None:
        """Take in further profiles at the end."""
        for profile in profiles:
            columns, weights = self.row(profile)
            self._columns.extend(columns)
            self._weights.extend(weights)
            self._first.append(len(self._columns))

    def append(self, profile: Profile) -> int:
        """Take in one more; the answer is its index."""
        self.extend([profile])
        return len(self) - 1

    def replace(self, index: int, profile: Profile) -> None:
        """Put a changed profile in the place of the one at `index`."""
        if not 0 <= index < len(self):
            raise IndexError(index)
        self._changed[index] = self.row(profile)

    def row(self, profile: Profile) -> Row:
        """Columns and weights of one profile, without taking it in."""
        lexicon = self.lexicon
        wanted = merge(profile)
        columns = [lexicon.column(Role.FOR if w > 0 else Role.AGAINST, t) for t, w in wanted]
        weights = np.array([weight for _, weight in wanted], dtype=float)
        rarities = np.array([lexicon.rarities[c] for c in columns], dtype=float)
        up = weights > 0
        weights = weights / formula.profile_norm(weights[up], rarities[up])
        outs = [lexicon.column(Role.OUT, term) for term in sorted(set(profile.exclude))]
        return [*columns, *outs], [*weights.tolist(), *[OUT] * len(outs)]

    def matrix(self) -> csr_matrix:
        """One row for each profile, one column for each of the lexicon, float32."""
        if self._changed:
            self._splice()
        return csr_matrix(
            (
                np.frombuffer(self._weights, dtype=np.float32),
                np.frombuffer(self._columns, dtype=np.int32),
                np.frombuffer(self._first, dtype=np.int64),
            ),
            shape=(len(self), len(self.lexicon.columns)),
            copy=False,
        )

    def _splice(self) -> None:
        """Write the changed rows into their places, in one pass over the arrays."""
        columns, weights, first = array("i"), array("f"), array("q", [0])
        kept = 0
        for index in [*sorted(self._changed), len(self)]:
            low, high = self._first[kept], self._first[index]
            shift = len(columns) - low
            columns += self._columns[low:high]
            weights += self._weights[low:high]
            first.extend((np.asarray(self._first[kept + 1 : index + 1]) + shift).tolist())
            if index < len(self):
                row = self._changed[index]
                columns.extend(row[0])
                weights.extend(row[1])
                first.append(len(columns))
            kept = index + 1
        self._columns, self._weights, self._first = columns, weights, first
        self._changed = {}


def merge(profile: Profile) -> list[tuple[str, float]]:
    """The distinct terms with their weights in order of term; a term named twice counts once."""
    weights: dict[str, float] = {}
    for keyword in profile.keywords:
        known = weights.get(keyword.term)
        if known is None or abs(keyword.weight) > abs(known):
            weights[keyword.term] = keyword.weight
    return sorted(weights.items())


def compile_profiles(lexicon: Lexicon, profiles: Sequence[Profile] | Iterable[Profile]) -> Profiles:
    """These profiles, compiled."""
    compiled = Profiles(lexicon)
    compiled.extend(profiles)
    return compiled
