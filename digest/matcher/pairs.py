"""Profiles beside a batch of listings: counted once, then ranked, or looked at pair by pair.

Owns what one profile makes of one listing: its score, its reasons, and what it lacks.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cached_property, partial

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_matrix, csr_matrix, vstack

from digest.matcher import formula, ranking
from digest.matcher.finder import Longs
from digest.matcher.profiles import OUT, Made, Profiles, make_row, merge
from digest.matcher.ranking import Ranking
from digest.matcher.reading import Batch
from digest.matcher.reasons import Explanation, factors, needed
from digest.matcher.scoring import count_units, evidence
from digest.matcher.sums import MOST_CELLS, Sums
from digest.matcher.weak import Weak
from digest.model import Keyword, Match, Profile
from digest.reason import Packed

BARRED = OUT / 1000
"""Below which a sum is that of an excluded listing: no sum of keywords is a thousandth of it."""

HEAVIEST = 100
"""The most that a keyword may weigh in a profile."""


class Pairs:
    """Every pair of a profile and a listing, by their indices in what it was made from."""

    def __init__(self, compiled: Profiles, batch: Batch, profiles: Sequence[Profile] = ()) -> None:
        self._profiles = profiles
        self._batch = batch
        self._compiled = compiled
        counts = count_units(compiled.lexicon, batch)
        self._says = evidence(compiled.lexicon, batch, counts)
        self._weak: Weak | None = None
        if compiled.related:
            self._weak = compiled.related.weak(batch, learned=compiled.learned)
        self._said: dict[int, dict[int, float]] = {}
        self._sums = Sums(compiled, profiles, (counts, self._says), self._weak, batch)

    def rank(self, limit: int | Sequence[int], floors: Sequence[float] | None = None) -> Ranking:
        """For each profile its best listings with a score above 0 (and at or above its floor)."""
        low, units = self._compiled.weak_width, self._says.shape[0]
        blocks: Iterable[csr_matrix] = self._compiled.rows.blocks(low + units)
        if 0 < self._compiled.rows.entries < low + units:
            rows, weak, own = self._narrowed(vstack(list(blocks), format="csr"))
            return ranking.rank([rows], self._in_order(weak, own), self._batch.order, limit, floors)
        return ranking.rank(blocks, self._table, self._batch.order, limit, floors)

    def sums(self, low: int, high: int) -> NDArray[np.float32]:
        """Profiles from `low` to `high` x listings in the batch's order: the sums that `rank` has.

        That of an excluded listing is below `BARRED`.
        """
        width = self._compiled.weak_width + self._says.shape[0]
        rows = self._compiled.rows.those(np.arange(low, high), width)
        used, column = np.unique(rows.indices, return_inverse=True)
        parts = rows.data, column.astype(np.int32), rows.indptr
        narrow = csr_matrix(parts, shape=(rows.shape[0], len(used)))
        table = self._table[used]
        if table.shape[0] * table.shape[1] > MOST_CELLS:
            return np.asarray((narrow @ table).toarray())
        return np.asarray(narrow @ table.toarray())

    @cached_property
    def _table(self) -> csr_matrix:
        """What every column of the profiles' rows says of each listing."""
        return self._in_order(self._hints, self._says)

    @cached_property
    def _hints(self) -> csr_matrix | None:
        """What the weak columns say of each listing."""
        meaning = self._compiled.meaning
        if meaning is None:
            return self._weak and self._weak.table
        tables = [meaning.table(self._batch)] + ([self._weak.table] if self._weak else [])
        return vstack(tables, format="csr")

    def _narrowed(self, rows: csr_matrix) -> tuple[csr_matrix, csr_matrix | None, csr_matrix]:
        """Few rows with the columns that they have alone: an archive has many thousand."""
        used, column = np.unique(rows.indices, return_inverse=True)
        low = self._compiled.weak_width
        parts = rows.data, column.astype(np.int32), rows.indptr
        narrow = csr_matrix(parts, shape=(rows.shape[0], len(used)))
        weak = None if self._hints is None else self._hints[used[used < low]]
        return narrow, weak, self._says[used[used >= low] - low]

    def _in_order(self, weak: csr_matrix | None, own: csr_matrix) -> csr_matrix:
        """Weak columns, then units; the listings in the order that settles ties."""
        table = own if weak is None else vstack((weak, own), format="csr")
        place = np.empty(len(self._batch), dtype=np.int32)
        place[self._batch.order] = np.arange(len(self._batch), dtype=np.int32)
        return csr_matrix((table.data, place[table.indices], table.indptr), shape=table.shape)

    def match(self, profile: int, listing: int) -> Match:
        """The score that `rank` gives, with its reasons; 0 and no reasons where excluded."""
        return self.matches([profile], [listing])[0]

    def matches(self, profiles: Sequence[int], listings: Sequence[int]) -> list[Match]:
        """The matches of many pairs: the first profile with the first listing, and so on.

        A pair alone takes a hundred times as long as one of a thousand.
        """
        packed = self.packed(np.array(profiles, dtype=np.int64), np.array(listings, dtype=np.int64))
        return [
            Match(self._batch.listings[at], score, reasons)
            for at, score, reasons in zip(
                listings, packed.score.tolist(), packed.each(), strict=True
            )
        ]

    def packed(self, profiles: Longs, listings: Longs) -> Packed:
        """The same as arrays."""
        return self._sums.parted(profiles, listings)

    def excluded_by(self, profile: int, listing: int) -> str:
        """The exclusion that keeps the listing from this profile, or an empty text."""
        out = self._profiles[profile].exclude
        said = self._said_of(listing) if out else {}
        recipe = self._compiled.lexicon.recipe
        return next((term for term in sorted(out) if recipe(term).unit in said), "")

    def _said_of(self, listing: int) -> dict[int, float]:
        """What each unit says of the listing, without those that say nothing."""
        if listing not in self._said:
            table = self._columns
            low, high = table.indptr[listing], table.indptr[listing + 1]
            entries = table.indices[low:high].tolist(), table.data[low:high].tolist()
            self._said[listing] = dict(zip(*entries, strict=True))
        return self._said[listing]

    @cached_property
    def _columns(self) -> csc_matrix:
        return self._says.tocsc()

    def explain(self, profile: int, listing: int) -> Explanation:
        """The match, the keywords that did not match, and what would pass the floor."""
        wanted, trust = self._profiles[profile], self._sums.trust(profile)
        made = make_row(self._compiled.lexicon, wanted)
        match, parts = self.match(profile, listing), self._sums.parts(profile, listing)
        excluded_by = self.excluded_by(profile, listing)
        near = tuple(f"{r.term}: only {r.part!r}" for r in match.reasons if r.part)
        seen = {share.term for share, _ in parts if not share.related}
        absent = tuple(k.term for k in wanted.keywords if k.term not in seen)
        worth = {term: trust * self._worth(made, term) for term in absent}
        raised = partial(self._raised, profile, listing)
        return Explanation(
            match=match,
            floor=wanted.min_score,
            excluded_by=excluded_by,
            absent=absent,
            near=near,
            factors=factors(made.norm, trust, parts),
            needed="" if excluded_by else needed(match, wanted.min_score, parts, worth, raised),
        )

    def _raised(
        self, profile: int, listing: int, term: str, missing: float
    ) -> tuple[float, float] | None:
        """The weight of a keyword, and the least, to a tenth, by which it adds so much to the sum.

        Tried out, since a weight counts in the norm as well, and by its logarithm where it is high.
        None where no weight does. Related terms are taken to stay as they are.
        """
        wanted, said = self._profiles[profile], self._said_of(listing)
        trust, before = self._sums.trust(profile), dict(merge(wanted))[term]
        others = tuple(keyword for keyword in wanted.keywords if keyword.term != term)

        def gives(weight: float) -> float:
            changed = replace(wanted, keywords=(*others, Keyword(term, weight)))
            row = zip(*make_row(self._compiled.lexicon, changed).row, strict=True)
            return trust * sum(value * said.get(unit, 0.0) for unit, value in row)

        weights = [tenth / 10 for tenth in range(math.floor(before * 10) + 1, HEAVIEST * 10 + 1)]
        at = bisect_left(weights, gives(before) + missing, key=gives)
        return (before, weights[at]) if at < len(weights) else None

    def _worth(self, made: Made, term: str) -> float:
        """What a keyword would add if it stood once in the abstract of a usual listing."""
        once = float(formula.saturate(np.zeros(1), np.ones(1), np.ones(1))[0])
        joined = self._compiled.lexicon.joined
        row = zip(*made.row, strict=True)
        return once * sum(v for u, v in row if made.owner.get(u) == term and u not in joined)
