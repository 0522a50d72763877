"""A word to who has got nothing for long: what never matched, and what would.

Pure. Given once with a note that goes out anyway; who wants no mail on an empty day gets none.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import timedelta

from digest.matcher import Matcher
from digest.model import Keyword, Listing, Profile

HINT_AFTER = timedelta(days=14)
"""So long nothing must have matched; as long it is quiet after a hint."""

NAMED = 5
"""Keywords that a hint names."""


def wants_hint(profile: Profile, empty_reason: str, *, mailed: bool) -> bool:
    """Whether a digest is a note for want of a match, and its profile has what could match."""
    return mailed and bool(empty_reason) and any(one.weight > 0 for one in profile.keywords)


def absent_terms(
    matcher: Matcher, profiles: Iterable[Profile], listings: Sequence[Listing]
) -> frozenset[str]:
    """The keywords of these profiles that stand in none of the listings, not even in part."""
    terms = list(dict.fromkeys(k.term for one in profiles for k in one.keywords if k.weight > 0))
    if not terms or not listings:
        return frozenset()
    alone = [Profile((Keyword(term),), related=False) for term in terms]
    ranking = matcher.rank(alone, listings, 1)
    return frozenset(term for term, found in zip(terms, ranking, strict=True) if not found)


def hint(profile: Profile, absent: Collection[str], listings: int) -> str:
    """What a profile is told that has matched nothing; empty where there was nothing to match."""
    if not listings:
        return ""
    mine = [k.term for k in profile.keywords if k.weight > 0]
    missing = [term for term in mine if term in absent]
    said = f"Nothing has fit you for {HINT_AFTER.days} days. "
    if not missing:
        return said + (
            f"Your keywords do stand in some of the {listings:,} listings of that time, but none"
            f" reached your floor of {profile.min_score:.2f}: a lower one would let them through."
        )
    if len(missing) == len(mine):
        return said + (
            f"None of your keywords stands in any of the {listings:,} listings of that time"
            f" ({_named(missing)}). Shorter ones find more."
        )
    return said + (
        f"In none of the {listings:,} listings of that time: {_named(missing)}. Shorter keywords"
        f" find more, and a floor below {profile.min_score:.2f} lets more of the others through."
    )


def _named(terms: Sequence[str]) -> str:
    shown = ", ".join(f"“{term}”" for term in terms[:NAMED])
    more = len(terms) - NAMED
    return f"{shown} and {more} more" if more > 0 else shown
