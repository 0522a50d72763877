"""The terms of a profile as values of the config: the matcher says which are good."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator

from digest.config.text import read_list
from digest.config.values import Weight
from digest.config.words import WrongValueError, shown
from digest.errors import KeywordError
from digest.language import check_author, check_exclusion, check_organization, check_term

MAX_KEYWORDS = 500
"""Keywords of one profile, and likewise exclusions, followed authors and organizations."""

HALF = re.compile("[\ud800-\udfff]")

SETTINGS = frozenset({"send_at", "min_score", "max_items", "per_day", "when_empty"})
"""Keys of a subscriber that no one means as a term. TOML counts every line below
`[subscribers.keywords]` to that table, so a setting written there would become a keyword."""


def _checked(check: Callable[[str], object]) -> AfterValidator:
    """The matcher's check of a text as a check of a value."""

    def validate(text: str) -> str:
        if half := HALF.search(text):  # as JSON can write it; no file and no mail can hold it
            raise WrongValueError(f"holds half of a character (U+{ord(half[0]):04X})")
        try:
            check(text)
        except KeywordError as error:
            raise WrongValueError(str(error)) from None
        return text

    return AfterValidator(validate)


def read_limited(value: object) -> object:
    """A list of at most MAX_KEYWORDS."""
    items = read_list(value)
    if len(items) > MAX_KEYWORDS:
        raise WrongValueError(f"holds {len(items)}, the most is {MAX_KEYWORDS}")
    return items


def read_keywords(value: object) -> object:
    """A table of term and weight."""
    if not isinstance(value, dict):
        raise WrongValueError(
            f'must be a table of term = weight such as "fusion" = 2, not {shown(value)}'
        )
    if len(value) > MAX_KEYWORDS:
        raise WrongValueError(f"holds {len(value)} keywords, the most is {MAX_KEYWORDS}")
    return value


def check_keyword(text: str) -> None:
    """Nothing, if `text` can be a keyword and is no setting that slipped below its table."""
    if text in SETTINGS:
        raise KeywordError(f"{text} is a setting")
    check_term(text)


Term = Annotated[str, _checked(check_keyword)]
Exclusion = Annotated[str, _checked(check_exclusion)]
Author = Annotated[str, _checked(check_author)]
Organization = Annotated[str, _checked(check_organization)]
Exclusions = Annotated[tuple[Exclusion, ...], BeforeValidator(read_limited)]
Authors = Annotated[tuple[Author, ...], BeforeValidator(read_limited)]
Organizations = Annotated[tuple[Organization, ...], BeforeValidator(read_limited)]
Keywords = Annotated[dict[Term, Weight], BeforeValidator(read_keywords)]
