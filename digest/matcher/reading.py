"""A batch of listings, read once for all profiles.

Owns the arrays in which words stand. Profiles play no part in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from digest.matcher.words import PARTED, fold, split, stem
from digest.model import Listing

TITLE, ABSTRACT, ORG = 0, 1, 2
Ints = NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
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


def stems_of(batch: Batch) -> list[str]:
    """The stem of each word of the vocabulary."""
    return [stem(word) for word in batch.vocabulary]
