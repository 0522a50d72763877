"""What each keyword, and each related or learned term, gives to the sums of many pairs at once.

Owns the parting of sums. What the rows of profiles are made of is worked out for all profiles that
are asked for, where a term stands for each term and listing; a pair of a profile and a listing
costs their common entries, a few nanoseconds each.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_matrix, csr_matrix

from digest.language.terms import STEM
from digest.matcher import formula
from digest.matcher.finder import Longs, spread
from digest.matcher.meaning import TERM
from digest.matcher.packing import pack
from digest.matcher.parts import (
    LEARNED,
    MEANT,
    OUT,
    OWN,
    RELATED,
    Entries,
    Sum,
    gathered,
    points_of,
    summed,
)
from digest.matcher.profiles import Floats, Parted, Profiles, part_rows
from digest.matcher.reading import Batch, Counts
from digest.matcher.reasons import Found, Parts, Share, describe, describe_weak
from digest.matcher.weak import Weak
from digest.model import Profile, Reasons

Known = dict[tuple[str, int] | tuple[str, int, bool], Share]
"""Where keywords, and weak terms (learned or not), stand in the listings of a batch."""

MOST_KNOWN = 200_000
"""Of which so many are remembered; they take 40 MB."""

_KNOWN: WeakKeyDictionary[Batch, Known] = WeakKeyDictionary()

ROUNDED = 0.999
"""From here on keywords count whole: rows are kept in 4 bytes, and one like already halves them."""


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
        self._found: dict[int, Found] = {}
        self._known = _known_shares(batch)

    def parted(self, whose: Longs, which: Longs) -> list[tuple[float, Reasons]]:
        """The score and the reasons of each pair of a profile and a listing; nothing of excluded.

        Reasons of one profile share their texts.
        """
        if not len(which):
            return []
        asked, row = np.unique(whose, return_inverse=True)
        entries, _ = self._entries(asked)
        parts = gathered(entries, self._all_parts(entries, row, which))
        totals = summed(parts.pair, parts.gives, len(which))
        scores = formula.squash(totals).astype(np.float32).astype(float)
        parts, points = points_of(parts, totals, scores)
        made = pack(entries, row, parts, points, self._shares(entries, parts, which))
        return list(zip(scores.tolist(), made, strict=True))

    def parts(self, profile: int, listing: int) -> Parts:
        """What gives something to the sum of one pair; nothing where the listing is excluded."""
        which = np.array([listing])
        entries, _ = self._entries(np.array([profile]))
        parts = gathered(entries, self._all_parts(entries, np.zeros(1, np.int64), which))
        shares, share = self._shares(entries, parts, which)
        return [
            (shares[one], gives)
            for one, gives in zip(share.tolist(), parts.gives.tolist(), strict=True)
        ]

    def trust(self, profile: int) -> float:
        """What the keywords of a profile count beside what was learned from likes, 1 without."""
        return float(self._entries(np.array([profile]))[1][0])

    # --- what is asked for --------------------------------------------------------------------

    def _entries(self, asked: Longs) -> tuple[Entries, Floats]:
        """The rows of these profiles, and what the keywords of each count."""
        low, first = self._compiled.weak_width, self._compiled.dimensions
        terms, rows = (
            self._lexicon.terms,
            self._compiled.rows.those(asked, low + self._says.shape[0]),
        )
        ranks = _ranks(terms)
        own = part_rows(self._lexicon, [self._profiles[one] for one in asked.tolist()], ranks)
        trust = _trust(own, rows, low)
        who = np.repeat(np.arange(len(asked)), np.diff(rows.indptr))
        weak = rows.indices < low
        who, column = who[weak], rows.indices[weak].astype(np.int64)
        features, at = np.unique(column[column >= first] - first, return_inverse=True)
        shown, learned, unit = self._origins(features)
        texts = [*terms, TERM, *shown]
        text = np.full(len(column), len(terms))
        kind, owner = np.full(len(column), MEANT), np.full(len(column), -1)
        text[column >= first] = len(terms) + 1 + at
        kind[column >= first] = np.where(learned[at], LEARNED, RELATED)
        owner[column >= first] = _owners(own, who[column >= first], unit[at])
        rank = _ranks(texts)
        kinds = np.concatenate((np.where(own.term < 0, OUT, OWN), kind))
        whose = np.concatenate((own.who, who))
        text = np.concatenate((own.term, text))
        sort = np.argsort((whose * len(texts) + rank[text]) * (OUT + 1) + kinds, kind="stable")
        made = Entries(
            first=np.searchsorted(whose[sort], np.arange(len(asked) + 1)),
            column=np.concatenate((own.unit + low, column))[sort],
            value=np.concatenate((own.value * trust[own.who], rows.data[weak]))[sort],
            kind=kinds[sort],
            text=text[sort],
            owner=np.concatenate((np.full(len(own.who), -1), owner))[sort],
            texts=texts,
            rank=rank,
        )
        return made, trust

    def _origins(self, features: Longs) -> tuple[list[str], NDArray[np.bool_], Longs]:
        """How features are written, whether each was learned, and the unit of its word, or -1."""
        if self._weak is None or self._compiled.related is None:
            return [], np.zeros(0, dtype=bool), np.zeros(0, dtype=np.int64)
        space = self._compiled.related.space
        learned = features >= len(space.words)
        plain = np.where(learned, features - len(space.words), features)
        unit = [
            -1 if taught else self._lexicon.known_word(STEM + space.stem_of(one))
            for one, taught in zip(plain.tolist(), learned.tolist(), strict=True)
        ]
        return [self._weak.show(one) for one in plain.tolist()], learned, np.array(unit, np.int64)

    # --- what a listing has of it -------------------------------------------------------------

    def _all_parts(self, entries: Entries, row: Longs, which: Longs) -> Sum:
        """What each entry gives to each pair, in order of pair and entry, without the excluded."""
        pairs, found, says = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)], [np.zeros(0)]
        size = np.diff(entries.first)[row]
        sort = np.argsort(which, kind="stable")
        listings, begins = np.unique(which[sort], return_index=True)
        ends = np.append(begins[1:], len(which))
        for said, low, high in zip(
            self._said(listings), begins.tolist(), ends.tolist(), strict=True
        ):
            of = sort[low:high]  # the pairs with this listing
            entry = spread(entries.first[row[of]], size[of])
            value = said[entries.column[entry]]
            some = np.flatnonzero(value)
            pairs.append(np.repeat(of, size[of])[some])
            found.append(entry[some])
            says.append(value[some])
        pair, entry = np.concatenate(pairs), np.concatenate(found)
        sort = np.argsort(pair, kind="stable")
        pair, entry = pair[sort], entry[sort]
        out = np.unique(pair[entries.kind[entry] == OUT])
        parts = Sum(pair, entry, np.concatenate(says)[sort] * entries.value[entry])
        return parts.those(~np.isin(pair, out)) if len(out) else parts

    def _said(self, listings: Longs) -> Iterator[Floats]:
        """For each listing what it says of every column; the array is used again."""
        low, first = self._compiled.weak_width, self._compiled.dimensions
        said, own = np.zeros(low + self._says.shape[0]), self._columns
        for listing in listings.tolist():
            said[:] = 0
            at = slice(own.indptr[listing], own.indptr[listing + 1])
            said[low + own.indices[at]] = own.data[at]
            if self._weak:
                columns, values = self._weak.row(listing)
                said[first + columns] = values
            if self._dimensions is not None:
                said[:first] = self._dimensions[:, listing]
            yield said

    @cached_property
    def _columns(self) -> csc_matrix:
        return self._says.tocsc()

    @cached_property
    def _dimensions(self) -> NDArray[np.float32] | None:
        meaning = self._compiled.meaning
        return meaning.table(self._batch).toarray() if meaning else None

    # --- where it stands ----------------------------------------------------------------------

    def _shares(self, entries: Entries, parts: Sum, which: Longs) -> tuple[list[Share], Longs]:
        """Where the terms of parts stand: each distinct one, and which of them is each part's."""
        kind, listing = entries.kind[parts.entry], which[parts.pair]
        code = (entries.text[parts.entry] * (OUT + 1) + kind) * len(self._batch) + listing
        _, at, share = np.unique(code, return_index=True, return_inverse=True)
        chosen = zip(kind[at].tolist(), parts.entry[at].tolist(), listing[at].tolist(), strict=True)
        return [self._share(entries, *one) for one in chosen], share

    def _share(self, entries: Entries, kind: int, entry: int, listing: int) -> Share:
        if kind == OWN:
            return self._describe(entries.texts[entries.text[entry]], listing)
        if kind == MEANT:
            return Share(TERM, "meaning", 0, related=True)
        column = int(entries.column[entry]) - self._compiled.dimensions
        return self._hint(column, listing, learned=kind == LEARNED)

    def _describe(self, term: str, listing: int) -> Share:
        key = (term, listing)
        if key not in self._known:
            self._known[key] = describe(self._lexicon, self._found_in(listing), term)
        return self._known[key]

    def _hint(self, column: int, listing: int, *, learned: bool) -> Share:
        weak = self._weak
        if weak is None:
            raise LookupError(column)
        feature = column - weak.words if learned else column
        shown = weak.show(feature)
        key = (shown, listing, learned)
        if key not in self._known:
            often = weak.often_in(listing).get(feature, (0, 0))
            self._known[key] = describe_weak(shown, *often, learned=learned)
        return self._known[key]

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


