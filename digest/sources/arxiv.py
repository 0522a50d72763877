"""arXiv's day by rss.arxiv.org (RSS or Atom), and the Atom answers of its query API."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, datetime, timedelta
from urllib.parse import parse_qsl, urlencode, urlsplit

from digest.model import Announce, Listing, Source
from digest.sources import arxiv_listing, arxiv_oai, feedxml
from digest.sources.arxiv_names import fault_in_categories
from digest.sources.arxiv_notes import note_of
from digest.sources.batch import Batch, Request, UnreadableError, spans
from digest.sources.dates import day_in, moment
from digest.sources.entry import Entry, Feed
from digest.sources.feed import ACCEPT, announce_of, authors_of, batch_of, published_note
from digest.sources.ids import arxiv_id, arxiv_version, strong_ids
from digest.sources.shape import link, shape

RSS = "https://rss.arxiv.org/rss/"
API = "https://export.arxiv.org/api/query"
_MOST_MISSED = 14  # days that are made up for; `--since` brings older ones
_API_PAGE = 200  # entries a page; arXiv asks for slices, not floods
_PREFIX = re.compile(
    r"^\s*arXiv:\S+\s+Announce Type:\s*([a-z-]+)\s*(?:Abstract:\s*)?", re.IGNORECASE
)


def parse(body: bytes, source: Source, now: datetime) -> Batch:
    """The papers of a feed; one without items is an empty day. Raises: UnreadableError.

    Answers of OAI-PMH and listing pages are read as well, so that backfill may ask for them.
    """
    if not body.strip():
        raise UnreadableError("the answer is empty; an arXiv feed was expected")
    start = body[:2_000].lower()
    if b"<oai-pmh" in start:
        return arxiv_oai.parse(body, source, now)
    if b"<html" in start:
        if b"dlpage" not in body:
            raise UnreadableError("a web page, where an arXiv feed was expected")
        return arxiv_listing.parse(body, source, now)
    feed = feedxml.read(body)
    errors = [entry for entry in feed.entries if "/api/errors" in entry.guid]
    if errors:
        raise UnreadableError(
            f"arXiv answered with an error: {' '.join(errors[0].summary.split())[:200]}"
        )
    listings = [
        _listing(entry, paper, feed, source, now)
        for entry in feed.entries
        if (paper := arxiv_id(entry.guid) or arxiv_id(entry.link))
    ]
    if feed.entries and not listings:
        raise UnreadableError("no arXiv feed: no item has an arXiv id; kind = 'feed' may read it")
    return replace(batch_of(feed, listings, now), next=_further(feed, listings, source, now))


def _further(feed: Feed, listings: list[Listing], source: Source, now: datetime) -> Request | None:
    """The next slice of a search by the query API, while it brings what is young enough.

    A search within a span of days is read to its end.
    """
    parts = urlsplit(feed.own_link)
    query = dict(parse_qsl(parts.query))
    terms, start = query.get("search_query", ""), query.get("start", "")
    if not feed.found or not terms or not start.isdecimal() or source.url or source.path:
        return None
    done = int(start[:7]) + len(feed.entries)
    days = [listing.published_at for listing in listings if listing.published_at]
    limit = timedelta(days=source.max_age_days or 0)
    is_young = "submittedDate:[" in terms or bool(days and min(days) > now - limit)
    return _slice(terms, done // _API_PAGE) if is_young and 0 < done < feed.found else None


def _listing(entry: Entry, paper: str, feed: Feed, source: Source, now: datetime) -> Listing:
    version = arxiv_version(entry.guid) or arxiv_version(entry.link) or 1
    return shape(
        source,
        title=entry.title,
        abstract=_PREFIX.sub("", entry.summary),
        authors=authors_of(entry),
        ids=[f"arxiv:{paper}", *strong_ids(*entry.identifiers)],
        url=f"https://arxiv.org/abs/{paper}",
        subjects=entry.subjects,
        published_at=moment(entry.date, now) or moment(entry.updated, now),
        listed_on=day_in(feed.date, now) if entry.announce else None,
        announce=_announce(entry),
        links=link("pdf", f"https://arxiv.org/pdf/{paper}"),
        note=note_of(version, entry.comment, published_note(entry) or _as_doi(entry)),
    )


def _announce(entry: Entry) -> Announce:
    """The type in its own element, else in the abstract's prefix, else `new`."""
    prefix = _PREFIX.match(entry.summary)
    if not entry.announce and prefix:
        entry.announce = prefix[1]
    return announce_of(entry)


def _as_doi(entry: Entry) -> str:
    """The journal's DOI in words."""
    outside = [name for name in strong_ids(*entry.identifiers) if name.startswith("doi:")]
    return f"published as {outside[0]}" if outside else ""


# --- what to ask ----------------------------------------------------------------------------


def requests(source: Source, now: datetime) -> list[Request]:
    """One feed of all categories together: each category alone would announce papers twice."""
    if source.url or source.path:
        return [Request(source.url, ACCEPT)] if source.url else []
    return [Request(RSS + "+".join(source.categories), ACCEPT)]


def fault(source: Source) -> str:
    """Why the options do not fit; `categories` are needed where there is no address."""
    if source.url or source.path:
        return ""
    if not source.categories:
        return 'needs categories, such as ["cs.CL", "stat.ML"]'
    return fault_in_categories(source.categories)


def search(source: Source, now: datetime) -> list[Request]:
    """The newest submissions that fit the query and the categories, first page."""
    if source.url or source.path:
        return [Request(source.url, ACCEPT)] if source.url else []
    return [_slice(_terms(source), 0)]


def backfill(source: Source, since: date, now: datetime) -> list[Request]:
    """The submissions since a day by the query API, a week a request; `parse` asks for more."""
    terms = _terms(source)
    asked = []
    for first, last in spans(since, now.date(), 7):
        span = f"submittedDate:[{first:%Y%m%d}0000 TO {last + timedelta(days=1):%Y%m%d}0000]"
        asked.append(_slice(f"({terms}) AND {span}" if terms else span, 0))
    return asked


def missed(source: Source, after: date, until: date) -> list[Request]:
    """What OAI-PMH has of the announcements between two lists, a request for each day.

    The feed shows the latest announcement alone. There is none at weekends; a holiday is asked for
    in vain. At most the last fourteen days are asked for.
    """
    first = max(after + timedelta(days=1), until - timedelta(days=_MOST_MISSED))
    days = [day for day, _ in spans(first, until - timedelta(days=1), 1) if day.weekday() < 5]
    if not days or source.url or source.path:
        return []
    # A record bears the day of the night before its announcement, or that of the announcement.
    return arxiv_oai.window(source, days[0] - timedelta(days=1), days[-1])


def _terms(source: Source) -> str:
    """The query in arXiv's language: any of the categories, and the words asked for."""
    categories = " OR ".join(f"cat:{name}" for name in source.categories)
    query = source.query if ":" in source.query else f"all:{source.query}" if source.query else ""
    return f"({categories}) AND ({query})" if categories and query else categories or query


def _slice(terms: str, page: int) -> Request:
    query = {
        "search_query": terms,
        "start": page * _API_PAGE,
        "max_results": _API_PAGE,
        "sortBy": "submittedDate",
        "sortOrder": "descending",
    }
    return Request(f"{API}?{urlencode(query)}", ACCEPT, page)


def fault_in_search(source: Source) -> str:
    """Why the options do not fit a search."""
    if not (source.url or source.path or source.query or source.categories):
        return "needs a query or categories"
    return fault_in_categories(source.categories)
