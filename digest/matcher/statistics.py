"""In how many listings each term stands.

Owns the counting and the shipped table. Never reads the store: whoever keeps counts hands them in.
"""

from __future__ import annotations

import gzip
from bisect import bisect_left
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from functools import cache, cached_property
from importlib.resources import files

from digest.language.stems import stem
from digest.language.words import GLUED, STOPWORDS, fold, split
from digest.matcher import formula
from digest.model import Listing

PRIOR_LISTINGS = 300
"""How many stored listings the shipped table counts for once there are any: at 300 stored ones the
ranking is nearly as good as with all, so from there on the store's own counts lead."""


def terms_of(listing: Listing) -> Collection[str]:
    """The terms that a listing adds one to: stems of its words, joined pairs, its categories."""
    words, stands = split(fold(f"{listing.title} . {listing.abstract}"))
    terms = {stem(word) for word in set(words)}
    if GLUED in stands:
        for left, right, stand in zip(words, words[1:], stands, strict=False):
            if stand == GLUED and left not in STOPWORDS and right not in STOPWORDS:
                terms.add(stem(left + right))
    terms.update(f"category:{' '.join(fold(subject).split())}" for subject in listing.subjects)
    return terms


class Statistics:
    """Document frequencies: `counts[term]` of `listings` listings have the term."""

    def __init__(self, listings: int, counts: Mapping[str, float]) -> None:
        self.listings = listings
        self.counts = counts

    @classmethod
    def of(cls, listings: Iterable[Listing]) -> Statistics:
        """The statistics of these listings."""
        counts: Counter[str] = Counter()
        number = 0
        for listing in listings:
            number += 1
            counts.update(terms_of(listing))
        return cls(number, counts)

    @classmethod
    def shipped(cls) -> Statistics:
        """The table that comes with the program, for the first days."""
        return _shipped()

    def blended(self) -> Statistics:
        """These counts and the shipped table, as if 300 of its listings were stored."""
        prior = self.shipped()
        share = PRIOR_LISTINGS / max(1, prior.listings)
        return Statistics(self.listings + PRIOR_LISTINGS, _Blend(self.counts, prior.counts, share))

    @cached_property
    def usual_length(self) -> float:
        """Distinct terms of a usual listing."""
        return max(1.0, sum(self.counts.values()) / max(1, self.listings))

    def rarity(self, term: str) -> float:
        """How much a term tells, 0 or more."""
        return formula.rarity(self.listings, min(self.counts.get(term, 0), self.listings))

    def prefix_rarity(self, beginning: str) -> float:
        """How much a word that begins so tells: as much as the words that do together."""
        terms = self._ordered
        low = bisect_left(terms, beginning)
        high = bisect_left(terms, beginning + "\U0010ffff")
        count = sum(self.counts[term] for term in terms[low:high])
        return formula.rarity(self.listings, min(count, self.listings))

    @cached_property
    def _ordered(self) -> list[str]:
        return sorted(self.counts)


class _Blend(Mapping[str, float]):
    """Stored counts plus a share of the shipped ones, added up when asked for."""

    def __init__(self, own: Mapping[str, float], prior: Mapping[str, float], share: float) -> None:
        self._own, self._prior, self._share = own, prior, share

    def __getitem__(self, term: str) -> float:
        return self._own.get(term, 0) + self._share * self._prior.get(term, 0)

    def get(self, term: str, default: float = 0) -> float:  # type: ignore[override]  # never None
        return self[term] or default

    def __iter__(self):  # type: ignore[no-untyped-def]
        yield from self._own
        yield from (term for term in self._prior if term not in self._own)

    def __len__(self) -> int:
        return sum(1 for _ in self)


@cache
def _shipped() -> Statistics:
    table = files("digest.matcher").joinpath("frequencies.tsv.gz")
    if not table.is_file():
        return Statistics(0, {})
    lines = gzip.decompress(table.read_bytes()).decode().splitlines()
    counts = {term: int(count) for count, term in (line.split("\t", 1) for line in lines[1:])}
    return Statistics(int(lines[0]), counts)
