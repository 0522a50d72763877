"""What goes into one subscriber's digest: choosing, ordering, capping, and saying why nothing fits.

Pure: scores and reasons come from the matcher, what was shown before from the ledger.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import islice

from digest.model import (
    Digest,
    Listing,
    Match,
    Profile,
    Receipt,
    Section,
    SectionName,
    SourceRun,
    Subscriber,
    WhenEmpty,
)
from digest.standing import why_empty

FOLLOWED, RISING, TITLES, NEAREST = 12, 3, 12, 3
"""Items at most: of who is followed, rising, as titles (still waiting, and again short), and near
misses. A profile's own cap, where it is lower, bounds the titles as well."""

NEAR_THE_FLOOR = 0.5
"""The share of the floor that a rising listing needs: it must be about what the profile asks."""


@dataclass(frozen=True, slots=True)
class Further:
    """What fits a profile and is not named one by one, since there is no room for it today.

    `matched_by` counts the new ones by source, `waiting` all that the next digest can still offer.
    """

    matched_by: tuple[tuple[str, int], ...] = ()
    waiting: int = 0


@dataclass(frozen=True, slots=True)
class Day:
    """What one subscriber's day offers; nothing in it has been shown to this subscriber.

    New is what no earlier digest of theirs looked at: `ranked` with a score above 0, best first,
    and `voted`, most voted first. `earlier` was looked at on a day before and may be offered again,
    best first; `rising` was as well and has gathered votes since, most of them first. `followed` is
    by followed authors and organizations. Excluded listings are in none of them.

    `considered` counts the new listings, `newest` is the id of the last of them; `sources` says how
    they came in. What was first seen before `last_call` is not offered again tomorrow. `further`
    tells of what else fits beyond the end of `ranked` and `earlier`.
    """

    digest_on: date
    ranked: Sequence[tuple[Listing, float]] = ()
    earlier: Sequence[tuple[Listing, float]] = ()
    rising: Sequence[tuple[Listing, float]] = ()
    followed: Sequence[Listing] = ()
    voted: Sequence[Listing] = ()
    considered: int = 0
    newest: int = 0
    last_call: datetime | None = None
    sources: tuple[SourceRun, ...] = ()
    further: Further = Further()


Chosen = dict[SectionName, list[Listing]]
"""The listings of each section, in the order in which they are shown."""


def choose(profile: Profile, day: Day) -> Chosen:
    """The listings of each section: in full before as titles, asked for before the rest.

    A listing stands in one section only, in the first that has room for it.
    """
    fits, waits = _fitting(profile, day)
    titles = min(TITLES, profile.max_items)
    rising = [one for one, score in day.rising if score >= profile.min_score * NEAR_THE_FLOOR]
    taken: set[str] = set()
    chosen = {
        SectionName.FOR_YOU: _take(fits, taken, profile.max_items),
        SectionName.FOLLOWED: _take(day.followed, taken, FOLLOWED),
        SectionName.TRENDING: _take(day.voted, taken, profile.trending),
        SectionName.RISING: _take(rising, taken, RISING),
        SectionName.WAITING: _take(waits, taken, titles),
        SectionName.SHORT: _take(fits, taken, titles),
    }
    if not taken and profile.when_empty is WhenEmpty.NEAREST:
        chosen[SectionName.NEAREST] = [listing for listing, _ in day.ranked[:NEAREST]]
    return {name: listings for name, listings in chosen.items() if listings}


def room(profile: Profile) -> int:
    """How many of the best listings that fit a digest can show."""
    return profile.max_items + min(TITLES, profile.max_items)


def compose(subscriber: Subscriber, day: Day, chosen: Chosen, matches: Iterable[Match]) -> Digest:
    """The digest of one subscriber's day; `matches` are those of what was chosen, in its order.

    What fits and finds no room waits: it is offered again until it ages out.
    """
    profile, found = subscriber.profile, iter(matches)
    fits, waits = _fitting(profile, day)
    shown = {
        one.key
        for name, listings in chosen.items()
        if name is not SectionName.NEAREST
        for one in listings
    }
    matched_by = Counter(dict(day.further.matched_by))
    matched_by.update(listing.source for listing in fits)
    waiting = (_comes_again(one, day.last_call) for one in (*fits, *waits) if one.key not in shown)
    return Digest(
        subscriber=subscriber,
        digest_on=day.digest_on,
        sections=tuple(
            Section(name, tuple(islice(found, len(listings)))) for name, listings in chosen.items()
        ),
        receipt=Receipt(
            sources=day.sources,
            considered=day.considered,
            matched=matched_by.total(),
            shown=len(shown),
            waiting=day.further.waiting + sum(waiting),
            matched_by=tuple(sorted(matched_by.items())),
        ),
        empty_reason="" if shown else _why_empty(profile, day),
        mailed=bool(shown) or profile.when_empty is not WhenEmpty.SKIP,
        newest=day.newest,
    )


def _why_empty(profile: Profile, day: Day) -> str:
    nearest = day.ranked[0][1] if day.ranked else 0.0
    return why_empty(day.considered, nearest, profile.min_score, day.sources, day.digest_on)


def _fitting(profile: Profile, day: Day) -> tuple[list[Listing], list[Listing]]:
    """What of the new and of the earlier listings reaches the floor."""
    new, old = (
        [listing for listing, score in scored if score >= profile.min_score]
        for scored in (day.ranked, day.earlier)
    )
    return new, old


def cut_to(digest: Digest, items: int, last_call: datetime | None = None) -> Digest:
    """The digest with its first so many items; what is cut and fits waits as for want of room."""
    sections, room = [], items
    lost: list[Match] = []
    for section in digest.sections:
        kept, cut = section.matches[:room], section.matches[room:]
        room -= len(kept)
        sections += [replace(section, matches=kept)] if kept else []
        lost += [match for match in cut if section.name is not SectionName.NEAREST]
    receipt, floor = digest.receipt, digest.subscriber.profile.min_score
    waiting = sum(m.score >= floor and _comes_again(m.listing, last_call) for m in lost)
    return replace(
        digest,
        sections=tuple(sections),
        receipt=replace(
            receipt, shown=receipt.shown - len(lost), waiting=receipt.waiting + waiting
        ),
    )


def _take(listings: Sequence[Listing], taken: set[str], limit: int) -> list[Listing]:
    """The first `limit` listings that are not taken yet; they are taken now."""
    fresh = list(islice((one for one in listings if one.key not in taken), limit))
    taken.update(listing.key for listing in fresh)
    return fresh


def _comes_again(listing: Listing, last_call: datetime | None) -> bool:
    """Whether the next digest can still offer it."""
    seen = listing.first_seen_at
    return last_call is None or seen is None or seen >= last_call
