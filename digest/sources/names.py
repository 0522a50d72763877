"""Authors' names out of the one string that many sources pack them into."""

from __future__ import annotations

import re

_BRACKETS = re.compile(r"\([^()]*\)")
_INITIALS = re.compile(r"^(?:[^\W\d_]{1,2}\.?[ -]?){1,4}$")
_SUFFIX = re.compile(r"^(?:jr|sr|i{2,3}|iv|ph\.?\s?d|m\.?d)\.?$", re.IGNORECASE)
_MAILBOX = re.compile(r"^\s*\S+@\S+\s*\(([^()]+)\)\s*$")
_ADDRESS = re.compile(r"<?\b[^\s<>@]+@[^\s<>@]+>?")


def split_names(text: str) -> list[str]:
    """The names in a list parted by commas, semicolons or `and`; places in brackets fall away.

    `Kaur, M., Shukla, A.` is two names, family name first; so is `Kaur, M.; Shukla, A.`.
    """
    for _ in range(3):  # brackets stand in brackets, seldom deeper
        text = _BRACKETS.sub(" ", text)
    if ";" in text:
        return [name for part in text.split(";") if (name := " ".join(part.split()).strip(","))]
    parts = [" ".join(p.split()) for p in re.split(r",\s+and\s+|\s+and\s+|,", text)]
    return _paired([part for part in parts if part])


def _paired(parts: list[str]) -> list[str]:
    """Family names put together with their initials, where every second part is initials."""
    if len(parts) > 1 and len(parts) % 2 == 0 and all(map(_INITIALS.match, parts[1::2])):
        return [f"{name}, {first}" for name, first in zip(parts[::2], parts[1::2], strict=True)]
    names: list[str] = []
    for part in parts:
        if names and _SUFFIX.match(part):
            names[-1] += f" {part}"
        else:
            names.append(part)
    return names


def person(text: str) -> str:
    """The name in an author field without its mail address: `a@b.org (Ada)` gives `Ada`."""
    if "@" not in text:
        return text
    mailbox = _MAILBOX.match(text)
    return mailbox[1] if mailbox else _ADDRESS.sub("", text).strip(' ()<>"')
