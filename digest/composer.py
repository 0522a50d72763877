"""What goes into digests: choosing, ordering, capping, counting, and saying why nothing fits.

Pure, and for many subscribers at once: their day is a table of subscribers x listings, so that what
a digest costs does not hang on how many listings it was chosen from. Scores come from the matcher,
what was shown before from the ledger.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from digest.drafts import SECTIONS, Drafts, Items
from digest.model import (
    Digest,
    Listing,
    Profile,
    Receipt,
    SectionName,
    SourceRun,
    Subscriber,
    WhenEmpty,
)
from digest.reason import Packed
from digest.standing import why_empty

FOLLOWED, RISING, TITLES, NEAREST = 12, 3, 12, 3
"""Items at most: of who is followed, rising, as titles (still waiting, and again short), and near
misses. A profile's own cap, where it is lower, bounds the titles as well."""

NEAR_THE_FLOOR = 0.5
"""The share of the floor that a rising listing needs: it must be about what the profile asks."""

Flags = NDArray[np.bool_]
Longs = NDArray[np.int64]

_NOWHERE = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True, eq=False)
class Shelf:
    """The listings that a day offers, and what holds for all subscribers alike.

    `by_id`, `by_votes` and `by_rise` put them in order: as they came, and by the votes that they
    have, or gathered. `comes_again` is what the next digest can still offer. `source` numbers
    `sources`.
    """

    listings: Sequence[Listing]
    by_id: Longs
    by_votes: Longs
    by_rise: Longs
    comes_again: Flags
    source: Longs
    sources: Sequence[str]


@dataclass(frozen=True, slots=True, eq=False)
class Days:
    """What a shelf offers to some subscribers: arrays of subscribers x listings.

    `score` is 0..1, `rank` the places of each one's listings, best first, as `ranks` makes them.
    New is what no earlier digest of theirs looked at. What comes `again` was looked at on a day
    before and may be offered again; `risen` was as well and has gathered votes since. `followed` is
    by followed authors and organizations, `voted` new, with votes. Nothing in them has been shown
    to this subscriber, and none is excluded. `considered` counts the new ones, `newest` is the id
    of the last listing that was looked at.
    """

    score: NDArray[np.float32]
    rank: Longs
    new: Flags
    again: Flags
    risen: Flags
    followed: Flags
    voted: Flags
    considered: Longs
    newest: Longs


def ranks(sums: NDArray[np.float32]) -> Longs:
    """Whole numbers in the order of the listings of each row, those with the highest sums first.

    The lower half is the column, so that of equal sums the first comes first; the upper one has the
    bits of the sum, which are in the order of the fractions that they mean.
    """
    bits = (-sums).view(np.int32)
    upper: Longs = (bits ^ (bits >> 31 & 0x7FFFFFFF)).astype(np.int64) << 32
    return upper | np.arange(sums.shape[1])


