"""XML and HTML from outside, parsed without entities, without a DTD and without the network."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from typing import Any, TypeAlias

from lxml import etree, html  # type: ignore[import-untyped]  # lxml ships no types

from digest.sources.batch import UnreadableError

Element: TypeAlias = Any  # lxml ships no types
_DECLARED = re.compile(rb"^[^>]{0,100}?encoding\s*=\s*[\"']([A-Za-z0-9._:-]{1,40})[\"']")


def refuse_entities(body: bytes) -> None:
    """Pass a body that declares no entity of its own; a plain DOCTYPE is fine.

    Raises: UnreadableError. Looks through UTF-16 and UTF-32 and refuses encodings that hide `<`.
    """
    if b"<!ENTITY" in body.replace(b"\0", b"").upper():
        raise UnreadableError(
            "it declares XML entities, which no feed needs and attacks are made of"
        )
    declared = _DECLARED.match(body[:200].replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \r\n"))
    if declared and not _shows_markup(declared[1].decode("ascii")):
        raise UnreadableError(
            f"its encoding {declared[1].decode('ascii')!r} is not one for the web"
        )


_DISGUISES = rb"+ADw- \x3c \u003c"  # `<` in UTF-7 and in two escapes


def _shows_markup(encoding: str) -> bool:
    """False for encodings such as UTF-7 and EBCDIC, in which `<` may be other bytes."""
    try:
        shown = codecs.encode("<!", encoding).replace(b"\0", b"").lstrip(b"\xff\xfe") == b"<!"
        return shown and "<" not in _DISGUISES.decode(encoding, "ignore")
    except (LookupError, ValueError, TypeError):
        return True  # unknown names fall to the parser, which guesses or refuses


def parse_strictly(body: bytes) -> Element | None:
    """The root of a well-formed document, else None. The caller has refused entities before."""
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        remove_comments=True,
        remove_pis=True,
        huge_tree=False,
    )
    try:
        return etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError):
        return None


def parse(body: bytes, what: str) -> Element:
    """The root of a well-formed document. Raises: UnreadableError, naming `what` was expected."""
    refuse_entities(body)
    root = parse_strictly(body.lstrip())
    if root is None:
        raise UnreadableError(f"not {what}: it is no well-formed XML, or it is cut off")
    return root


def local(element: Element) -> str:
    """The tag without its namespace."""
    tag = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def children(element: Element, name: str) -> Iterator[Element]:
    """The children of that local name, whatever their namespace."""
    return (child for child in element if local(child) == name)


def child(element: Element, *path: str) -> Element | None:
    """The first descendant along the path of local names."""
    for name in path:
        found = next(children(element, name), None)
        if found is None:
            return None
        element = found
    return element


def text(element: Element | None) -> str:
    """All text inside an element, markup inside it left out; empty for None."""
    return "" if element is None else "".join(element.itertext())


def text_at(element: Element, *path: str) -> str:
    """All text of the first descendant along the path, blanks at its ends off."""
    return text(child(element, *path)).strip()


_PARAGRAPH_NAMES = "p div sec title list-item li br h1 h2 h3 h4 blockquote pre"
_PARAGRAPHS = frozenset(_PARAGRAPH_NAMES.split())

_SILENT = frozenset({"script", "style", "object", "applet", "iframe"})


def prose(element: Element) -> str:
    """All text inside an element, with a blank line where a paragraph begins or ends."""
    parts: list[str] = []
    walk = etree.iterwalk(element, events=("start", "end"))
    for event, node in walk:
        name = local(node)
        edge = "\n\n" if name in _PARAGRAPHS else ""
        if event == "start" and name not in _SILENT:
            parts += [edge, node.text or ""]
        elif event == "start":
            walk.skip_subtree()
        else:
            parts += [edge, (node.tail or "") if node is not element else ""]
    return "".join(parts).strip()


def parse_page(body: bytes) -> Element | None:
    """The root of a web page, however broken; None where there is no element at all."""
    charset = None if b"charset" in body[:2_000].lower() else "utf-8"
    try:
        return html.document_fromstring(body, parser=html.HTMLParser(encoding=charset))
    except (etree.ParserError, etree.XMLSyntaxError, ValueError):
        return None
