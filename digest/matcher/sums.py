"""What each keyword, and each related or learned term, gives to the sum of one listing.

Owns the parting of a profile's row. What a row is made of is worked out once for each profile, what
stands in a listing once for each listing; a pair of both costs their common entries.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.sparse import csc_matrix, csr_matrix

from digest.language.terms import STEM
from digest.matcher.meaning import TERM
from digest.matcher.profiles import Entries, Made, Profiles, make_row
from digest.matcher.reading import Batch, Counts
from digest.matcher.reasons import Found, Share, describe, describe_weak
from digest.matcher.weak import Weak
from digest.model import Profile

Part = tuple[str, bool, float]
"""A keyword, whether it counts against, and its part of a unit's worth."""

ROUNDED = 0.999
"""From here on keywords count whole: rows are kept in 4 bytes, and one like already halves them."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A profile's row as reasons need it.

    `trust` is what the keywords count beside what was learned from likes, 1 without. `own` parts
    each unit among its keywords; `weak` holds (column, value, feature, the keyword whose own word a
    related feature is, whether it was learned), `meant` (dimension, value) of what it means.
    """

    made: Made
    trust: float
    meant: Entries
    own: list[tuple[int, list[Part]]]
    weak: list[tuple[int, float, int, str, bool]]


class Sums:
    """The sums of some profiles over a batch, taken apart."""

    def __init__(
        self,
        compiled: Profiles,
        profiles: Sequence[Profile],
        counted: tuple[Counts, csr_matrix],
        weak: Weak | None,
        batch: Batch,
    ) -> None:
        self._compiled = compiled
        self._lexicon = compiled.lexicon
        self._profiles = profiles
        self._counts, self._says = counted
        self._weak = weak
        self._batch = batch
        self._wanted: dict[int, Wanted] = {}
        self._said: dict[int, dict[int, float]] = {}
        self._found: dict[int, Found] = {}
        self._described: dict[tuple[str, int], Share] = {}
        self._hinted: dict[tuple[int, int, bool], Share] = {}

    def parts(self, profile: int, listing: int) -> list[tuple[Share, float]]:
        """What gives something to the sum, with how much."""
        wanted, said = self.wanted(profile), self.said_of(listing)
        raw: dict[tuple[str, bool], float] = {}
        for unit, parts in wanted.own:
            if unit in said:
                for term, against, value in parts:
                    key = term, against
                    raw[key] = raw.get(key, 0.0) + value * said[unit]
        weak = self._weak_parts(wanted, listing, raw) + self._meant(wanted, listing)
        return [(self._describe(term, listing), value) for (term, _), value in raw.items()] + weak

    def _weak_parts(
        self, wanted: Wanted, listing: int, raw: dict[tuple[str, bool], float]
    ) -> list[tuple[Share, float]]:
        """What related and learned terms give.

        A related term that is a keyword's own word goes to that keyword; a learned one never does.
        """
        if self._weak is None or not wanted.weak:
            return []
        said = self._weak.said_of(listing)
        found = []
        for column, value, feature, owner, learned in wanted.weak:
            if column in said:
                if (owner, False) in raw:
                    raw[owner, False] += value * said[column]
                else:
                    found.append((self._hint(feature, listing, learned), value * said[column]))
        return found

    def _meant(self, wanted: Wanted, listing: int) -> list[tuple[Share, float]]:
        """What likeness in meaning gives, one part of the sum whatever the model."""
        if not wanted.meant or self._dimensions is None:
            return []
        at, values = (np.array(each) for each in zip(*wanted.meant, strict=True))
        gives = float(values @ self._dimensions[at, listing])
        return [(Share(TERM, "meaning", 0, related=True), gives)]

    def wanted(self, profile: int) -> Wanted:
        """A profile's row, taken apart."""
        if profile not in self._wanted:
            self._wanted[profile] = self._take_apart(profile)
        return self._wanted[profile]

    def _take_apart(self, profile: int) -> Wanted:
        made = make_row(self._lexicon, self._profiles[profile])
        hints, own = self._compiled.row(profile)
        first = self._compiled.dimensions
        before = sum(map(abs, made.row[1]))
        trust = sum(abs(value) for _, value in own) / before if before else 1.0
        trust = trust if trust < ROUNDED else 1.0
        return Wanted(
            made=made,
            trust=trust,
            meant=[(column, value) for column, value in hints if column < first],
            own=[(unit, _parts(made, unit, value, trust)) for unit, value in own],
            weak=[
                (column - first, value, *self._origin(made, column - first))
                for column, value in hints
                if column >= first
            ],
        )

    def _origin(self, made: Made, column: int) -> tuple[int, str, bool]:
        """The feature of a weak column, the keyword whose word it is, whether it is learned."""
        if self._compiled.related is None:
            return column, "", False
        space = self._compiled.related.space
        if column >= len(space.words):
            return column - len(space.words), "", True
        unit = self._lexicon.known_word(STEM + space.stem_of(column))
        return column, made.owner.get(unit, ""), False

    # --- what stands in a listing -------------------------------------------------------------

    def said_of(self, listing: int) -> dict[int, float]:
        """What each unit says of the listing, without those that say nothing."""
        if listing not in self._said:
            table = self._columns
            low, high = table.indptr[listing], table.indptr[listing + 1]
            entries = table.indices[low:high].tolist(), table.data[low:high].tolist()
            self._said[listing] = dict(zip(*entries, strict=True))
        return self._said[listing]

    def _describe(self, term: str, listing: int) -> Share:
        key = (term, listing)
        if key not in self._described:
            self._described[key] = describe(self._lexicon, self._found_in(listing), term)
        return self._described[key]

    def _hint(self, feature: int, listing: int, learned: bool) -> Share:
        key = (feature, listing, learned)
        if key not in self._hinted and self._weak is not None:
            shown = self._weak.show(feature)
            often = self._weak.often_in(listing).get(feature, (0, 0))
            self._hinted[key] = describe_weak(shown, *often, learned=learned)
        return self._hinted[key]

    @cached_property
    def _columns(self) -> csc_matrix:
        return self._says.tocsc()

    @cached_property
    def _dimensions(self) -> np.ndarray | None:
        meaning = self._compiled.meaning
        return meaning.table(self._batch).toarray() if meaning else None

    def _found_in(self, listing: int) -> Found:
        """For each unit that stands in the listing, how often in the title and elsewhere."""
        if listing not in self._found:
            order, first = self._by_listing
            at = order[first[listing] : first[listing + 1]]
            table = (self._counts.thing[at], self._counts.title[at], self._counts.rest[at])
            self._found[listing] = {
                unit: (int(title), int(rest))
                for unit, title, rest in zip(*(each.tolist() for each in table), strict=True)
            }
        return self._found[listing]

    @cached_property
    def _by_listing(self) -> tuple[np.ndarray, list[int]]:
        order = np.argsort(self._counts.listing, kind="stable")
        places = np.arange(self._says.shape[1] + 1)
        return order, np.searchsorted(self._counts.listing[order], places).tolist()


def _parts(made: Made, unit: int, value: float, trust: float) -> list[Part]:
    """A unit's worth, parted between the keyword for it and the keyword against it."""
    term, loss = made.against.get(unit, ("", 0.0))
    loss *= trust / made.norm
    parts = [(term, True, loss)] if loss else []
    if unit in made.owner:
        parts.append((made.owner[unit], value - loss < 0, value - loss))
    return parts
