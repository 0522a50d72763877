"""The words of a text as PostgreSQL's search holds them: folded, stemmed, with their places.

They are made here and not by a text search configuration of the server, so that a search finds the
same on both stores, and no extension is needed. Source:
https://www.postgresql.org/docs/current/datatype-textsearch.html
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

import Stemmer

LAST_PLACE = 16_383
MOST_PLACES = 255
"""What a tsvector can hold of a word's places."""

_LONGEST = 64  # characters; the rest of a word tells nothing
_WORD = re.compile(r"[^\W_]+")
_PORTER = Stemmer.Stemmer("porter")  # as in SQLite's FTS5


def words_of(text: str) -> list[str]:
    """The words of a text without case, accents and endings."""
    bare = "".join(
        letter for letter in unicodedata.normalize("NFD", text) if not unicodedata.combining(letter)
    )
    return [_stem(word[:_LONGEST]) for word in _WORD.findall(bare.lower())]


def vector_of(texts: Sequence[tuple[str, str]]) -> str:
    """A tsvector of (label, text); no phrase reaches from one text into the next."""
    places: Mapping[str, list[str]] = defaultdict(list)
    for word, place, label in _placed(texts):
        if len(places[word]) < MOST_PLACES:
            places[word].append(f"{min(place, LAST_PLACE)}{label}")
    return " ".join(f"'{word}':{','.join(known)}" for word, known in places.items())


def _placed(texts: Sequence[tuple[str, str]]) -> Iterator[tuple[str, int, str]]:
    place = 0
    for label, text in texts:
        for word in words_of(text):
            place += 1
            yield word, place, label
        place += 1


def _stem(word: str) -> str:
    stemmed: str = _PORTER.stemWord(word) if len(word) > 2 else word
    return stemmed
