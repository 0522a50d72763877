"""Likeness in meaning by a model of the operator's: one more reason, small and marked.

Owns how embeddings become part of a sum. A profile is the mean of what its keywords mean, by their
weights; a listing is what its title and abstract mean; both are seen from the middle of the archive
and have length 1. The model itself is handed in: nothing here loads one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from digest.language.terms import parse
from digest.matcher import formula
from digest.matcher.lexicon import VALUES
from digest.matcher.reading import Batch
from digest.model import Listing, Profile

Floats = NDArray[np.float32]

SHARE = 0.25
"""The most that likeness in meaning adds to the sum, or takes away: alone it makes a score of 0.22,
so that nothing passes the default floor of 0.25 without a keyword or what goes with one."""

FEWEST = 50
"""Stored listings from which a middle is known; 50 give it to a seventh of their own spread."""

LONGEST = 2000
"""Characters of a listing that are looked at: a title and a usual abstract."""

TERM = "likeness in meaning"
"""How the reason is called, in place of a keyword."""


class Embedder(Protocol):
    """A model that says in numbers what texts mean."""

    def embed(self, texts: Sequence[str]) -> Floats:
        """Texts x dimensions; the same text gives the same row."""
        ...


class Meaning:
    """A model beside an archive."""

    def __init__(self, embedder: Embedder, archive: Sequence[Listing] = ()) -> None:
        self._embedder = embedder
        self._terms: dict[str, Floats] = {}
        self._tables: WeakKeyDictionary[Batch, csr_matrix] = WeakKeyDictionary()
        self.width = int(embedder.embed(["a"]).shape[1])
        known = _unit(embedder.embed(_texts(archive))) if len(archive) >= FEWEST else None
        self._middle = np.zeros(self.width, np.float32) if known is None else known.mean(axis=0)

    def rows(self, profiles: Sequence[Profile]) -> csr_matrix:
        """Profiles x dimensions, each row as long as its part of the sum can be."""
        wanted = [_phrases(profile) for profile in profiles]
        new = list(dict.fromkeys(text for each in wanted for text in each))
        new = [text for text in new if text not in self._terms]
        if new:
            self._terms.update(zip(new, self._seen(new), strict=True))
        rows = np.zeros((len(profiles), self.width), np.float32)
        for at, phrases in enumerate(wanted):
            for text, weight in phrases.items():
                rows[at] += weight * self._terms[text]
        return csr_matrix(SHARE * _unit(rows))

    def table(self, batch: Batch) -> csr_matrix:
        """Dimensions x listings, each column of length 1; kept as long as the batch."""
        known = self._tables.get(batch)
        if known is None:
            known = self._tables[batch] = csr_matrix(self._seen(_texts(batch.listings)).T)
        return known

    def _seen(self, texts: Sequence[str]) -> Floats:
        if not texts:
            return np.zeros((0, self.width), np.float32)
        return _unit(_unit(self._embedder.embed(texts)) - self._middle)


def _texts(listings: Sequence[Listing]) -> list[str]:
    return [f"{each.title}. {each.abstract}"[:LONGEST] for each in listings]


def _phrases(profile: Profile) -> dict[str, float]:
    """What a profile looks for in words, with its weights; names and categories have no meaning."""
    phrases: dict[str, float] = {}
    for keyword in sorted(profile.keywords, key=lambda each: (each.term, each.weight)):
        choice = parse(keyword.term).choices[0] if keyword.weight > 0 else ()
        if text := " ".join(" ".join(p.words) for p in choice if p.field not in VALUES):
            phrases[text] = max(phrases.get(text, 0.0), formula.strength(keyword.weight))
    return phrases


def _unit(rows: Floats) -> Floats:
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.where(length > 0, length, 1), dtype=np.float32)
