"""Texts whose words are as unevenly frequent as those of a language."""

from __future__ import annotations

import random

WORDS = 30_000
_ALL = [f"w{n}" for n in range(1, WORDS + 1)]
_WEIGHTS = [0.0] * WORDS
_TOTAL = 0.0
for _n in range(WORDS):
    _TOTAL += 1 / (_n + 3)  # Zipf's law: the most frequent word stands in nearly every abstract
    _WEIGHTS[_n] = _TOTAL


def sentence(rng: random.Random, words: int) -> str:
    """So many words, `w1` the most frequent one."""
    return " ".join(rng.choices(_ALL, cum_weights=_WEIGHTS, k=words))
