"""The words of faults: values as TOML writes them, the nearest right form, choices."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, time
from difflib import get_close_matches

from digest.addresses import quoted


class WrongValueError(ValueError):
    """A value is no good. Pydantic gathers it with the others, which it does not for TypeError."""


def shown(value: object) -> str:
    """`value` as TOML writes it, on one line; lists and tables by their kind only."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return quoted(value)
        case list() | tuple():
            return "a list"
        case dict():
            return "a table"
        case date() | time():
            return value.isoformat()
    return quoted(str(value)).strip('"')


def nearest(text: str, known: Iterable[str]) -> str:
    """The known word that `text` was meant to be, or empty."""
    folded = {word.casefold(): word for word in known}
    close = get_close_matches(text.casefold(), folded, n=1, cutoff=0.6)
    return folded[close[0]] if close else ""


def meant(hint: object) -> str:
    """The end of a message that offers `hint`; empty where there is none."""
    return f"; did you mean {shown(hint)}?" if hint not in ("", None) else ""


def either(words: Iterable[object]) -> str:
    """The words in quotes as a choice: `"a", "b" or "c"`."""
    *first, last = map(shown, words)
    return f"{', '.join(first)} or {last}" if first else last


def expect_text(value: object, example: str) -> str:
    """`value` if it is text. Raises: WrongValueError with the example."""
    if not isinstance(value, str):
        raise WrongValueError(f"must be text such as {shown(example)}, not {shown(value)}")
    return value
