"""Feeds read from XML: RSS 0.9x to 2.0, RDF and Atom.

A well-formed feed is read by libxml2, many times faster than feedparser; whatever is not
well-formed goes to feedparser, which repairs more than anyone else. Both give the same `Feed`.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import Any
from xml.sax import SAXParseException

import feedparser

from digest.sources import markup
from digest.sources.batch import UnreadableError
from digest.sources.entry import Entry, Feed
from digest.sources.shape import MAX_ITEMS

_MAX_REPAIRED = 2_000_000  # bytes
_MAX_REPAIRED_TAGS = 60_000  # repairing takes about 30 microseconds a tag
_FEED_MARKS = (b"<rss", b"<feed", b"<rdf", b":rdf", b"<channel")
_ROOTS = frozenset({"rss", "feed", "RDF"})
_XML_BASE = "{http://www.w3.org/XML/1998/namespace}base"


def read(body: bytes) -> Feed:
    """The items of a feed. Raises: UnreadableError for what is no feed, cut off, or an attack."""
    markup.refuse_entities(body)
    body = body.strip(b" \t\r\n")
    if body[:3] == b"\xef\xbb\xbf":
        body = body[3:].lstrip()
    root = markup.parse_strictly(body)
    if root is None:
        return _repaired(body)
    name = markup.local(root)
    if name not in _ROOTS:
        raise UnreadableError(
            f"no feed: its root is <{name[:40]}>; <rss>, <feed> or <RDF> was expected"
        )
    return _atom(root) if name == "feed" else _rss(root)


# --- well-formed feeds ----------------------------------------------------------------------


def _atom(root: markup.Element) -> Feed:
    entries = [_entry(node, _ATOM) for node in _first(markup.children(root, "entry"))]
    names = _names(root)
    for entry in entries:
        entry.authors = entry.authors or names  # RFC 4287, section 4.2.1
    feed = Feed(entries, date=markup.text_at(root, "updated"))
    feed.link = root.get(_XML_BASE, "") or _atom_link(root)
    feed.own_link = _own_link(root)
    total = markup.text_at(root, "totalResults")
    feed.found = int(total) if total.isdecimal() and len(total) < 10 else None
    return feed


def _rss(root: markup.Element) -> Feed:
    channel = next(markup.children(root, "channel"), root)
    items = [*_first(markup.children(channel, "item"))] or [*_first(markup.children(root, "item"))]
    entries = [_entry(node, _RSS) for node in items]
    date = markup.text_at(channel, "pubDate") or markup.text_at(channel, "date")
    return Feed(
        entries,
        link=root.get(_XML_BASE) or channel.get(_XML_BASE) or markup.text_at(channel, "link"),
        date=date or markup.text_at(channel, "lastBuildDate"),
    )


def _first(nodes: Iterator[markup.Element]) -> Iterator[markup.Element]:
    """The first nodes, as many as are read."""
    for _ in range(MAX_ITEMS):
        node = next(nodes, None)
        if node is None:
            return
        yield node


def _own_link(root: markup.Element) -> str:
    """The address that the feed itself was asked at, where it says so."""
    links = list(markup.children(root, "link"))
    own = [link for link in links if link.get("rel") == "self"] or links[:1]
    return own[0].get("href", "") if own else ""


def _atom_link(node: markup.Element) -> str:
    """The address of an Atom feed's or entry's page."""
    links = [link for link in markup.children(node, "link") if link.get("href")]
    pages = [link for link in links if link.get("rel", "alternate") == "alternate"]
    return (pages or links)[0].get("href", "") if links else ""


_Setter = Callable[[Entry, Any, str], None]


def _keep(name: str) -> _Setter:
    """A setter that keeps the first text it is given under that name."""

    def set_first(entry: Entry, node: markup.Element, text: str) -> None:
        if text and not getattr(entry, name):
            setattr(entry, name, text)

    return set_first


def _add(name: str) -> _Setter:
    """A setter that adds the text to that list."""

    def append(entry: Entry, node: markup.Element, text: str) -> None:
        if text:
            getattr(entry, name).append(text)

    return append


def _set_link(entry: Entry, node: markup.Element, text: str) -> None:
    """An Atom link: the first to a page, before other forms of it; one to a PDF is kept apart."""
    address, rank = node.get("href", ""), _rank(node)
    if node.get("type") == "application/pdf":
        entry.pdf = entry.pdf or address
    elif address and rank < entry.link_rank:
        entry.link, entry.link_rank = address, rank


def _rank(node: markup.Element) -> int:
    """1 for the page of an item, 2 for another form of it, 3 for what has to do with it."""
    if node.get("rel", "alternate").rpartition("/")[2] != "alternate":
        return 3
    return 1 if node.get("type", "text/html") in {"text/html", "application/xhtml+xml"} else 2


def _set_address(entry: Entry, node: markup.Element, text: str) -> None:
    """The address of an RSS item; some have an Atom link in its place."""
    if not text:
        _set_link(entry, node, text)
    elif entry.link_rank:
        entry.link, entry.link_rank = text, 0


def _set_enclosure(entry: Entry, node: markup.Element, text: str) -> None:
    """What is attached to an RSS item, where it is a PDF."""
    if node.get("type") == "application/pdf":
        entry.pdf = entry.pdf or node.get("url", "")


def _names(node: markup.Element) -> list[str]:
    """The names of the authors of a whole feed, or of the feed that an entry was taken from."""
    names = (markup.text_at(one, "name") for one in markup.children(node, "author"))
    return [name for name in names if name]


def _set_origin(entry: Entry, node: markup.Element, text: str) -> None:
    """The authors of the feed that an entry was taken from, where it names none before."""
    entry.authors = entry.authors or _names(node)


def _set_person(entry: Entry, node: markup.Element, text: str) -> None:
    name = markup.text_at(node, "name") or text
    if name:
        entry.authors.append(name)


def _set_category(entry: Entry, node: markup.Element, text: str) -> None:
    if label := node.get("term") or text:
        entry.subjects.append(label)


def _set_content(entry: Entry, node: markup.Element, text: str) -> None:
    """The content, which stands in where there is no summary; a picture's bytes are none."""
    form = node.get("type", "text")
    is_text = "/" not in form or form.startswith("text/") or form.endswith("xml")
    if not entry.summary and is_text and node.get("mode") != "base64":
        entry.summary = text


