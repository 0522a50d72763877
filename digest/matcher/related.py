"""Related terms: what stands with a profile's terms in the stored listings.

Owns the widening of compiled profiles by weak features. Small archives widen nothing: what stands
together in 300 listings does so by chance.
"""

from __future__ import annotations

from collections.abc import Sequence
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, diags, hstack
from sparse_dot_topn import sp_matmul_topn

from digest.matcher.learned import Learner, kept
from digest.matcher.lexicon import Lexicon
from digest.matcher.likes import Likes
from digest.matcher.ranking import THREADS
from digest.matcher.reading import Batch, read
from digest.matcher.scoring import count_units, evidence
from digest.matcher.space import Space, unit_rows
from digest.matcher.statistics import Statistics
from digest.matcher.weak import Weak
from digest.model import Listing, Profile

SHARE = 0.5
"""How much related terms count against the profile's own; 0.3 to 0.6 are level."""

NEAREST = 12
"""Stored listings from which they are drawn; 10 to 15 are level."""

SHARPNESS = 1.25
"""The power of a stored listing's sum by which it counts among those; 1 to 1.5 are level."""

MOST_TERMS = 30
"""Related terms of a profile; 25 to 40 are level."""

NO_ARCHIVE = 300
FULL_ARCHIVE = 1000
"""Listings up to which an archive gives nothing, and from which on it gives all. Drawn at full
strength from 100 to 300 older listings related terms lose 0.02 to 0.04 of nDCG@10, from 500 to 800
they are level and better under one floor, from 1,400 on they gain 0.02."""

LASTING = 2.0
"""How many likes halve what related terms count beside the keywords: examples say better what goes
with them. With 1 to 8 likes 2 to 10 are level and 0 loses 0.01; with 15 the less the better."""


class Related:
    """An archive, read once, from which profiles are widened."""

    def __init__(
        self, archive: Sequence[Listing], statistics: Statistics, fresh: Sequence[Listing] = ()
    ) -> None:
        ordered = sorted(archive, key=_by_key)
        self.batch = read(ordered)
        whole = read(sorted([*ordered, *fresh], key=_by_key)) if fresh else self.batch
        self.space = Space(whole, statistics)
        words = self.space.word_evidence(self.batch) @ diags(self.space.word_rarity)
        self._centres = (unit_rows(words.tocsr()) @ _unequal(words.shape[1])).tocsr()
        self._places = _unequal(len(self.batch))
        self._weak: WeakKeyDictionary[Batch, Weak] = WeakKeyDictionary()
        self._says: WeakKeyDictionary[Lexicon, tuple[int, csr_matrix]] = WeakKeyDictionary()
        self._learner = Learner(self.space, self.batch)
        room = (len(archive) - NO_ARCHIVE) / (FULL_ARCHIVE - NO_ARCHIVE)
        self.share = SHARE * min(1.0, max(0.0, room))

    @property
    def width(self) -> int:
        """Columns of the weak matrix: words as they stand, then features of unit listings."""
        return len(self.space.words) + self.space.width

    def weak(self, batch: Batch, *, learned: bool) -> Weak:
        """What the weak columns say of a batch, kept as long as the batch."""
        known = self._weak.get(batch)
        if known is None or (learned and not known.learned):
            known = self._weak[batch] = Weak(self.space, batch, learned=learned)
        return known

    def weak_rows(
        self,
        lexicon: Lexicon,
        profiles: Sequence[Profile],
        own: csr_matrix,
        likes: Sequence[Likes | None],
    ) -> csr_matrix:
        """Profiles x weak columns: terms related by the own rows, or learned from likes."""
        wanted = np.array([profile.related for profile in profiles])
        drawn = self._draw(lexicon, own, wanted)
        learned = csr_matrix((len(profiles), self.space.width), dtype=np.float32)
        if any(likes):
            liked = np.array([len(each.liked) if each else 0 for each in likes])
            drawn = diags(kept(likes) * LASTING / (LASTING + liked)) @ drawn
            learned = self._learner.rows(likes, own)
        return hstack((drawn, learned)).tocsr().astype(np.float32)

    def _draw(self, lexicon: Lexicon, own: csr_matrix, wanted: NDArray[np.bool_]) -> csr_matrix:
        """Profiles x words: the terms that the best stored listings of each profile share."""
        if not self.share or not wanted.any():
            return csr_matrix((own.shape[0], len(self.space.words)), dtype=np.float32)
        rows = (diags(wanted.astype(float)) @ own).tocsr()
        best = sp_matmul_topn(
            rows, self._stored(lexicon), NEAREST, 0.0, sort=True, n_threads=THREADS
        )
        best.data **= SHARPNESS
        near = sp_matmul_topn(best, self._centres, MOST_TERMS, 0.0, sort=True, n_threads=THREADS)
        scale = diags(self.share * self.space.word_rarity)
        return (unit_rows(near) @ scale).tocsr()

    def _stored(self, lexicon: Lexicon) -> csr_matrix:
        """What each unit of a lexicon says of each stored listing; made anew when it has grown."""
        size, said = self._says.get(lexicon, (0, None))
        if said is None or size != len(lexicon):
            made = evidence(lexicon, self.batch, count_units(lexicon, self.batch))
            said = (made.astype(float) @ self._places).tocsr()
            self._says[lexicon] = len(lexicon), said
        return said


def _by_key(listing: Listing) -> str:
    return listing.key


def _unequal(size: int) -> csr_matrix:
    """Factors just below 1, none equal: ties are broken alike however sums were rounded."""
    return diags(1 - 1e-4 * np.arange(size) / max(1, size))
