"""Text from outside made plain: markup off, entities decoded once, cut at readable edges.

Owns what "plain text" means here. Never escapes: that is the work of the place that shows a text.
"""

from __future__ import annotations

import html
import re
import unicodedata
from urllib.parse import quote, urljoin, urlsplit, urlunsplit

import nh3

MAX_TEXT = 50_000  # characters; far above any abstract, and it bounds the time of parsing
_MAX_TAGS = 1_000  # an HTML5 parser's time grows with the square of what is left open
MAX_URL = 2_000  # characters; browsers and mail programs cut or refuse above about 2,000

_BLOCK_NAMES = (
    "address article aside blockquote br caption dd div dl dt fieldset figcaption figure footer"
    " form h1 h2 h3 h4 h5 h6 header hr li main nav ol p pre section table tbody td tfoot th thead"
    " tr ul"
)
_SILENT_NAMES = "applet embed iframe noembed noframes object script style template"
_INLINE_NAMES = (
    "a abbr acronym animate area audio b base basefont bdi bdo big blink body button canvas center"
    " circle cite code col colgroup command content data datalist defs del details dfn dialog dir"
    " ellipse em font foreignobject frame frameset g head html i image img input ins isindex kbd"
    " keygen label layer legend line link listing map mark marquee math menu menuitem meta meter"
    " mi mn mo mrow mstyle msub msubsup msup mtext munder munderover nobr noscript optgroup option"
    " output param path picture plaintext polygon polyline progress q rect rp rt ruby s samp"
    " select set slot small source span strike strong sub summary sup svg symbol textarea text"
    " title time track tspan tt u use var video wbr xml xmp"
)
_BLOCKS = frozenset(_BLOCK_NAMES.split())
_SILENT = frozenset(_SILENT_NAMES.split())
_ELEMENTS = _BLOCKS | _SILENT | frozenset(_INLINE_NAMES.split())
# `a <b and c> d` is arithmetic: a short name counts as a tag only when nothing but attributes,
# `/` or `>` follows; no one writes `<script ` by accident.
_TAG = re.compile(
    r"<!--|<!doctype|</?([a-z][a-z0-9]*)(?:(\s*/?>|\s+[a-z:-]+\s*=)|[\s/])", re.IGNORECASE
)
_TAG_START = re.compile(r"<(?=/?([A-Za-z][A-Za-z0-9]*)(?![\w:-]))")
_BREAK = re.compile(r"</?(\w+)[^<>]*>")
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_NEW_LINES = re.compile("\r\n?|[\u2028\u2029\x0b\x0c]")
# Controls, lone surrogates, non-characters, soft hyphen, zero-width blank, marks of direction.
_UNSEEN = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x9f\xad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069"
    "\ud800-\udfff\ufdd0-\ufdef\ufeff\ufffe\uffff]"
)
# Bytes 80 to 9F read as ISO-8859-1 were meant as windows-1252, as every browser takes them.
_MEANT = {code: bytes([code]).decode("cp1252", "ignore") for code in range(0x80, 0xA0)}
# arXiv wraps lines and opens a paragraph with two blanks after a full stop.
_PARAGRAPHS = re.compile(r"\n[^\S\n]*\n\s*|(?<=[.!?:])[^\S\n]*\n  (?=\S)")


def plain(text: str) -> str:
    """The text without markup: one line a paragraph, paragraphs parted by one blank line."""
    text = text[:MAX_TEXT]
    if not text.isprintable():
        text = _NEW_LINES.sub("\n", text)
    if "<" in text and _has_markup(text):
        text = _without_markup(text)
    elif "&" in text:
        text = _ENTITY.sub(lambda found: html.unescape(found[0]), text)
    text = _seen(text)
    if "\n" not in text:
        return " ".join(text.split())
    parts = (" ".join(part.split()) for part in _PARAGRAPHS.split(text))
    return "\n\n".join(part for part in parts if part)


def one_line(text: str) -> str:
    """The text without markup, on one line."""
    return " ".join(plain(text).split())


def printable(text: str, limit: int = 400) -> str:
    """The text on one line without anything a terminal would obey, for messages and logs."""
    shown = "".join(letter if letter.isprintable() else " " for letter in text[: 4 * limit])
    return cut(" ".join(shown.split()), limit)


def _seen(text: str) -> str:
    """The text in Unicode form C without the characters that nobody can see."""
    if text.isprintable():  # then it holds nothing unseen, and no line end either
        return text if text.isascii() else unicodedata.normalize("NFC", text)
    if text.isascii():
        return _UNSEEN.sub("", text)
    text = _NEW_LINES.sub("\n", text).translate(_MEANT)
    return unicodedata.normalize("NFC", _UNSEEN.sub("", text))


def _has_markup(text: str) -> bool:
    """True where an element of HTML opens or closes, or a comment stands."""
    for tag in _TAG.finditer(text):
        name = tag[1].lower() if tag[1] else ""
        if not name or (name in _ELEMENTS and (tag[2] or len(name) > 3)):
            return True
    return False


def _without_markup(text: str) -> str:
    """The text of an HTML fragment, by an HTML5 parser; what is no HTML element stays as text."""
    if text.count("<") > _MAX_TAGS:
        text = "<".join(text.split("<", _MAX_TAGS)[:_MAX_TAGS])
    text = _TAG_START.sub(_keep_unknown, text)
    clean = nh3.clean(text, tags=set(_BLOCKS), attributes={}, clean_content_tags=set(_SILENT))
    return html.unescape(_BREAK.sub(_line_break, " ".join(clean.split())))


