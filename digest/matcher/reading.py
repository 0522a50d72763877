"""A batch of listings, read once for all profiles.

Owns the arrays in which words stand. Profiles play no part in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from digest.language.stems import stem
from digest.language.words import GLUED, PARTED, fold, may_begin, may_end, split
from digest.model import Listing

TITLE, ABSTRACT, ORG = 0, 1, 2
Ints = NDArray[np.int32]


@dataclass(frozen=True, eq=False)  # no slots: the index is made when first asked for
class Batch:
    """Listings as arrays, one entry for each word in order of listing and field.

    `word` indexes `vocabulary`; `stand` says how a word stands to the next one (a field's last is
    parted); `lengths` counts the distinct stems of title and abstract of each listing; `order`
    ranks the listings by a hash of their keys, so that ties do not hang on the order of the batch.
    """

    listings: Sequence[Listing]
    vocabulary: list[str]
    word: Ints
    listing: Ints
    field: NDArray[np.uint8]
    stand: NDArray[np.uint8]
    lengths: NDArray[np.float64]
    order: Ints

    def __len__(self) -> int:
        return len(self.listings)

    @cached_property
    def index(self) -> Index:
        """Where each word stands, made once."""
        return _index(self)


@dataclass(frozen=True, slots=True, eq=False)
class Index:
    """A batch turned round. Word `w` stands at `places[first[w]:first[w + 1]]`.

    `left` and `right` are the distinct pairs of neighbours, `joins` says which of them may be one
    word, `pair` which of them begins at each place of `pair_places`.
    """

    stems: list[str]
    by_stem: dict[str, list[int]]
    by_word: dict[str, int]
    ordered: list[str]
    first: NDArray[np.int64]
    places: NDArray[np.int64]
    left: NDArray[np.int64]
    right: NDArray[np.int64]
    joins: NDArray[np.bool_]
    pair: NDArray[np.int64]
    pair_places: NDArray[np.int64]


def _index(batch: Batch) -> Index:
    stems = [stem(word) for word in batch.vocabulary]
    by_stem: dict[str, list[int]] = {}
    for number, each in enumerate(stems):
        by_stem.setdefault(each, []).append(number)
    places = np.argsort(batch.word, kind="stable")
    near = np.flatnonzero(batch.stand[:-1] != PARTED)
    left, right = batch.word[near].astype(np.int64), batch.word[near + 1].astype(np.int64)
    code = left << 33 | right << 1 | (batch.stand[near] == GLUED)
    pairs, pair = np.unique(code, return_inverse=True)
    left, right = pairs >> 33, (pairs >> 1) & 0xFFFFFFFF
    first, last = _ends_of_words(batch.vocabulary)
    return Index(
        stems=stems,
        by_stem=by_stem,
        by_word={word: number for number, word in enumerate(batch.vocabulary)},
        ordered=sorted(batch.vocabulary),
        first=np.searchsorted(batch.word[places], np.arange(len(stems) + 1)),
        places=places,
        left=left,
        right=right,
        joins=(pairs & 1).astype(bool) | first[left] & last[right],
        pair=pair,
        pair_places=near,
    )


def _ends_of_words(vocabulary: list[str]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which words may be the first, and which the last, of two that are written as one."""
    first = [may_begin(word) for word in vocabulary]
    last = [may_end(word) for word in vocabulary]
    return np.array(first, dtype=bool), np.array(last, dtype=bool)


@dataclass(frozen=True, slots=True, eq=False)
class Counts:
    """How often each thing stands in each listing: the pairs that are not zero, in order."""

    thing: NDArray[np.int64]
    listing: NDArray[np.int64]
    title: NDArray[np.float64]
    rest: NDArray[np.float64]


def tally(
    thing: NDArray[np.int64], listing: NDArray[np.int64], in_title: NDArray[np.bool_]
) -> Counts:
    """The counts of occurrences given one by one; things below 0 are passed over."""
    kept = thing >= 0
    thing, listing, in_title = thing[kept], listing[kept], in_title[kept]
    key, which = np.unique(thing << 32 | listing, return_inverse=True)
    return Counts(
        key >> 32,
        key & 0xFFFFFFFF,
        np.bincount(which[in_title], minlength=len(key)).astype(float),
        np.bincount(which[~in_title], minlength=len(key)).astype(float),
    )


def read(listings: Sequence[Listing]) -> Batch:
    """The batch of these listings; time linear in the length of their texts."""
    numbers: dict[str, int] = {}
    word: list[int] = []
    stand: list[int] = []
    runs: list[tuple[int, int, int]] = []
    lengths: list[int] = []
    for index, listing in enumerate(listings):
        distinct: set[int] = set()
        for field, text in enumerate((listing.title, listing.abstract, listing.organization)):
            words, stands = split(fold(text))
            if not words:
                continue
            found = [numbers.setdefault(each, len(numbers)) for each in words]
            stands[-1] = PARTED
            word += found
            stand += stands
            runs.append((index, field, len(found)))
            if field != ORG:
                distinct.update(found)
        lengths.append(len(distinct))
    run = np.array(runs, dtype=np.int32).reshape(-1, 3)
    return Batch(
        listings=listings,
        vocabulary=list(numbers),
        word=np.array(word, dtype=np.int32),
        listing=np.repeat(run[:, 0], run[:, 2]),
        field=np.repeat(run[:, 1], run[:, 2]).astype(np.uint8),
        stand=np.array(stand, dtype=np.uint8),
        lengths=np.array(lengths, dtype=np.float64),
        order=_hashed_order(listings),
    )


def _hashed_order(listings: Sequence[Listing]) -> Ints:
    hashes = [
        blake2b(each.key.encode("utf-8", "replace"), digest_size=8).digest() for each in listings
    ]
    order = sorted(range(len(hashes)), key=lambda i: (hashes[i], listings[i].key))
    return np.array(order, dtype=np.int32)
