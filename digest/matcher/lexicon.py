"""What a set of profiles looks for, each distinct thing once.

Owns units (a phrase in a field, a category, a source, an author) and columns (a keyword in one of
its roles, made of units). Knows no profile and no listing.
"""

from __future__ import annotations

from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from digest.matcher import formula
from digest.matcher.finder import Finder
from digest.matcher.reading import Ints
from digest.matcher.statistics import Statistics
from digest.matcher.terms import EXACT, PREFIX, STEM, Phrase, Term, parse

VALUES = ("category", "source", "author")
"""Fields whose content is compared as a whole."""

_SLOTS = {"": 0, "title": 1, "abstract": 2, "org": 3}


class Role(StrEnum):
    """What a keyword is for: it counts for a listing, against it, keeps it out, or is related."""

    FOR = "for"
    AGAINST = "against"
    OUT = "out"
    RELATED = "related"


class Lexicon:
    """Units and columns, numbered in the order in which they were first asked for."""

    def __init__(self, statistics: Statistics) -> None:
        self.statistics = statistics
        self.finder = Finder()
        self.columns: dict[tuple[Role, str], int] = {}
        self.rarities: list[float] = []
        self.values: dict[tuple[str, str], int] = {}
        self.special: list[tuple[int, Role, Term]] = []
        self.recipe: list[tuple[int, int, float]] = []
        self.outs: list[tuple[int, int]] = []
        self.unit_rarities: list[float] = []
        self._slots: dict[tuple[int, int], int] = {}
        self._rarity_of: dict[str, float] = {}

    # --- columns ------------------------------------------------------------------------------

    def column(self, role: Role, text: str) -> int:
        """The number of a keyword's column.

        Raises: KeywordError where the text is no keyword.
        """
        known = self.columns.get((role, text))
        if known is None:
            known = self._add(role, text)
            self.columns[role, text] = known
        return known

    def _add(self, role: Role, text: str) -> int:
        term = parse(text) if role is not Role.RELATED else None
        number = len(self.columns)
        phrase = term.simple if term else None
        if term and not phrase:
            self.special.append((number, role, term))
            best = max(
                np.mean([self.unit_rarities[self.unit(p)] for p in choice])
                for choice in term.choices
            )
            self.rarities.append(float(best))
            return number
        unit = self.unit(phrase) if phrase else self._word_unit(text, "")
        self.rarities.append(self.unit_rarities[unit])
        if role is Role.OUT:
            self.outs.append((number, unit))
        elif role is Role.FOR and phrase and len(phrase.words) > 1:
            self._add_partial(number, unit, phrase)
        else:
            self.recipe.append((number, unit, self.unit_rarities[unit]))
        return number

    def _add_partial(self, number: int, unit: int, phrase: Phrase) -> None:
        """A phrase gives a share for each of its words, the rest when it stands as a whole."""
        words = [(self._symbol_unit(s, phrase.field), s) for s in phrase.sequences[0]]
        rarities = np.array([self.symbol_rarity(symbol) for _, symbol in words])
        whole = self.rarities[number]
        self.recipe.append((number, unit, whole * (1 - formula.PARTIAL)))
        shares = rarities / max(rarities.sum(), 1e-9) * whole * formula.PARTIAL
        for (word, _), share in zip(words, shares.tolist(), strict=True):
            self.recipe.append((number, word, share))

    # --- units --------------------------------------------------------------------------------

    def unit(self, phrase: Phrase) -> int:
        """The number of a phrase in its field."""
        if phrase.field in VALUES:
            return self._value_unit(phrase)
        pattern = self.finder.add(phrase.sequences)
        rarity = formula.phrase_rarity([self.symbol_rarity(s) for s in phrase.sequences[0]])
        return self._slot(pattern, phrase.field, rarity)

    def _word_unit(self, stem: str, field: str) -> int:
        return self._symbol_unit(STEM + stem, field)

    def _symbol_unit(self, symbol: str, field: str) -> int:
        return self._slot(self.finder.add(((symbol,),)), field, self.symbol_rarity(symbol))

    def _slot(self, pattern: int, field: str, rarity: float) -> int:
        key = (pattern, _SLOTS[field])
        if key not in self._slots:
            self._slots[key] = len(self.unit_rarities)
            self.unit_rarities.append(rarity)
        return self._slots[key]

    def _value_unit(self, phrase: Phrase) -> int:
        value = phrase.words[0] if phrase.field == "author" else phrase.sequences[0][0]
        key = (phrase.field, value)
        if key not in self.values:
            self.values[key] = len(self.unit_rarities)
            self.unit_rarities.append(self._value_rarity(phrase.field, value))
        return self.values[key]

    def _value_rarity(self, field: str, value: str) -> float:
        counts, listings = self.statistics.counts, self.statistics.listings
        count = counts.get(f"{field}:{value[1:]}", 0) or listings * formula.RARE_SHARE
        return formula.rarity(listings, count)

    def symbol_rarity(self, symbol: str) -> float:
        """How much one word tells, from the statistics; a beginning counts what begins so."""
        if symbol not in self._rarity_of:
            self._rarity_of[symbol] = self._find_rarity(symbol[0], symbol[1:])
        return self._rarity_of[symbol]

    def _find_rarity(self, kind: str, word: str) -> float:
        from digest.matcher.words import stem

        if kind == EXACT:
            return self.statistics.rarity(stem(word))
        if kind == PREFIX:
            counts = self.statistics.counts
            count = sum(counts.get(term, 0) for term in counts if term.startswith(word))
            return formula.rarity(self.statistics.listings, min(count, self.statistics.listings))
        return self.statistics.rarity(word)

    # --- for the scorer -----------------------------------------------------------------------

    def slots(self) -> Ints:
        """For each pattern its unit anywhere, in the title, in the abstract, in the org, or -1."""
        table = np.full((len(self.finder), len(_SLOTS)), -1, dtype=np.int32)
        for (pattern, slot), unit in self._slots.items():
            table[pattern, slot] = unit
        return table

    def rarity_array(self) -> NDArray[np.float64]:
        """The rarity of each column."""
        return np.array(self.rarities)
