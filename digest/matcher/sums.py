"""What each keyword, and each related or learned term, gives to the sums of many pairs at once.

Owns the parting of sums. What the rows of profiles are made of is worked out for all profiles that
are asked for, where a term stands for each term and listing; a pair of a profile and a listing
costs their common entries, a few nanoseconds each. Some thousand pairs are gone through at a time,
so that what is worked on stays near the processor.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, vstack

from digest.language.terms import STEM
from digest.matcher import formula
from digest.matcher.finder import Longs, spread
from digest.matcher.meaning import TERM
from digest.matcher.packing import Standing, pack
from digest.matcher.parts import (
    LEARNED,
    MEANT,
    OUT,
    OWN,
    RELATED,
    Entries,
    Sum,
    gathered,
    grouped,
    points_of,
    summed,
)
from digest.matcher.profiles import Floats, Parted, Profiles, part_rows
from digest.matcher.reading import Batch, Counts
from digest.matcher.reasons import BOTH, Found, Parts, Share, describe, describe_weak
from digest.matcher.weak import Weak
from digest.model import Profile
from digest.reason import NUMBERS, Packed

Known = dict[tuple[str, int], Share]
"""Where keywords stand in the listings of a batch."""

MOST_KNOWN = 200_000
"""Of which so many are remembered; they take 40 MB."""

AT_ONCE = 200_000
"""Entries beside listings that are looked at in one go."""

_KNOWN: WeakKeyDictionary[Batch, Known] = WeakKeyDictionary()

_TITLE, _ABSTRACT, _BOTH, _MEANING = (
    NUMBERS[name] for name in ("title", "abstract", BOTH, "meaning")
)

MOST_CELLS = 10_000_000
"""Of a table that is filled up with zeros, to be quick: 40 MB. Days of many thousand listings have
more, and take longer each."""

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

    def parted(self, whose: Longs, which: Longs) -> Packed:
        """The score and the reasons of each pair of a profile and a listing, none of excluded."""
        asked, row = np.unique(whose, return_inverse=True)
        entries, _ = self._entries(asked)
        totals, found = [np.zeros(0)], list[tuple[Sum, NDArray[np.float32]]]()
        for low, high in _pieces(np.diff(entries.first)[row]):
            parts = gathered(entries, self._all_parts(entries, row[low:high], which[low:high]))
            total = summed(parts.pair, parts.gives, high - low)
            parts, points = points_of(parts, total, _scores(total))
            totals.append(total)
            found.append((replace(parts, pair=parts.pair + low), points))
        whole = np.concatenate(totals)
        parts = _joined([parts for parts, _ in found])
        points = np.concatenate([np.zeros(0, np.float32), *(points for _, points in found)])
        standing = self._standing(entries, parts, which)
        return pack(entries, (row, _scores(whole)), parts, points, standing)

    def parts(self, profile: int, listing: int) -> Parts:
        """What gives something to the sum of one pair; nothing where the listing is excluded."""
        which = np.array([listing])
        entries, _ = self._entries(np.array([profile]))
        parts = gathered(entries, self._all_parts(entries, np.zeros(1, np.int64), which))
        return [
            (self._share(entries, one, listing), gives)
            for one, gives in zip(parts.entry.tolist(), parts.gives.tolist(), strict=True)
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
        owner = np.concatenate((np.full(len(own.who), -1), owner))[sort]
        owner = np.where(owner >= 0, rank[owner], -1)
        group, owner = grouped(whose[sort], rank[text[sort]], kinds[sort], owner)
        made = Entries(
            first=np.searchsorted(whose[sort], np.arange(len(asked) + 1)),
            column=np.concatenate((own.unit + low, column))[sort],
            value=np.concatenate((own.value * trust[own.who], rows.data[weak]))[sort],
            kind=kinds[sort],
            text=text[sort],
            group=group,
            owner=owner,
            texts=texts,
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
        first, size = entries.first[row], np.diff(entries.first)[row]
        lowest, highest = int(first.min()), int((first + size).max())
        table, place = self._said(entries.column[lowest:highest])
        entry = spread(first, size)
        value = looked_up(table, place.take(entry - lowest), np.repeat(which, size))
        some = np.flatnonzero(value != 0)  # of numbers themselves it takes five times as long
        pair, entry = np.repeat(np.arange(len(row)), size)[some], entry[some]
        out = np.unique(pair[entries.kind[entry] == OUT])
        parts = Sum(pair, entry, value[some] * entries.value[entry])
        return parts.those(~np.isin(pair, out)) if len(out) else parts

    def _said(self, column: Longs) -> tuple[csr_matrix, Longs]:
        """What all listings say of some columns, and the row of each of them."""
        low, first = self._compiled.weak_width, self._compiled.dimensions
        place = np.zeros(low + self._says.shape[0], dtype=np.int64)
        place[column] = 1
        used = np.flatnonzero(place)
        place[used] = np.arange(len(used))
        tables = []
        if self._meant is not None:
            tables.append(self._meant[used[used < first]])
        if self._weak:
            tables.append(self._weak.table[used[(used >= first) & (used < low)] - first])
        tables.append(self._says[used[used >= low] - low])
        return vstack(tables, format="csr"), place[column]

    @cached_property
    def _meant(self) -> csr_matrix | None:
        meaning = self._compiled.meaning
        return meaning.table(self._batch) if meaning else None

    # --- where it stands ----------------------------------------------------------------------

    def _standing(self, entries: Entries, parts: Sum, which: Longs) -> Standing:
        """Where the terms of parts stand."""
        kind, text = entries.kind[parts.entry], entries.text[parts.entry]
        listing = which[parts.pair]
        field, count = np.full(len(kind), _MEANING), np.zeros(len(kind), np.int64)
        part = np.zeros(len(kind), np.int64)
        weak = np.flatnonzero((kind == RELATED) | (kind == LEARNED))
        if self._weak and len(weak):
            feature = self._feature(entries, parts.entry[weak])
            title, rest = self._weak.often(feature, listing[weak])
            field[weak] = np.where(title > 0, np.where(rest > 0, _BOTH, _TITLE), _ABSTRACT)
            count[weak] = np.maximum(1, title + rest)
        own = np.flatnonzero(kind == OWN)
        code, share = np.unique(text[own] * len(self._batch) + listing[own], return_inverse=True)
        shares = [
            self._describe(entries.texts[one // len(self._batch)], one % len(self._batch))
            for one in code.tolist()
        ]
        parted = {"": 0}
        numbers = [parted.setdefault(each.part, len(parted)) for each in shares]
        field[own] = np.array([NUMBERS[each.field] for each in shares], np.int64)[share]
        count[own] = np.array([each.count for each in shares], np.int64)[share]
        part[own] = np.array(numbers, np.int64)[share]
        return Standing(field, count, part, list(parted))

    def _feature(self, entries: Entries, entry: Longs) -> Longs:
        """The features of weak entries."""
        column = entries.column[entry] - self._compiled.dimensions
        words = self._weak.words if self._weak else 0
        return np.where(entries.kind[entry] == LEARNED, column - words, column)

    def _share(self, entries: Entries, entry: int, listing: int) -> Share:
        kind, text = entries.kind[entry], entries.texts[entries.text[entry]]
        if kind == OWN:
            return self._describe(text, listing)
        if kind == MEANT or self._weak is None:
            return Share(TERM, "meaning", 0, related=True)
        feature = self._feature(entries, np.array([entry]))
        title, rest = self._weak.often(feature, np.array([listing]))
        return describe_weak(text, int(title[0]), int(rest[0]), learned=kind == LEARNED)

    def _describe(self, term: str, listing: int) -> Share:
        key = (term, listing)
        if key not in self._known:
            self._known[key] = describe(self._lexicon, self._found_in(listing), term)
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


def looked_up(table: csr_matrix, row: Longs, column: Longs) -> Floats:
    """The values at these places of a table, by way of a full one where that is not too large."""
    if table.shape[0] * table.shape[1] > MOST_CELLS:
        return np.asarray(table[row, column]).ravel()
    return np.asarray(table.toarray().ravel().take(row * table.shape[1] + column))


def _pieces(size: Longs) -> Iterator[tuple[int, int]]:
    """Runs of pairs that have so many entries together as can be looked at in one go."""
    end = np.cumsum(size)
    low = 0
    while low < len(size):
        before = end[low - 1] if low else 0
        high = max(low + 1, int(np.searchsorted(end, before + AT_ONCE, side="right")))
        yield low, high
        low = high


def _joined(sums: Sequence[Sum]) -> Sum:
    """The parts of all, one after the other."""
    none = np.zeros(0, np.int64)
    return Sum(
        np.concatenate([none, *(each.pair for each in sums)]),
        np.concatenate([none, *(each.entry for each in sums)]),
        np.concatenate([np.zeros(0), *(each.gives for each in sums)]),
    )


def _scores(totals: Floats) -> Floats:
    """The scores of sums, as the ranking has them."""
    return formula.squash(totals).astype(np.float32).astype(float)


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
