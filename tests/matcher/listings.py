"""Small listings of ours to match against, and a short way to write a profile."""

from __future__ import annotations

from typing import Any

from digest.matcher import Matcher, Statistics
from digest.model import Keyword, Listing, Profile

_TOPICS = {
    "waves": "gravitational waves interferometer detector strain black hole merger signal noise",
    "cells": "stem cell tissue growth protein membrane gene expression regulation culture",
    "graphs": "graph neural network node classification message passing spectral embedding",
    "heat": "heat transfer boundary layer laminar flow plate temperature turbulence convection",
    "codes": "error correcting codes parity decoding channel capacity noise block length rate",
}


def listing(title: str = "", abstract: str = "", **fields: Any) -> Listing:
    """A listing with a key made of its title."""
    given = {"key": f"test:{title}:{abstract}", "source": "test", **fields}
    return Listing(title=title, abstract=abstract, **given)


def profile(*terms: str, **weighted: float) -> Profile:
    """A profile of terms of weight 1; see `Profile` for more."""
    return Profile(
        tuple(Keyword(term) for term in terms) + tuple(Keyword(t, w) for t, w in weighted.items())
    )


def archive(size: int = 300) -> list[Listing]:
    """So many listings about five topics, in turn, each with other words of its topic."""
    topics = list(_TOPICS.items())
    made = []
    for number in range(size):
        name, words = topics[number % len(topics)]
        told = words.split()
        start = number // len(topics) % len(told)
        turned = told[start:] + told[:start]
        title = f"{' '.join(turned[:3])} study {number}"
        made.append(
            Listing(f"{name}:{number}", "test", title, f"We report on {' '.join(turned[2:])}.")
        )
    return made


def matcher() -> Matcher:
    """A matcher with statistics of the archive and without related terms."""
    return Matcher(Statistics.of(archive()))


def score(term: str, text: Listing | str) -> float:
    """What a profile of one keyword makes of a listing, or of a title."""
    shown = text if isinstance(text, Listing) else listing(text)
    return matcher().match(profile(term), shown).score
