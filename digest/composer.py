"""What goes into one subscriber's digest: choosing, ordering, capping, and saying why nothing fits.

Pure: scores and reasons come from the matcher, what was shown before from the ledger.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date

from digest.model import (
    Digest,
    Listing,
    Match,
    Receipt,
    Section,
    SectionName,
    SourceRun,
    Subscriber,
    WhenEmpty,
)
from digest.standing import why_empty

NEAREST = 3
"""How many near misses an empty day shows."""

FOLLOWED = 12
"""How many listings of followed authors one digest shows at most."""


@dataclass(frozen=True, slots=True)
class Day:
    """What one subscriber's day offers; every listing in it is new to this subscriber.

    `ranked` holds what scored above 0, best first; `followed` is by followed authors; `voted` is
    what may be shown for its votes, most voted first. Excluded listings are in none of them.
    `considered` counts all listings that were looked at, `sources` says how they came in.
    """

    digest_on: date
    ranked: Sequence[tuple[Listing, float]] = ()
    followed: Sequence[Listing] = ()
    voted: Sequence[Listing] = ()
    considered: int = 0
    sources: tuple[SourceRun, ...] = ()


def compose(subscriber: Subscriber, day: Day, match: Callable[[Listing], Match]) -> Digest:
    """The digest of one subscriber's day; `match` gives the reasons of a listing that is shown.

    A listing stands in one section only: for you before followed before trending. Matches beyond
    the cap wait: they are offered again until they age out.
    """
    profile = subscriber.profile
    passed = [listing for listing, score in day.ranked if score >= profile.min_score]
    for_you = passed[: profile.max_items]
    taken = {listing.key for listing in for_you}
    followed = _take(day.followed, taken, FOLLOWED)
    trending = _take(day.voted, taken, profile.trending)
    chosen = [
        (SectionName.FOR_YOU, for_you),
        (SectionName.FOLLOWED, followed),
        (SectionName.TRENDING, trending),
    ]
    empty_reason = ""
    if not taken:
        nearest_score = day.ranked[0][1] if day.ranked else 0.0
        empty_reason = why_empty(
            day.considered, nearest_score, profile.min_score, day.sources, day.digest_on
        )
        if profile.when_empty is WhenEmpty.NEAREST:
            nearest = [listing for listing, _ in day.ranked[:NEAREST]]
            chosen.append((SectionName.NEAREST, nearest))
    return Digest(
        subscriber=subscriber,
        digest_on=day.digest_on,
        sections=tuple(
            Section(name, tuple(match(listing) for listing in listings))
            for name, listings in chosen
            if listings
        ),
        receipt=Receipt(
            sources=day.sources,
            considered=day.considered,
            matched=len(passed),
            shown=len(taken),
            waiting=sum(listing.key not in taken for listing in passed),
            matched_by=tuple(sorted(Counter(listing.source for listing in passed).items())),
        ),
        empty_reason=empty_reason,
        mailed=bool(taken) or profile.when_empty is not WhenEmpty.SKIP,
    )


def cut_to(digest: Digest, items: int) -> Digest:
    """The digest with its first so many items; what is cut waits like what did not fit the cap."""
    sections, room = [], items
    for section in digest.sections:
        kept = section.matches[:room]
        room -= len(kept)
        sections += [replace(section, matches=kept)] if kept else []
    receipt = digest.receipt
    lost = sum(len(s.matches) for s in digest.sections) - items + room
    passed = sum(len(s.matches) for s in digest.sections if s.name is SectionName.FOR_YOU)
    waiting = receipt.waiting + max(0, passed - items)
    return replace(
        digest,
        sections=tuple(sections),
        receipt=replace(receipt, shown=receipt.shown - lost, waiting=waiting),
    )


def _take(listings: Sequence[Listing], taken: set[str], limit: int) -> list[Listing]:
    """The first `limit` listings that are not taken yet; they are taken now."""
    fresh = [listing for listing in listings if listing.key not in taken][:limit]
    taken.update(listing.key for listing in fresh)
    return fresh
