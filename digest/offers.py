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

from digest.composer import FOLLOWED, Day
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
        new, old = self._parted(look)
        seen = {self.places[one] for one in shown if one in self.places}
        scored = [(at, score) for at, score in self.ranking[number] if at not in seen]
        scores = dict(scored)
        again = self._open if self.rolls else frozenset[int]()
        return replace(
            blank,
            ranked=[(self.listings[at], score) for at, score in scored if at in new],
            earlier=[(self.listings[at], s) for at, s in scored if at in old and at in again],
            rising=[
                (self.listings[at], scores[at]) for at in self.rising if at in old and at in scores
            ],
            followed=[
                self.listings[at]
                for at in sorted(self.followed[number])
                if at in self._open and at not in seen
            ],
            voted=list(self._voted_for(number, profile, new - seen)),
            considered=len(new - seen),
            newest=self.listings[-1].id if self.listings else (look[0] if look else 0),
            last_call=self.last_call,
        )

    def oldest(self, now: datetime) -> datetime:
        """When the first of the listings was seen."""
        return min((one.first_seen_at for one in self.listings if one.first_seen_at), default=now)

    @cached_property
    def places(self) -> Mapping[int, int]:
        """Where each listing stands, by its id."""
        return {listing.id: at for at, listing in enumerate(self.listings)}

    def _parted(self, look: Look | None) -> tuple[frozenset[int], frozenset[int]]:
        """What is new after the last look, and what was there to be looked at."""
        if look not in self._parts:
            new = {at for at in self._open if look is None or _is_after(look, self.listings[at])}
            old = (
                {at for at, one in enumerate(self.listings) if not _is_after(look, one)}
                if look
                else set()
            )
            self._parts[look] = frozenset(new), frozenset(old)
        return self._parts[look]

    @cached_property
    def _parts(self) -> dict[Look | None, tuple[frozenset[int], frozenset[int]]]:
        return {}

    @cached_property
    def _open(self) -> frozenset[int]:
        """What is there for more than to rise."""
        return frozenset(
            at
            for at, listing in enumerate(self.listings)
            if listing.first_seen_at is None or listing.first_seen_at >= self.opens_at
        )

    @cached_property
    def _voted(self) -> Sequence[int]:
        voted = [at for at, listing in enumerate(self.listings) if listing.votes]
        return sorted(voted, key=lambda at: _by_votes(self.listings[at]))

    def _voted_for(
        self, number: int, profile: Profile, fresh: Collection[int]
    ) -> Iterator[Listing]:
        """The most voted of these without the excluded ones; enough, if others are taken."""
        if profile.trending:
            allowed = (
                self.listings[at]
                for at in self._voted
                if at in fresh and not self.pairs.excluded_by(number, at)
            )
            yield from islice(allowed, profile.trending + profile.max_items + FOLLOWED)


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
