"""The first sentences of an abstract, or all of it.

Owns where a sentence ends: not after `e.g.`, `et al.` or an initial, and in Japanese and Chinese
without a blank.
"""

from __future__ import annotations

import re

from digest.text import cut

SENTENCES = 3
LONGEST = 480  # characters; about a dozen lines on a telephone
LONGEST_FULL = 4_000  # characters of a whole abstract; one of 50,000 would fill the mail alone

_END = re.compile(r"[.!?…][\"”’)\]]*(?=\s+[^\sa-z,;])|[。！？｡](?!$)")
_NO_END = re.compile(
    r"(?:\b(?:e\.?g|i\.?e|al|cf|vs|ca|approx|resp|Fig|Figs|Eq|Eqs|Sec|Ref|Refs|No|Dr|Prof|Mr|Mrs|St"
    r"|Jr|etc)|\b[A-Z])\.$"
)


def first_sentences(text: str) -> str:
    """About three sentences, at most 480 characters; an ellipsis says that there is more."""
    end = 0
    for place in _ends(text):
        if place > LONGEST and end:
            break
        end = place
        if place > LONGEST:
            return _whole(cut(text, LONGEST))
    return text if end >= len(text.rstrip()) else f"{text[:end].rstrip()}\u00a0…"


def whole(text: str) -> str:
    """All of the abstract, but for what is far too long for one."""
    return _whole(cut(text, LONGEST_FULL)) if len(text) > LONGEST_FULL else text


def _ends(text: str) -> list[int]:
    """Where the first sentences end; the end of the text is the last."""
    ends = []
    for found in _END.finditer(text, 0, LONGEST * 2):
        if not _NO_END.search(text[: found.start() + 1][-10:]):
            ends.append(found.end())
        if len(ends) == SENTENCES:
            return ends
    return [*ends, len(text)]


def _whole(text: str) -> str:
    """The text without the half of a formula that the cut left at its end."""
    head, dollar, tail = text.rpartition("$")
    if dollar and head.count("$") % 2 == 0 and len(tail) < 120 and len(head) > LONGEST // 2:
        return head.rstrip() + "…"
    return text
