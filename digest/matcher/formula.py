"""The numbers behind a score: how rare, how often, how much of the profile.

Owns every constant of the matcher and where it comes from; `docs/matching.md` shows the formula
whole. Pure arithmetic on floats and arrays.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

SATURATION = 1.2
LENGTH_SHARE = 0.5
TITLE_WEIGHT = 3.0
PARTIAL = 0.5
RARE_SHARE = 0.001
"""Share of listings that an author, an organization or a source is taken to stand in."""
WEIGHT_SHARE = 0.3
SCALE = 1.0


def rarity(listings: int, count: float) -> float:
    """How much a term tells: 0 for one in every listing, about 7 for one in a thousand."""
    return math.log(1 + (listings - count + 0.5) / (count + 0.5))


def phrase_rarity(words: Sequence[float]) -> float:
    """The rarity of words in order, from the rarities of the words."""
    return max(words) * (1 + 0.25 * (len(words) - 1))


def saturate(title: Floats, abstract: Floats, length: Floats) -> Floats:
    """0..1 for how often a term stands in title and abstract; `length` 1 is a usual listing."""
    often = TITLE_WEIGHT * title + abstract
    return often / (often + SATURATION * (1 - LENGTH_SHARE + LENGTH_SHARE * length))


def profile_norm(weights: Floats, rarities: Floats) -> float:
    """What a profile's sum is divided by, so that two keywords and forty score alike."""
    if not len(weights):
        return 1.0
    mean = float((weights * rarities).sum() / rarities.sum())
    return float(np.linalg.norm(rarities)) * float(mean**WEIGHT_SHARE)


def squash(raw: Floats) -> Floats:
    """The score 0..1 of a normalised sum; grows with it, negative sums are 0."""
    return 1 - np.exp(-SCALE * np.maximum(raw, 0))
