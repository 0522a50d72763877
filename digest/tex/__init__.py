r"""TeX made readable: `$\mathcal{O}(k^{-3})$` becomes 𝒪(k⁻³), `L\'evy` becomes Lévy.

Owns what counts as exact. A formula is rewritten whole or stays whole: where Unicode has no letter
for any part of it (there is no subscript c), the source stands, as its author wrote it.
Never guesses: `$5 and $10`, `\10,000`, `snake_case`, web addresses and Windows paths are no TeX.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from digest.tex.formulas import InexactError, atom, formula, is_known

_LONGEST = 400  # characters of one formula; above that it is no inline maths
_SYMBOL = 120  # characters in which a bare symbol with its arguments ends
_GROUP = r"\{[^{}]*(?:\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\}[^{}]*)*\}"  # braces nested three deep

_PASSAGE = 4_000  # characters that one `\\emph{…}` may hold

_BRACED = re.compile(_GROUP)
_MARK = re.compile(
    r"https?://\S+|\b[A-Za-z]:\\\S*|\$|\\|[\^_]|\{(?=\\)|``|''"
    r"|(?<=\w)-{2,3}(?=\w)|(?<= )-{2,3}(?= )|(?<=[A-Za-z.])~(?=[A-Za-z\d\\$])"
)
_SIGNS = ("$", "\\", "^", "_", "``", "''", "--", "~")
"""One of these stands in whatever is to be rewritten; web addresses only stay as they are."""
_DOLLARS = re.compile(r"\$\$(?!\$)([^$]+)\$\$|\$(?![\s$])((?:\\.|[^$\\])+?)(?<!\s)\$(?!\d)")
_PRICE = re.compile(r"\d[\d.,]*\s*(?:[A-Za-z]{3,}|and|or|to|per)\b(?![({^_])")
_BRACKETS = re.compile(r"\\\((.+?)\\\)|\\\[(.+?)\\\]", re.DOTALL)
_RANGE = re.compile(r"([\d.,]+)\s*-{1,3}\s*([\d.,]+)")
_RUN = re.compile(rf"\\[A-Za-z]+\*?(?:{_GROUP}|[\^_](?:{_GROUP}|\\[A-Za-z]+|\w)|\\[A-Za-z]+\*?)*")
_SCRIPTS = re.compile(
    rf"(?:_(?:{_GROUP}|\\[A-Za-z]+|[A-Za-z\d](?![A-Za-z\d]))"
    rf"|\^(?:{_GROUP}|\\[A-Za-z]+|[-+]?\d+|[A-Za-z](?![A-Za-z\d])))+"
)
_BARE_POWER = re.compile(r"\^([-+]?\d+)")
_ACCENT = re.compile(
    r"\\(?:([\"'`^~=.])|([cdbkruvH])(?=[\s{\\])\s*)"
    r"(?:\{\s*(\\?[A-Za-z])\s*\}|(\\[ij](?![A-Za-z]))|([A-Za-z]))"
)
_APOSTROPHE = re.compile(r"\\'(?:s|re|ll|m|d|ve|t)(?![A-Za-z])")
_SWITCH = re.compile(r"\{\\(?:it|em|bf|sl|sc|rm|sf|tt|itshape|bfseries)(?![A-Za-z])\s*")
_STYLED = re.compile(
    r"\\(?:emph|text(?:bf|it|rm|sc|sf|tt|sl|up|md|normal)?|mbox|underline|uline)\s*(?=\{)"
)
_LETTER = re.compile(r"\\([A-Za-z]+)(?:\{\}|(?![A-Za-z])[ ]?)")
_ESCAPED = re.compile(r"\\([%&#_$]|[{}])")
_THIN = re.compile(r"(?<=\w)\\,(?=[\w$\\])")

_LETTERS = {
    "ae": "æ", "AE": "Æ", "oe": "œ", "OE": "Œ", "aa": "å", "AA": "Å", "o": "ø", "O": "Ø",
    "ss": "ß", "l": "ł", "L": "Ł", "i": "ı", "j": "ȷ", "dh": "ð", "DH": "Ð", "th": "þ", "TH": "Þ",
    "dj": "đ", "DJ": "Đ", "ng": "ŋ", "NG": "Ŋ", "TeX": "TeX", "LaTeX": "LaTeX", "S": "§",
    "textregistered": "®", "texttrademark": "™", "textdegree": "°", "textendash": "–",
    "textemdash": "—", "textquoteright": "’", "textquoteleft": "‘", "textbackslash": "\\",
    "textasciitilde": "~", "textmu": "µ", "ldots": "…", "dots": "…", "copyright": "©",
}  # fmt: skip
_ACCENTS = {
    '"': "\u0308", "'": "\u0301", "`": "\u0300", "^": "\u0302", "~": "\u0303", "=": "\u0304",
    ".": "\u0307", "c": "\u0327", "d": "\u0323", "b": "\u0331", "k": "\u0328", "r": "\u030a",
    "u": "\u0306", "v": "\u030c", "H": "\u030b",
}  # fmt: skip
_DASHES = {"--": "–", "---": "—"}

Piece = tuple[str, int] | None  # what to show and where the source goes on; None: no TeX


@lru_cache(maxsize=4_096)
def readable(text: str) -> str:
    """The text with its TeX in Unicode where that is exact, as in the source where it is not."""
    if not any(sign in text for sign in _SIGNS):  # many times faster than to look for a mark
        return text
    shown, at = [], 0
    while found := _MARK.search(text, at):
        piece, end = _piece(text, found)
        shown += [text[at : found.start()], piece]
        at = end
    return "".join([*shown, text[at:]])


def _piece(text: str, found: re.Match[str]) -> tuple[str, int]:
    """What to show for the construct at `found`, and where the source goes on."""
    mark, at = found[0], found.start()
    piece: Piece = None
    if mark == "$":
        piece = _dollars(text, at)
    elif mark == "\\":
        piece = _accent(text, at) or _brackets(text, at) or _sign(text, at)
        piece = piece or _styled(text, at) or _macro(text, at)
    elif mark in "^_":
        piece = _scripts(text, at)
    elif mark == "{":
        piece = _braces(text, at)
    elif mark in {"``", "''"}:
        piece = _quotes(text, at, mark)
    elif mark[0] == "-":
        piece = _DASHES[mark], found.end()
    elif mark == "~":
        piece = " ", found.end()
    return piece or (mark, found.end())


def _dollars(text: str, at: int) -> Piece:
    r"""A formula between dollars. The closing one follows no blank and precedes no digit."""
    found = _DOLLARS.match(text, at, at + _LONGEST)
    if not found:
        return None
    source = found[1] or found[2]
    if _PRICE.match(source) and not set("\\^_") & set(source):
        return None
    return _formula(source, found)


def _brackets(text: str, at: int) -> Piece:
    r"""A formula between `\(` and `\)` or `\[` and `\]`."""
    found = _BRACKETS.match(text, at, at + _LONGEST)
    return _formula(found[1] or found[2], found) if found else None


def _formula(source: str, found: re.Match[str]) -> Piece:
    """The formula in Unicode, or the whole source with its delimiters."""
    if span := _RANGE.fullmatch(source.strip()):
        return f"{span[1]}–{span[2]}", found.end()
    try:
        return formula(source), found.end()
    except InexactError:
        return found[0], found.end()


def _accent(text: str, at: int) -> Piece:
    r"""An accented letter, if Unicode has it as one: `\'e`, `\v{s}`, `\"{\i}`."""
    found = _ACCENT.match(text, at)
    if not found or _is_escaped_quote(text, at):
        return None
    mark = _ACCENTS[found[1] or found[2]]
    base = (found[3] or found[4] or found[5]).lstrip("\\")
    letter = unicodedata.normalize("NFC", base + mark)
    return (letter, found.end()) if len(letter) == 1 else None


def _is_escaped_quote(text: str, at: int) -> bool:
    r"""True for `it\'s` and `\"so\"`, which careless programs make of quotation marks."""
    quote = text[at + 1]
    if quote not in "\"'":
        return False
    if _APOSTROPHE.match(text, at) and at and text[at - 1].isalpha():
        return True
    near = text[max(0, at - _LONGEST) : at + _LONGEST]
    return bool(re.search(rf"\\{quote}(?![A-Za-z{{\\])", near))


def _styled(text: str, at: int) -> Piece:
    r"""The content of `\emph{…}` and its kin, and of nothing else that a script follows."""
    found = _STYLED.match(text, at)
    group = _BRACED.match(text, found.end(), found.end() + _PASSAGE) if found else None
    if not group or text[group.end() : group.end() + 1] in set("^_"):
        return None
    return readable(group[0][1:-1]), group.end()


def _sign(text: str, at: int) -> Piece:
    r"""An escaped sign such as `\%`, or the thin blank of `5\,GHz`."""
    if found := _ESCAPED.match(text, at):
        return found[1], found.end()
    if found := _THIN.match(text, at):
        return "\u202f", found.end()
    return None


def _macro(text: str, at: int) -> Piece:
    r"""A bare symbol or letter; an unknown macro stands with all its arguments."""
    letter = _LETTER.match(text, at)
    if letter and letter[1] in _LETTERS:
        return _LETTERS[letter[1]], letter.end()
    run = _RUN.match(text, at, at + _PASSAGE)
    if not run:
        return None
    if not letter or not is_known(letter[1]):
        return run[0], run.end()
    try:
        shown, length = atom(text[at : at + _SYMBOL])
    except InexactError:
        return run[0], run.end()
    return shown, at + length


def _scripts(text: str, at: int) -> Piece:
    """Powers and indices outside a formula: `k^{-3}`, `10^6`, `H_{2}O`; never `snake_case`."""
    found = _SCRIPTS.match(text, at, at + _LONGEST)
    before = text[at - 1] if at else " "
    if not found or not (before.isalnum() or before in ")]|"):
        return None
    source = found[0]
    if "^" not in source and "{" not in source:
        return source, found.end()
    try:
        return formula(_BARE_POWER.sub(r"^{\1}", source)), found.end()
    except InexactError:
        return source, found.end()


def _braces(text: str, at: int) -> Piece:
    r"""`{\o}`, `{\"o}`, `{\it so}` without their braces; any other brace is text."""
    group = _BRACED.match(text, at, at + _PASSAGE)
    if not group:
        return None
    if text.startswith("{\\cal", at):
        return _formula(group[0], group)
    if switch := _SWITCH.match(text, at):
        return readable(text[switch.end() : group.end() - 1]), group.end()
    inner = readable(group[0][1:-1])
    return (inner, group.end()) if len(inner) == 1 else None


def _quotes(text: str, at: int, mark: str) -> Piece:
    """TeX's quotation marks, where a pair of them stands."""
    if mark == "``" and "''" in text[at : at + _PASSAGE]:
        return "“", at + 2
    if mark == "''" and "``" in text[max(0, at - _PASSAGE) : at]:
        return "”", at + 2
    return None
