"""Hugging Face Daily Papers: the JSON of `api/daily_papers`.

Votes and the days of paper and list stand inside `paper`, comments outside; the outer
`publishedAt` is hours early, so that its date may be the day before: it is never read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from digest.model import Link, Listing, Source
from digest.sources.batch import Batch, Request, UnreadableError, spans
from digest.sources.dates import day_in, moment
from digest.sources.ids import arxiv_id, arxiv_version
from digest.sources.jsons import load
from digest.sources.shape import MAX_ITEMS, link, mapping, sequence, shape

API = "https://huggingface.co/api/daily_papers"
_LIMIT = 100  # the most that one answer holds
_REFRESH_DAYS = 7
_REST_S = 20 * 3600  # each past day is asked once a day, whenever that is
_QUERY = re.compile(r"^(?:|week|month|trending|\d{4}-\d{2}-\d{2}|\d{4}-W\d{2}|\d{4}-\d{2})$")


def parse(body: bytes, source: Source, now: datetime) -> Batch:
    """The papers of one list. Raises: UnreadableError."""
    data = load(body)
    if isinstance(data, dict) and "error" in data:
        raise UnreadableError(f"the service answered with an error: {str(data['error'])[:200]}")
    papers = data if isinstance(data, list) else mapping(data).get("papers")
    if not isinstance(papers, list):
        raise UnreadableError("not a Daily Papers list: a JSON array of papers was expected")
    batch = read(papers, source, now)
    if len(papers) < _LIMIT or not _goes_on(batch, source, now):
        return batch
    return replace(batch, next=Request("?p={page}", "application/json"))


def read(papers: list[Any], source: Source, now: datetime) -> Batch:
    """The batch of a list of records; a record without an id or a title is left out and counted."""
    listings = [_listing(record, source, now) for record in papers[:MAX_ITEMS] if _is_paper(record)]
    if papers and not listings:
        raise UnreadableError("not a Daily Papers list: no record has a paper with id and title")
    missing = len(papers[:MAX_ITEMS]) - len(listings)
    notes = (f"{missing} records without an id or a title were left out",) if missing else ()
    days = [listing.listed_on for listing in listings if listing.listed_on]
    return Batch(tuple(listings), batch_on=max(days, default=None), notes=notes)


def _goes_on(batch: Batch, source: Source, now: datetime) -> bool:
    """Whether the next page is wanted: the newest lists and the trending ones have no end.

    A day, a week and a month are read whole; the newest lists as far as votes are asked for.
    """
    if source.url or source.path or source.query == "trending":
        return False
    days = {listing.listed_on for listing in batch.listings if listing.listed_on}
    is_one_list = bool(source.query) or len(days) < 2
    return is_one_list or min(days) >= now.date() - timedelta(days=_REFRESH_DAYS)


def _is_paper(record: object) -> bool:
    paper = _paper(record)
    title = paper.get("title") or mapping(record).get("title")
    return isinstance(paper.get("id"), str) and isinstance(title, str) and bool(title.strip())


def _paper(record: object) -> dict[str, Any]:
    """The inner record; lists of a search have no outer one."""
    outer = mapping(record)
    return mapping(outer.get("paper")) or outer


def _listing(record: object, source: Source, now: datetime) -> Listing:
    outer, paper = mapping(record), _paper(record)
    name = str(paper["id"])
    paper_id = arxiv_id(name)
    organization = mapping(paper.get("organization") or outer.get("organization"))
    version = arxiv_version(name) or 1
    return shape(
        source,
        title=paper.get("title") or outer.get("title"),
        abstract=paper.get("summary") or outer.get("summary"),
        authors=[mapping(author).get("name") for author in sequence(paper.get("authors"))],
        ids=[f"arxiv:{paper_id}"] if paper_id else [],
        guid="" if paper_id else name,
        url=f"https://huggingface.co/papers/{paper_id or name}",
        published_at=moment(paper.get("publishedAt"), now),
        listed_on=_listed_on(outer, paper, now),
        votes=paper.get("upvotes"),
        comments=outer.get("numComments"),
        organization=organization.get("fullname") or organization.get("name"),
        links=_links(paper, paper_id),
        note=f"version {version}" if version > 1 else "",
    )


def _listed_on(outer: dict[str, Any], paper: dict[str, Any], now: datetime) -> date | None:
    """The day of the list that named the paper."""
    return day_in(paper.get("submittedOnDailyAt") or outer.get("submittedOnDailyAt"), now)


def _links(paper: dict[str, Any], paper_id: str) -> Iterator[Link]:
    if paper_id:
        yield from link("pdf", f"https://arxiv.org/pdf/{paper_id}")
    yield from link("code", paper.get("githubRepo"))
    yield from link("project", paper.get("projectPage"))


# --- what to ask ----------------------------------------------------------------------------


def _ask(rest_s: int = 0, **query: str) -> Request:
    url = f"{API}?{urlencode({**query, 'limit': _LIMIT})}"
    return Request(url, "application/json", rest_s=rest_s)


def requests(source: Source, now: datetime) -> list[Request]:
    """The list that `query` names; without one the newest, and once a day those of the last week.

    Votes come in for about that long.
    """
    if source.url or source.path:
        return [Request(source.url, "application/json")] if source.url else []
    query = source.query
    if query == "trending":
        return [_ask(sort="trending")]
    if query == "week" or "W" in query:
        return [_ask(week=query if "W" in query else f"{now:%G-W%V}")]
    if query == "month" or len(query) == 7:
        return [_ask(month=query if len(query) == 7 else f"{now:%Y-%m}")]
    if len(query) == 10:
        return [_ask(date=query)]
    past = (now - timedelta(days=back) for back in range(1, _REFRESH_DAYS + 1))
    return [_ask(), *(_ask(_REST_S, date=f"{day:%Y-%m-%d}") for day in past)]


def backfill(source: Source, since: date, now: datetime) -> list[Request]:
    """One list for each day since then, oldest first; there is none before May 2023."""
    first = max(since, date(2023, 5, 4))
    return [_ask(date=day.isoformat()) for day, _ in spans(first, now.date(), 1)]


def fault(source: Source) -> str:
    """Why the options do not fit: `query` is the only one."""
    if _QUERY.match(source.query):
        return ""
    return (
        f"query {source.query!r} is none of trending, week, month, a day (2026-06-12),"
        " a week (2026-W24), a month (2026-06); leave it out for each day's list"
    )
