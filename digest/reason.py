"""Why a listing scored: single reasons, and those of a match in a few bytes each.

A digest of 24 items has about 170 reasons, and a day has as many digests as subscribers. So reasons
are handed from room to room as they are kept, and made into objects only where they are read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from struct import Struct
from typing import overload

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Longs = NDArray[np.int64]

FIELDS = (
    "title", "abstract", "title and abstract", "author", "category", "org", "source", "meaning",
)  # fmt: skip
"""Fields that a kept reason names by their number: new ones are added at the end."""

FIELD, RELATED, LEARNED = 0x3F, 0x40, 0x80
"""The bits of a field's number, and the marks beside it."""

RECORD = Struct("<HHHBf")
"""A kept reason: its term and its part by their places among the texts, its count, its field with
its marks, its points."""

KEPT = np.dtype(
    [("term", "<u2"), ("part", "<u2"), ("count", "<u2"), ("marks", "u1"), ("points", "<f4")]
)
"""`RECORD` as an array has it."""

MOST_COUNTED = 0xFFFF
"""Up to which it is counted how often a term stands in a listing."""

NUMBERS = {name: number for number, name in enumerate(FIELDS)}
"""The numbers by which kept reasons name fields."""


@dataclass(slots=True, unsafe_hash=True)
class Reason:
    """Why a listing scored: the term as the subscriber wrote it, where, how often, its points.

    `field` is one of `FIELDS`; `meaning` is what a model says of the whole. `related` marks weak
    evidence: the word stands with the profile's terms, it is not one of them. `learned` marks, of
    these, what was learned from liked and disliked listings. `part` names the words of a phrase
    that stand alone where the phrase as a whole is absent, else it is empty.

    Nobody changes one. That is not enforced (`frozen`), as to make one would take five times as
    long, and a mail has fifty of them.
    """

    term: str
    field: str
    points: float
    count: int = 1
    related: bool = False
    part: str = ""
    learned: bool = False


class Reasons(Sequence[Reason]):
    """The reasons of a match as they are kept: `texts` of the whole digest, `raw` records.

    The first text is empty. Equal to any other sequence of equal reasons.
    """

    __slots__ = ("_made", "raw", "texts")

    def __init__(self, texts: Sequence[str], raw: bytes) -> None:
        self.texts = texts
        self.raw = raw
        self._made: tuple[Reason, ...] | None = None

    def __len__(self) -> int:
        return len(self.raw) // RECORD.size

    @overload
    def __getitem__(self, index: int) -> Reason: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Reason, ...]: ...
    def __getitem__(self, index: int | slice) -> Reason | tuple[Reason, ...]:
        return self._all()[index]

    def __iter__(self) -> Iterator[Reason]:
        return iter(self._all())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and self._all() == tuple(other)

    def __hash__(self) -> int:
        return hash(self._all())

    def __repr__(self) -> str:
        return repr(self._all())

    def _all(self) -> tuple[Reason, ...]:
        if self._made is None:
            texts = self.texts
            self._made = tuple(
                Reason(
                    texts[term],
                    FIELDS[marks & FIELD],
                    points,
                    count,
                    marks & RELATED != 0,
                    texts[part],
                    marks & LEARNED != 0,
                )
                for term, part, count, marks, points in RECORD.iter_unpack(self.raw)
            )
        return self._made


@dataclass(frozen=True, slots=True, eq=False)
class Packed:
    """The scores of many matches and their reasons, those of match `i` from `first[i]` on.

    Matches of one `row` share their texts, which reasons name by their places: those of row `r` are
    `texts` by the numbers from `begins[r]` to `begins[r + 1]` of `named`, the first of them empty.
    """

    score: Floats
    row: Longs
    first: Longs
    reasons: NDArray[np.void]
    texts: Sequence[str]
    named: Longs
    begins: Longs

    @classmethod
    def of(cls, row: Sequence[int], matches: Sequence[tuple[float, Sequence[Reason]]]) -> Packed:
        """Of reasons one by one; all rows have all texts."""
        texts = {"": 0}
        for _, reasons in matches:
            for one in reasons:
                texts.setdefault(one.term, len(texts))
                texts.setdefault(one.part, len(texts))
        many = max(row, default=-1) + 1
        return cls(
            score=np.array([score for score, _ in matches], dtype=float),
            row=np.array(row, dtype=np.int64),
            first=np.cumsum([0, *(len(reasons) for _, reasons in matches)]),
            reasons=_kept([one for _, reasons in matches for one in reasons], texts),
            texts=list(texts),
            named=np.tile(np.arange(len(texts)), many),
            begins=np.arange(many + 1) * len(texts),
        )

    def rows(self) -> list[list[str]]:
        """The texts of each row."""
        named, texts = self.named.tolist(), self.texts
        bounds = pairwise(self.begins.tolist())
        return [[texts[one] for one in named[low:high]] for low, high in bounds]

    def each(self) -> list[Reasons]:
        """The reasons match by match."""
        raw, bounds = self.reasons.tobytes(), (self.first * RECORD.size).tolist()
        texts = list(map(tuple, self.rows()))
        return [
            Reasons(texts[row], raw[bounds[at] : bounds[at + 1]])
            for at, row in enumerate(self.row.tolist())
        ]

    def those(self, chosen: NDArray[np.bool_]) -> Packed:
        """Some of the matches."""
        sizes = np.diff(self.first)
        return replace(
            self,
            score=self.score[chosen],
            row=self.row[chosen],
            first=np.concatenate(([0], np.cumsum(sizes[chosen]))),
            reasons=self.reasons[np.repeat(chosen, sizes)],
        )

    def followed_by(self, further: Sequence[tuple[int, Reason]]) -> Packed:
        """With further reasons, each behind those of its match; in the order of matches."""
        matches = np.array([match for match, _ in further], dtype=np.int64)
        rows, numbers = self.row[matches], np.arange(len(further))
        # Each brings a text of its own, behind those of its row.
        texts = {one.term: number for number, (_, one) in enumerate(further)}
        added = _kept([one for _, one in further], {"": 0, **texts})
        added["term"] = np.diff(self.begins)[rows] + numbers - np.searchsorted(rows, rows)
        return replace(
            self,
            first=self.first + np.searchsorted(matches, np.arange(len(self.first))),
            reasons=np.insert(self.reasons, self.first[matches + 1], added),
            texts=[*self.texts, *(one.term for _, one in further)],
            named=np.insert(self.named, self.begins[rows + 1], len(self.texts) + numbers),
            begins=self.begins + np.searchsorted(rows, np.arange(len(self.begins))),
        )


def _kept(reasons: Sequence[Reason], places: Mapping[str, int]) -> NDArray[np.void]:
    """Reasons as they are kept, their texts by these places."""
    records = [
        (
            places[one.term],
            places[one.part],
            min(one.count, MOST_COUNTED),
            NUMBERS[one.field] | one.related * RELATED | one.learned * LEARNED,
            one.points,
        )
        for one in reasons
    ]
    return np.array(records, dtype=KEPT)
