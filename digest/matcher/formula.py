"""The numbers behind a score: how rare, how often, how much of the profile.

Owns every constant of ranking and where it comes from; `docs/matching.md` shows the formula whole
and the experiments. Pure arithmetic. "Four collections" are those of `tests/benchmarks`; each
constant stands on a plateau: half or twice its distance changes the mean nDCG@10 by under 0.004.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

SATURATION = 1.8
"""How fast a repeated term stops adding. BM25's k1; 1.5 to 2.0 are level on four collections."""

LENGTH_SHARE = 0.65
"""How much a long listing's words are discounted. BM25's b; 0.6 to 0.75 are level."""

LONGEST = 2.0
"""A listing counts as at most twice the usual length, so that one mention always says something."""

TITLE_WEIGHT = 3.0
"""A word in the title counts like this many in the abstract; 2.5 to 4 are level, 1 loses 0.01."""

PARTIAL = 0.5
"""Share of a phrase's worth that its words keep where the phrase is absent; 0.4 to 0.65 are level,
0 loses 0.02."""

PHRASE_GAIN = 0.1
"""What each further word adds to the worth of a phrase, beside that of its rarest word."""

WEIGHT_SHARE = 0.15
"""How far the norm follows the weights: 0 not at all, 1 fully. Scores of profiles with weights 1
and weights 3 come nearer the higher it is; above `1 / (1 + SATURATION * (1 - LENGTH_SHARE +
LENGTH_SHARE * LONGEST)) / (1 + PARTIAL)` = 0.168 a raised weight could lower a score."""

STRONG = 3.0
"""From this weight on a weight grows with its logarithm: 10 counts 6.6, 100 counts 13.5."""

RARE_SHARE = 0.001
"""Share of listings that an author, an organization or a source is taken to stand in."""

SCALE = 1.0
"""How steeply a sum becomes a score."""


def rarity(listings: int, count: float) -> float:
    """How much a term tells: 0 for one in every listing, about 7 for one in a thousand."""
    return math.log(1 + (listings - count + 0.5) / (count + 0.5))


def phrase_rarity(words: Sequence[float]) -> float:
    """The rarity of words in order, from the rarities of the words."""
    return max(words) * (1 + PHRASE_GAIN * (len(words) - 1))


def strength(weight: float) -> float:
    """What a positive weight counts."""
    return weight if weight <= STRONG else STRONG * (1 + math.log(weight / STRONG))


def strengths(weights: Floats) -> Floats:
    """`strength` of each of many positive weights."""
    return np.where(
        weights <= STRONG, weights, STRONG * (1 + np.log(np.maximum(weights, STRONG) / STRONG))
    )


def saturate(title: Floats, abstract: Floats, length: Floats) -> Floats:
    """0..1 for how often a term stands in title and abstract; `length` 1 is a usual listing."""
    often = TITLE_WEIGHT * title + abstract
    room = 1 - LENGTH_SHARE + LENGTH_SHARE * np.minimum(length, LONGEST)
    return often / (often + SATURATION * room)


def profile_norm(rarities: Sequence[float], weighted: float, plain: float) -> float:
    """What a profile's sum is divided by, so that two keywords and forty score alike.

    `rarities` are those of its keywords for, `weighted` and `plain` the worth of everything it
    looks for with its weights and with weights of 1.
    """
    if not rarities or plain <= 0:
        return 1.0
    return math.hypot(*rarities) * math.pow(weighted / plain, WEIGHT_SHARE)


def squash(raw: NDArray[Any]) -> NDArray[Any]:
    """The score 0..1 of a normalised sum; grows with it, negative sums are 0."""
    scores: NDArray[Any] = -np.expm1(-SCALE * np.maximum(raw, 0))
    return scores


def squash_one(raw: float) -> float:
    """The same for one sum; an array of one would take thirty times as long."""
    return -math.expm1(-SCALE * max(raw, 0.0))


def raw_of(score: float) -> float:
    """The sum that becomes a score."""
    return (0.0 - math.log(max(1e-12, 1 - score))) / SCALE  # no -0.0, which would be printed so
