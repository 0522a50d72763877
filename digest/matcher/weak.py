"""What related and learned features say of the listings of a batch, worked out once.

Owns the weak evidence in both directions, by feature to rank and by listing to give reasons. It
depends on the archive and the batch alone, never on a profile.
"""

from __future__ import annotations

from collections import Counter

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, hstack

from digest.matcher.reading import TITLE, Batch
from digest.matcher.space import Space

Often = dict[int, tuple[int, int]]
"""For each feature that stands in a listing, how often in the title and how often elsewhere."""


class Weak:
    """Weak columns: the words of a space, then its features in listings of length 1.

    Those of the second kind are empty unless `learned`: only likes make use of them.
    """

    def __init__(self, space: Space, batch: Batch, *, learned: bool) -> None:
        self.learned = learned
        self._space = space
        words = space.word_evidence(batch)
        nothing = csr_matrix((len(batch), space.width))
        features = space.vectors(batch) if learned else nothing
        self._by_listing = hstack((words, features), format="csr").astype(np.float32)
        self.table = self._by_listing.T.tocsr()
        # The arrays of the batch, not the batch, which is to be let go when nobody reads it.
        self._feature = space.words_of(batch).astype(np.int32)
        self._title, self._stand = batch.field == TITLE, batch.stand
        self._first = np.searchsorted(batch.listing, np.arange(len(batch) + 1)).tolist()
        self._often: dict[int, Often] = {}

    def show(self, feature: int) -> str:
        """A feature as a person would write it as a keyword."""
        return self._space.show(feature)

    @property
    def words(self) -> int:
        """How many columns are words as they stand."""
        return len(self._space.words)

    def row(self, listing: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """The weak columns that say something of a listing, and what they say."""
        rows = self._by_listing
        low, high = rows.indptr[listing], rows.indptr[listing + 1]
        return rows.indices[low:high], rows.data[low:high]

    def often_in(self, listing: int) -> Often:
        """How often each feature stands in a listing."""
        if listing not in self._often:
            low, high = self._first[listing], self._first[listing + 1]
            word, title = self._feature[low:high], self._title[low:high]
            pair = self._space.pairs_of(word, self._stand[low:high])
            found = np.concatenate((word, pair))
            beside = np.concatenate((title, title[: len(pair)]))
            heads, bodies = _counted(found[beside]), _counted(found[~beside])
            self._often[listing] = {
                feature: (heads[feature], bodies[feature]) for feature in heads.keys() | bodies
            }
        return self._often[listing]


def _counted(features: NDArray[np.integer]) -> Counter[int]:
    return Counter(features[features >= 0].tolist())
