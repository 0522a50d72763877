"""Crossref's works. Source: https://api.crossref.org/ (REST API).

A work's title is a list, its abstract JATS markup, its date parts of a date, or nothing. A notice
of a retraction or a correction is a work of its own that names the one it is about.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from digest.model import Announce, Listing, Source
from digest.sources import markup
from digest.sources.batch import Batch, Request, UnreadableError, spans
from digest.sources.dates import EARLIEST, from_parts, taken_in_on
from digest.sources.ids import arxiv_id, doi
from digest.sources.jsons import load
from digest.sources.shape import MAX_ITEMS, mapping, sequence, shape

API = "https://api.crossref.org/works"
_ROWS = 100
_DAYS = 7
_HEADING = re.compile(r"^(?:abstract|summary)[.:]?\s*\n\s*", re.IGNORECASE)
_NOTICES = {
    "retraction": "retracted",
    "withdrawal": "withdrawn",
    "removal": "withdrawn",
    "correction": "corrected",
    "corrigendum": "corrected",
    "erratum": "corrected",
}
_DATES = ("published-online", "published", "published-print", "issued", "posted", "created")


def parse(body: bytes, source: Source, now: datetime) -> Batch:
    """One work, or one page of works. Raises: UnreadableError."""
    answer = mapping(load(body))
    message = mapping(answer.get("message"))
    if answer.get("status") != "ok" or not message:
        raise UnreadableError(f"not a Crossref answer: {_said(answer)}")
    works = sequence(message.get("items")) if "items" in message else [message]
    named = [work for work in works[:MAX_ITEMS] if isinstance(work, dict) and _doi(work)]
    if works and not named:
        raise UnreadableError("not a Crossref answer: no work has a DOI")
    titled = [work for work in named if _title(work)]
    parts = len(named) - len(titled)  # figures, tables and whole issues have DOIs as well
    total = message.get("total-results")
    return Batch(
        tuple(_listing(work, source, now) for work in titled),
        found=total if isinstance(total, int) else None,
        next=_next(message, len(works), source),
        notes=(f"{parts} works without a title were left out",) if parts else (),
    )


def _said(answer: dict[str, Any]) -> str:
    """What the answer says instead."""
    told = answer.get("message")
    faults = (
        [told] if isinstance(told, str) else [mapping(m).get("message") for m in sequence(told)]
    )
    words = "; ".join(str(fault) for fault in faults if fault)
    return words[:200] or "status ok and a message were expected"


def _doi(work: dict[str, Any]) -> str:
    return doi(str(work.get("DOI") or ""))


def _listing(work: dict[str, Any], source: Source, now: datetime) -> Listing:
    name = _doi(work)
    paper = arxiv_id(name)
    journal = next(iter(sequence(work.get("container-title"))), "")
    about, note = _notice(work)
    published = _published(work, now)
    return shape(
        source,
        title=_title(work),
        abstract=abstract_of(str(work.get("abstract") or "")),
        authors=[_name(mapping(author)) for author in sequence(work.get("author"))],
        ids=[f"arxiv:{paper}" if paper else f"doi:{name}", *_other_forms(work), *about],
        url=f"https://doi.org/{name}",
        subjects=[journal, *sequence(work.get("subject"))],
        published_at=published,
        listed_on=taken_in_on(_created_on(work, now), published),
        announce=Announce.REPLACE if about else Announce.NEW,
        note=note,
    )


def _notice(work: dict[str, Any]) -> tuple[list[str], str]:
    """The works that a notice is about and what it says of them; nothing for any other work."""
    updates = [mapping(one) for one in sequence(work.get("update-to"))]
    said = [(doi(str(one.get("DOI") or "")), str(one.get("type")).lower()) for one in updates]
    known = [(name, _NOTICES[kind]) for name, kind in said if name and kind in _NOTICES]
    return [f"doi:{name}" for name, _ in known], known[0][1] if known else ""


def _created_on(work: dict[str, Any], now: datetime) -> date | None:
    """The day of registration."""
    parts = next(iter(sequence(mapping(work.get("created")).get("date-parts"))), None)
    created = from_parts(parts, now)
    return created.date() if created else None


def _title(work: dict[str, Any]) -> str:
    """Title and subtitle, which are lists."""
    parts = [next(iter(sequence(work.get(name))), "") for name in ("title", "subtitle")]
    return ": ".join(part for part in parts if isinstance(part, str) and part)


def _name(author: dict[str, Any]) -> str:
    """Given and family name, or a group's name."""
    parts = [author.get("given"), author.get("family")]
    name = " ".join(part for part in parts if isinstance(part, str))
    return name or str(author.get("name") or "")


