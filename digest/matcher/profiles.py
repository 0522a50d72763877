"""Profiles compiled into rows of numbers: standing queries.

Owns the rows. A row holds, for each unit of the lexicon that a profile looks for, its worth over
the profile's norm; a word that several keywords name counts once, by the highest of them. Rows are
canonical: the order of a profile's keywords changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, diags, hstack

from digest.matcher import formula
from digest.matcher.finder import Longs, spread
from digest.matcher.learned import kept
from digest.matcher.lexicon import Lexicon, Shares, Table
from digest.matcher.likes import Likes
from digest.matcher.meaning import Meaning
from digest.matcher.related import Related
from digest.matcher.rows import LARGEST, Row, Rows
from digest.model import Keyword, Profile

Floats = NDArray[np.float64]
Entries = list[tuple[int, float]]

OUT = -1e9
"""The weight of an exclusion: more than everything else together, so that no score is left."""

APART = 64
"""So few further profiles are taken in one by one and widened by a lexicon of their own: neither
the table of what all look for nor the archive need be gone through again."""


class Profiles:
    """Compiled profiles, in the order given; `replace` and `append` touch one row only.

    A row holds weak columns first (dimensions of meaning, then related and learned features), then
    the units of the lexicon. `learned` says whether any row may have learned features.
    """

    def __init__(
        self, lexicon: Lexicon, related: Related | None = None, meaning: Meaning | None = None
    ) -> None:
        self.lexicon = lexicon
        self.related = related
        self.meaning = meaning
        self.rows = Rows()
        self.learned = False

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def weak_width(self) -> int:
        """How many weak columns stand before the units."""
        return self.dimensions + (self.related.width if self.related else 0)

    @property
    def dimensions(self) -> int:
        """How many of them, the first ones, are dimensions of meaning."""
        return self.meaning.width if self.meaning else 0

    def extend(
        self, profiles: Iterable[Profile], likes: Sequence[Likes | None] | None = None
    ) -> None:
        """Take in further profiles at the end, with what each of them has liked."""
        source, taken = iter(profiles), 0
        while chunk := list(islice(source, LARGEST)):
            liked = likes[taken : taken + len(chunk)] if likes else [None] * len(chunk)
            self.rows.extend(self._rows_of(chunk, liked))
            taken += len(chunk)

    def append(self, profile: Profile, likes: Likes | None = None) -> int:
        """Take in one more; the answer is its index."""
        self.rows.extend(self._rows_of([profile], [likes]))
        return len(self) - 1

    def replace(self, index: int, profile: Profile, likes: Likes | None = None) -> None:
        """Put a changed profile in the place of the one at `index`."""
        self.rows.replace(index, self._rows_of([profile], [likes]))

    def row(self, index: int) -> tuple[Entries, Entries]:
        """The weak and the own entries of one profile, as (column, value)."""
        low = self.weak_width
        entries = list(zip(*self.rows.row(index), strict=True))
        own = [(column - low, value) for column, value in entries if column >= low]
        return [entry for entry in entries if entry[0] < low], own

    def _rows_of(self, profiles: Sequence[Profile], likes: Sequence[Likes | None]) -> csr_matrix:
        rows = self._worded_rows(profiles, likes)
        if not self.meaning:
            return rows
        return hstack((self.meaning.rows(profiles), rows), format="csr")

    def _worded_rows(
        self, profiles: Sequence[Profile], likes: Sequence[Likes | None]
    ) -> csr_matrix:
        """The columns that are words."""
        few = len(profiles) <= APART
        own = (make_few if few else make_rows)(self.lexicon, profiles)
        if not self.related:
            return own
        lexicon, drawn_by = self.lexicon, own
        if few:
            lexicon = Lexicon(self.lexicon.statistics)
            drawn_by = make_rows(lexicon, profiles)
        self.learned = self.learned or any(likes)
        weak = self.related.weak_rows(lexicon, profiles, drawn_by, likes)
        if any(likes):
            own = diags(kept(likes)) @ own
        return hstack((weak, own), format="csr")


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
    """The distinct terms with their weights in order of term.

    A term named twice counts once, by the weight that is farther from 0.
    """
    weights: dict[str, float] = {}
    for keyword in profile.keywords:
        known = weights.get(keyword.term, 0.0)
        weights[keyword.term] = max(known, keyword.weight, key=lambda each: (abs(each), each))
    return sorted(weights.items())


# --- many at once -----------------------------------------------------------------------------


def make_few(lexicon: Lexicon, profiles: Sequence[Profile]) -> csr_matrix:
    """The rows of few profiles, one by one; takes no longer beside a million others."""
    rows = [make_row(lexicon, profile).row for profile in profiles]
    first = np.cumsum([0, *(len(columns) for columns, _ in rows)])
    columns = np.array([each for columns, _ in rows for each in columns], dtype=np.int32)
    values = np.array([each for _, values in rows for each in values], dtype=np.float32)
    made = csr_matrix((values, columns, first), shape=(len(rows), len(lexicon)))
    made.sort_indices()
    return made


def make_rows(lexicon: Lexicon, profiles: Sequence[Profile]) -> csr_matrix:
    """The rows of many profiles: what `make_row` gives for each, ten times faster."""
    asked, out = _asked(lexicon, profiles)
    width = len(lexicon)
    gains = _gains(lexicon.table(), asked.those(asked.weight > 0))
    losses = _losses(lexicon.table(), asked.those(asked.weight < 0), gains.norm)
    made = gains.matrix(width) + losses.matrix(width)
    if out:
        places = tuple(np.array(out).T)
        made = made + csr_matrix((np.full(len(out), OUT), places), shape=made.shape)
    return made.astype(np.float32).tocsr()


@dataclass(frozen=True, slots=True, eq=False)
class Parted:
    """Whose each part of the rows of some profiles is: what `make_row` names for one.

    Profile `who` has of `unit` the `value` by the keyword of recipe `term`, or keeps out what has
    it where `term` is -1.
    """

    who: Longs
    unit: Longs
    term: Longs
    value: Floats


def part_rows(lexicon: Lexicon, profiles: Sequence[Profile], ranks: Longs) -> Parted:
    """The rows of many profiles, parted; `ranks` puts the recipes in the order of their texts."""
    asked, out = _asked(lexicon, profiles)
    table, by_rank = lexicon.table(), np.argsort(ranks)
    gains = _gains(table, asked.those(asked.weight > 0))
    losses = _losses(table, asked.those(asked.weight < 0), gains.norm)
    banned = np.array(out, dtype=np.int64).reshape(-1, 2)
    return Parted(
        np.concatenate((gains.who, losses.who, banned[:, 0])),
        np.concatenate((gains.unit, losses.unit, banned[:, 1])),
        np.concatenate(
            (
                by_rank[gains.owner(ranks, np.minimum)],
                by_rank[losses.owner(ranks, np.maximum)],
                np.full(len(banned), -1),
            )
        ),
        np.concatenate((gains.value, losses.value, np.full(len(banned), OUT))),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Asked:
    """The keywords of many profiles: whose, which recipe, how strong; and how many profiles."""

    who: Longs
    term: Longs
    weight: Floats
    profiles: int

    def those(self, chosen: NDArray[np.bool_]) -> _Asked:
        """Some of the keywords."""
        return _Asked(self.who[chosen], self.term[chosen], self.weight[chosen], self.profiles)


def _asked(lexicon: Lexicon, profiles: Sequence[Profile]) -> tuple[_Asked, list[tuple[int, int]]]:
    """The keywords of profiles, and of whom which unit is kept out."""
    keywords = [_distinct(profile) for profile in profiles]
    terms = [keyword.term for each in keywords for keyword in each]
    numbers = {term: lexicon.number(term) for term in dict.fromkeys(terms)}
    asked = _Asked(
        who=np.repeat(np.arange(len(profiles)), np.array(list(map(len, keywords)), dtype=np.int64)),
        term=np.array([numbers[term] for term in terms], dtype=np.int64),
        weight=np.array([keyword.weight for each in keywords for keyword in each], dtype=float),
        profiles=len(profiles),
    )
    out = [
        (number, lexicon.recipe(each).unit)
        for number, profile in enumerate(profiles)
        if profile.exclude
        for each in set(profile.exclude)
    ]
    return asked, out


def _distinct(profile: Profile) -> Sequence[Keyword]:
    """The keywords, those named twice once."""
    if len({keyword.term for keyword in profile.keywords}) == len(profile.keywords):
        return profile.keywords
    return [Keyword(term, weight) for term, weight in merge(profile)]


@dataclass(frozen=True, slots=True, eq=False)
class _Claims:
    """What profiles have of units, over the norm, in order of both.

    Several keywords may claim a unit of a profile: those from each of `begins` on, by `term` with
    the worth `claimed`; the farthest from 0 has it.
    """

    who: Longs
    unit: Longs
    value: Floats
    norm: Floats
    begins: Longs
    term: Longs
    claimed: Floats

    def matrix(self, width: int) -> csr_matrix:
        """Profiles x units."""
        return csr_matrix((self.value, (self.who, self.unit)), shape=(len(self.norm), width))

    def owner(self, ranks: Longs, choose: np.ufunc) -> Longs:
        """The rank of the keyword that has each, the one that is chosen where several are even."""
        if not len(self.begins):
            return self.begins
        most = np.maximum.reduceat(self.claimed, self.begins)
        size = np.diff(self.begins, append=len(self.claimed))
        none = -1 if choose is np.maximum else len(ranks)
        claims = np.where(self.claimed == np.repeat(most, size), ranks[self.term], none)
        return np.asarray(choose.reduceat(claims, self.begins))


def _gains(table: Table, asked: _Asked) -> _Claims:
    """What counts for, over the norm of each profile."""
    who, term, many = asked.who, asked.term, asked.profiles
    size = table.first[term + 1] - table.first[term]
    at = spread(table.first[term], size)
    key = np.repeat(who, size) << 32 | table.unit[at]
    sort = np.argsort(key, kind="stable")
    key, at = key[sort], at[sort]
    value = np.repeat(formula.strengths(asked.weight), size)[sort] * table.worth[at]
    begins = np.flatnonzero(np.diff(key, prepend=-1))
    if not len(begins):
        return _Claims(begins, begins, np.zeros(0), np.ones(many), begins, begins, np.zeros(0))
    best = np.maximum.reduceat(value, begins)
    plain = np.maximum.reduceat(table.worth[at], begins)
    row, apart = key[begins] >> 32, ~table.joined[at[begins]]
    weighted = np.bincount(row[apart], best[apart], many)
    unweighted = np.bincount(row[apart], plain[apart], many)
    norm = np.sqrt(np.bincount(who, table.rarity[term] ** 2, many))
    share = np.divide(weighted, unweighted, where=unweighted > 0, out=np.ones(many))
    norm = np.where(unweighted > 0, norm * share**formula.WEIGHT_SHARE, 1.0)
    terms, unit = np.repeat(term, size)[sort], key[begins] & 0xFFFFFFFF
    return _Claims(row, unit, best / norm[row], norm, begins, terms, value)


def _losses(table: Table, asked: _Asked, norm: Floats) -> _Claims:
    """What counts against, over the norm; of two keywords for one thing the stronger."""
    key = asked.who << 32 | table.whole[asked.term]
    sort = np.argsort(key, kind="stable")
    value = (formula.strengths(-asked.weight) * table.rarity[asked.term])[sort]
    begins = np.flatnonzero(np.diff(key[sort], prepend=-1))
    if not len(begins):
        return _Claims(begins, begins, np.zeros(0), norm, begins, begins, np.zeros(0))
    most = np.maximum.reduceat(value, begins)
    row, unit = key[sort][begins] >> 32, key[sort][begins] & 0xFFFFFFFF
    return _Claims(row, unit, -most / norm[row], norm, begins, asked.term[sort], value)
