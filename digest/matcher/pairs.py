"""Profiles beside a batch of listings: counted once, then ranked, or looked at pair by pair.

Owns what one profile makes of one listing. What a keyword finds in a listing does not depend on
who asks, so it is described once for all profiles.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from digest.matcher import formula, ranking
from digest.matcher.lexicon import Role
from digest.matcher.profiles import OUT, Profiles
from digest.matcher.ranking import Ranking
from digest.matcher.reading import Batch
from digest.matcher.reasons import Evidence, Found, describe, part_score
from digest.matcher.scoring import count_units, evidence
from digest.model import Match


class Pairs:
    """Every pair of a profile and a listing, by their indices in what it was made from."""

    def __init__(self, compiled: Profiles, batch: Batch) -> None:
        self._lexicon = compiled.lexicon
        self._batch = batch
        self._rows = compiled.matrix()
        self._counts = count_units(self._lexicon, batch)
        self._evidence = evidence(self._lexicon, batch, self._counts)
        self._by_listing = self._evidence.tocsc()
        self._columns = list(self._lexicon.columns)
        self._order = np.argsort(self._counts.listing, kind="stable")
        self._first = np.searchsorted(
            self._counts.listing[self._order], np.arange(len(batch) + 1)
        ).tolist()
        self._values: dict[int, dict[int, float]] = {}
        self._found: dict[int, Found] = {}
        self._described: dict[tuple[int, int], Evidence] = {}

    def rank(self, limit: int | Sequence[int], floors: Sequence[float] | None = None) -> Ranking:
        """For each profile its best listings with a score above 0 (and at or above its floor)."""
        return ranking.rank(self._rows, self._evidence, self._batch.order, limit, floors)

    def match(self, profile: int, listing: int) -> Match:
        """The score that `rank` gives, with its reasons; 0 and no reasons where excluded."""
        shares, excluded_by = self._shares(profile, listing)
        if excluded_by:
            return Match(self._batch.listings[listing], 0.0)
        score = float(formula.squash(np.array(sum(each.raw for each in shares))))
        return Match(self._batch.listings[listing], score, part_score(score, shares))

    def excluded_by(self, profile: int, listing: int) -> str:
        """The exclusion that keeps the listing from this profile, or an empty text."""
        return self._shares(profile, listing)[1]

    def _shares(self, profile: int, listing: int) -> tuple[list[Evidence], str]:
        low, high = self._rows.indptr[profile : profile + 2].tolist()
        values = self._values_of(listing)
        shares: list[Evidence] = []
        for column, weight in zip(
            self._rows.indices[low:high].tolist(), self._rows.data[low:high].tolist(), strict=True
        ):
            raw = weight * values.get(column, 0.0)
            if raw < OUT / 2:
                return [], self._columns[column][1]
            if raw:
                shares.append(replace(self._describe(column, listing), raw=raw))
        return shares, ""

    def _values_of(self, listing: int) -> dict[int, float]:
        """What each column says of the listing, without those that say nothing."""
        if listing not in self._values:
            low, high = self._by_listing.indptr[listing : listing + 2].tolist()
            columns = self._by_listing.indices[low:high].tolist()
            said = self._by_listing.data[low:high].tolist()
            self._values[listing] = dict(zip(columns, said, strict=True))
        return self._values[listing]

    def _describe(self, column: int, listing: int) -> Evidence:
        key = (column, listing)
        if key not in self._described:
            role, text = self._columns[column]
            found = self._found_in(listing)
            self._described[key] = describe(self._lexicon, found, Role(role), text, 0.0)
        return self._described[key]

    def _found_in(self, listing: int) -> Found:
        """For each unit that stands in the listing, how often in the title and elsewhere."""
        if listing not in self._found:
            at = self._order[self._first[listing] : self._first[listing + 1]]
            table = (self._counts.unit[at], self._counts.title[at], self._counts.abstract[at])
            self._found[listing] = {
                unit: (int(title), int(rest))
                for unit, title, rest in zip(*(each.tolist() for each in table), strict=True)
            }
        return self._found[listing]
