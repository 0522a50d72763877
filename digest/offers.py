"""What the stored listings offer to a group of subscribers on one day, and then to each of them.

Pure. Owns what is new to a subscriber, what is offered again, and what rises: a listing that an
earlier digest passed over and that many have voted for since.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cached_property
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from digest.composer import FOLLOWED, NEAREST, Day, Further, room
from digest.language import labs_named, read_lab
from digest.matcher import Matcher, Pairs, Ranking
from digest.model import Listing, Profile, Reason

RISES_FOR = timedelta(days=7)
"""So long after it was first seen a listing may rise."""

GATHERED, TOP_OF_DAY = 10, 10
"""Votes that a rising listing has gathered at least since it was first seen, and its place at least
among the listings first seen on its day."""

Look = tuple[int, datetime]
"""The newest listing that the last digest looked at, and when."""


Scored = tuple[NDArray[np.int32], NDArray[np.float32]]
"""Places of listings and their scores, best first."""

NOTHING_FURTHER = Further()


@dataclass(frozen=True, slots=True, eq=False)
class Parted:
    """Listings as a last look parts them: new after it, there before it, to be offered again."""

    new: NDArray[np.bool_]
    old: NDArray[np.bool_]
    again: NDArray[np.bool_]
    considered: int


@dataclass(frozen=True)
class Offers:
    """The listings of one day's digests beside the profiles of a group.

    `listings` come in the order of their ids; `ranking`, `followed` and `rising` name them by their
    place. What was first seen before `opens_at` is there to rise only; what was first seen before
    `last_call` is not offered again tomorrow. `rolls` is false where nothing is offered twice.
    """

    listings: Sequence[Listing]
    pairs: Pairs
    ranking: Ranking
    followed: Sequence[Collection[int]]
    rising: Sequence[int]
    opens_at: datetime
    last_call: datetime
    rolls: bool = True

    def day(
        self,
        blank: Day,
        number: int,
        profile: Profile,
        shown: Collection[int] = (),
        look: Look | None = None,
    ) -> Day:
        """The day of profile `number`: a blank one with what it offers.

        The listings with the ids `shown` were shown to this subscriber, `look` was their last one.
        """
        parted, mine = self._parted(look), slice(*self.ranking.first[number : number + 2])
        at, score = self.ranking.listing[mine], self.ranking.score[mine]
        seen = [self.places[one] for one in shown if one in self.places]
        if seen:
            kept = ~np.isin(at, seen)
            at, score = at[kept], score[kept]
        risen = self._risen(parted, at, score)
        followed = [
            self.listings[one]
            for one in sorted(self.followed[number])
            if self._open[one] and one not in seen
        ]
        voted = list(self._voted_for(number, profile, parted.new, seen))
        # Without these nothing but its rank brings a listing into the digest.
        most = len(self.listings) if risen or followed or voted else room(profile)
        new, again = parted.new[at], parted.again[at]
        ranked, earlier = (at[new], score[new]), (at[again], score[again])
        return replace(
            blank,
            ranked=self._scored(ranked, max(most, NEAREST)),
            earlier=self._scored(earlier, most),
            rising=risen,
            followed=followed,
            voted=voted,
            considered=parted.considered - sum(parted.new[seen].tolist()),
            newest=self.listings[-1].id if self.listings else (look[0] if look else 0),
            last_call=self.last_call,
            further=self._further(
                _fitting(ranked, profile.min_score)[max(most, NEAREST) :],
                _fitting(earlier, profile.min_score)[most:],
            ),
        )

    def _risen(
        self, parted: Parted, at: NDArray[np.int32], score: NDArray[np.float32]
    ) -> list[tuple[Listing, float]]:
        """What rises of the listings that were there to be looked at, with its score."""
        there = [one for one in self.rising if parted.old[one]]
        scores = dict(zip(at.tolist(), score.tolist(), strict=True)) if there else {}
        return [(self.listings[one], scores[one]) for one in there if one in scores]

    def _scored(self, scored: Scored, most: int) -> list[tuple[Listing, float]]:
        """The first so many, with their scores."""
        at, score = (each[:most].tolist() for each in scored)
        return [(self.listings[one], value) for one, value in zip(at, score, strict=True)]

    def _further(self, new: NDArray[np.int32], earlier: NDArray[np.int32]) -> Further:
        """What else fits, new to the subscriber and not."""
        if not len(new) and not len(earlier):
            return NOTHING_FURTHER
        names, source = self._sources
        counts = np.bincount(source[new], minlength=len(names)).tolist()
        again = np.count_nonzero(self._comes_again[new])
        return Further(
            tuple((name, count) for name, count in zip(names, counts, strict=True) if count),
            int(again + np.count_nonzero(self._comes_again[earlier])),
        )

    def oldest(self, now: datetime) -> datetime:
        """When the first of the listings was seen."""
        return min((one.first_seen_at for one in self.listings if one.first_seen_at), default=now)

    @cached_property
    def places(self) -> Mapping[int, int]:
        """Where each listing stands, by its id."""
        return {listing.id: at for at, listing in enumerate(self.listings)}

    def _parted(self, look: Look | None) -> Parted:
        """The listings as a last look parts them."""
        if look not in self._parts:
            there = [look is not None and not _is_after(look, one) for one in self.listings]
            old = np.array(there, dtype=bool)
            new = self._open & ~old
            again = old & self._open if self.rolls else np.zeros_like(old)
            self._parts[look] = Parted(new, old, again, int(np.count_nonzero(new)))
        return self._parts[look]

    @cached_property
    def _parts(self) -> dict[Look | None, Parted]:
        return {}

    @cached_property
    def _open(self) -> NDArray[np.bool_]:
        """What is there for more than to rise."""
        return self._seen_since(self.opens_at)

    @cached_property
    def _comes_again(self) -> NDArray[np.bool_]:
        """What the next digest can still offer."""
        return self._seen_since(self.last_call)

    def _seen_since(self, since: datetime) -> NDArray[np.bool_]:
        seen = (one.first_seen_at for one in self.listings)
        return np.array([at is None or at >= since for at in seen], dtype=bool)

    @cached_property
    def _sources(self) -> tuple[list[str], NDArray[np.int64]]:
        """The sources of the listings, and which of them is each one's."""
        names = sorted({one.source for one in self.listings})
        places = {name: place for place, name in enumerate(names)}
        return names, np.array([places[one.source] for one in self.listings], dtype=np.int64)

    @cached_property
    def _voted(self) -> Sequence[int]:
        voted = [at for at, listing in enumerate(self.listings) if listing.votes]
        return sorted(voted, key=lambda at: _by_votes(self.listings[at]))

    def _voted_for(
        self, number: int, profile: Profile, new: NDArray[np.bool_], seen: Collection[int]
    ) -> Iterator[Listing]:
        """The most voted new ones, none excluded or seen; enough, if others are taken."""
        if profile.trending:
            allowed = (
                self.listings[at]
                for at in self._voted
                if new[at] and at not in seen and not self.pairs.excluded_by(number, at)
            )
            yield from islice(allowed, profile.trending + profile.max_items + FOLLOWED)


def _fitting(scored: Scored, floor: float) -> NDArray[np.int32]:
    """What of the listings with their scores, best first, reaches the floor."""
    at, score = scored
    return at[: int(np.count_nonzero(score >= np.float64(floor)))]


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
