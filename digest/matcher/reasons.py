"""Why a listing scored as it did, in points that add up to the score.

Owns the parting of one score among its keywords, the near misses, and what it would take to pass
the floor. Works on one profile and one listing; the numbers are those of the ranking.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from digest.matcher.lexicon import VALUES, Lexicon, Role
from digest.matcher.terms import STEM, Phrase, parse
from digest.model import Match, Reason

Found = dict[int, tuple[int, int]]
"""For each unit that stands in the listing, how often in the title and how often elsewhere."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """One column's share in one listing before it is scaled: the raw sum's parts."""

    role: Role
    term: str
    raw: float
    field: str = "abstract"
    count: int = 0
    part: str = ""


@dataclass(frozen=True, slots=True)
class Explanation:
    """A match and what stands around it.

    `excluded_by` is the exclusion that keeps the listing out, or empty. `absent` are keywords that
    did not match; `near` says of some of them what nearly did. `factors` name what scaled the
    points. `needed` says what would have to change for the score to pass the floor.
    """

    match: Match
    floor: float
    excluded_by: str = ""
    absent: tuple[str, ...] = ()
    near: tuple[str, ...] = ()
    factors: tuple[str, ...] = ()
    needed: str = ""


def part_score(score: float, shares: list[Evidence]) -> tuple[Reason, ...]:
    """The reasons, most points first; their points add up to the score."""
    raw = np.array([each.raw for each in shares])
    total = raw.sum()
    if total > 0:
        points = raw * (score / total)
    else:  # what counts against outweighs the rest: shown scaled so that both sum to 0
        gain, loss = raw[raw > 0].sum(), -raw[raw < 0].sum()
        points = np.where(raw > 0, raw, raw * gain / loss if loss else 0.0)
    reasons = [
        Reason(e.term, e.field, float(p), e.count, e.role is Role.RELATED, e.part)
        for e, p in zip(shares, points.tolist(), strict=True)
        if p
    ]
    return tuple(sorted(reasons, key=lambda r: (-r.points, r.term)))


def describe(lexicon: Lexicon, found: Found, role: Role, text: str, raw: float) -> Evidence:
    """Where and how often a column's keyword stands, or which of its words do."""
    if role is Role.RELATED:
        unit = lexicon.unit(Phrase((text,), ((STEM + text,),)))
        return Evidence(role, text, raw, *_place("", *found.get(unit, (0, 0))))
    for choice in parse(text).choices:
        places = [(p.field, *found.get(lexicon.unit(p), (0, 0))) for p in choice]
        if all(title or rest for _, title, rest in places):
            field, count = max((_place(*place) for place in places), key=lambda p: p[0] == "title")
            return Evidence(role, text, raw, field, count)
    phrase = parse(text).choices[0][0]
    words = [
        (word, found[unit])
        for word, symbol in zip(phrase.words, phrase.sequences[0], strict=True)
        for unit in [lexicon.unit(Phrase((word,), ((symbol,),), phrase.field))]
        if unit in found
    ]
    field = "title" if any(title for _, (title, _) in words) else phrase.field or "abstract"
    return Evidence(role, text, raw, field, 0, " ".join(word for word, _ in words))


def _place(field: str, title: int, rest: int) -> tuple[str, int]:
    """The field that a reason names, and how often the term stands in all of them."""
    if field in VALUES or field == "org":
        return field, rest
    return ("title" if title else "abstract"), title + rest
