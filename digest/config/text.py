"""Texts and lists of them: one line or more, of bearable length, nothing that cannot be shown."""

from __future__ import annotations

import unicodedata

from digest.config.words import WrongValueError, shown

MAX_LINE = 200
"""Characters of a name or any other text of one line."""
MAX_QUERY = 2000
"""Characters of a search; longer web addresses are cut or refused on the way."""


def check_text(text: str) -> str:
    """`text` without control characters but for line ends."""
    for sign in text:
        if sign != "\n" and unicodedata.category(sign) in {"Cc", "Cs", "Zl", "Zp"}:
            raise WrongValueError(f"holds a character that cannot be shown (U+{ord(sign):04X})")
    return text


def check_optional_line(text: str, most: int = MAX_LINE) -> str:
    """`text` if it stays on one line of at most `most` characters; it may be empty."""
    if "\n" in text:
        raise WrongValueError("must stay on one line")
    if len(text) > most:
        raise WrongValueError(f"is longer than {most} characters")
    return check_text(text)


def check_query(text: str) -> str:
    """`text` if it stays on one line; searches may be longer than names."""
    return check_optional_line(text, MAX_QUERY)


def check_line(text: str) -> str:
    """`text` if it is one line that is not blank."""
    if not text.strip():
        raise WrongValueError("must not be empty")
    return check_optional_line(text)


def read_list(value: object) -> tuple[object, ...]:
    """A tuple of what the list holds; a single text is not taken for a list."""
    if isinstance(value, (list, tuple)):
        return tuple(value)
    hint = f"; did you mean [{shown(value)}]?" if isinstance(value, str) else ""
    raise WrongValueError(f"must be a list in square brackets, not {shown(value)}{hint}")