_COMMON: dict[str, _Setter] = {
    "title": _keep("title"),
    "creator": _add("authors"),
    "category": _set_category,
    "subject": _set_category,
    "identifier": _add("identifiers"),
    "doi": _add("identifiers"),
    "DOI": _add("identifiers"),
    "announce_type": _keep("announce"),
    "journal_reference": _keep("journal"),
    "journal_ref": _keep("journal"),
}
_RSS: dict[str, _Setter] = _COMMON | {
    "link": _set_address,
    "guid": _keep("guid"),
    "enclosure": _set_enclosure,
    "description": _keep("summary"),
    "encoded": _set_content,
    "body": _set_content,
    "fullitem": _set_content,
    "author": _add("authors"),
    "pubDate": _keep("date"),
    "date": _keep("date"),
    "issued": _keep("date"),
    "modified": _keep("updated"),
    "updated": _keep("updated"),
    "publicationDate": _keep("updated"),  # PRISM, as journals have it
    "coverDate": _keep("updated"),
}
_ATOM: dict[str, _Setter] = _COMMON | {
    "link": _set_link,
    "id": _keep("guid"),
    "summary": _keep("summary"),
    "content": _set_content,
    "author": _set_person,
    "published": _keep("date"),
    "issued": _keep("date"),
    "updated": _keep("updated"),
    "modified": _keep("updated"),
    "created": _keep("updated"),
    "comment": _keep("comment"),
    "source": _set_origin,
}
# Other vocabularies use the same names for other things: media:title, itunes:author, source:…
_FOREIGN = ("search.yahoo.com/mrss", "itunes.com/dtds", "source.scripting.com", "podcast")


