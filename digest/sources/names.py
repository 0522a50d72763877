"""Authors' names out of the one string that many sources pack them into."""

from __future__ import annotations

import re

_BRACKETS = re.compile(r"\([^()]*\)")
_INITIAL_ENDS = re.compile(r"(?<=\.)|[ -]")
_SUFFIX = re.compile(r"^(?:jr|sr|i{2,3}|iv|ph\.?\s?d|m\.?d)\.?$", re.IGNORECASE)
_MAILBOX = re.compile(r"^\s*\S+@\S+\s*\(([^()]+)\)\s*$")
_ADDRESS = re.compile(r"<?\b[^\s<>@]+@[^\s<>@]+>?")


def split_names(text: str) -> list[str]:
    """The names in a list parted by commas, semicolons or `and`; places in brackets fall away.

    `Kaur, M., Shukla, A.` is two names, family name first; so is `Kaur, M.; Shukla, A.`. `Doe,
    Jane` is one, `Jane Doe, Li Wu` are two, and so are `Plato and Socrates`.
    """
    for _ in range(3):  # brackets stand in brackets, seldom deeper
        text = _BRACKETS.sub(" ", text)
    if ";" in text:
        return [name for part in text.split(";") if (name := " ".join(part.split()).strip(","))]
    parts = [" ".join(p.split()) for p in re.split(r",\s+and\s+|\s+and\s+|,", text)]
    names = [part for part in parts if part]
    return _paired(names) if "," in text else names


def _paired(parts: list[str]) -> list[str]:
    """Family names put together with what follows each, where all of them stand first."""
    families, given = parts[::2], parts[1::2]
    is_turned = all(map(_is_initials, given)) or all(map(_is_family, families))
    if parts and len(families) == len(given) and is_turned:
        return [f"{name}, {first}" for name, first in zip(families, given, strict=True)]
    names: list[str] = []
    for part in parts:
        if names and _SUFFIX.match(part):
            names[-1] += f" {part}"
        else:
            names.append(part)
    return names


def _is_initials(part: str) -> bool:
    """True for `M.`, `X.-Y.`, `Yu. A.` and `JA`; a short name such as `Li Wu` is none."""
    ends = [end for end in _INITIAL_ENDS.split(part) if end]
    return (
        0 < len(ends) < 5
        and not _SUFFIX.match(part)
        and all(
            len(end) < 4 and (end.endswith(".") or (end.isupper() and end.isalpha()))
            for end in ends
        )
    )


def _is_family(part: str) -> bool:
    """True for a family name alone: one word, behind such as `van der`."""
    *particles, _ = part.split()
    return all(word.islower() for word in particles) and "." not in part and not part.isupper()


def person(text: str) -> str:
    """The name in an author field without its mail address: `a@b.org (Ada)` gives `Ada`."""
    if "@" not in text:
        return text
    mailbox = _MAILBOX.match(text)
    return mailbox[1] if mailbox else _ADDRESS.sub("", text).strip(' ()<>"')
