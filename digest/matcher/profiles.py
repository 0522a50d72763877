"""Profiles compiled into rows of numbers: standing queries.

Owns the rows. A row holds, for each unit of the lexicon that a profile looks for, its worth over
the profile's norm; a word that several keywords name counts once, by the highest of them. Rows are
canonical: the order of a profile's keywords changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice

from scipy.sparse import csr_matrix

from digest.matcher import formula
from digest.matcher.lexicon import Lexicon, Shares
from digest.matcher.likes import Likes
from digest.matcher.related import Related
from digest.matcher.rows import Row, Rows
from digest.model import Profile

OUT = -1e9
"""The weight of an exclusion: more than everything else together, so that no score is left."""

_CHUNK = 50_000
"""Profiles whose related terms are drawn at a time; bounds the memory of the way, not the result."""


class Profiles:
    """Compiled profiles, in the order given; `replace` and `append` touch one row only."""

    def __init__(self, lexicon: Lexicon, related: Related | None = None) -> None:
        self.lexicon = lexicon
        self.related = related
        self._own = Rows()
        self._weak = Rows()

    def __len__(self) -> int:
        return len(self._own)

    def extend(
        self, profiles: Iterable[Profile], likes: Sequence[Likes | None] | None = None
    ) -> None:
        """Take in further profiles at the end, with what each has liked."""
        source = iter(profiles)
        while chunk := list(islice(source, _CHUNK)):
            liked = likes[len(self) : len(self) + len(chunk)] if likes else [None] * len(chunk)
            taken = Rows()
            for profile in chunk:
                taken.append(make_row(self.lexicon, profile).row)
            own = taken.matrix(len(self.lexicon))
            if self.related:
                own, weak = self.related.widen(self.lexicon, chunk, own, liked)
                self._weak.extend(weak)
            self._own.extend(own)

    def append(self, profile: Profile, likes: Likes | None = None) -> int:
        """Take in one more; the answer is its index."""
        own, weak = self._rows_of(profile, likes)
        self._own.append(own)
        if self.related:
            self._weak.append(weak)
        return len(self) - 1

    def replace(self, index: int, profile: Profile, likes: Likes | None = None) -> None:
        """Put a changed profile in the place of the one at `index`."""
        own, weak = self._rows_of(profile, likes)
        self._own.replace(index, own)
        if self.related:
            self._weak.replace(index, weak)

    def _rows_of(self, profile: Profile, likes: Likes | None) -> tuple[Row, Row]:
        """Both rows of one profile; its related terms are drawn by a lexicon of its own."""
        row = make_row(self.lexicon, profile).row
        if not self.related:
            return row, ((), ())
        alone = Lexicon(self.lexicon.statistics)
        rows = Rows()
        rows.append(make_row(alone, profile).row)
        before = rows.matrix(len(alone))
        after, weak = self.related.widen(alone, [profile], before, [likes])
        share = float(after.data[0] / before.data[0]) if len(before.data) else 1.0
        return (row[0], [value * share for value in row[1]]), (weak.indices, weak.data)

    def own_matrix(self) -> csr_matrix:
        """One row for each profile, one column for each unit of the lexicon."""
        return self._own.matrix(len(self.lexicon))

    def weak_matrix(self) -> csr_matrix | None:
        """One row for each profile, one column for each related or learned feature, or None."""
        return self._weak.matrix(self.related.width) if self.related else None


@dataclass(frozen=True, slots=True)
class Made:
    """A profile's row, and whose each part of it is.

    `owner` names the keyword by which a unit counts for, `against` the keyword and value by which
    it counts against, `out` the exclusion.
    """

    row: Row
    norm: float
    owner: dict[int, str]
    against: dict[int, tuple[str, float]]
    out: dict[int, str]


def make_row(lexicon: Lexicon, profile: Profile) -> Made:
    """The row of one profile.

    Raises: KeywordError where a term is no keyword.
    """
    best: dict[int, float] = {}
    plain: dict[int, float] = {}
    joined: dict[int, float] = {}
    owner: dict[int, str] = {}
    against: dict[int, tuple[str, float]] = {}
    rarities: list[float] = []
    for term, weight in merge(profile):
        recipe = lexicon.recipe(term)
        strength = formula.strength(abs(weight))
        if weight < 0:
            value = -strength * recipe.rarity
            against[recipe.unit] = min(
                (term, value), against.get(recipe.unit, (term, 0.0)), key=_value
            )
            continue
        rarities.append(recipe.rarity)
        _take(recipe.shares, strength, best, owner, term)
        _take(recipe.joined, strength, joined, owner, term)
        for unit, worth in recipe.shares:
            plain[unit] = max(worth, plain.get(unit, 0.0))
    norm = formula.profile_norm(rarities, sum(best.values()), sum(plain.values()))
    row = {unit: value / norm for unit, value in (*best.items(), *joined.items())}
    for unit, (_, value) in against.items():
        row[unit] = row.get(unit, 0.0) + value / norm
    out = {lexicon.recipe(term).unit: term for term in sorted(profile.exclude)}
    row.update(dict.fromkeys(out, OUT))
    return Made((tuple(row), tuple(row.values())), norm, owner, against, out)


def _value(entry: tuple[str, float]) -> float:
    return entry[1]


def _take(
    shares: Shares, strength: float, best: dict[int, float], owner: dict[int, str], term: str
) -> None:
    """Let a keyword have those units for which it says most."""
    for unit, worth in shares:
        if strength * worth > best.get(unit, 0.0):
            best[unit] = strength * worth
            owner[unit] = term


def merge(profile: Profile) -> list[tuple[str, float]]:
    """The distinct terms with their weights in order of term; a term named twice counts once."""
    weights: dict[str, float] = {}
    for keyword in profile.keywords:
        known = weights.get(keyword.term)
        if known is None or abs(keyword.weight) > abs(known):
            weights[keyword.term] = keyword.weight
    return sorted(weights.items())
