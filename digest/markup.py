"""Markdown to HTML that is safe in a mail: a few elements, no attributes but checked links.

Owns what of Markdown counts. In an abstract only emphasis, code, lists and paragraphs do; every
other sign is text, so that `a*b*c`, `x_1`, `<swi>` and what is left of TeX come out as written.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass

import markdown
import nh3

_TEXT_TAGS = {"p", "em", "strong", "code", "ul", "ol", "li"}
_NOTE_TAGS = _TEXT_TAGS | {"a", "br", "blockquote"}

# Signs that are text, not Markdown, are moved out of its sight into the private use area.
_AWAY = {code: chr(0xE000 + code) for code in map(ord, "&<>*_`\\[]!#=-+.|~:()")}
_BACK = {
    0xE000 + code: html.escape(chr(code), quote=False) for code in map(ord, "&<>*_`\\[]!#=-+.|~:()")
}
_PRIVATE = re.compile("[\ue000-\ue07f]")
_CONSTRUCT = re.compile(
    r"(?P<maths>\$[^$\n]{1,400}\$|\\\(.{1,400}?\\\))"
    r"|(?P<code>(?<![`\w])`[^`\n]{1,200}`(?![`\w]))"
    r"|(?P<emphasis>(?<![\w*_\\])(?P<mark>\*\*?|__?)(?=[\w\"“(])(?:[^*_`\n$]{1,300})(?<=[\w.,!?)\"”])"
    r"(?P=mark)(?![\w*_]))"
)
_LIST_LINE = re.compile(r"(?:[-*+]|\d{1,2}\.)(?=[ ]\S)")
_HEADING = re.compile(r"<(/?)h[1-6](?: [^>]*)?>")
_MARKUP = re.compile(r"<[^>]*>")
_ELEMENT = re.compile(r"</?(?:" + "|".join(sorted(_NOTE_TAGS)) + r")(?: [^>]*)?>")
_LINKED = re.compile(r'<a href="([^"]*)">(.*?)</a>', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Prose:
    """Safe HTML in pieces: (True, a tag) and (False, plain text); `text` is the latter joined."""

    pieces: tuple[tuple[bool, str], ...]
    text: str


def abstract_html(text: str) -> str:
    """Third-party text as HTML of paragraphs, emphasis, code and lists; nothing else is markup."""
    guarded = _guard(_PRIVATE.sub("", text))
    made = markdown.markdown(guarded, output_format="html").translate(_BACK)
    return nh3.clean(made, tags=_TEXT_TAGS, attributes={})


def note_html(text: str) -> str:
    """The operator's Markdown as HTML; links lead to http, https or mailto only.

    A heading becomes a bold paragraph: the headings of a mail are its day and its listings.
    """
    made = markdown.markdown(text, output_format="html", extensions=["sane_lists"])
    return nh3.clean(
        _HEADING.sub(lambda tag: "</strong></p>" if tag[1] else "<p><strong>", made),
        tags=_NOTE_TAGS,
        attributes={"a": {"href"}},
        url_schemes={"http", "https", "mailto"},
        url_relative="deny",
        link_rel=None,
    )


def note_text(text: str) -> str:
    """The operator's Markdown as plain text: links in angle brackets, list items with a dash."""
    made = _LINKED.sub(r"\2 <\1>", note_html(text))
    made = made.replace("<li>\n<p>", "<li>").replace("<li>", "- ").replace("<br>", "")
    return html.unescape(_ELEMENT.sub("", made)).strip()


def split(safe_html: str) -> Prose:
    """The pieces of HTML that `abstract_html` made."""
    pieces: list[tuple[bool, str]] = []
    at = 0
    for tag in _MARKUP.finditer(safe_html):
        pieces += [(False, html.unescape(safe_html[at : tag.start()])), (True, tag[0])]
        at = tag.end()
    pieces.append((False, html.unescape(safe_html[at:])))
    kept = tuple(piece for piece in pieces if piece[1])
    return Prose(kept, "".join(text for is_tag, text in kept if not is_tag))


def _guard(text: str) -> str:
    """The text with all signs out of Markdown's sight but those of real constructs."""
    lines = text.split("\n")
    lists = [_is_list_line(lines, place) for place in range(len(lines))]
    return "\n".join(map(_guard_line, lines, lists))


def _is_list_line(lines: list[str], place: int) -> bool:
    """True for a line of a list: one marker alone makes none (`2024. The year`)."""
    if not _LIST_LINE.match(lines[place]):
        return False
    around = [*reversed(lines[:place]), ""][:2], [*lines[place + 1 :], "", ""][:2]
    return any(_LIST_LINE.match(near) for side in around for near in side)


def _guard_line(line: str, is_list: bool) -> str:
    marker = ""
    if is_list and (found := _LIST_LINE.match(line)):
        marker, line = found[0], line[found.end() :]
    shown, at = [marker], 0
    for found in _CONSTRUCT.finditer(line):
        shown += [_hide(line[at : found.start()]), _keep(found)]
        at = found.end()
    return "".join([*shown, _hide(line[at:])])


def _keep(found: re.Match[str]) -> str:
    """A construct with its own marks in sight and all else hidden."""
    if found["maths"]:
        return _hide(found[0])
    mark = "`" if found["code"] else found["mark"]
    return mark + _hide(found[0][len(mark) : -len(mark)]) + mark


def _hide(text: str) -> str:
    return text.translate(_AWAY)
