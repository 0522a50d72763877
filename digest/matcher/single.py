"""What one listing alone suggests changing in a profile, in a millisecond.

Owns the suggestions of a single example. They come from how often a term stands in it and how rare
it is, without the archive that `proposals` compares with: a page must not wait for that.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from digest.language.stems import stem
from digest.language.words import PARTED, TOPICLESS, fold, split
from digest.matcher import formula
from digest.matcher.lexicon import Lexicon
from digest.matcher.likes import Likes
from digest.matcher.proposals import (
    AGAINST,
    STRONGEST,
    TOO_COMMON,
    WEAKEST,
    Apart,
    Held,
    Kind,
    Proposal,
    change_of,
    shares,
    standing,
)
from digest.matcher.reading import read
from digest.matcher.space import PAIR_SHARE
from digest.matcher.statistics import Statistics
from digest.model import Keyword, Listing, Profile

MOST = 8
"""Proposals: what a person reads through."""

TWICE = 2.0
"""A word must stand twice in the abstract, or once in the title: one mention is no topic."""

ELSEWHERE = 1.0
"""Listings that must hold each word, beside this one: the name of a method matches nothing else."""


@dataclass(frozen=True, slots=True)
class _Topic:
    """A word or a pair of neighbours: how it is written, how much it says here, and its share."""

    term: str
    says: float
    usual: float


def suggest(
    profile: Profile, listing: Listing, statistics: Statistics, *, more: bool
) -> list[Proposal]:
    """What wanting more (or less) like a listing suggests: keywords to change, then to add."""
    examples = Likes((listing,), ()) if more else Likes((), (listing,))
    changed = _changed(profile, examples, statistics)
    return [*changed, *_new(profile, examples, statistics, more=more)][:MOST]


def _changed(profile: Profile, examples: Likes, statistics: Statistics) -> list[Proposal]:
    """Keywords that the listing speaks for or against."""
    lexicon = Lexicon(statistics)
    units = [lexicon.recipe(keyword.term).unit for keyword in profile.keywords]
    liked, disliked = (
        standing(lexicon, units, read(each)) for each in (examples.liked, examples.disliked)
    )
    usual = shares(statistics, [lexicon.rarities[unit] for unit in units])
    held = Held(examples, liked, disliked, usual, usual)
    return [
        held.proposal(at, kind, Keyword(keyword.term, weight), keyword.weight)
        for at, keyword in enumerate(profile.keywords)
        for kind, weight in change_of(keyword, held, at)
    ]


def _new(
    profile: Profile, examples: Likes, statistics: Statistics, *, more: bool
) -> list[Proposal]:
    """Terms of the listing that the profile does not have, what says most of it first."""
    (listing,) = examples.liked or examples.disliked
    found = [topic for topic in _topics(listing, statistics) if topic.usual <= TOO_COMMON]
    most = max((topic.says for topic in found), default=1.0)
    holds = np.ones((len(found), 1), dtype=bool)
    none = np.zeros((len(found), 0), dtype=bool)
    usual = np.array([topic.usual for topic in found])
    held = Held(examples, holds if more else none, none if more else holds, usual, usual)
    rest, made = Apart(profile), []
    for at, topic in enumerate(found):
        if not held.speaks(at, against=not more) or not rest.takes(topic.term, 1):
            continue
        weight = round(max(WEAKEST, STRONGEST * topic.says / most), 1)
        weight = weight if more else -max(WEAKEST, round(weight * AGAINST, 1))
        kind = Kind.ADD if more else Kind.AGAINST
        made.append((topic.says, held.proposal(at, kind, Keyword(topic.term, weight))))
    return [proposal for _, proposal in sorted(made, key=lambda each: -each[0])]


def _topics(listing: Listing, statistics: Statistics) -> list[_Topic]:
    """The words and pairs that a listing is about; pairs first, each kind by what it says."""
    often: Counter[tuple[str, ...]] = Counter()
    shown: dict[tuple[str, ...], str] = {}
    for text, counts in ((listing.title, formula.TITLE_WEIGHT), (listing.abstract, 1.0)):
        for words in _runs(text):
            key = tuple(map(stem, words))
            often[key] += counts  # type: ignore[assignment]  # a Counter adds floats as well
            shown.setdefault(key, " ".join(words))
    length = len({key for key in often if len(key) == 1}) / statistics.usual_length
    made = [
        _topic(key, shown[key], number, length, statistics)
        for key, number in often.items()
        if number >= TWICE and all(statistics.counts.get(each, 0) > ELSEWHERE for each in key)
    ]
    return sorted(made, key=lambda topic: (-topic.term.count(" "), -topic.says, topic.term))


def _topic(
    key: tuple[str, ...], shown: str, often: float, length: float, statistics: Statistics
) -> _Topic:
    rarity = formula.phrase_rarity([statistics.rarity(each) for each in key])
    said = formula.saturate(np.zeros(1), np.array([often]), np.array([length]))[0]
    share = PAIR_SHARE if len(key) > 1 else 1.0
    return _Topic(shown, float(said * rarity * share), float(shares(statistics, [rarity])[0]))


def _runs(text: str) -> list[tuple[str, ...]]:
    """The words that tell something, and the pairs of them that stand side by side."""
    words, stands = split(fold(text))
    found: list[tuple[str, ...]] = [(word,) for word in words if _tells(word)]
    beside = zip(pairwise(words), stands, strict=False)
    found += [pair for pair, stand in beside if stand != PARTED and all(map(_tells, pair))]
    return found


def _tells(word: str) -> bool:
    return len(word) > 2 and word not in TOPICLESS and not word[0].isdigit()
