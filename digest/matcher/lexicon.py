"""What a set of profiles looks for, each distinct thing once.

Owns units (a phrase in a field, a word, a category, a source, an author, a keyword with `+` or
`|`) and recipes (what a keyword is made of). Knows no profile and no listing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from digest.language.stems import stem
from digest.language.terms import EXACT, PREFIX, Phrase, Term, parse
from digest.language.words import STOPWORDS
from digest.matcher import formula
from digest.matcher.finder import Finder
from digest.matcher.reading import Ints
from digest.matcher.statistics import Statistics

VALUES = ("category", "source", "author")
"""Fields whose content is compared as a whole."""

_SLOTS = {"": 0, "title": 1, "abstract": 2, "org": 3}

Shares = tuple[tuple[int, float], ...]


@dataclass(frozen=True, slots=True)
class Recipe:
    """A keyword: its whole `unit`, its rarity, and the units whose worth is parted among `shares`.

    `joined` is the share for a phrase that is written as one word where its words do not stand.
    """

    unit: int
    rarity: float
    shares: Shares
    joined: Shares = ()


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Recipes as arrays; recipe `r` has the shares `first[r]` to `first[r + 1]`, joined last."""

    first: NDArray[np.int64]
    unit: NDArray[np.int64]
    worth: NDArray[np.float64]
    joined: NDArray[np.bool_]
    whole: NDArray[np.int64]
    rarity: NDArray[np.float64]


def _tabled(recipes: list[Recipe]) -> Table:
    lengths = [len(r.shares) + len(r.joined) for r in recipes]
    shares = [
        (unit, worth, late)
        for r in recipes
        for late, part in ((False, r.shares), (True, r.joined))
        for unit, worth in part
    ]
    return Table(
        first=np.concatenate(([0], np.cumsum(lengths, dtype=np.int64))),
        unit=np.array([unit for unit, _, _ in shares], dtype=np.int64),
        worth=np.array([worth for _, worth, _ in shares]),
        joined=np.array([late for _, _, late in shares], dtype=bool),
        whole=np.array([r.unit for r in recipes], dtype=np.int64),
        rarity=np.array([r.rarity for r in recipes]),
    )


