"""Semantic Scholar's paper search. Source: https://api.semanticscholar.org/api-docs/graph."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from digest.model import Link, Listing, Source
from digest.sources.batch import Batch, Request, UnreadableError
from digest.sources.dates import from_parts, moment
from digest.sources.ids import arxiv_id, doi
from digest.sources.jsons import load
from digest.sources.shape import MAX_ITEMS, link, mapping, sequence, shape

API = "https://api.semanticscholar.org/graph/v1/paper/search/bulk"
_FIELDS = (
    "title,abstract,authors,externalIds,url,year,publicationDate,venue,fieldsOfStudy,openAccessPdf"
)
_DAYS = 14  # it learns of papers some days after they came out


def parse(body: bytes, source: Source, now: datetime) -> Batch:
    """One page of hits; none has no `data` at all. Raises: UnreadableError."""
    answer = load(body)
    if not isinstance(answer, dict):
        raise UnreadableError("not a search answer: a JSON object was expected")
    if error := answer.get("error") or answer.get("message"):
        raise UnreadableError(f"the service answered with an error: {str(error)[:200]}")
    if "total" not in answer and "data" not in answer:
        raise UnreadableError("not a search answer: neither total nor data stands in it")
    papers = [one for one in sequence(answer.get("data"))[:MAX_ITEMS] if isinstance(one, dict)]
    named = [paper for paper in papers if _title(paper)]
    missing = len(papers) - len(named)
    total = answer.get("total")
    return Batch(
        tuple(_listing(paper, source, now) for paper in named),
        found=total if isinstance(total, int) else None,
        next=_next(answer, len(papers), source),
        notes=(f"{missing} papers without a title or an id were left out",) if missing else (),
    )


def _title(paper: dict[str, Any]) -> str:
    """The title; of a paper that comes without one its id, empty where it has neither."""
    title, number = paper.get("title"), paper.get("paperId")
    if isinstance(title, str) and title.strip():
        return title
    return f"Semantic Scholar paper {number}" if isinstance(number, str) and number else ""


def _listing(paper: dict[str, Any], source: Source, now: datetime) -> Listing:
    names = mapping(paper.get("externalIds"))
    subjects = [paper.get("venue"), *sequence(paper.get("fieldsOfStudy"))]
    return shape(
        source,
        title=_title(paper),
        abstract=paper.get("abstract"),
        authors=[mapping(author).get("name") for author in sequence(paper.get("authors"))],
        ids=_ids(names),
        guid=str(paper.get("paperId") or ""),
        url=paper.get("url") or f"https://www.semanticscholar.org/paper/{paper.get('paperId')}",
        subjects=subjects,
        published_at=_published(paper, now),
        links=_links(paper),
    )


def _published(paper: dict[str, Any], now: datetime) -> datetime | None:
    """The day of publication; of a paper with a past year alone the last that it may be.

    Within its year such a paper may be of today, and so has no day.
    """
    year = paper.get("year")
    if found := moment(paper.get("publicationDate"), now):
        return found
    return from_parts([year, 12, 31], now) if isinstance(year, int) and year < now.year else None


def _ids(names: dict[str, Any]) -> list[str]:
    """The identities elsewhere; a DOI that arXiv gave is the arXiv id."""
    ids = [f"arxiv:{name}"] if (name := arxiv_id(str(names.get("ArXiv") or ""))) else []
    outside = str(names.get("DOI") or "")
    if name := arxiv_id(outside):
        ids.append(f"arxiv:{name}")
    elif name := doi(outside):
        ids.append(f"doi:{name}")
    article = str(names.get("PubMed") or "")
    return [*ids, *([f"pmid:{int(article)}"] if article.isdecimal() and len(article) < 10 else [])]


def _links(paper: dict[str, Any]) -> Iterator[Link]:
    yield from link("pdf", mapping(paper.get("openAccessPdf")).get("url"))


# --- what to ask ----------------------------------------------------------------------------


def _next(answer: dict[str, Any], count: int, source: Source) -> Request | None:
    """The next page by its token or offset; a search by address is read one page deep."""
    token, offset = answer.get("token"), answer.get("next")
    if not count or source.url or source.path:
        return None
    if isinstance(token, str) and token:
        return Request(f"?{urlencode({'token': token})}", "application/json")
    if isinstance(offset, int) and offset > 0:
        return Request(f"?{urlencode({'offset': offset})}", "application/json")
    return None


def requests(source: Source, now: datetime) -> list[Request]:
    """The newest papers that the query finds."""
    if source.url or source.path:
        return [Request(source.url, "application/json")] if source.url else []
    return backfill(source, (now - timedelta(days=_DAYS)).date(), now)


def backfill(source: Source, since: date, now: datetime) -> list[Request]:
    """The papers that came out since a day."""
    query = {
        "query": source.query,
        "publicationDateOrYear": f"{since.isoformat()}:",
        "sort": "publicationDate:desc",
        "fields": _FIELDS,
    }
    if source.categories:
        query["fieldsOfStudy"] = ",".join(source.categories)
    return [Request(f"{API}?{urlencode(query)}", "application/json")]


def fault(source: Source) -> str:
    """Why the options do not fit."""
    return "" if source.url or source.path or source.query else "needs a query"
