"""Listings that have a keyword and nothing else, to see what it does in a profile.

Made from the words as they were parsed, so that they match by construction; whoever uses one asks
whether it does, as words without spaces may not stand apart.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable

from digest.language.terms import Phrase, parse
from digest.model import Listing

Parts = dict[str, list[str]]


def examples(text: str) -> list[Listing]:
    """A listing for each choice of a keyword, with that choice in every field it may stand in.

    Raises: KeywordError where the text is no keyword.
    """
    return [_listing(choice) for choice in parse(text).choices]


def all_in_one(texts: list[str]) -> Listing:
    """A listing that has the first choice of each of these keywords, in title and abstract.

    Raises: KeywordError.
    """
    return _listing(tuple(phrase for text in texts for phrase in parse(text).choices[0]))


def sense(text: str) -> Hashable:
    """What a keyword is to the matcher: equal for those of which whatever has one has the other.

    Raises: KeywordError.
    """
    return tuple(
        frozenset((phrase.sequences or phrase.words, phrase.field) for phrase in choice)
        for choice in parse(text).choices
    )


def _listing(phrases: tuple[Phrase, ...]) -> Listing:
    held: Parts = defaultdict(list)
    for phrase in phrases:
        for field in [phrase.field] if phrase.field else ["title", "abstract"]:
            held[field].append(" ".join(phrase.words))
    return Listing(
        key="example:1",
        source=(held["source"] or ["example"])[-1],
        title=". ".join(held["title"]),
        abstract=". ".join(held["abstract"]),
        authors=tuple(held["author"]),
        organization=", ".join(held["org"]),
        subjects=tuple(held["category"]),
    )