class Lexicon:
    """Units and recipes, numbered in the order in which they were first asked for."""

    def __init__(self, statistics: Statistics) -> None:
        self.statistics = statistics
        self.finder = Finder()
        self.rarities: list[float] = []
        self.values: dict[tuple[str, str], int] = {}
        self.special: dict[str, int] = {}
        self.joined: dict[int, int] = {}
        self._slots: dict[tuple[int, int], int] = {}
        self._recipes: dict[str, Recipe] = {}
        self._numbers: dict[str, int] = {}
        self._table: Table | None = None
        self._rarity_of: dict[str, float] = {}

    def __len__(self) -> int:
        return len(self.rarities)

    def number(self, text: str) -> int:
        """The number of a keyword's recipe.

        Raises: KeywordError where the text is no keyword.
        """
        known = self._numbers.get(text)
        if known is None:
            self.recipe(text)
            known = self._numbers[text]
        return known

    @property
    def terms(self) -> list[str]:
        """The keywords as they were asked for, in the order of their recipes' numbers."""
        return list(self._recipes)

    def table(self) -> Table:
        """All recipes as arrays, in the order of their numbers."""
        if self._table is None or len(self._table.rarity) < len(self._recipes):
            self._table = _tabled(list(self._recipes.values()))
        return self._table

    def recipe(self, text: str) -> Recipe:
        """What a keyword is made of.

        Raises: KeywordError where the text is no keyword.
        """
        known = self._recipes.get(text)
        if known is None:
            known = self._recipes[text] = self._make(parse(text))
            self._numbers[text] = len(self._numbers)
        return known

    def _make(self, term: Term) -> Recipe:
        phrase = term.simple
        if phrase is None:
            return self._special(term)
        unit = self.unit(phrase)
        rarity = self.rarities[unit]
        parts = self._parts(phrase)
        if not parts:
            return Recipe(unit, rarity, ((unit, rarity),))
        total = sum(self.symbol_rarity(symbol) for symbol in phrase.sequences[0])
        worth = {
            part: rarity * formula.PARTIAL * self.rarities[part] / max(total, 1e-9)
            for part in parts
        }
        kept = sum(worth.values())
        shares = ((unit, rarity - kept), *worth.items())
        return Recipe(unit, rarity, shares, self._joined(phrase, unit, kept))

    def _parts(self, phrase: Phrase) -> list[int]:
        """The units of a phrase's words that say something alone: no `4` of GPT-4, no letter."""
        if phrase.field in VALUES or len(phrase.words) < 2:
            return []
        symbols = {
            symbol: None
            for word, symbol in zip(phrase.words, phrase.sequences[0], strict=True)
            if len(word) > 1 and word not in STOPWORDS and not word[0].isdigit()
        }
        return [self.word_unit(symbol, phrase.field) for symbol in symbols]

    def _joined(self, phrase: Phrase, unit: int, worth: float) -> Shares:
        if len(phrase.sequences) < 2:
            return ()
        pattern = self.finder.add(phrase.sequences[1:], "joined")
        number = self._slot(pattern, phrase.field, self.rarities[unit])
        apart = self.finder.add(phrase.sequences[:1])
        self.joined[number] = self._slot(apart, phrase.field, self.rarities[unit])
        return ((number, worth),)

    def _special(self, term: Term) -> Recipe:
        rarity = max(
            formula.phrase_rarity([self.rarities[self.unit(phrase)] for phrase in choice])
            for choice in term.choices
        )
        number = self.special[term.text] = len(self.rarities)
        self.rarities.append(rarity)
        return Recipe(number, rarity, ((number, rarity),))

    # --- units --------------------------------------------------------------------------------

    def unit(self, phrase: Phrase) -> int:
        """The number of a phrase in its field."""
        if phrase.field in VALUES:
            return self._value_unit(phrase)
        pattern = self.finder.add(phrase.sequences)
        rarity = formula.phrase_rarity([self.symbol_rarity(s) for s in phrase.sequences[0]])
        return self._slot(pattern, phrase.field, rarity)

    def word_unit(self, symbol: str, field: str) -> int:
        """The number of one word in a field."""
        return self._slot(self.finder.add(((symbol,),)), field, self.symbol_rarity(symbol))

    def known_word(self, symbol: str) -> int:
        """The number of a word anywhere, or -1 where no keyword has it."""
        pattern = self.finder.known(((symbol,),))
        return self._slots.get((pattern, 0), -1)

    def _slot(self, pattern: int, field: str, rarity: float) -> int:
        key = (pattern, _SLOTS[field])
        if key not in self._slots:
            self._slots[key] = len(self.rarities)
            self.rarities.append(rarity)
        return self._slots[key]

    def _value_unit(self, phrase: Phrase) -> int:
        value = phrase.words[0] if phrase.field == "author" else phrase.sequences[0][0]
        key = (phrase.field, value)
        if key not in self.values:
            self.values[key] = len(self.rarities)
            self.rarities.append(self._value_rarity(phrase.field, value))
        return self.values[key]

    def _value_rarity(self, field: str, value: str) -> float:
        counts, listings = self.statistics.counts, self.statistics.listings
        count = counts.get(f"{field}:{value[1:]}", 0) or listings * formula.RARE_SHARE
        return formula.rarity(listings, count)

    def symbol_rarity(self, symbol: str) -> float:
        """How much one word tells, from the statistics; a beginning counts what begins so."""
        known = self._rarity_of.get(symbol)
        if known is None:
            known = self._rarity_of[symbol] = self._find_rarity(symbol[0], symbol[1:])
        return known

    def _find_rarity(self, kind: str, word: str) -> float:
        if kind == EXACT:
            return self.statistics.rarity(stem(word))
        if kind == PREFIX:
            return self.statistics.prefix_rarity(word)
        return self.statistics.rarity(word)

    def slots(self) -> Ints:
        """For each pattern its unit anywhere, in the title, in the abstract, in the org, or -1."""
        table = np.full((len(self.finder), len(_SLOTS)), -1, dtype=np.int32)
        for (pattern, slot), unit in self._slots.items():
            table[pattern, slot] = unit
        return table


def share_of(statistics: Statistics, text: str) -> float:
    """In what share of all listings a keyword of one word stands.

    0 for one of several words, as the counts say nothing of words together.
    Raises: KeywordError where the text is no keyword.
    """
    phrase = parse(text).simple
    if phrase is None or len(phrase.words) > 1:
        return 0.0
    return math.exp(-Lexicon(statistics).recipe(text).rarity)