def _entry(node: markup.Element, setters: dict[str, _Setter]) -> Entry:
    about = node.get("{http://www.w3.org/1999/02/22-rdf-syntax-ns#}about", "")
    entry = Entry(guid=about, base=node.get(_XML_BASE, ""))
    for part in node:
        space, _, name = part.tag.rpartition("}")
        setter = setters.get(name)
        if setter and not (space and _is_foreign(space)):
            text = part.text if not len(part) else markup.prose(part)
            setter(entry, part, (text or "").strip())
    return entry


def _is_foreign(space: str) -> bool:
    return any(name in space for name in _FOREIGN)


# --- feeds to repair ------------------------------------------------------------------------


def _repaired(body: bytes) -> Feed:
    """What feedparser makes of an ill-formed feed. Raises: UnreadableError."""
    narrow = body.replace(b"\0", b"").lower()
    if not any(mark in narrow for mark in _FEED_MARKS):
        raise UnreadableError("no feed: neither <rss>, <feed> nor <RDF> stands in it")
    if len(body) > _MAX_REPAIRED or narrow.count(b"<") > _MAX_REPAIRED_TAGS:
        raise UnreadableError(f"ill-formed XML of {len(body):,} bytes: too long to repair")
    # Bytes in a file object: a text that looks like an address or a path would be opened.
    result = feedparser.parse(io.BytesIO(body), sanitize_html=False, resolve_relative_uris=False)
    entries = [_repaired_entry(item) for item in result.entries[:MAX_ITEMS]]
    if not entries:
        raise UnreadableError(f"no feed: ill-formed XML without an item ({_fault(result)})")
    if not _is_closed(body):
        raise UnreadableError(f"the feed is cut off after {len(entries)} items")
    feed = result.feed
    return Feed(
        entries,
        link=feed.get("link", ""),
        date=feed.get("updated", "") or feed.get("published", ""),
        notes=(f"ill-formed XML was repaired ({_fault(result)})",),
    )


def _fault(result: Any) -> str:  # feedparser has no types
    """What the strict parser said, on one line."""
    fault = result.get("bozo_exception", "no reason given")
    if isinstance(fault, SAXParseException):
        fault = fault.getMessage()  # its lines are those after feedparser's own declaration
    return " ".join(str(fault).split())[:120]


def _is_closed(body: bytes) -> bool:
    """True when the root's end tag stands in the last part, in whatever width of characters."""
    end = body[-2_000:].replace(b"\0", b"").lower()
    return any(tag in end for tag in (b"</rss", b"</feed", b":rdf>", b"</rdf", b"</channel"))


def _repaired_entry(item: Any) -> Entry:  # feedparser has no types
    content = item.get("content") or [{}]
    attached = [link for link in item.get("links", []) if link.get("href")]
    links = [link["href"] for link in attached]
    papers = [link["href"] for link in attached if link.get("type") == "application/pdf"]
    names = [author.get("name", "") for author in item.get("authors", [])]
    return Entry(
        title=item.get("title", ""),
        summary=item.get("summary", "") or content[0].get("value", ""),
        link=item.get("link", "") or (links[0] if links else ""),
        guid=item.get("id", ""),
        date=item.get("published", "") or item.get("updated", "") or item.get("created", ""),
        updated=item.get("updated", ""),
        authors=[name for name in names if name] or [item.get("author", "")],
        subjects=[tag.get("term") or "" for tag in item.get("tags", [])],
        identifiers=[item.get("dc_identifier", "") or item.get("arxiv_doi", "")],
        announce=item.get("arxiv_announce_type", ""),
        journal=item.get("arxiv_journal_reference", "") or item.get("arxiv_journal_ref", ""),
        comment=item.get("arxiv_comment", ""),
        pdf="".join(papers[:1]),
    )
