"""OPML: lists of feeds, to import what another reader followed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from html.entities import html5

from digest.model import Source
from digest.sources import markup
from digest.sources.batch import Batch, UnreadableError
from digest.text import cut, one_line, web_url

_LONGEST_NAME = 60
_AMPERSAND = re.compile(
    rb"&(?!#\d|#x|(?:amp|lt|gt|quot|apos);)([A-Za-z][A-Za-z0-9]{1,31};)?", re.IGNORECASE
)
_FEED_HOST = re.compile("^feed://", re.IGNORECASE)
_FEED_SCHEME = re.compile("^feed:", re.IGNORECASE)


def parse(body: bytes, source: Source, now: datetime) -> Batch:
    """The feeds of the list as sources, each address once. Raises: UnreadableError."""
    markup.refuse_entities(body)
    if markup.parse_strictly(body.lstrip()) is None:
        body = _AMPERSAND.sub(_escaped, body)  # the one slip of many a program
    root = markup.parse(body, "an OPML list")
    if markup.local(root).lower() != "opml":
        raise UnreadableError("not an OPML list: its root is not <opml>")
    addresses = list(_addresses(root))
    feeds = tuple(_named(_feeds(addresses, source)))
    if not feeds:
        raise UnreadableError("the OPML list names no feed: no outline has an xmlUrl")
    others = sum(not url for url, _ in addresses)
    notes = (f"{others} outlines have an address that is none of the web",) if others else ()
    return Batch(sources=feeds, notes=notes)


def _escaped(found: re.Match[bytes]) -> bytes:
    """An entity of HTML as a character, a bare ampersand as what XML wants."""
    name = (found[1] or b"").decode("ascii")
    letters = html5.get(name, "")
    return "".join(f"&#{ord(letter)};" for letter in letters).encode() or b"&amp;" + name.encode()


def _addresses(root: markup.Element) -> Iterator[tuple[str, str]]:
    """Address and name of each outline that has an address, however deep it lies.

    The address is empty where it is none of the web. `feed:` before one is left out.
    """
    for outline in root.iter():
        if markup.local(outline).lower() == "outline":
            said = {name.lower(): value for name, value in outline.attrib.items()}
            if address := said.get("xmlurl", "").strip():
                url = web_url(_FEED_SCHEME.sub("", _FEED_HOST.sub("http://", address)))
                yield url, said.get("text") or said.get("title") or url


def _feeds(addresses: Iterable[tuple[str, str]], source: Source) -> Iterator[Source]:
    """A source for each address, each address once."""
    seen: set[str] = set()
    for url, text in addresses:
        if url and url not in seen:
            seen.add(url)
            name = cut(one_line(text), _LONGEST_NAME)
            yield replace(source, name=name, kind="feed", url=url, path="")


def _named(feeds: Iterator[Source]) -> Iterator[Source]:
    """The sources under names of their own: the second of a name gets a 2."""
    taken: set[str] = set()
    for source in feeds:
        name, number = source.name, 1
        while name in taken:
            number += 1
            name = f"{source.name} {number}"
        taken.add(name)
        yield replace(source, name=name)
