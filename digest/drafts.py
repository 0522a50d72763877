"""Digests of one day in columns, as thousands of them are planned, measured and written at once.

Owns how columns become digests, and digests columns. A digest alone is a `Digest`; an object for
each of its items and reasons would take ten times as long as all that is decided about them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from digest.model import (
    Digest,
    Listing,
    Match,
    Receipt,
    Section,
    SectionName,
    Subscriber,
)
from digest.reason import Packed

Flags = NDArray[np.bool_]
Longs = NDArray[np.int64]

SECTIONS = tuple(SectionName)
"""The sections by their numbers."""

_NEAREST = SECTIONS.index(SectionName.NEAREST)


@dataclass(frozen=True, slots=True, eq=False)
class Items:
    """What digests show, in order: to whom, in which section, which listing, all by numbers."""

    who: Longs
    section: Longs
    listing: Longs

    def shown(self, many: int) -> Longs:
        """How many items each of so many digests has; near misses are none."""
        return np.bincount(self.who[self.section != _NEAREST], minlength=many)

    def those(self, chosen: Flags) -> Items:
        """Some of the items."""
        return Items(self.who[chosen], self.section[chosen], self.listing[chosen])


@dataclass(frozen=True, slots=True, eq=False)
class Drafts:
    """Digests of one day.

    Items name `listings`, their scores and reasons are those of `reasons`. `comes_again` is what
    the next digest can still offer. The other columns are as in `Digest`.
    """

    people: Sequence[Subscriber]
    digest_on: date
    listings: Sequence[Listing]
    comes_again: Flags
    items: Items
    reasons: Packed
    receipts: Sequence[Receipt]
    empty_reason: Sequence[str]
    mailed: Sequence[bool]
    newest: Sequence[int]
    hint: Sequence[str]

    def __len__(self) -> int:
        return len(self.people)

    @property
    def first(self) -> Longs:
        """Where the items of each digest begin, and where those of the last one end."""
        return np.searchsorted(self.items.who, np.arange(len(self) + 1))

    def sections(self) -> list[list[tuple[SectionName, int]]]:
        """The sections of each digest and how many items they have."""
        found: list[list[tuple[SectionName, int]]] = [[] for _ in self.people]
        key = self.items.who * len(SECTIONS) + self.items.section
        begin = np.flatnonzero(np.diff(key, prepend=-1))
        many = np.diff(begin, append=len(key)).tolist()
        for one, count in zip(key[begin].tolist(), many, strict=True):
            found[one // len(SECTIONS)].append((SECTIONS[one % len(SECTIONS)], count))
        return found

    def cut_to(self, rooms: Longs) -> Drafts:
        """With the first so many items of each; what is cut and fits waits as for want of room."""
        first = self.first
        kept = np.arange(len(self.items.who)) - first[self.items.who] < rooms[self.items.who]
        if kept.all():
            return self
        items, floor = self.items, [one.profile.min_score for one in self.people]
        lost = ~kept & (items.section != _NEAREST)
        again = lost & (self.reasons.score >= np.array(floor)[items.who])
        again &= self.comes_again[items.listing]
        receipts = list(self.receipts)
        counts = [np.bincount(items.who[some], minlength=len(self)) for some in (lost, again)]
        for one in np.flatnonzero(counts[0]).tolist():
            receipts[one] = replace(
                receipts[one],
                shown=receipts[one].shown - int(counts[0][one]),
                waiting=receipts[one].waiting + int(counts[1][one]),
            )
        return replace(
            self, items=items.those(kept), reasons=self.reasons.those(kept), receipts=receipts
        )

    def digests(self) -> Iterator[Digest]:
        """One after the other."""
        columns = self.items.listing.tolist(), self.reasons.score.tolist(), self.reasons.each()
        matches = (
            Match(self.listings[at], score, reasons)
            for at, score, reasons in zip(*columns, strict=True)
        )
        whole = zip(
            self.people,
            self.sections(),
            self.receipts,
            self.empty_reason,
            self.mailed,
            self.newest,
            self.hint,
            strict=True,
        )
        for one, sections, receipt, empty_reason, mailed, newest, hint in whole:
            yield Digest(
                subscriber=one,
                digest_on=self.digest_on,
                sections=tuple(
                    Section(name, tuple(islice(matches, many))) for name, many in sections
                ),
                receipt=receipt,
                empty_reason=empty_reason,
                mailed=mailed,
                newest=newest,
                hint=hint,
            )


def in_columns(digests: Sequence[Digest]) -> Drafts:
    """Digests of one day as columns."""
    items = [
        (who, SECTIONS.index(section.name), match)
        for who, digest in enumerate(digests)
        for section in digest.sections
        for match in section.matches
    ]
    who = [who for who, _, _ in items]
    return Drafts(
        people=[digest.subscriber for digest in digests],
        digest_on=digests[0].digest_on,
        listings=[match.listing for _, _, match in items],
        comes_again=np.ones(len(items), dtype=bool),
        items=Items(
            np.array(who, dtype=np.int64),
            np.array([section for _, section, _ in items], dtype=np.int64),
            np.arange(len(items)),
        ),
        reasons=Packed.of(who, [(match.score, match.reasons) for _, _, match in items]),
        receipts=[digest.receipt for digest in digests],
        empty_reason=[digest.empty_reason for digest in digests],
        mailed=[digest.mailed for digest in digests],
        newest=[digest.newest for digest in digests],
        hint=[digest.hint for digest in digests],
    )