def _keep_unknown(found: re.Match[str]) -> str:
    return "<" if found[1].lower() in _ELEMENTS else "&lt;"


def _line_break(found: re.Match[str]) -> str:
    name = found[1]
    return "\n" if name == "br" else " " if name in {"td", "th"} else "\n\n"


# --- titles compared ------------------------------------------------------------------------

_FONT = re.compile(
    r"\\(?:text(?:bf|it|rm|sc|sf|tt|sl|normal)?|math(?:bb|bf|cal|frak|it|rm|scr|sf|tt|normal)?|bm"
    r"|boldsymbol|emph|ensuremath|operatorname|mbox|hbox|left|right|rm|bf|it|cal)(?![A-Za-z])\*?"
)
_TEX_LETTER = re.compile(r"\\(ss|ae|oe|AE|OE|aa|AA|o|O|l|L|i|j)(?![A-Za-z])\s*")
_TEX_LETTERS = {"ss": "ss", "aa": "a", "AA": "a"}
_TEX_ACCENT = re.compile(r"""\\(?:["'`^~=.]|[uvHcdbkrt](?=[\s{\\]))\s*\{?\s*\\?([A-Za-z])\}?""")
_NOT_WORD = re.compile(r"[\W_]+")
_UNFOLDED = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe"})


def title_key(title: str) -> str:
    r"""The title as compared for equality: letters and digits only, folded, TeX and accents off.

    Greek letters are spelt out, so `$\Delta$-DiT`, `Δ-DiT` and `Delta-DiT` give one key.
    """
    if "\\" in title:
        title = _FONT.sub("", title)
        title = _TEX_ACCENT.sub(r"\1", title)
        title = _TEX_LETTER.sub(lambda found: _TEX_LETTERS.get(found[1], found[1]), title)
    if title.isascii():
        return _NOT_WORD.sub("", title.lower())
    folded = unicodedata.normalize("NFKD", title).casefold().translate(_UNFOLDED)
    letters = "".join(_spelt(c) for c in folded if not unicodedata.combining(c))
    return _NOT_WORD.sub("", letters) or " ".join(title.split())


def _spelt(letter: str) -> str:
    """The letter, or its name where it is Greek: `δ` is `delta`."""
    if not "\u0370" <= letter <= "\u03ff":
        return letter
    name = unicodedata.name(letter, "")
    return name.rpartition("LETTER ")[2].removeprefix("FINAL ").split(" ")[0].lower() or letter


# --- cutting --------------------------------------------------------------------------------

_ELLIPSIS = "…"
_JOINER = "\u200d"


def cut(text: str, limit: int) -> str:
    """The text in at most `limit` characters, cut after a word where one ends, with an ellipsis."""
    if len(text) <= limit:
        return text
    if limit < 1:
        return ""
    end = limit - 1
    blank = max(text.rfind(" ", 0, end + 1), text.rfind("\n", 0, end + 1))
    end = blank if blank > limit // 2 else _whole_character(text, end)
    return text[:end].rstrip(" \n\t,;:–—-") + _ELLIPSIS


def _whole_character(text: str, end: int) -> int:
    """The nearest place at or before `end` that parts no character from its marks."""
    while end > 0 and (_continues(text[end]) or text[end - 1] == _JOINER):
        end -= 1
    flags = 0
    while end - flags > 0 and "\U0001f1e6" <= text[end - flags - 1] <= "\U0001f1ff":
        flags += 1
    return end - flags % 2


def _continues(letter: str) -> bool:
    """True for what is drawn on the character before it: marks, joiners, skin tones, jamo."""
    return (
        unicodedata.category(letter)[0] == "M"
        or letter == _JOINER
        or "\U0001f3fb" <= letter <= "\U0001f3ff"
        or "\u1160" <= letter <= "\u11ff"
    )


# --- addresses ------------------------------------------------------------------------------

_URL_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\\\ud800-\udfff\u202a-\u202e\u2066-\u2069]")


# What most addresses look like, and nothing in them to take apart or to encode.
_PLAIN_URL = re.compile(
    r"https?://[a-zA-Z0-9-]+(?:\.[a-zA-Z0-9-]+)+(?:/[\w./~=&?%#+-]*)?", re.ASCII
)


def web_url(address: str, base: str = "") -> str:
    """An http(s) address that is safe as a link, made absolute by `base`; else an empty text."""
    address = address.strip()
    if len(address) <= MAX_URL and _PLAIN_URL.fullmatch(address):
        return address
    if not address or len(address) > MAX_URL or _URL_UNSAFE.search(address):
        return ""
    try:
        parts = urlsplit(urljoin(base, address) if base else address)
        host = parts.hostname
        parts.port  # noqa: B018  # asking is the check: a port that is no number raises
    except ValueError:
        return ""
    if parts.scheme.lower() not in {"http", "https"} or not host or "@" in parts.netloc:
        return ""
    return _encoded(urlunsplit(parts._replace(scheme=parts.scheme.lower())))


def _encoded(address: str) -> str:
    """The address with what no address may hold written as %XX."""
    encoded = quote(address, safe="!#$%&'()*+,/:;=?@[]~-._")
    return encoded if len(encoded) <= MAX_URL else ""
