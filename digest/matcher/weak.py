"""What related and learned features say of the listings of a batch, worked out once.

Owns the weak evidence in both directions, by feature to rank and by listing to give reasons. It
depends on the archive and the batch alone, never on a profile.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_matrix, hstack

from digest.matcher.finder import Longs
from digest.matcher.reading import Batch
from digest.matcher.space import Space


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
        self.table = hstack((words, features), format="csr").astype(np.float32).T.tocsr()
        self._counts = space.counts(batch, pairs=learned)
        self._keys = self._counts.thing << 32 | self._counts.listing

    def show(self, feature: int) -> str:
        """A feature as a person would write it as a keyword."""
        return self._space.show(feature)

    @property
    def words(self) -> int:
        """How many columns are words as they stand."""
        return len(self._space.words)

    def often(self, features: Longs, listings: Longs) -> tuple[Longs, Longs]:
        """How often each feature stands in the listing beside it, in the title and elsewhere."""
        wanted = features << 32 | listings
        place = np.minimum(np.searchsorted(self._keys, wanted), len(self._keys) - 1)
        there = self._keys[place] == wanted
        title, rest = self._counts.title[place], self._counts.rest[place]
        return (title * there).astype(np.int64), (rest * there).astype(np.int64)
