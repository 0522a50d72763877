"""The reasons of many pairs in the few bytes that the ledger keeps of them.

Owns the numbering of texts: each profile's are its terms that give something, then parts of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from digest.matcher.finder import Longs
from digest.matcher.parts import LEARNED, OWN, Entries, Sum
from digest.matcher.profiles import Floats
from digest.reason import KEPT, MOST_COUNTED, Packed
from digest.reason import LEARNED as LEARNED_MARK
from digest.reason import RELATED as RELATED_MARK


@dataclass(frozen=True, slots=True, eq=False)
class Standing:
    """Where the terms of parts stand: in which field (by number), how often, which part of them.

    `part` numbers `parts`, of which the first is the empty text.
    """

    field: Longs
    count: Longs
    part: Longs
    parts: list[str]


def pack(
    entries: Entries,
    pairs: tuple[Longs, Floats],
    parts: Sum,
    points: NDArray[np.float32],
    standing: Standing,
) -> Packed:
    """The reasons of pairs, of which is told whose entries they have and their scores."""
    row, score = pairs
    whose, many = row[parts.pair], len(entries.first) - 1
    size = len(entries.texts)
    # A profile's texts: none, terms in order of its entries, parts in order of their numbers.
    whole, group = _distinct(entries)
    told = np.zeros(len(whole), dtype=bool)
    told[group[parts.entry]] = True
    some = np.flatnonzero(standing.part)
    code, at = np.unique(
        whose[some] * len(standing.parts) + standing.part[some], return_inverse=True
    )
    owners = np.concatenate((np.arange(many), whole[told], code // len(standing.parts)))
    texts = np.concatenate(
        (
            np.full(many, size),
            entries.text[np.searchsorted(group, np.flatnonzero(told))],
            code % len(standing.parts) + size,
        )
    )
    sort = np.argsort(owners, kind="stable")
    begins = np.searchsorted(owners[sort], np.arange(many + 1))
    place = np.empty(len(owners), dtype=np.int64)
    place[sort] = np.arange(len(owners)) - begins[owners[sort]]
    made = np.zeros(len(points), dtype=KEPT)
    made["term"] = place[many + np.cumsum(told) - 1][group[parts.entry]]
    made["part"][some] = place[len(owners) - len(code) :][at]
    made["count"] = np.minimum(standing.count, MOST_COUNTED)
    kind = entries.kind[parts.entry]
    made["marks"] = standing.field | (kind != OWN) * RELATED_MARK | (kind == LEARNED) * LEARNED_MARK
    made["points"] = points
    return Packed(
        score=score,
        row=row,
        first=np.searchsorted(parts.pair, np.arange(len(row) + 1)),
        reasons=made,
        texts=[*entries.texts, *standing.parts],
        named=texts[sort],
        begins=begins,
    )


def _distinct(entries: Entries) -> tuple[Longs, Longs]:
    """Whose each distinct text of a profile is, and which of them each entry has."""
    who = np.repeat(np.arange(len(entries.first) - 1), np.diff(entries.first))
    key = who * (len(entries.texts) + 1) + entries.text
    begins = np.diff(key, prepend=-2) != 0
    return who[begins], np.cumsum(begins) - 1
