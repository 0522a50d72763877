"""What examples suggest changing in a profile: weighted terms, each with its evidence.

Owns the proposals. Any listings can be the examples: liked ones, those of a library, one alone.
Nothing here changes a profile; `digest.tuning` does that with what was agreed to.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from digest.errors import KeywordError
from digest.language.stems import stem
from digest.language.terms import check_term
from digest.language.words import TOPICLESS, fold, split
from digest.matcher.lexicon import Lexicon
from digest.matcher.likes import Likes, Teacher
from digest.matcher.reading import Batch, read
from digest.matcher.scoring import count_units, evidence
from digest.matcher.space import Space
from digest.matcher.statistics import Statistics
from digest.model import Keyword, Listing, Profile

Floats = NDArray[np.float64]

MOST = 8
"""Proposals of each kind: what a person reads through."""

STRONGEST, WEAKEST = 3.0, 0.5
"""The weights that a proposal may have: a learned term never outweighs a wish by much."""

AGAINST = 0.5
"""How much a term against weighs beside one for: a dislike says less clearly what it is about."""

APART = 2.0
"""How many times as often one side must hold a term as the other; likewise against all listings."""

SHARED = 20
"""One in so many examples must hold a term, and two at least: one paper's words are no taste."""

TOO_COMMON = 0.2
"""A term in more than this share of all listings says nothing of any of them."""


class Kind(StrEnum):
    """What a proposal does to a profile; `against` is a new term that pushes down."""

    RAISE = "raise"
    LOWER = "lower"
    ADD = "add"
    AGAINST = "against"


@dataclass(frozen=True, slots=True)
class Proposal:
    """A term with the weight proposed and the one that it has now (0: none), and the evidence.

    `liked` and `disliked` are how many of the examples hold it, out of `of_liked` and
    `of_disliked`; `usual` is the share of all stored listings that do; `held_by` names examples.
    """

    kind: Kind
    term: str
    weight: float
    before: float
    liked: int
    of_liked: int
    disliked: int
    of_disliked: int
    usual: float
    held_by: tuple[Listing, ...] = ()

    @property
    def evidence(self) -> str:
        """`in 7 of 12 liked listings, in 1 of 3 disliked ones, in 1.2% of all`."""
        counts = [f"in {self.liked} of {self.of_liked} liked listings"] if self.of_liked else []
        if self.of_disliked:
            noun = "ones" if counts else "listings"
            counts.append(f"in {self.disliked} of {self.of_disliked} disliked {noun}")
        return ", ".join([*counts, f"in {self.usual:.1%} of all"])


@dataclass(frozen=True, slots=True, eq=False)
class _Ground:
    """What the examples are seen against."""

    profile: Profile
    examples: Likes
    space: Space
    archive: Batch
    statistics: Statistics
    teacher: Teacher

    def expected(self, usual: Floats, rarities: Sequence[float]) -> Floats:
        """The share of listings that a rarity stands for, or the stored one if that is less.

        In a store of a few days a liked topic can be half of everything; the statistics know more.
        """
        judged: Floats = np.minimum(usual, shares(self.statistics, rarities))
        return judged