def _known_shares(batch: Batch) -> Known:
    """What is known of a batch by now: it depends on the texts alone, whoever asks."""
    known = _KNOWN.setdefault(batch, {})
    if len(known) > MOST_KNOWN:
        known = _KNOWN[batch] = {}
    return known


def _ranks(texts: Sequence[str]) -> Longs:
    """The place of each text in their order; equal ones have different places."""
    ranks = np.empty(len(texts), dtype=np.int64)
    ranks[sorted(range(len(texts)), key=texts.__getitem__)] = np.arange(len(texts))
    return ranks


def _owners(own: Parted, who: Longs, unit: Longs) -> Longs:
    """The keyword by which a profile has a unit, or -1."""
    gains = np.flatnonzero((own.value > 0) & (own.term >= 0))
    key = own.who[gains] << 32 | own.unit[gains]
    if not len(key):
        return np.full(len(who), -1)
    wanted = who << 32 | np.maximum(unit, 0)
    place = np.minimum(np.searchsorted(key, wanted), len(key) - 1)
    return np.where((key[place] == wanted) & (unit >= 0), own.term[gains[place]], -1)


def _trust(own: Parted, rows: csr_matrix, low: int) -> Floats:
    """What the keywords of each profile count beside what was learned from likes."""
    shape = (rows.shape[0], rows.shape[1] - low)
    whole = np.abs(csr_matrix((own.value, (own.who, own.unit)), shape=shape))
    before = np.asarray(whole.sum(axis=1)).ravel()
    who = np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr))
    mine = rows.indices >= low
    after = np.bincount(who[mine], np.abs(rows.data[mine]).astype(float), rows.shape[0])
    trust = np.divide(after, before, where=before > 0, out=np.ones(rows.shape[0]))
    return np.where(trust < ROUNDED, trust, 1.0)
