"""Text from outside made fit for a mail's body or header field.

Owns which characters are let through. Never escapes HTML: the templates do.
"""

from __future__ import annotations

import re

from digest.text import cut

# Controls, lone surrogates, non-characters and byte-order marks (B2), marks of direction (R12).
_UNSEEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
    "\ud800-\udfff\ufdd0-\ufdef\ufeff\ufff9-\uffff\U000e0000-\U000e007f]|[^\x00-\U0010fffd]"
)
_PLANE_ENDS = re.compile(
    "[" + "".join(chr(p * 0x10000 + 0xFFFE) + chr(p * 0x10000 + 0xFFFF) for p in range(1, 17)) + "]"
)
_BLANKS = re.compile(r"\s+")
_LINES = re.compile("\r\n?|[\u2028\u2029\x85\x0b\x0c]")
# More marks on one letter than any language uses: they would run over the lines above.
_PILED = re.compile(
    "([\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]{4})"
    "[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]+"
)
# What has to go though Unicode calls it printable.
_NOT_SHOWN = re.compile(f"[\ufffc\ufffd]|{_PILED.pattern}")
_OPENS_ENCODED = re.compile(r"=(?=\?)")


def visible(text: str) -> str:
    """The text without what no one can see; lines end in a plain newline."""
    if text.isprintable() and (text.isascii() or not _NOT_SHOWN.search(text)):
        return text
    text = _PLANE_ENDS.sub("", _UNSEEN.sub("", _LINES.sub("\n", text)))
    return _PILED.sub(r"\1", text)


def line(text: str, limit: int = 0) -> str:
    """The text on one line, blanks collapsed; cut to `limit` characters if that is not 0."""
    flat = visible(text)
    if "  " in flat or not flat.isprintable():  # the only printable blank is the space
        flat = _BLANKS.sub(" ", flat)
    flat = flat.strip()
    return cut(flat, limit) if limit else flat


def header_text(text: str, limit: int) -> str:
    """The text as it may stand in a header field: one line, no start of an encoded word (X5)."""
    if not text.isprintable():
        text = _BLANKS.sub(" ", text.translate(_CONTROLS))
    flat = line(text, limit)
    return _OPENS_ENCODED.sub("= ", flat)


_CONTROLS = dict.fromkeys(
    [
        *range(0x20),
        *range(0x7F, 0xA0),
        *(0x61C, 0x200E, 0x200F, 0x2028, 0x2029),
        *range(0x202A, 0x202F),
        *range(0x2066, 0x206A),
    ],
    " ",
)