@dataclass(frozen=True, slots=True, eq=False)
class Held:
    """Which examples hold some terms (terms x examples), and the share of all that do.

    `usual` is the share of stored listings, `expected` the one to judge by.
    """

    examples: Likes
    liked: NDArray[np.bool_]
    disliked: NDArray[np.bool_]
    usual: Floats
    expected: Floats

    def speaks(self, at: int, *, against: bool = False) -> bool:
        """Whether a side holds a term clearly more often than the other does, and than is usual."""
        sides = self.liked[at], self.disliked[at]
        side, other = sides[::-1] if against else sides
        usual, examples = self.expected[at], len(side) + len(other)
        share, beside = ((x.sum() + usual) / (len(x) + 1) for x in (side, other))
        enough = 1 if examples == 1 else max(2, len(side) // SHARED)
        return bool(side.sum() >= enough and share >= APART * max(beside, usual))

    def proposal(self, at: int, kind: Kind, wanted: Keyword, before: float = 0.0) -> Proposal:
        """The proposal of a term with its evidence; the listings of the side that speaks."""
        liked, disliked = self.liked[at], self.disliked[at]
        down = kind in {Kind.LOWER, Kind.AGAINST}
        side, holds = (self.examples.disliked, disliked) if down else (self.examples.liked, liked)
        return Proposal(
            kind=kind,
            term=wanted.term,
            weight=wanted.weight,
            before=before,
            liked=int(liked.sum()),
            of_liked=len(liked),
            disliked=int(disliked.sum()),
            of_disliked=len(disliked),
            usual=float(self.usual[at]),
            held_by=tuple(listing for listing, has in zip(side, holds, strict=True) if has),
        )


def propose(
    profile: Profile, examples: Likes, stored: Sequence[Listing], statistics: Statistics
) -> list[Proposal]:
    """What the examples suggest: at most 8 of each kind, the strongest of each first.

    The examples are compared with the stored listings, and need not be among them.
    """
    if not (examples.liked or examples.disliked):
        return []
    named = {listing.key: listing for listing in (*stored, *examples.liked, *examples.disliked)}
    whole = read(list(named.values()))
    archive = read(stored) if stored else whole
    space = Space(whole, statistics)
    ground = _Ground(profile, examples, space, archive, statistics, Teacher(space, archive))
    return [*_changed(ground), *_new(Kind.ADD, ground), *_new(Kind.AGAINST, ground)]


def shares(statistics: Statistics, rarities: Sequence[float]) -> Floats:
    """The share of listings that each rarity stands for: `formula.rarity` turned around."""
    listings = max(1, statistics.listings)
    known = ((listings + 1) / np.exp(np.array(rarities, dtype=float)) - 0.5) / listings
    found: Floats = np.clip(known, 0.0, 1.0)
    return found


# --- keywords that the profile has ------------------------------------------------------------


def _changed(ground: _Ground) -> list[Proposal]:
    """Keywords that the examples speak for or against, by how clearly they do."""
    lexicon, examples = Lexicon(ground.statistics), ground.examples
    keywords = ground.profile.keywords
    units = [lexicon.recipe(keyword.term).unit for keyword in keywords]
    usual = standing(lexicon, units, ground.archive).mean(axis=1)
    expected = ground.expected(usual, [lexicon.rarities[unit] for unit in units])
    liked, disliked = (
        standing(lexicon, units, read(each)) for each in (examples.liked, examples.disliked)
    )
    held = Held(examples, liked, disliked, usual, expected)
    found = [
        held.proposal(at, kind, Keyword(keyword.term, weight), keyword.weight)
        for at, keyword in enumerate(keywords)
        for kind, weight in change_of(keyword, held, at)
    ]
    found.sort(key=lambda each: (-max(each.liked, each.disliked), each.term))
    raised = [each for each in found if each.kind is Kind.RAISE][:MOST]
    return raised + [each for each in found if each.kind is Kind.LOWER][:MOST]


def change_of(keyword: Keyword, held: Held, at: int) -> Iterator[tuple[Kind, float]]:
    """The kind of change that a keyword calls for, with its new weight; none for most."""
    weight = keyword.weight
    if held.speaks(at):
        if 0 < weight < STRONGEST:
            yield Kind.RAISE, min(STRONGEST, max(WEAKEST, _rounded(weight * 1.5)))
        elif weight < 0:
            yield Kind.RAISE, _rounded(weight / 2)
    elif weight > 0 and held.speaks(at, against=True):
        yield Kind.LOWER, _rounded(weight / 2)


def _rounded(weight: float) -> float:
    """The weight to a tenth, never 0."""
    return round(weight, 1) or (0.1 if weight > 0 else -0.1)


def standing(lexicon: Lexicon, units: Sequence[int], batch: Batch) -> NDArray[np.bool_]:
    """Units x listings: whether each stands in each as a whole."""
    if not units or not len(batch):
        return np.zeros((len(units), len(batch)), dtype=bool)
    said = evidence(lexicon, batch, count_units(lexicon, batch))
    return np.asarray((said[units] > 0).toarray())


# --- terms that it does not have --------------------------------------------------------------


def _new(kind: Kind, ground: _Ground) -> list[Proposal]:
    """Terms that part one side of the examples from the stored listings."""
    turned, space, examples = kind is Kind.AGAINST, ground.space, ground.examples
    sides = Likes(examples.disliked, examples.liked) if turned else examples
    if not sides.liked:
        return []
    row = ground.teacher.learn([Likes(sides.liked, sides.disliked)]).tocsr()
    order = np.argsort(-row.data, kind="stable")
    features = row.indices[order].tolist()
    strength = row.data[order] / max(float(row.data.max(initial=0.0)), 1e-9)
    held = _features_held(ground, features)
    side = held.disliked if turned else held.liked
    terms = [space.show(feature) for feature in features]
    rest = Apart(ground.profile)
    found = []
    for at in sorted(range(len(terms)), key=lambda at: (-_words(terms[at]), at)):
        clear = held.speaks(at, against=turned) and held.expected[at] <= TOO_COMMON
        if not clear or not rest.takes(terms[at], int(side[at].sum())):
            continue
        weight = round(max(WEAKEST, STRONGEST * float(strength[at])), 1)
        weight = -max(WEAKEST, round(weight * AGAINST, 1)) if turned else weight
        found.append((at, held.proposal(at, kind, Keyword(terms[at], weight))))
    return [proposal for _, proposal in sorted(found, key=lambda each: each[0])][:MOST]


def _features_held(ground: _Ground, features: Sequence[int]) -> Held:
    """Which examples hold these features."""
    space, examples = ground.space, ground.examples
    liked, disliked = (
        np.asarray((space.vectors(read(each))[:, features] > 0).toarray()).T
        if each
        else np.zeros((len(features), 0), dtype=bool)
        for each in (examples.liked, examples.disliked)
    )
    stored = space.vectors(ground.archive)[:, features] > 0
    usual = np.asarray(stored.mean(axis=0)).ravel()
    expected = ground.expected(usual, [_rarity(space, feature) for feature in features])
    return Held(examples, liked, disliked, usual, expected)


def _rarity(space: Space, feature: int) -> float:
    """The rarity of a word, or of the rarer word of a pair."""
    words = len(space.words)
    if feature < words:
        return float(space.word_rarity[feature])
    pair = divmod(int(space.pairs[feature - words]), words)
    return max(float(space.word_rarity[word]) for word in pair)


class Apart:
    """The terms that say nothing new: those of the profile, and the parts of what was taken."""

    def __init__(self, profile: Profile) -> None:
        named = [keyword.term for keyword in profile.keywords] + list(profile.exclude)
        self._named = {stem_key(term) for term in named}
        self._parts = {word for words in self._named for word in words}
        self._taken: dict[str, int] = {}

    def takes(self, term: str, examples: int) -> bool:
        """Whether a term that so many examples hold is new; pairs are to be asked before words."""
        words = stem_key(term)
        known = words in self._named or set(words) <= self._parts
        if not TOPICLESS.isdisjoint(split(fold(term))[0]):
            return False
        if known or any(self._taken.get(word, 0) >= examples for word in words):
            return False
        try:
            check_term(term)
        except KeywordError:  # a word that no keyword can be, such as two letters of a formula
            return False
        self._taken.update(dict.fromkeys(words, examples))
        return True


def _words(term: str) -> int:
    return term.count(" ") + 1


def stem_key(term: str) -> tuple[str, ...]:
    """What two spellings of a keyword have in common."""
    return tuple(stem(word) for word in split(fold(term))[0])
