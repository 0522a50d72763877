"""Whether two writings name one organization.

Owns the comparison of whole names: `google deepmind` and `Google-DeepMind` are one, `DeepMind` is
another. A part of a name never names anybody.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from digest.errors import KeywordError
from digest.language.words import fold, split

LONGEST_NAME = 200
"""Characters of an organization's name."""

_SILENT = frozenset(["the", "inc", "ltd", "llc", "gmbh"])


@lru_cache(maxsize=50_000)
def read_lab(text: str) -> tuple[str, ...]:
    """The words of an organization's name, folded; without what some write and others do not."""
    words = tuple(split(fold(text[:LONGEST_NAME]))[0])
    return tuple(word for word in words if word not in _SILENT) or words


def check_organization(text: str) -> None:
    """Nothing, if the text names an organization. Raises: KeywordError."""
    if len(text) > LONGEST_NAME:
        raise KeywordError(f"a name has at most {LONGEST_NAME} characters, this has {len(text)}")
    if not read_lab(text):
        raise KeywordError("the organization's name is empty")


def labs_named(wanted: Iterable[str], organization: str) -> list[str]:
    """The names among those wanted that are this organization's, as they were written."""
    found = read_lab(organization) if organization else ()
    return [name for name in wanted if found and read_lab(name) == found]