@dataclass(frozen=True, slots=True, eq=False)
class Asks:
    """What profiles ask of their days, one after the other."""

    floor: NDArray[np.float64]
    most: Longs
    trending: Longs
    nearest: Flags

    @classmethod
    def of(cls, profiles: Sequence[Profile]) -> Asks:
        """The same of these profiles."""
        return cls(
            np.array([one.min_score for one in profiles], dtype=float),
            np.array([one.max_items for one in profiles], dtype=np.int64),
            np.array([one.trending for one in profiles], dtype=np.int64),
            np.array([one.when_empty is WhenEmpty.NEAREST for one in profiles], dtype=bool),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Composed:
    """What goes into the digests of some subscribers, and what is counted for their receipts.

    `matched_by` is subscribers x sources; `nearest` the best score of what is new, 0 for none.
    """

    items: Items
    considered: Longs
    newest: Longs
    matched_by: Longs
    waiting: Longs
    nearest: NDArray[np.float32]


def compose(asks: Asks, days: Days, shelf: Shelf) -> Composed:
    """The listings of each section: in full before as titles, asked for before the rest.

    A listing stands in one section only, in the first that has room for it. What fits and finds no
    room waits: it is offered again until it ages out.
    """
    floor = asks.floor[:, None]
    passes = days.score >= floor
    titles = np.minimum(TITLES, asks.most)
    fits, waits = days.new & passes & (days.score > 0), days.again & passes & (days.score > 0)
    rising = days.risen & (days.score >= floor * NEAR_THE_FLOOR)
    free = np.ones_like(days.new)
    chosen = [
        (name, *_take(offered, order, free, limit))
        for name, offered, order, limit in (
            (SectionName.FOR_YOU, fits, days.rank, asks.most),
            (SectionName.FOLLOWED, days.followed, _placed(shelf.by_id), _each(FOLLOWED, asks)),
            (SectionName.TRENDING, days.voted, _placed(shelf.by_votes), asks.trending),
            (SectionName.RISING, rising, _placed(shelf.by_rise), _each(RISING, asks)),
            (SectionName.WAITING, waits, days.rank, titles),
            (SectionName.SHORT, fits, days.rank, titles),
        )
    ]
    waiting = (fits | waits) & free & shelf.comes_again
    near = days.new & (days.score > 0)
    bare = free.all(axis=1) & asks.nearest
    chosen.append((SectionName.NEAREST, *_take(near, days.rank, free, np.where(bare, NEAREST, 0))))
    one = np.arange(len(shelf.sources))
    return Composed(
        items=_in_order(chosen),
        considered=days.considered,
        newest=days.newest,
        matched_by=(fits.astype(np.float32) @ (shelf.source[:, None] == one)).astype(np.int64),
        waiting=np.count_nonzero(waiting, axis=1),
        nearest=np.where(near, days.score, 0).max(axis=1, initial=0),
    )


def _each(limit: int, asks: Asks) -> Longs:
    return np.full(len(asks.floor), limit)


def _placed(order: Longs) -> Longs:
    """An order that holds for all subscribers, as `ranks` makes one for each."""
    return order << 32 | np.arange(len(order))


def _take(offered: Flags, order: Longs, free: Flags, limit: Longs) -> tuple[Longs, Longs]:
    """The first `limit` listings of each subscriber that are offered and free; taken from now on.

    By subscriber, then in order.
    """
    most = min(int(limit.max(initial=0)), offered.shape[1])
    if not most or not offered.any():
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    first = np.where(offered & free, order, _NOWHERE)
    if most < first.shape[1]:
        first = np.partition(first, most - 1, axis=1)[:, :most]
    first.sort(axis=1)
    who, nth = np.nonzero((first < _NOWHERE) & (np.arange(most) < limit[:, None]))
    at = first[who, nth] & 0xFFFFFFFF
    free[who, at] = False
    return who, at


def _in_order(chosen: Sequence[tuple[SectionName, Longs, Longs]]) -> Items:
    """What was taken for one section after the other, by subscriber."""
    who = np.concatenate([each for _, each, _ in chosen])
    sections = [np.full(len(each), SECTIONS.index(name)) for name, each, _ in chosen]
    sort = np.argsort(who, kind="stable")  # sections come in their order
    return Items(
        who[sort],
        np.concatenate(sections)[sort],
        np.concatenate([each for _, _, each in chosen])[sort],
    )


def joined(parts: Sequence[Composed]) -> Composed:
    """The same of several groups, the subscribers one after the other."""
    if len(parts) == 1:
        return parts[0]
    starts = np.cumsum([0, *(len(part.considered) for part in parts)]).tolist()
    return Composed(
        Items(
            np.concatenate([part.items.who + at for part, at in zip(parts, starts, strict=False)]),
            np.concatenate([part.items.section for part in parts]),
            np.concatenate([part.items.listing for part in parts]),
        ),
        np.concatenate([part.considered for part in parts]),
        np.concatenate([part.newest for part in parts]),
        np.concatenate([part.matched_by for part in parts]),
        np.concatenate([part.waiting for part in parts]),
        np.concatenate([part.nearest for part in parts]),
    )


def drafted(
    people: Sequence[Subscriber],
    blank: Digest,
    made: Composed,
    shelf: Shelf,
    reasons: Packed,
) -> Drafts:
    """The digests, as the blank one of their day; `reasons` are those of the items, in order."""
    sources, day = blank.receipt.sources, blank.digest_on
    receipts = _receipts(sources, made, shelf)
    empty = [
        ""
        if receipt.shown
        else why_empty(receipt.considered, nearest, one.profile.min_score, sources, day)
        for one, receipt, nearest in zip(people, receipts, made.nearest.tolist(), strict=True)
    ]
    return Drafts(
        people=people,
        digest_on=day,
        listings=shelf.listings,
        comes_again=shelf.comes_again,
        items=made.items,
        reasons=reasons,
        receipts=receipts,
        empty_reason=empty,
        mailed=[
            not why or one.profile.when_empty is not WhenEmpty.SKIP
            for why, one in zip(empty, people, strict=True)
        ],
        newest=made.newest.tolist(),
        hint=[""] * len(people),
    )


def _receipts(sources: tuple[SourceRun, ...], made: Composed, shelf: Shelf) -> list[Receipt]:
    counts = zip(
        made.considered.tolist(),
        made.items.shown(len(made.considered)).tolist(),
        made.waiting.tolist(),
        made.matched_by.tolist(),
        strict=True,
    )
    return [
        Receipt(
            sources=sources,
            considered=considered,
            matched=sum(matched),
            shown=shown,
            waiting=waiting,
            matched_by=tuple(
                (name, count) for name, count in zip(shelf.sources, matched, strict=True) if count
            ),
        )
        for considered, shown, waiting, matched in counts
    ]
