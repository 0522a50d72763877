"""Why a listing scored: single reasons, and those of a match in a few bytes each.

A digest of 24 items has about 170 reasons, and a day has as many digests as subscribers. So reasons
are handed from room to room as they are kept, and made into objects only where they are read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from struct import Struct
from typing import overload

FIELDS = (
    "title", "abstract", "title and abstract", "author", "category", "org", "source", "meaning",
)  # fmt: skip
"""Fields that a kept reason names by their number: new ones are added at the end."""

FIELD, RELATED, LEARNED = 0x3F, 0x40, 0x80
"""The bits of a field's number, and the marks beside it."""

RECORD = Struct("<HHHBf")
"""A kept reason: its term and its part by their places among the texts, its count, its field with
its marks, its points."""

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


def packed(groups: Sequence[Iterable[Reason]]) -> tuple[Sequence[str], list[bytes]]:
    """The texts of all the matches of a digest, and the records of each of them."""
    kept = [one for one in groups if isinstance(one, Reasons)]
    if kept and len(kept) == len(groups) and len({id(one.texts) for one in kept}) == 1:
        return kept[0].texts, [one.raw for one in kept]
    places = {"": 0}
    records = [
        b"".join(
            RECORD.pack(
                places.setdefault(one.term, len(places)),
                places.setdefault(one.part, len(places)),
                min(one.count, MOST_COUNTED),
                NUMBERS[one.field] | one.related * RELATED | one.learned * LEARNED,
                one.points,
            )
            for one in group
        )
        for group in groups
    ]
    return tuple(places), records
