"""What in a profile cannot do what it seems to: keywords that never count, a floor nobody passes.

Pure. Nothing here is a fault: a profile may be so on purpose. Each word is told of a profile by the
matcher itself, on listings made for it and on those that are stored.
"""

from __future__ import annotations

from collections.abc import Container, Hashable, Iterator, Sequence
from dataclasses import replace

from digest.matcher import Batch, Matcher, Pairs, all_in_one, examples, sense, share_of
from digest.model import Keyword, Profile

COMMON = 0.1
"""A keyword in more than this share of all listings is in every digest, and decides nothing."""

ENOUGH = 100
"""So few stored listings say nothing of a floor."""

RELATED = 1.5
"""Related terms add at most half of what keywords do; see docs/matching.md."""


def lint(profile: Profile, matcher: Matcher, stored: Batch | None = None) -> list[str]:
    """What is odd in a profile, in sentences without a stop; empty for most.

    `matcher` has the statistics of the stored listings and no archive; `stored` are the
    newest of them.
    """
    if profile.asks_for_nothing:
        return ["asks for nothing: it has no keyword, author, organization or trending"]
    twins, told = _twins(profile.keywords)
    return [
        *told,
        *_never(profile, matcher, twins),
        *_common(profile, matcher),
        *_floor(profile, matcher, stored),
    ]


def _plain(profile: Profile) -> Profile:
    """The profile's keywords and exclusions alone."""
    return replace(profile, related=False, learn=False)


def _twins(keywords: Sequence[Keyword]) -> tuple[set[str], list[str]]:
    """The keywords that are one before them in other words, and what to say of them."""
    first: dict[Hashable, Keyword] = {}
    twins, told = set[str](), []
    for keyword in keywords:
        twin = first.setdefault(sense(keyword.term), keyword)
        if twin is keyword:
            continue
        counts = "the stronger of the two counts"
        if (twin.weight > 0) != (keyword.weight > 0):
            counts = "one counts for and one against"
        twins.add(keyword.term)
        told.append(f"“{keyword.term}” and “{twin.term}” are one keyword; {counts}")
    return twins, told


def _never(profile: Profile, matcher: Matcher, twins: Container[str]) -> Iterator[str]:
    """Keywords that never count, as something else takes their place."""
    asked = [one for one in profile.keywords if one.weight > 0 and one.term not in twins]
    made = [(at, listing) for at, one in enumerate(asked, 1) for listing in examples(one.term)]
    alone = [Profile((one,), related=False) for one in asked]
    pairs = matcher.pairs([_plain(profile), *alone], [listing for _, listing in made])
    instead: dict[str, list[str]] = {}
    for number, (at, _) in enumerate(made):
        if pairs.match(at, number).score > 0:  # else the example is none
            term = asked[at - 1].term
            instead.setdefault(term, []).append(_instead(term, pairs, number))
    for term, told in instead.items():
        if all(told):
            yield f"“{term}” never counts: {told[0]}"


def _instead(term: str, pairs: Pairs, number: int) -> str:
    """What counts in a keyword's place on the listing that has it alone; empty if it does."""
    if excluded := pairs.excluded_by(0, number):
        return f"exclude “{excluded}” keeps out what has it"
    reasons = pairs.match(0, number).reasons
    if not reasons or any(sense(one.term) == sense(term) for one in reasons):
        return ""
    return f"“{reasons[0].term}” is worth more wherever it stands"


def _common(profile: Profile, matcher: Matcher) -> Iterator[str]:
    """Keywords that stand in so many listings that they part none from the others."""
    for keyword in profile.keywords:
        share = share_of(matcher.statistics, keyword.term) if keyword.weight > 0 else 0.0
        if share > COMMON:
            yield (
                f"“{keyword.term}” stands in about {share:.0%} of all listings, so it decides"
                " little; a longer phrase says more"
            )


def _floor(profile: Profile, matcher: Matcher, stored: Batch | None) -> Iterator[str]:
    """A floor that nothing passes, made for it or stored."""
    wanted = [one.term for one in profile.keywords if one.weight > 0]
    if profile.per_day or profile.learn or not wanted:
        return
    floor = f"the floor of {profile.min_score:.2f}"
    best = matcher.match(replace(_plain(profile), exclude=()), all_in_one(wanted)).score
    if best > 0 and _reach(best, profile) < profile.min_score:
        yield (
            f"hardly a listing can pass {floor}: with every keyword in title and abstract it"
            f" scores {best:.2f}"
        )
    elif stored is not None and len(stored) >= ENOUGH:
        ranking = matcher.rank([_plain(profile)], stored, 1)
        best = float(ranking.score[0]) if len(ranking.score) else 0.0
        newest = f"the {len(stored):,} newest listings"
        if not best:
            yield f"none of its keywords stands in any of {newest}"
        elif _reach(best, profile) < profile.min_score:
            yield f"none of {newest} passes {floor}; the best scores {best:.2f}"


def _reach(score: float, profile: Profile) -> float:
    """What a score can become by related terms."""
    return 1 - (1 - score) ** RELATED if profile.related else score
