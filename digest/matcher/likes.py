"""What liked and disliked listings say about a profile: weighted terms, to be proposed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from digest.matcher.statistics import Statistics, terms_of
from digest.matcher.words import STOPWORDS
from digest.model import Listing, Profile

MOST_PROPOSALS = 20


@dataclass(frozen=True, slots=True)
class Proposal:
    """A term that the liked listings share, the weight it would get, and the evidence in words."""

    term: str
    weight: float
    evidence: str


def learn(
    profile: Profile,
    liked: Sequence[Listing],
    disliked: Sequence[Listing],
    statistics: Statistics,
) -> list[Proposal]:
    """At most 20 terms that the liked listings have in common and the others lack."""
    likes, dislikes = Counter[str](), Counter[str]()
    for listing in liked:
        likes.update(terms_of(listing))
    for listing in disliked:
        dislikes.update(terms_of(listing))
    known = {keyword.term for keyword in profile.keywords} | STOPWORDS
    worth = {
        term: count * statistics.rarity(term)
        for term, count in likes.items()
        if count > dislikes[term] and count > 1 and term not in known and ":" not in term
    }
    best = sorted(worth, key=lambda term: (-worth[term], term))[:MOST_PROPOSALS]
    most = max(worth.values(), default=1.0)
    return [
        Proposal(term, round(worth[term] / most, 2), f"in {likes[term]} of {len(liked)} liked")
        for term in best
    ]
