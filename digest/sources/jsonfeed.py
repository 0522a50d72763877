"""JSON Feed 1.0 and 1.1. Source: https://www.jsonfeed.org/version/1.1/."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from html import escape
from typing import Any
from urllib.parse import urljoin

from digest.model import Link, Listing, Source
from digest.sources.batch import Batch, UnreadableError
from digest.sources.dates import moment
from digest.sources.ids import strong_ids
from digest.sources.jsons import load
from digest.sources.shape import MAX_ITEMS, link, mapping, sequence, shape


def parse(body: bytes, source: Source, now: datetime) -> Batch:
    """The items of a JSON Feed. Raises: UnreadableError."""
    feed = load(body)
    if not isinstance(feed, dict) or not isinstance(feed.get("items"), list):
        raise UnreadableError(
            f"no JSON Feed: an object with a list of items was expected{_hint(feed)}"
        )
    version = feed.get("version")
    if not isinstance(version, str) or "jsonfeed.org/version/" not in version:
        raise UnreadableError("no JSON Feed: its version is not https://jsonfeed.org/version/…")
    items = [item for item in feed["items"][:MAX_ITEMS] if isinstance(item, dict)]
    return Batch(tuple(_listing(item, feed, source, now) for item in items))


def _hint(feed: object) -> str:
    """What the JSON seems to be instead."""
    if "rss" in mapping(feed):
        return "; this is RSS written as JSON: ask for the XML form of the feed"
    if isinstance(feed, list):
        return "; this is a list: kind = 'huggingface' may read it"
    return ""


def _listing(
    item: dict[str, Any], feed: Mapping[str, Any], source: Source, now: datetime
) -> Listing:
    url, outside = _text(item.get("url")), _text(item.get("external_url"))
    own = _text(item.get("id")) or url or outside
    page = _text(feed.get("home_page_url")) or _text(feed.get("feed_url"))
    base = urljoin(source.url, page)
    return shape(
        source,
        title=item.get("title"),
        abstract=_abstract(item),
        authors=_authors(item) or _authors(feed),
        ids=strong_ids(url, outside, own),
        guid=own,
        url=url or outside or (own if own.startswith("http") else ""),  # an id is no address
        base=base,
        subjects=sequence(item.get("tags")),
        published_at=moment(_first(item, "date_published", "date_modified"), now),
        links=[*_papers(item, base), *_links(outside, url, base)],
    )


def _text(value: object) -> str:
    """An id or address; ids are numbers in the wild."""
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return str(value) if isinstance(value, str) or is_number else ""


def _first(item: Mapping[str, Any], *names: str) -> str:
    """The first of the fields that holds a text."""
    return next((v for n in names if isinstance(v := item.get(n), str) and v.strip()), "")


def _abstract(item: Mapping[str, Any]) -> str:
    """What the item says of itself, as HTML; a `<b>` in `content_text` is meant to be seen."""
    text = _first(item, "content_text")
    return _first(item, "summary") or escape(text, quote=False) or _first(item, "content_html")


def _authors(holder: Mapping[str, Any]) -> list[object]:
    """The names of 1.1's `authors`, else of 1.0's `author`."""
    people = sequence(holder.get("authors")) or [holder.get("author")]
    return [name for one in people if (name := mapping(one).get("name"))]


def _papers(item: Mapping[str, Any], base: str) -> Iterator[Link]:
    """The PDFs among the attachments."""
    for one in map(mapping, sequence(item.get("attachments"))):
        if one.get("mime_type") == "application/pdf":
            yield from link("pdf", one.get("url"), base)


def _links(outside: str, url: str, base: str) -> list[Link]:
    """The page that a link post points to, where it is another than the post's own."""
    return list(link("project", outside, base)) if url and outside and outside != url else []
