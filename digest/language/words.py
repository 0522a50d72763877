"""Text as the matcher reads it: folded words, and where each stands.

Owns folding (case, accents, Unicode forms, TeX letters, zero-width characters) and the parting
into words. Never knows a keyword or a score. The same reading serves both sides, so a
keyword and a listing can only differ where a reader would say that they differ.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

GLUED, SPACED, PARTED = 0, 1, 2
"""How a word stands to the next one: joined by a hyphen or nothing, by a space, by a full stop."""

LONGEST_TEXT = 60_000
"""Characters of a text that are read; an abstract has 1,500, a hostile one may have 10 million."""

LONGEST_WORD = 64
"""Characters of a word that count; longer ones are base64 or an attack."""

STOPWORDS = frozenset(  # one text: a list would be a page
    """
    a about above after again all also am an and any are as at be because been before being
    below between both but by can could did do does doing down during each either et etc few for
    from further had has have having he her here hers him his how however i if in into is it its
    itself just may me might more most must my no nor not now of off on once only or other our
    ours out over own per quite rather s same she should so some such t than that the their
    theirs them then there therefore these they this those through thus to too toward towards
    under until up upon us very via was we were what when where whether which while who whom why
    will with within without would you your
    """.split()  # noqa: SIM905 - see above
)
"""English function words: they carry no topic, and two of them never join into one word."""

TOPICLESS = STOPWORDS | {
    "although", "besides", "despite", "furthermore", "hence", "however", "moreover", "nevertheless",
    "thereby", "though", "unlike", "whereas", "whose", "yet",
}  # fmt: skip
"""These and the words that link sentences: nothing that a person would have as a keyword."""

_GREEK_NAMES = {
    chr(code): unicodedata.name(chr(code)).split()[-1].lower()
    for code in (*range(0x3B1, 0x3C2), *range(0x3C3, 0x3CA))
} | {"λ": "lambda"}
_TEX_LETTERS = {name: letter for letter, name in _GREEK_NAMES.items()} | {
    "ell": "l", "o": "o", "l": "l", "ss": "ss", "ae": "ae", "oe": "oe", "aa": "a",
    "i": "i", "j": "j",
    "varepsilon": "ε", "vartheta": "θ", "varphi": "φ", "varrho": "ρ", "varsigma": "σ",
}  # fmt: skip
_TEX_SILENT = frozenset(  # one text: a list would be a page
    """
    mathbf mathrm mathcal mathbb mathit mathsf mathfrak mathscr mathtt boldsymbol bm bf it rm em
    text textbf textit textrm textsf texttt textsc textnormal emph operatorname mbox hbox
    underline overline bar hat tilde vec dot ddot widehat widetilde left right big c v H u k b d
    r
    """.split()  # noqa: SIM905 - see above
)
_TEX = re.compile(r"\\[A-Za-z]+\*?\s*|\\.|[${}]", re.DOTALL)
_SPECIAL = {
    "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "ς": "σ",
    "й": "й", "Й": "й", "’": "'", "‘": "'", "ʼ": "'", "“": '"', "”": '"', "„": '"',
    "«": '"', "»": '"',
    "‐": "-", "‑": "-", "‒": "-", "–": "-", "−": "-", "—": " ", "。": ". ", "，": ", ", "；": "; ",
    "：": ": ", "！": "! ", "？": "? ", "、": ", ",
}  # fmt: skip


def _fold_char(char: str) -> str:
    if char in _SPECIAL:
        return _SPECIAL[char]
    category = unicodedata.category(char)
    if category == "Cf":
        return ""
    if category == "Cc":
        return " "
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", char).casefold())
    kept = "".join(c for c in plain if not "\u0300" <= c <= "\u036f")
    return unicodedata.normalize("NFC", "".join(_SPECIAL.get(c, c) for c in kept))


class _Folding(dict[int, str]):
    """A translation table that fills itself in, one entry for each character ever met."""

    def __missing__(self, code: int) -> str:
        self[code] = folded = _fold_char(chr(code))
        return folded


_FOLDING = _Folding()


def _fold_tex(piece: re.Match[str]) -> str:
    command = piece.group()
    if command in "${}":
        return ""
    name = command[1:].rstrip("* \t\r\n")
    if name in _TEX_LETTERS:
        return _TEX_LETTERS[name]
    if name == "_":
        return "_"
    return "" if name in _TEX_SILENT or name in "\"'`^~=.-" else " "


def _is_plain(text: str) -> bool:
    return text.isascii() and "\\" not in text and "$" not in text


def fold(text: str) -> str:
    """The text without what readers do not tell apart; its length may differ."""
    text = text[:LONGEST_TEXT]
    if _is_plain(text):
        return text.lower()
    if "\\" in text or "$" in text:
        text = _TEX.sub(_fold_tex, text)
    return text.replace("и\u0306", "й\u0306").translate(_FOLDING)


_PIECE = re.compile(rf"{_TEX.pattern}|.", re.DOTALL)


def fold_with_offsets(text: str) -> tuple[str, list[int], list[int]]:
    """`fold(text)`, and for each of its characters where it begins and ends in `text`."""
    text = text[:LONGEST_TEXT].replace("и\u0306", "й\u0306")
    if _is_plain(text):
        return text.lower(), list(range(len(text))), list(range(1, len(text) + 1))
    tex = "\\" in text or "$" in text
    pieces: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    for piece in _PIECE.finditer(text):
        raw = piece.group()
        shown = _fold_tex(piece) if tex and (len(raw) > 1 or raw in "${}") else raw
        folded = shown.translate(_FOLDING)
        pieces.append(folded)
        starts += [piece.start()] * len(folded)
        ends += [piece.end()] * len(folded)
    return "".join(pieces), starts, ends


_GREEK = "\u0370-\u03ff"
_EACH = (  # Thai, kana, Chinese, Hangul
    "\u0e00-\u0e7f\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003fffd"
)
_WORD = re.compile(
    rf"""( [a-z](?:\+\+|\#)(?!\w)                                  # C++, C#
      | [{_EACH}]                                                  # scripts without spaces
      | [{_GREEK}]+
      | [^\W_{_GREEK}{_EACH}]+ (?:(?<=\d)[.,]\d[^\W_{_GREEK}{_EACH}]*)*   # 3.5, 1,000
        (?:'(?:s|t|re|ve|ll|d|m)\b)?                               # Alzheimer's, don't
    ) ([^\w]*_*[^\w]*)""",
    re.VERBOSE,
)
_PLAIN_WORD = re.compile(
    r"([a-z](?:\+\+|#)(?!\w)|[a-z0-9]+(?:(?<=\d)[.,]\d[a-z0-9]*)*(?:'(?:s|t|re|ve|ll|d|m)\b)?)"
    r"([^a-z0-9]*)"
)
_STOP = re.compile(r"[.;:!?]\s|\n\s*\n|[.;:!?]$")


@lru_cache(maxsize=4096)
def _stand(gap: str) -> int:
    if not gap or (len(gap) <= 2 and not gap.strip("-_^/.'")):
        return GLUED
    return PARTED if _STOP.search(gap) else SPACED


@lru_cache(maxsize=100_000)
def _tidy(word: str) -> str:
    """The word without its possessive, its apostrophe, and what is beyond a word's length."""
    if word in _GREEK_NAMES:
        return _GREEK_NAMES[word]
    return word.removesuffix("'s").replace("'", "")[:LONGEST_WORD]


def split(folded: str) -> tuple[list[str], list[int]]:
    """The words of a folded text, and how each stands to the next one."""
    pairs = (_PLAIN_WORD if folded.isascii() else _WORD).findall(folded)
    return [_tidy(word) for word, _ in pairs], [_stand(gap) for _, gap in pairs]


def may_begin(word: str) -> bool:
    """Whether a word can be the first of two that are also written as one."""
    return len(word) > 1 and word not in STOPWORDS


def may_end(word: str) -> bool:
    """Whether a word can be the last of two that are also written as one."""
    return (len(word) > 1 or word.isdigit()) and word not in STOPWORDS


@dataclass(frozen=True, slots=True)
class Place:
    """A word and the range of characters that it takes in the text it was read from."""

    word: str
    start: int
    end: int
    stand: int


@lru_cache(maxsize=512)  # one text is shown to many
def places(text: str) -> tuple[Place, ...]:
    """The words of a text as it is shown, each with its range of characters."""
    folded, starts, ends = fold_with_offsets(text)
    pattern = _PLAIN_WORD if folded.isascii() else _WORD
    return tuple(
        Place(_tidy(m[1]), starts[m.start(1)], ends[m.end(1) - 1], _stand(m[2]))
        for m in pattern.finditer(folded)
    )
