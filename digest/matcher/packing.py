"""The reasons of many pairs in the few bytes that the ledger keeps of them.

Owns the numbering of texts: each profile's are its terms that give something, then parts of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from digest.matcher.finder import Longs
from digest.matcher.parts import LEARNED, MEANT, RELATED, Entries, Sum
from digest.matcher.profiles import Floats
from digest.matcher.reasons import Share
from digest.model import Reasons
from digest.reason import FIELDS, MOST_COUNTED, RECORD
from digest.reason import LEARNED as LEARNED_MARK
from digest.reason import RELATED as RELATED_MARK

KEPT = np.dtype(
    [("term", "<u2"), ("part", "<u2"), ("count", "<u2"), ("marks", "u1"), ("points", "<f4")]
)
"""`RECORD` as an array has it."""

_NUMBERS = {name: number for number, name in enumerate(FIELDS)}


def pack(
    entries: Entries,
    row: Longs,
    parts: Sum,
    points: Floats,
    standing: tuple[Sequence[Share], Longs],
) -> list[Reasons]:
    """The reasons of each pair from its parts; `row` says whose entries each pair has.

    `standing` is where terms stand, and which of those is each part's.
    """
    shares, share = standing
    whose = row[parts.pair]
    term, texts = _terms(entries, parts.entry)
    part = _add_parts(texts, whose, [one.part for one in shares], share)
    made = np.empty(len(points), dtype=KEPT)
    made["term"], made["part"], made["points"] = term, part, points
    counts = np.array([min(one.count, MOST_COUNTED) for one in shares], dtype=np.uint16)
    marks = np.array([_NUMBERS[one.field] for one in shares], dtype=np.uint8)
    kind = entries.kind[parts.entry]
    made["count"] = counts[share]
    made["marks"] = (
        marks[share]
        | np.where((kind == RELATED) | (kind == MEANT) | (kind == LEARNED), RELATED_MARK, 0)
        | np.where(kind == LEARNED, LEARNED_MARK, 0)
    )
    raw = made.tobytes()
    ends = np.searchsorted(parts.pair, np.arange(len(row) + 1)) * RECORD.size
    bounds, kept = ends.tolist(), [tuple(one) for one in texts]
    return [
        Reasons(kept[one], raw[bounds[at] : bounds[at + 1]]) for at, one in enumerate(row.tolist())
    ]


def _terms(entries: Entries, used: Longs) -> tuple[Longs, list[list[str]]]:
    """The place of each used entry's term among the texts of its profile, and those texts."""
    many = len(entries.first) - 1
    who = np.repeat(np.arange(many), np.diff(entries.first))
    key = who * (len(entries.texts) + 1) + entries.text
    begin = np.flatnonzero(np.diff(key, prepend=-2))
    group = np.repeat(np.arange(len(begin)), np.diff(begin, append=len(key)))
    told = np.zeros(len(begin), dtype=bool)
    told[group[used]] = True
    before = np.concatenate(([0], np.cumsum(told)))
    first = before[np.searchsorted(begin, entries.first)]
    names = [entries.texts[one] for one in entries.text[begin[told]].tolist()]
    texts = [["", *names[low:high]] for low, high in pairwise(first.tolist())]
    return before[group[used]] - first[who[used]] + 1, texts


def _add_parts(texts: list[list[str]], whose: Longs, parts: Sequence[str], share: Longs) -> Longs:
    """The place of each part among the texts of its profile, where they are added; 0 for none."""
    numbers = {"": 0}
    number = np.array([numbers.setdefault(one, len(numbers)) for one in parts], dtype=np.int64)
    named, place = number[share], np.zeros(len(share), dtype=np.int64)
    some = np.flatnonzero(named)
    code, at = np.unique(whose[some] * len(numbers) + named[some], return_inverse=True)
    names, places = list(numbers), []
    for one in code.tolist():
        mine = texts[one // len(numbers)]
        places.append(len(mine))
        mine.append(names[one % len(numbers)])
    place[some] = np.array(places, dtype=np.int64)[at]
    return place
