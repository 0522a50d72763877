"""Whether two writings name one person.

Owns the comparison of names: `T. Dao`, `Dao, Tri` and `Tri Dao` are one, `Tu Dao` is another.
A family name alone never names anybody.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from digest.language.words import GLUED, fold, split

_PARTICLES = frozenset(
    [
        "al",
        "bin",
        "da",
        "de",
        "del",
        "della",
        "den",
        "der",
        "di",
        "dos",
        "du",
        "el",
        "ibn",
        "la",
        "le",
        "ten",
        "ter",
        "van",
        "von",
        "zu",
    ]
)
_SUFFIXES = frozenset(["jr", "sr", "ii", "iii", "iv", "phd", "md"])


@dataclass(frozen=True, slots=True)
class Name:
    """A family name, given names in order (some but initials), and the letters of all in order."""

    family: tuple[str, ...]
    given: tuple[str, ...]


@lru_cache(maxsize=200_000)
def read_name(text: str) -> Name:
    """The name that a text gives, as `Given Family` or `Family, Given`."""
    folded = fold(text)
    before, comma, after = folded.partition(",")
    if comma and split(after)[0] and split(after)[0][0] not in _SUFFIXES:
        return Name(_words(before), _words(after))
    words = _words(folded.replace(",", " "))
    if words and len(words[-1]) == 1 and len(words[0]) > 1:  # `Dao T`, as PubMed writes
        first = next(i for i, word in enumerate(words) if len(word) == 1)
        return Name(words[:first], words[first:])
    cut = max(1, len(words) - 1) if len(words) > 1 else 0
    while cut > 1 and words[cut - 1] in _PARTICLES:
        cut -= 1
    return Name(words[cut:], words[:cut])


def _words(text: str) -> tuple[str, ...]:
    """The words of a name, `Jean-Luc` as one, `J.R.` as two, without titles that follow it."""
    words, stands = split(text)
    joined: list[str] = []
    glued = False
    for word, stand in zip(words, stands, strict=True):
        if glued and len(word) > 1 and len(joined[-1]) > 1:
            joined[-1] += word
        else:
            joined.append(word)
        glued = stand == GLUED
    kept = tuple(word for word in joined if word not in _SUFFIXES)
    return kept or tuple(joined)


def same_person(wanted: Name, found: Name) -> bool:
    """Whether both can be one person: the family names agree, the given names do not differ."""
    if not wanted.given or not found.given:
        return (
            wanted == found and len("".join(wanted.family)) > 0 and not wanted.family[0].isascii()
        )
    if "".join(wanted.family) == "".join(found.family):
        return _agree(wanted.given, found.given)
    return _turned(wanted, found)


def _turned(wanted: Name, found: Name) -> bool:
    """Whether one name stands family first without a comma, every word written out."""
    whole = (*wanted.given, *wanted.family)
    other = (*found.family, *found.given)
    return whole == other and all(len(word) > 1 for word in whole)


def _agree(wanted: tuple[str, ...], found: tuple[str, ...]) -> bool:
    """Whether given names match one by one, an initial standing for any name that begins so."""
    if "".join(wanted) == "".join(found):
        return True
    return all(
        a == b or ((len(a) == 1 or len(b) == 1) and a[0] == b[0])
        for a, b in zip(wanted, found, strict=False)
    )
