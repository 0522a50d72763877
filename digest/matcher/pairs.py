"""Profiles beside a batch of listings: counted once, then ranked, or looked at pair by pair.

Owns what one profile makes of one listing. What a keyword finds in a listing does not depend on
who asks, so it is described once for all profiles.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property

import numpy as np
from scipy.sparse import csc_matrix, csr_matrix, vstack

from digest.matcher import formula, ranking
from digest.matcher.profiles import Entries, Made, Profiles, make_row
from digest.matcher.ranking import Ranking
from digest.matcher.reading import Batch
from digest.matcher.reasons import (
    Explanation,
    Found,
    Share,
    describe,
    describe_related,
    factors,
    needed,
    part_score,
)
from digest.matcher.scoring import count_units, evidence
from digest.matcher.terms import STEM
from digest.model import Match, Profile


class Pairs:
    """Every pair of a profile and a listing, by their indices in what it was made from."""

    def __init__(self, compiled: Profiles, batch: Batch, profiles: Sequence[Profile] = ()) -> None:
        self._profiles = profiles
        self._lexicon = compiled.lexicon
        self._related = compiled.related
        self._batch = batch
        self._compiled = compiled
        self._counts = count_units(self._lexicon, batch)
        self._own_says = evidence(self._lexicon, batch, self._counts)
        self._weak_says = self._related.weak_evidence(batch) if self._related else None
        self._made: dict[int, Made] = {}
        self._rows: dict[int, tuple[Entries, Entries]] = {}
        self._said: dict[int, dict[int, float]] = {}
        self._found: dict[int, Found] = {}
        self._described: dict[tuple[str, int], Share] = {}

    def rank(self, limit: int | Sequence[int], floors: Sequence[float] | None = None) -> Ranking:
        """For each profile its best listings with a score above 0 (and at or above its floor)."""
        return ranking.rank(self._compiled.blocks(), self._table, self._batch.order, limit, floors)

    def match(self, profile: int, listing: int) -> Match:
        """The score that `rank` gives, with its reasons; 0 and no reasons where excluded."""
        shown = self._batch.listings[listing]
        if self.excluded_by(profile, listing):
            return Match(shown, 0.0)
        shares = self._shares(profile, listing)
        score = float(formula.squash(np.array(sum(each.raw for each in shares))))
        return Match(shown, score, part_score(score, shares))

    def excluded_by(self, profile: int, listing: int) -> str:
        """The exclusion that keeps the listing from this profile, or an empty text."""
        out = self._made_of(profile).out
        said = self._said_of(listing) if out else {}
        return next((term for unit, term in out.items() if unit in said), "")

    def explain(self, profile: int, listing: int) -> Explanation:
        """The match, the keywords that did not match, and what would pass the floor."""
        wanted, made = self._profiles[profile], self._made_of(profile)
        match = self.match(profile, listing)
        excluded_by = self.excluded_by(profile, listing)
        near = tuple(f"{r.term}: only {r.part!r}" for r in match.reasons if r.part)
        seen = {r.term for r in match.reasons if not r.related}
        absent = tuple(k.term for k in wanted.keywords if k.term not in seen)
        trust = self._trust(profile)
        worth = {term: trust * self._worth(made, term) for term in absent}
        return Explanation(
            match=match,
            floor=wanted.min_score,
            excluded_by=excluded_by,
            absent=absent,
            near=near,
            factors=factors(made.norm, trust, match.score),
            needed="" if excluded_by else needed(match, wanted.min_score, worth),
        )

    # --- the parts of a sum -------------------------------------------------------------------

    def _shares(self, profile: int, listing: int) -> list[Share]:
        """What each keyword, and each related term, gives to the sum."""
        made, said = self._made_of(profile), self._said_of(listing)
        trust = self._trust(profile)
        raw: dict[tuple[str, bool], float] = {}
        for unit, value in self._row(profile)[1]:
            if unit in said:
                for term, part in _parts(made, unit, value, trust):
                    key = (term, part < 0)
                    raw[key] = raw.get(key, 0.0) + part * said[unit]
        related = self._related_shares(made, profile, listing, raw)
        own = [replace(self._describe(term, listing), raw=v) for (term, _), v in raw.items()]
        return own + related

    def _related_shares(
        self, made: Made, profile: int, listing: int, raw: dict[tuple[str, bool], float]
    ) -> list[Share]:
        """What related and learned terms give.

        A related term that is a keyword's own word goes to that keyword; a learned one never does.
        """
        if self._related is None:
            return []
        space, said = self._related.space, self._weakly_said(listing)
        gains: dict[tuple[str, bool], float] = {}
        for column, value in self._row(profile)[0]:
            if column not in said:
                continue
            learned = column >= len(space.words)
            feature = column - len(space.words) if learned else column
            unit = self._lexicon.known_word(STEM + space.stem_of(feature))
            owner = made.owner.get(unit, "")
            if not learned and (owner, False) in raw:
                raw[owner, False] += value * said[column]
            else:
                shown = space.show(feature), learned
                gains[shown] = gains.get(shown, 0.0) + value * said[column]
        return [
            replace(self._describe_related(term, listing, value), learned=learned)
            for (term, learned), value in gains.items()
        ]

    def _describe(self, term: str, listing: int) -> Share:
        key = (term, listing)
        if key not in self._described:
            self._described[key] = describe(self._lexicon, self._found_in(listing), term)
        return self._described[key]

    def _describe_related(self, term: str, listing: int, raw: float) -> Share:
        key = ("related:" + term, listing)
        if key not in self._described:
            self._described[key] = describe_related(self._batch.listings[listing], term, raw)
        return replace(self._described[key], raw=raw)

    def _worth(self, made: Made, term: str) -> float:
        """What a keyword would add if it stood once in the abstract of a usual listing."""
        once = float(formula.saturate(np.zeros(1), np.ones(1), np.ones(1))[0])
        joined = self._lexicon.joined
        row = zip(*made.row, strict=True)
        return once * sum(v for u, v in row if made.owner.get(u) == term and u not in joined)

    # --- what is looked up once ---------------------------------------------------------------

    def _made_of(self, profile: int) -> Made:
        if profile not in self._made:
            self._made[profile] = make_row(self._lexicon, self._profiles[profile])
        return self._made[profile]

    def _trust(self, profile: int) -> float:
        """What the keywords count beside what was learned from likes, 1 without."""
        before = sum(map(abs, self._made_of(profile).row[1]))
        return sum(abs(value) for _, value in self._row(profile)[1]) / before if before else 1.0

    def _said_of(self, listing: int) -> dict[int, float]:
        """What each unit says of the listing, without those that say nothing."""
        if listing not in self._said:
            self._said[listing] = dict(_column(self._own_columns, listing))
        return self._said[listing]

    def _weakly_said(self, listing: int) -> dict[int, float]:
        if self._weak_columns is None:
            return {}
        return dict(_column(self._weak_columns, listing))

    def _row(self, profile: int) -> tuple[Entries, Entries]:
        """The weak and the own entries of a profile."""
        if profile not in self._rows:
            self._rows[profile] = self._compiled.row(profile)
        return self._rows[profile]

    @cached_property
    def _table(self) -> csr_matrix:
        """What every column of the profiles' rows says of each listing, ties in a fixed order."""
        parts = (self._own_says,) if self._weak_says is None else (self._weak_says, self._own_says)
        table = vstack(parts, format="csr")
        place = np.empty(len(self._batch), dtype=np.int32)
        place[self._batch.order] = np.arange(len(self._batch), dtype=np.int32)
        return csr_matrix((table.data, place[table.indices], table.indptr), shape=table.shape)

    @cached_property
    def _own_columns(self) -> csc_matrix:
        return self._own_says.tocsc()

    @cached_property
    def _weak_columns(self) -> csc_matrix | None:
        return None if self._weak_says is None else self._weak_says.tocsc()

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
        places = np.arange(len(self._batch) + 1)
        return order, np.searchsorted(self._counts.listing[order], places).tolist()


def _column(matrix: csc_matrix, index: int) -> Iterator[tuple[int, float]]:
    """The entries of one column of a matrix."""
    low, high = matrix.indptr[index], matrix.indptr[index + 1]
    return zip(matrix.indices[low:high].tolist(), matrix.data[low:high].tolist(), strict=True)


def _parts(made: Made, unit: int, value: float, trust: float) -> Iterator[tuple[str, float]]:
    """A unit's worth, parted between the keyword for it and the keyword against it."""
    term, loss = made.against.get(unit, ("", 0.0))
    loss *= trust / made.norm
    if loss:
        yield term, loss
    if unit in made.owner:
        yield made.owner[unit], value - loss
