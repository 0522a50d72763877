"""Lines of the text part: at most 72 columns, as a terminal counts them.

Owns where a line may end. Never inside a word of letters or an address; a run of wide characters
(Japanese, Chinese), which knows no blanks, is cut where the line is full.
"""

from __future__ import annotations

import textwrap

from rich.cells import cell_len, chop_cells

WIDTH = 72


def wrapped(text: str, first: str = "", rest: str | None = None, width: int = WIDTH) -> str:
    """The text in lines; `first` opens the first one, `rest` (else `first`) the others."""
    rest = first if rest is None else rest
    paragraphs = [part for part in text.split("\n") if part.strip()]
    return "\n\n".join(
        _wrapped(part, first if place == 0 else rest, rest, width)
        for place, part in enumerate(paragraphs)
    )


def _wrapped(text: str, first: str, rest: str, width: int) -> str:
    if text.isascii():
        return textwrap.fill(
            text,
            width,
            initial_indent=first,
            subsequent_indent=rest,
            break_long_words=False,
            break_on_hyphens=False,
        )
    lines = [""]
    for word in _words(text, width - len(rest)):
        if lines[-1] and cell_len(lines[-1]) + 1 + cell_len(word) > width - len(rest):
            lines.append(word)
        else:
            lines[-1] += f" {word}" if lines[-1] else word
    return "\n".join((rest if place else first) + line for place, line in enumerate(lines))


def _words(text: str, width: int) -> list[str]:
    """The words of a text; those that only wide characters make too long are cut."""
    words: list[str] = []
    for word in text.split():
        is_wide = cell_len(word) > width and cell_len(word) > len(word) * 1.3
        words += chop_cells(word, width) if is_wide else [word]
    return words
