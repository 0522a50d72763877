"""Lines of the text part: at most 72 columns, as a terminal counts them.

Owns where a line may end. Never inside a word of letters or an address; a run of wide characters
(Japanese, Chinese), which knows no blanks, is cut where the line is full.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache

from rich.cells import cell_len, chop_cells

WIDTH = 72

# Letters that take two columns, and emoji; all else is counted as one.
_WIDE = re.compile(
    "[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\uff00-\uffe6\U0001f000-\U0003fffd]"
)

_ITEM = re.compile(r"(?:[-*+]|\d{1,2}\.) ")


@lru_cache(maxsize=2_048)  # most of what stands around the items is the same for all of a day
def wrapped(text: str, first: str = "", rest: str | None = None, width: int = WIDTH) -> str:
    """The text in lines; `first` opens the first one, `rest` (else `first`) the others."""
    rest = first if rest is None else rest
    paragraphs = [part for part in text.split("\n") if part.strip()]
    lines = [
        _wrapped(part, first if place == 0 else rest, rest, width)
        for place, part in enumerate(paragraphs)
    ]
    return "\n".join(_parted(lines, paragraphs)) if len(lines) > 1 else "".join(lines)


def _parted(lines: list[str], paragraphs: list[str]) -> Iterator[str]:
    """The paragraphs with an empty line between two of them, unless both are items of a list."""
    for place, made in enumerate(lines):
        if place and not all(map(_ITEM.match, paragraphs[place - 1 : place + 1])):
            yield ""
        yield made


def filled(text: str, rest: str, *, narrow: bool) -> str:
    """One paragraph in lines of the usual width, `rest` before all but the first; not kept.

    The first line leaves as much room. `narrow` says that it `is_narrow`, so that nobody looks.
    """
    if narrow and "  " not in text:
        return f"\n{rest}".join(_narrow(text.strip(" "), WIDTH - len(rest)))
    return _wrapped(text, "", rest, WIDTH)


@lru_cache(maxsize=8_192)  # of reasons, which come again in mail after mail
def is_narrow(text: str) -> bool:
    """Whether each character takes one column."""
    return not _WIDE.search(text)


def _wrapped(text: str, first: str, rest: str, width: int) -> str:
    """One paragraph in lines."""
    if not _WIDE.search(text) and "  " not in text:
        return first + f"\n{rest}".join(_narrow(text.strip(" "), width - len(rest)))
    measure: Callable[[str], int] = cell_len if _WIDE.search(text) else len
    room = width - len(rest)
    words = _words(text, room) if measure is cell_len else text.split(" ")
    lines, line, used = [], "", -1
    for word in filter(None, words):
        size = measure(word)
        if line and used + 1 + size > room:
            lines.append(line)
            line, used = "", -1
        line = f"{line} {word}" if line else word
        used += 1 + size
    return first + f"\n{rest}".join([*lines, line])


def _narrow(text: str, room: int) -> Iterator[str]:
    """The lines of a text whose characters take one column each, parted by single blanks."""
    at = 0
    while len(text) - at > room:
        end = text.rfind(" ", at, at + room + 1)
        if end < 0:
            end = text.find(" ", at + room)
        if end < 0:
            break
        yield text[at:end]
        at = end + 1
    yield text[at:]


def _words(text: str, width: int) -> list[str]:
    """The words of a text; those that only wide characters make too long are cut."""
    words: list[str] = []
    for word in text.split(" "):
        is_wide = cell_len(word) > width and cell_len(word) > len(word) * 1.3
        words += chop_cells(word, width) if is_wide else [word]
    return words
