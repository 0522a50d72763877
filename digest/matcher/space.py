"""Words and pairs of words of the stored listings, as features of any listing.

Owns the features from which related terms are drawn and in which likes are learned.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, diags, hstack

from digest.language.words import PARTED, STOPWORDS
from digest.matcher import formula
from digest.matcher.latent import directions
from digest.matcher.reading import ORG, TITLE, Batch, Counts, tally
from digest.matcher.statistics import Statistics

PAIR_SHARE = 1.2
"""What a pair of words counts against a word; pairs make likes precise: without them the nDCG@10
with liked examples falls by 0.04, 1.0 to 1.6 are level."""

LATENT_SHARE = 2.0
"""What the latent directions count in the length of a listing and in what likes teach, against its
words and pairs alone; 1 to 4 are level, 0 loses 0.012 of nDCG@10 with liked examples."""


class Space:
    """Features of an archive: its words, then the pairs that stand in two listings or more."""

    def __init__(self, archive: Batch, statistics: Statistics) -> None:
        self._statistics = statistics
        index = archive.index
        told = (each for each in dict.fromkeys(index.stems) if _tells(each))
        self.words = {each: number for number, each in enumerate(told)}
        self.word_rarity = np.array([statistics.rarity(each) for each in self.words])
        pairs = self._pair_counts(archive, self.words_of(archive))
        code, count = np.unique(pairs.thing, return_counts=True)
        self.pairs = code[count > 1]
        self.pair_rarity = np.array(
            [formula.rarity(len(archive), each) for each in count[count > 1].tolist()]
        )
        self._archive = archive

    @property
    def width(self) -> int:
        """How many features there are."""
        return len(self.words) + len(self.pairs)

    def word_evidence(self, batch: Batch) -> csr_matrix:
        """Listings x words, 0..1."""
        return self._saturated(batch, self._word_counts(batch), len(self.words))

    def vectors(self, batch: Batch) -> csr_matrix:
        """Listings x features, each row of length 1 when seen along the directions, too.

        So a listing of unusual words, of which little lies along the directions, is not held
        down for them. The length of the features alone is therefore at most 1.
        """
        plain = self._plain_vectors(batch)
        along = self.along(plain)
        seen = 1 + LATENT_SHARE * np.einsum("ij,ij->i", along, along)
        return (diags(1 / np.sqrt(seen)) @ plain).tocsr()

    def along(self, vectors: csr_matrix) -> NDArray[np.floating]:
        """Listings x directions: where vectors lie along what words have in common."""
        return np.asarray(vectors[:, : len(self.words)] @ self._directions)

    def spread(self, weights: NDArray[np.floating]) -> NDArray[np.floating]:
        """Weights of features x anything, each word's share passed on to the words it goes with.

        With it the product of two vectors is that of their features and, `LATENT_SHARE` times,
        that of where they lie along the directions.
        """
        spread = weights.copy()
        count = len(self.words)
        spread[:count] += LATENT_SHARE * (self._directions @ (self._directions.T @ weights[:count]))
        return spread

    @cached_property
    def _directions(self) -> NDArray[np.float32]:
        """Words x directions; worked out when first needed, for likes alone."""
        return directions(self._plain_vectors(self._archive)[:, : len(self.words)])

    def _plain_vectors(self, batch: Batch) -> csr_matrix:
        """Listings x features, each row of length 1."""
        words = self.word_evidence(batch) @ diags(self.word_rarity)
        often = self._saturated(batch, self._known_pairs(batch), len(self.pairs))
        return unit_rows(hstack((words, often @ diags(self.pair_rarity * PAIR_SHARE))).tocsr())

    def counts(self, batch: Batch, *, pairs: bool) -> Counts:
        """How often each feature stands in each listing, in order; without pairs only words."""
        words = self._word_counts(batch)
        if not pairs:
            return words
        also = self._known_pairs(batch)
        return Counts(
            np.concatenate((words.thing, also.thing + len(self.words))),
            np.concatenate((words.listing, also.listing)),
            np.concatenate((words.title, also.title)),
            np.concatenate((words.rest, also.rest)),
        )

    def _known_pairs(self, batch: Batch) -> Counts:
        """The counts of the pairs that are features, by their numbers among pairs."""
        pairs = self._pair_counts(batch, self.words_of(batch))
        place = np.searchsorted(self.pairs, pairs.thing)
        place = np.minimum(place, max(0, len(self.pairs) - 1))
        known = self.pairs[place] == pairs.thing if len(self.pairs) else place < 0
        return Counts(place[known], pairs.listing[known], pairs.title[known], pairs.rest[known])

    def _saturated(self, batch: Batch, counts: Counts, width: int) -> csr_matrix:
        length = batch.lengths[counts.listing] / self._statistics.usual_length
        often = formula.saturate(counts.title, counts.rest, length)
        return csr_matrix((often, (counts.listing, counts.thing)), shape=(len(batch), width))

    def words_of(self, batch: Batch) -> NDArray[np.int64]:
        """The feature of each place of a batch, or -1."""
        known = [self.words.get(each, -1) for each in batch.index.stems]
        feature = np.array(known, dtype=np.int64)[batch.word]
        return np.where(batch.field == ORG, -1, feature)

    def _word_counts(self, batch: Batch) -> Counts:
        return tally(self.words_of(batch), batch.listing.astype(np.int64), batch.field == TITLE)

    def _pair_counts(self, batch: Batch, feature: NDArray[np.int64]) -> Counts:
        """The counts of pairs of neighbours."""
        code = self._codes(feature, batch.stand)
        return _tally_wide(code, batch.listing[:-1].astype(np.int64), batch.field[:-1] == TITLE)

    def _codes(self, feature: NDArray[np.int64], stand: NDArray[np.uint8]) -> NDArray[np.int64]:
        """Each pair of neighbours, named by the product of its words' numbers, or -1."""
        left, right = feature[:-1], feature[1:]
        near = (stand[:-1] != PARTED) & (left >= 0) & (right >= 0)
        return np.where(near, left * len(self.words) + right, -1)

    # --- for people ---------------------------------------------------------------------------

    @cached_property
    def _shown(self) -> list[str]:
        """The commonest spelling of each word."""
        index = self._archive.index
        often = np.diff(index.first)
        shown = {}
        for number in np.argsort(often, kind="stable").tolist():
            shown[index.stems[number]] = self._archive.vocabulary[number]
        return [shown[each] for each in self.words]

    @cached_property
    def _stems(self) -> list[str]:
        return list(self.words)

    def stem_of(self, feature: int) -> str:
        """The stem of a word feature, empty for a pair."""
        return self._stems[feature] if feature < len(self.words) else ""

    def show(self, feature: int) -> str:
        """A feature as a person would write it as a keyword."""
        if feature < len(self.words):
            return self._shown[feature]
        left, right = divmod(int(self.pairs[feature - len(self.words)]), len(self.words))
        return f"{self._shown[left]} {self._shown[right]}"


def _tells(stem: str) -> bool:
    return len(stem) > 1 and stem not in STOPWORDS and not stem[0].isdigit()


def _tally_wide(
    code: NDArray[np.int64], listing: NDArray[np.int64], in_title: NDArray[np.bool_]
) -> Counts:
    """`tally` for things whose numbers need more than 31 bits."""
    distinct, small = np.unique(code, return_inverse=True)
    counts = tally(np.where(code < 0, -1, small), listing, in_title)
    return Counts(distinct[counts.thing], counts.listing, counts.title, counts.rest)


def unit_rows(matrix: csr_matrix) -> csr_matrix:
    """The matrix with each row scaled to length 1; empty rows stay empty."""
    length = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
    return (diags(1 / np.where(length > 0, length, 1)) @ matrix).tocsr()