def _published(work: dict[str, Any], now: datetime) -> datetime | None:
    """The first date that the work has; its parts may be missing, or be `[[]]`.

    A work from before 1970 has the first day of 1970: old, and not as young as its registration.
    """
    for name in _DATES:
        parts = sequence(next(iter(sequence(mapping(work.get(name)).get("date-parts"))), None))
        if parts and isinstance(parts[0], int) and 1000 < parts[0] < EARLIEST.year:
            return EARLIEST
        if found := from_parts(parts, now):
            return found
    return None


def _other_forms(work: dict[str, Any]) -> Iterator[str]:
    """The identities of the preprint that a work says it has, or of the article it became."""
    relations = mapping(work.get("relation"))
    for kind in ("has-preprint", "is-preprint-of"):
        for one in sequence(relations.get(kind)):
            text = str(mapping(one).get("id") or "")
            if name := doi(text):
                yield f"arxiv:{paper}" if (paper := arxiv_id(text)) else f"doi:{name}"


def abstract_of(jats: str) -> str:
    """The text of a JATS abstract, with its paragraphs; text that is none comes back as it is."""
    if "<" not in jats:
        return jats
    spaces = ' xmlns:jats="jats" xmlns:mml="mml" xmlns:xlink="xlink"'
    wrapped = f"<abstract{spaces}>{jats}</abstract>".encode()
    markup.refuse_entities(wrapped)
    root = markup.parse_strictly(wrapped)
    return jats if root is None else _HEADING.sub("", markup.prose(root))


# --- what to ask ----------------------------------------------------------------------------


def _next(message: dict[str, Any], count: int, source: Source) -> Request | None:
    """The next page by its cursor; a page that is not full is the last."""
    cursor = message.get("next-cursor")
    if not isinstance(cursor, str) or count < _ROWS or source.url or source.path:
        return None
    return Request(f"?{urlencode({'cursor': cursor})}", "application/json")


def _ask(source: Source, since: date, until: date | None = None) -> Request:
    last = f",until-created-date:{until.isoformat()}" if until else ""
    query = {
        "query.bibliographic": source.query,
        "filter": f"from-created-date:{since.isoformat()}" + last + _journals(source),
        "rows": _ROWS,
        "cursor": "*",
    }
    asked = urlencode({name: value for name, value in query.items() if value})
    return Request(f"{API}?{asked}", "application/json")


def _journals(source: Source) -> str:
    """The filter for journals, which `categories` names by ISSN."""
    return "".join(f",issn:{name}" for name in source.categories)


def requests(source: Source, now: datetime) -> list[Request]:
    """The works of the last days."""
    if source.url or source.path:
        return [Request(source.url, "application/json")] if source.url else []
    return [_ask(source, (now - timedelta(days=_DAYS)).date())]


def backfill(source: Source, since: date, now: datetime) -> list[Request]:
    """The works since a day, a week a request."""
    return [_ask(source, first, last) for first, last in spans(since, now.date(), 7)]


def fault(source: Source) -> str:
    """Why the options do not fit."""
    if source.url or source.path or source.query or source.categories:
        return ""
    return "needs a query, or categories with the ISSNs of journals"
