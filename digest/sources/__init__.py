"""Every kind of source, and the one front door to reading a body.

Parsing is pure: bytes in, listings out; no I/O, no clock. Whatever a body holds, `read_batch`
gives a batch or raises `SourceError`, in bounded time.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType
from urllib.parse import parse_qsl, urlencode, urlsplit

from digest.errors import SourceError
from digest.model import Source
from digest.sources import (
    arxiv,
    arxiv_listing,
    arxiv_oai,
    biorxiv,
    crossref,
    feed,
    huggingface,
    jsonl,
    openreview,
    opml,
    page,
    pubmed,
    semantic_scholar,
)
from digest.sources.batch import (
    Batch,
    ExpiredError,
    Kind,
    Request,
    RestartError,
    UnreadableError,
    needs_address,
)
from digest.text import printable

MAX_BYTES = 64_000_000  # of an operator's own file; what is fetched is bounded by the fetcher
MAX_FOREIGN_BYTES = 8_000_000  # of every other kind
_PAGE = re.compile(r"\{(\d*)page\}")

KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "page": Kind(page.parse, fault=needs_address, max_age_days=None),
        "huggingface": Kind(
            huggingface.parse, huggingface.requests, huggingface.fault, huggingface.backfill
        ),
        "arxiv": Kind(
            arxiv.parse,
            arxiv.requests,
            arxiv.fault,
            arxiv.backfill,
            arxiv.missed,
            patience_s=600,  # what was missed may take many pages, three seconds and more each
        ),
        "arxiv_api": Kind(
            arxiv.parse, arxiv.search, arxiv.fault_in_search, arxiv.backfill, patience_s=600
        ),
        "arxiv_oai": Kind(
            arxiv_oai.parse,
            arxiv_oai.requests,
            arxiv_oai.fault,
            arxiv_oai.backfill,
            arxiv_oai.missed,
            patience_s=600,
        ),
        "arxiv_listing": Kind(arxiv_listing.parse, arxiv_listing.requests, arxiv_listing.fault),
        "biorxiv": Kind(
            biorxiv.parse,
            biorxiv.requests,
            backfill=biorxiv.backfill,
            missed=biorxiv.missed,
            patience_s=300,
        ),
        "medrxiv": Kind(
            biorxiv.parse,
            biorxiv.requests,
            backfill=biorxiv.backfill,
            missed=biorxiv.missed,
            patience_s=300,
        ),
        "semantic_scholar": Kind(
            semantic_scholar.parse,
            semantic_scholar.requests,
            semantic_scholar.fault,
            semantic_scholar.backfill,
            max_age_days=14,
        ),
        "crossref": Kind(
            crossref.parse, crossref.requests, crossref.fault, crossref.backfill, patience_s=300
        ),
        "pubmed": Kind(pubmed.parse, pubmed.requests, pubmed.fault, pubmed.backfill),
        "openreview": Kind(
            openreview.parse,
            openreview.requests,
            openreview.fault,
            openreview.backfill,
            patience_s=300,  # a large conference opens ten thousand submissions at once
        ),
        "feed": Kind(feed.parse, feed.requests, needs_address),
        "jsonl": Kind(jsonl.parse, fault=needs_address, max_age_days=None),
        "opml": Kind(opml.parse, fault=needs_address, patience_s=600),  # hundreds of feeds
    }
)


def kind_of(source: Source) -> Kind:
    """The kind that a source names. Raises: SourceError with the nearest name."""
    kind = KINDS.get(source.kind)
    if kind is None:
        raise SourceError(source.name, fault_in_kind(source.kind))
    return kind


def fault_in_kind(name: str) -> str:
    """Why a name is no kind, with the nearest that is; empty for one that is."""
    if name in KINDS:
        return ""
    near = difflib.get_close_matches(name, KINDS, n=1, cutoff=0.5)
    hint = f"; did you mean {near[0]!r}?" if near else f"; it is one of {', '.join(KINDS)}"
    return f"unknown kind {name!r}{hint}"


def read_batch(source: Source, body: bytes, now: datetime, asked: Request | None = None) -> Batch:
    """What a body of that source holds. Raises: SourceError, and nothing else.

    `asked` is the request which brought the body: what follows it is the next page of it.
    """
    kind = kind_of(source)
    limit = MAX_BYTES if source.kind == "jsonl" else MAX_FOREIGN_BYTES
    if len(body) > limit:
        raise SourceError(source.name, f"{len(body):,} bytes; at most {limit:,} are read")
    try:
        batch = kind.parse(body, source, now)
    except UnreadableError as fault:
        kind_of_fault = RestartError if isinstance(fault, ExpiredError) else SourceError
        raise kind_of_fault(source.name, printable(str(fault))) from None
    except Exception as fault:  # the parsers below us are many; none may stop the other sources
        reason = printable(f"{type(fault).__name__}: {fault}", 200)
        raise SourceError(source.name, f"not a readable {source.kind} ({reason})") from fault
    return replace(batch, next=_following(batch.next, asked)) if batch.next else batch


def _following(further: Request, asked: Request | None) -> Request | None:
    """The request for the next page, whole; None where it goes on from what nobody asked."""
    if asked is None:
        return None if further.url.startswith("?") else further
    page = asked.page + 1
    if not further.url.startswith("?"):
        return replace(further, page=page)
    put = parse_qsl(_PAGE.sub(lambda found: str(int(found[1] or 1) * page), further.url[1:]))
    parts = urlsplit(asked.url)
    kept = [
        pair for pair in parse_qsl(parts.query, keep_blank_values=True) if pair[0] not in dict(put)
    ]
    return replace(asked, url=parts._replace(query=urlencode(kept + put)).geturl(), page=page)


__all__ = [
    "KINDS",
    "Batch",
    "Kind",
    "Request",
    "RestartError",
    "fault_in_kind",
    "kind_of",
    "read_batch",
]
