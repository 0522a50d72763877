"""Any feed: RSS, RDF, Atom or JSON Feed; a web page is asked which feed it names."""

from __future__ import annotations

import re
from datetime import datetime
from urllib.parse import urljoin

from digest.model import Announce, Listing, Source
from digest.sources import feedxml, jsonfeed, markup
from digest.sources.batch import Batch, Request, UnreadableError
from digest.sources.dates import day_in, moment
from digest.sources.entry import Entry, Feed
from digest.sources.ids import doi, strong_ids
from digest.sources.names import person, split_names
from digest.sources.shape import link, shape
from digest.text import web_url

_FEED_TYPES = frozenset(
    f"application/{form}" for form in ("rss+xml", "atom+xml", "feed+json", "rdf+xml")
)
_VAGUE_TYPES = frozenset({"text/xml", "application/xml", "application/json"})
_COMMENTS = re.compile(rb"<!--.*?-->", re.DOTALL)
_FEED_ROOT = re.compile(
    rb"\s*(?:<[?!][^>]*>\s*)*<(?:[a-z][\w.-]*:)?(?:rss|feed|rdf)\b", re.IGNORECASE
)
ACCEPT = "application/atom+xml, application/rss+xml, application/feed+json, */*;q=0.5"


def parse(body: bytes, source: Source, now: datetime) -> Batch:
    """The items of a feed; of a web page, the request for its feed. Raises: UnreadableError."""
    start = body[:1_000].lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n\0")
    if not start:
        raise UnreadableError("the answer is empty; a feed was expected")
    if start[:1] in {b"{", b"["}:
        return jsonfeed.parse(body, source, now)
    if _is_page(start):
        return _discover(body, source)
    feed = feedxml.read(body)
    entries = [entry for entry in feed.entries if entry.title or entry.summary or entry.link]
    return batch_of(feed, [listing_of(entry, feed, source, now) for entry in entries], now)


def batch_of(feed: Feed, listings: list[Listing], now: datetime) -> Batch:
    """The batch of a feed's listings; the day of a search's answer is no list's day."""
    day = day_in(feed.date, now) if feed.found is None else None
    return Batch(tuple(listings), batch_on=day, found=feed.found, notes=feed.notes)


def requests(source: Source, now: datetime) -> list[Request]:
    """The feed's own address."""
    return [Request(source.url, ACCEPT)] if source.url else []


def listing_of(entry: Entry, feed: Feed, source: Source, now: datetime) -> Listing:
    """The listing of one item, known by its id, else by its link, else by its title and date."""
    own = entry.guid or entry.link or f"{entry.title}|{entry.date}"
    ids = strong_ids(entry.link, entry.guid, *entry.identifiers)
    base = urljoin(source.url, feed.link)
    base = urljoin(base, entry.base) if entry.base else base
    return shape(
        source,
        title=entry.title,
        abstract=entry.summary,
        authors=authors_of(entry),
        ids=ids,
        guid=own if own != "|" else entry.summary,
        url=entry.link or (entry.guid if entry.guid.startswith("http") else entry.pdf),
        base=base,
        subjects=entry.subjects,
        published_at=moment(entry.date, now) or moment(entry.updated, now),
        announce=announce_of(entry),
        links=link("pdf", entry.pdf, base),
        note=published_note(entry),
    )


def authors_of(entry: Entry) -> list[str]:
    """The authors' names, taken apart where they stand in one string, without mail addresses."""
    if len(entry.authors) == 1:
        return split_names(person(entry.authors[0]))
    return [" ".join(person(name).split()) for name in entry.authors]


def announce_of(entry: Entry) -> Announce:
    """How the feed announced the item; `new` where it does not say."""
    try:
        return Announce(entry.announce.strip().lower())
    except ValueError:
        return Announce.NEW


def published_note(entry: Entry) -> str:
    """Where a paper came out, in words; empty for one that only stands on a preprint server."""
    if entry.journal:
        return f"published in {' '.join(entry.journal.split())[:200]}"
    names = [name for text in entry.identifiers if (name := doi(text))]
    journals = [n for n in names if not n.startswith(("10.48550/", "10.1101/", "10.64898/"))]
    return f"published as doi:{journals[0]}" if journals and entry.announce else ""


# --- pages that name a feed -----------------------------------------------------------------


def _is_page(start: bytes) -> bool:
    head = _COMMENTS.sub(b"", start.replace(b"\0", b"")).lower()
    if _FEED_ROOT.match(head):  # its first words may tell of <html>
        return False
    return head.startswith((b"<!doctype html", b"<html")) or b"<html" in head


def feed_links(body: bytes, url: str = "") -> list[str]:
    """The addresses of the feeds that a web page names: those of a feed's type, in its order.

    Where there is none, those that may be one by a type such as `text/xml`, or are said to be.
    """
    root = markup.parse_page(body)
    if root is None:
        return []
    base = urljoin(url, next((node.get("href", "") for node in root.iter("base")), ""))
    links = [
        (address, _certainty(node))
        for node in root.iter("link")
        if (address := web_url(urljoin(base, node.get("href", "").strip())))
    ]
    best = max((certainty for _, certainty in links), default=0)
    return list(dict.fromkeys(a for a, certainty in links if certainty == best and best))


def _certainty(node: markup.Element) -> int:
    """2 for a link to a feed, 1 for one that may lead to a feed, else 0."""
    rels = node.get("rel", "").lower().split()
    form = node.get("type", "").partition(";")[0].strip().lower()
    if "alternate" in rels and form in _FEED_TYPES:
        return 2
    is_api = "wp-json" in node.get("href", "")  # WordPress names its interface so on each page
    return int("feed" in rels or ("alternate" in rels and form in _VAGUE_TYPES and not is_api))


def _discover(body: bytes, source: Source) -> Batch:
    """The request for the feed that the page names. Raises: UnreadableError where it names none."""
    links = feed_links(body, source.url)
    if not links:
        raise UnreadableError("a web page that names no feed, where a feed was expected")
    note = f"the address is a web page; the feed it names is read: {links[0]}"
    return Batch(next=Request(links[0], ACCEPT, page=1), notes=(note,))
