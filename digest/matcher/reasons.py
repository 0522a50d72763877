"""Why a listing scored as it did, in points that add up to the score.

Owns where a term stands, the near misses, and what it would take to pass the floor. Works on one
profile and one listing; the numbers are those of the ranking.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from digest.language.terms import parse
from digest.matcher import formula
from digest.matcher.lexicon import VALUES, Lexicon
from digest.model import Match

Found = dict[int, tuple[int, int]]
"""For each unit that stands in the listing, how often in the title and how often elsewhere."""

_Standing = tuple[str, int, int]
"""The field that a phrase asks for, how often it stands in the title and how often elsewhere."""

BOTH = "title and abstract"
"""The field of a reason whose term stands in both."""


@dataclass(frozen=True, slots=True)
class Share:
    """Where a keyword, a related or a learned term stands in a listing, whoever asks."""

    term: str
    field: str
    count: int
    related: bool = False
    part: str = ""
    learned: bool = False


Parts = Sequence[tuple[Share, float]]
"""What gives something to a listing's sum, with how much."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """A match and what stands around it.

    `excluded_by` is the exclusion that keeps the listing out, or empty. `absent` are keywords that
    did not match; `near` says of which keywords only some words stand. `factors` say what
    the points were scaled by. `needed` says what would pass the floor, empty where it is passed.
    """

    match: Match
    floor: float
    excluded_by: str = ""
    absent: tuple[str, ...] = ()
    near: tuple[str, ...] = ()
    factors: tuple[str, ...] = ()
    needed: str = ""


def describe(lexicon: Lexicon, found: Found, term: str) -> Share:
    """Where and how often a keyword stands, or which of its words do."""
    standing: list[list[_Standing]] = []
    for choice in parse(term).choices:
        units = [lexicon.unit(phrase) for phrase in choice]
        if all(unit in found for unit in units):
            standing.append([(p.field, *found[u]) for p, u in zip(choice, units, strict=True)])
    if standing:
        return Share(term, *_place(max(standing, key=_weighing)))
    phrase = parse(term).choices[0][0]
    words = {
        word: found[unit]
        for word, symbol in zip(phrase.words, phrase.sequences[0], strict=True)
        if (unit := lexicon.word_unit(symbol, phrase.field)) in found
    }
    field = phrase.field or _named(words.values())
    return Share(term, field, 0, part=" ".join(words))


def _weighing(choice: Sequence[_Standing]) -> float:
    """How much the weakest phrase of a choice says: of several choices the best one counts."""
    return min(formula.TITLE_WEIGHT * title + rest for _, title, rest in choice)


def _place(choice: Sequence[_Standing]) -> tuple[str, int]:
    """The field that a reason names, and how often the rarest phrase of the choice stands."""
    texts = [(title, rest) for field, title, rest in choice if field not in (*VALUES, "org")]
    count = min(title + rest for _, title, rest in choice)
    return (_named(texts) if texts else choice[0][0]), count


def _named(counts: Iterable[tuple[int, int]]) -> str:
    """Where something stands that is so often in the title and so often in the abstract."""
    title, rest = (sum(each) for each in zip(*counts, strict=True))
    if title and rest:
        return BOTH
    return "title" if title else "abstract"


def describe_weak(term: str, title: int, rest: int, *, learned: bool) -> Share:
    """A related or learned term that stands so often in the title and elsewhere."""
    field = _named([(title, rest)])
    return Share(term, field, max(1, title + rest), related=True, learned=learned)


# --- what would have to change ----------------------------------------------------------------


def factors(norm: float, trust: float, parts: Parts) -> tuple[str, ...]:
    """What stands between a keyword's worth and its points, in words."""
    total = sum(raw for _, raw in parts)
    shown = round(total, 3) + 0.0  # what rounds to nothing has no sign
    stated = [
        f"the keywords' worth is divided by the profile's norm, {norm:.2f}",
        f"the sum {shown:.3f} becomes the score {formula.squash_one(total):.3f} (1 - e^-sum)",
    ]
    if total < 0:
        against = dict.fromkeys(share.term for share, raw in parts if raw < 0)
        stated.append(f"what counts against it outweighs the rest: {', '.join(against)}")
    if trust < 1:
        stated.append(f"keywords count {trust:.0%}, what was learned from likes the rest")
    return tuple(stated)


def needed(
    match: Match,
    floor: float,
    parts: Parts,
    worth: Mapping[str, float],
    raised: Callable[[str, float], tuple[float, float] | None],
) -> str:
    """The smallest changes by which a listing would pass the floor, empty where it does.

    `worth` says of each absent keyword what one mention of it would add to the sum; `raised` from
    and to which weight a keyword must go to add so much, or None where no weight does.
    """
    if match.score >= floor:
        return ""
    missing = formula.raw_of(floor) - sum(raw for _, raw in parts)
    ways = [f"a floor of {math.floor(match.score * 100) / 100:.2f}"] if match.score >= 0.01 else []
    best = next((r for r in match.reasons if r.points > 0 and not r.related), None)
    if best and (weights := raised(best.term, missing)):
        ways.append(f"{best.term!r} with weight {weights[1]:g} instead of {weights[0]:g}")
    enough = [term for term, value in worth.items() if value >= missing]
    if enough:
        ways.append(f"one mention of {min(enough, key=lambda term: worth[term])!r}")
    return f"{missing:.3f} more in the sum: " + (", or ".join(ways) or "several keywords")
