"""OPML: lists of feeds, to import what another reader followed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from digest.model import Source
from digest.sources import markup
from digest.sources.batch import Batch, UnreadableError
from digest.text import cut, one_line, web_url

_LONGEST_NAME = 60


def parse(body: bytes, source: Source, now: datetime) -> Batch:
    """The feeds of the list as sources, each address once. Raises: UnreadableError."""
    root = markup.parse(body, "an OPML list")
    if markup.local(root) != "opml":
        raise UnreadableError("not an OPML list: its root is not <opml>")
    feeds = tuple(_named(_feeds(root, source)))
    if not feeds:
        raise UnreadableError("the OPML list names no feed: no outline has an xmlUrl")
    return Batch(announced=len(feeds), sources=feeds)


def _feeds(root: markup.Element, source: Source) -> Iterator[Source]:
    """A source for each outline with an address, however deep it lies; each address once."""
    seen: set[str] = set()
    for outline in root.iter():
        if markup.local(outline) != "outline":
            continue
        url = web_url(outline.get("xmlUrl", ""))
        if url and url not in seen:
            seen.add(url)
            name = one_line(outline.get("text") or outline.get("title") or url)
            name = cut(name, _LONGEST_NAME)
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
