"""What the stored listings offer to a group of subscribers on one day, and then to each of them.

Pure. Owns what is new to a subscriber, what is offered again, and what rises: a listing that an
earlier digest passed over and that many have voted for since.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property

import numpy as np

from digest.composer import Days, Flags, Longs, Shelf, ranks
from digest.language import labs_named, read_lab
from digest.matcher import BARRED, Batch, Matcher, Pairs, squash
from digest.model import Listing, Profile, Reason

RISES_FOR = timedelta(days=7)
"""So long after it was first seen a listing may rise."""

GATHERED, TOP_OF_DAY = 10, 10
"""Votes that a rising listing has gathered at least since it was first seen, and its place at least
among the listings first seen on its day."""

Look = tuple[int, datetime]
"""The newest listing that the last digest looked at, and when."""


@dataclass(frozen=True)
class Offers:
    """The listings of one day's digests beside the profiles of a group.

    `listings` come in the order of their ids; `followed` and `rising` name them by their place.
    What was first seen before `opens_at` is there to rise only; what was first seen before
    `last_call` is not offered again tomorrow. `rolls` is false where nothing is offered twice.
    """

    batch: Batch
    pairs: Pairs
    followed: Sequence[Collection[int]]
    rising: Sequence[int]
    opens_at: datetime
    last_call: datetime
    rolls: bool = True

    def days(
        self,
        low: int,
        profiles: Sequence[Profile],
        shown: Sequence[Collection[int]],
        looks: Sequence[Look | None],
    ) -> Days:
        """What is offered to some of the profiles, of which the first is number `low`.

        The listings with the ids `shown` were shown to each, `looks` were their last ones.
        """
        sums = self.pairs.sums(low, low + len(profiles))
        which = list(dict.fromkeys(looks))
        parts = np.array([self._there(look) for look in which], dtype=bool)
        numbers = {look: number for number, look in enumerate(which)}
        there = parts[[numbers[look] for look in looks]].reshape(sums.shape)
        unseen = self._unseen(shown)
        new, again = self._open & ~there & unseen, self._open & there & unseen
        voters = np.array([bool(profile.trending) for profile in profiles])[:, None]
        voted = self._votes > 0
        return Days(
            score=squash(sums).astype(np.float32),
            rank=ranks(sums),
            new=new,
            again=again if self.rolls else np.zeros_like(again),
            risen=there & unseen & (self.shelf.by_rise < len(self.rising)) & (sums > 0),
            followed=self._followed(low, len(profiles)) & self._open & unseen,
            voted=new & voters & voted & (sums > BARRED),
            considered=np.count_nonzero(new, axis=1),
            newest=np.array([self._newest or (look or (0,))[0] for look in looks], dtype=np.int64),
        )

    @cached_property
    def shelf(self) -> Shelf:
        """The listings, in the order that settles ties."""
        listings = [self.batch.listings[at] for at in self.batch.order.tolist()]
        names = sorted({one.source for one in listings})
        by_votes = sorted(range(len(listings)), key=lambda at: _by_votes(listings[at]))
        place = {self.batch.listings[at].id: nth for nth, at in enumerate(self.rising)}
        return Shelf(
            listings=listings,
            by_id=np.array([one.id for one in listings], dtype=np.int64),
            by_votes=np.argsort(np.array(by_votes, dtype=np.int64)),
            by_rise=np.array([place.get(one.id, len(place)) for one in listings], dtype=np.int64),
            comes_again=self._seen_since(self.last_call),
            source=np.array([names.index(one.source) for one in listings], dtype=np.int64),
            sources=names,
        )

    def oldest(self, now: datetime) -> datetime:
        """When the first of the listings was seen."""
        seen = (one.first_seen_at for one in self.batch.listings if one.first_seen_at)
        return min(seen, default=now)

    def _unseen(self, shown: Sequence[Collection[int]]) -> Flags:
        """What was not shown to each."""
        unseen = np.ones((len(shown), len(self.batch)), dtype=bool)
        for number, ids in enumerate(shown):
            for one in ids:
                if one in self._places:
                    unseen[number, self._places[one]] = False
        return unseen

    def _followed(self, low: int, many: int) -> Flags:
        """What is by whom each follows."""
        followed = np.zeros((many, len(self.batch)), dtype=bool)
        for number in range(many):
            for at in self.followed[low + number]:
                followed[number, self._places[self.batch.listings[at].id]] = True
        return followed

    def _there(self, look: Look | None) -> list[bool]:
        """Which listings were there to be looked at."""
        return [look is not None and not _is_after(look, one) for one in self.shelf.listings]

    @cached_property
    def _places(self) -> Mapping[int, int]:
        """Where each listing stands, by its id."""
        return {listing.id: at for at, listing in enumerate(self.shelf.listings)}

    @property
    def _newest(self) -> int:
        return self.batch.listings[-1].id if self.batch.listings else 0

    @cached_property
    def _votes(self) -> Longs:
        return np.array([one.votes or 0 for one in self.shelf.listings], dtype=np.int64)

    @cached_property
    def _open(self) -> Flags:
        """What is there for more than to rise."""
        return self._seen_since(self.opens_at)

    def _seen_since(self, since: datetime) -> Flags:
        order = self.batch.order.tolist()
        seen = (self.batch.listings[at].first_seen_at for at in order)
        return np.array([at is None or at >= since for at in seen], dtype=bool)


def rising(
    listings: Sequence[Listing], history: Mapping[int, Sequence[tuple[date, int]]], now: datetime
) -> list[int]:
    """The places of listings that gathered votes since they were first seen, most of them first.

    `history` gives by listing the days with their votes at first sight, oldest first.
    """
    days: dict[date, list[int]] = defaultdict(list)
    for at, listing in enumerate(listings):
        if listing.first_seen_at and listing.first_seen_at >= now - RISES_FOR:
            days[listing.first_seen_at.date()].append(at)
    gains: dict[int, int] = {}
    for places in days.values():
        for at in sorted(places, key=lambda at: _by_votes(listings[at]))[:TOP_OF_DAY]:
            known = history.get(listings[at].id)
            gain = (listings[at].votes or 0) - known[0][1] if known else 0
            if gain >= GATHERED:
                gains[at] = gain
    return sorted(gains, key=lambda at: (-gains[at], listings[at].key))


def of_labs(
    profiles: Sequence[Profile], listings: Sequence[Listing], pairs: Pairs
) -> list[list[int]]:
    """For each profile the listings of organizations it follows, without the excluded ones."""
    places: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for at, listing in enumerate(listings):
        if listing.organization:
            places[read_lab(listing.organization)].append(at)
    return [
        [
            at
            for lab in dict.fromkeys(map(read_lab, profile.organizations))
            for at in places.get(lab, ())
            if not pairs.excluded_by(number, at)
        ]
        for number, profile in enumerate(profiles)
    ]


def follows(matcher: Matcher, profile: Profile, listing: Listing) -> tuple[Reason, ...]:
    """Whom and what of a listing a profile follows, as the subscriber wrote it; without points."""
    authors = (
        Reason(author, "author", 0.0)
        for author in profile.authors
        if matcher.followed([Profile(authors=(author,))], [listing])[0]
    )
    labs = labs_named(profile.organizations, listing.organization)
    return (*authors, *(Reason(lab, "org", 0.0) for lab in labs))


def _is_after(look: Look, listing: Listing) -> bool:
    """Whether a listing was stored, or let in, after that look."""
    newest, looked_at = look
    seen = listing.first_seen_at
    return listing.id > newest or (seen is not None and seen > looked_at)


def _by_votes(listing: Listing) -> tuple[int, str]:
    return -(listing.votes or 0), listing.key
