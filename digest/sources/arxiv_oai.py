"""arXiv by OAI-PMH: records by the day of their last change, to make up for missed days.

Reads the formats `arXiv` and `arXivRaw`, by local names, since namespaces get lost.
Source: https://info.arxiv.org/help/oa/ and the OAI-PMH 2.0 specification.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from urllib.parse import urlencode

from digest.model import Announce, Listing, Source
from digest.sources import markup
from digest.sources.arxiv_names import fault_in_categories, oai_set
from digest.sources.arxiv_notes import note_of
from digest.sources.batch import Batch, ExpiredError, Request, UnreadableError, spans
from digest.sources.dates import day_in, moment
from digest.sources.ids import arxiv_id, dois
from digest.sources.names import split_names
from digest.sources.shape import MAX_ITEMS, link, shape

URL = "https://oaipmh.arxiv.org/oai"
_DAYS = 3  # looked back at each fetch: a weekend, and a little more
_MOST_MISSED = 14  # days that are made up for
_FORMATS = frozenset({"arXiv", "arXivRaw"})


def parse(body: bytes, source: Source, now: datetime) -> Batch:
    """The records of one answer, those of other categories left out. Raises: UnreadableError."""
    root = markup.parse(body, "an OAI-PMH answer")
    if markup.local(root) != "OAI-PMH":
        raise UnreadableError("not an OAI-PMH answer: its root is not <OAI-PMH>")
    if (error := markup.child(root, "error")) is not None:
        return _empty_or_raise(error)
    listing = markup.child(root, "ListRecords")
    if listing is None:
        listing = markup.child(root, "GetRecord")
    if listing is None:
        raise UnreadableError("not a list of records: <ListRecords> or <GetRecord> was expected")
    records = list(markup.children(listing, "record"))[:MAX_ITEMS]
    found = [(record, paper) for record in records if (paper := _paper(record)) is not None]
    listings = [
        _listing(paper, source, now) for _, paper in found if _is_wanted(paper, source.categories)
    ]
    days = [day_in(markup.text_at(record, "header", "datestamp"), now) for record, _ in found]
    gone = len(records) - len(found)
    return Batch(
        tuple(listings),
        batch_on=max(filter(None, days), default=None),
        next=_next(listing, len(records)),
        notes=(f"{gone} records were deleted or of another format",) if gone else (),
        found=_list_size(listing),
    )


def _empty_or_raise(error: markup.Element) -> Batch:
    """An empty batch where the window holds nothing. Raises: UnreadableError for other errors."""
    code, words = error.get("code", ""), " ".join(markup.text(error).split())[:200]
    if code == "noRecordsMatch":
        return Batch()
    told = f"arXiv answered with the error {code}: {words}"
    if code == "badResumptionToken":  # tokens live for a day at most
        raise ExpiredError(f"{told}; the window has to be read again from its start")
    raise UnreadableError(told)


def _paper(record: markup.Element) -> markup.Element | None:
    """The description inside a record; a deleted one has none."""
    metadata = markup.child(record, "metadata")
    if metadata is None:
        return None
    return next((node for node in metadata if markup.local(node) in _FORMATS), None)


def _is_wanted(paper: markup.Element, categories: tuple[str, ...]) -> bool:
    """True when the paper is in one of the categories, or in an archive that is named whole."""
    ours = markup.text_at(paper, "categories").split()
    archives = [name.partition(".")[0] for name in ours]
    return not categories or not set(categories).isdisjoint([*ours, *archives])


def _listing(paper: markup.Element, source: Source, now: datetime) -> Listing:
    name = arxiv_id(markup.text_at(paper, "id"))
    if not name:
        raise UnreadableError("a record without an arXiv id")
    published, version, is_replaced = _history(paper, now)
    # One that was replaced within days came while nobody looked: to us it is new.
    is_old = not published or published < now - timedelta(days=source.max_age_days or 0)
    outside = dois(markup.text_at(paper, "doi"))
    journal = " ".join(markup.text_at(paper, "journal-ref").split())[:200]
    where = f"published in {journal}" if journal else ""
    if outside and not journal:
        where = f"published as doi:{outside[0]}"
    return shape(
        source,
        title=markup.text_at(paper, "title"),
        abstract=markup.text_at(paper, "abstract"),
        authors=_authors(paper),
        ids=[f"arxiv:{name}", *(f"doi:{one}" for one in outside)],
        url=f"https://arxiv.org/abs/{name}",
        subjects=markup.text_at(paper, "categories").split(),
        published_at=published,
        announce=Announce.REPLACE if is_replaced and is_old else Announce.NEW,
        links=link("pdf", f"https://arxiv.org/pdf/{name}"),
        note=note_of(version, markup.text_at(paper, "comments"), where),
    )


def _history(paper: markup.Element, now: datetime) -> tuple[datetime | None, int, bool]:
    """When the paper first came, its latest version (1 where unknown), whether it was replaced."""
    versions = list(markup.children(paper, "version"))
    if versions:
        first = moment(markup.text_at(versions[0], "date"), now)
        return first, len(versions), len(versions) > 1
    created = moment(markup.text_at(paper, "created"), now)
    return created, 1, bool(markup.text_at(paper, "updated"))


def _authors(paper: markup.Element) -> list[str]:
    """The names, from elements of their own or out of one string."""
    authors = markup.child(paper, "authors")
    people = list(markup.children(authors, "author")) if authors is not None else []
    if not people:
        return split_names(" ".join(markup.text(authors).split()))
    parts = ("forenames", "keyname", "suffix")
    return [" ".join(filter(None, (markup.text_at(one, p) for p in parts))) for one in people]


def _list_size(listing: markup.Element) -> int | None:
    token = markup.child(listing, "resumptionToken")
    size = token.get("completeListSize", "") if token is not None else ""
    return int(size) if size.isdecimal() and len(size) < 10 else None


def _next(listing: markup.Element, records: int) -> Request | None:
    """The request for the rest; an empty token is the end."""
    token = markup.child(listing, "resumptionToken")
    name = markup.text(token).strip()
    if token is None or not name or not records:
        return None
    query = urlencode({"verb": "ListRecords", "resumptionToken": name})
    return Request(f"{URL}?{query}", "text/xml")


# --- what to ask ----------------------------------------------------------------------------


def requests(source: Source, now: datetime) -> list[Request]:
    """What changed in the last days, one request for each archive of the categories."""
    if source.url or source.path:
        return [Request(source.url, "text/xml")] if source.url else []
    return _asked(source, (now - timedelta(days=_DAYS)).date())


def backfill(source: Source, since: date, now: datetime) -> list[Request]:
    """What changed since a day."""
    return window(source, since, now.date())


def missed(source: Source, after: date, until: date) -> list[Request]:
    """What changed before the days that every fetch looks back over, at most fourteen days ago."""
    if source.url or source.path:
        return []
    first = max(after, until - timedelta(days=_MOST_MISSED))
    return window(source, first, until - timedelta(days=_DAYS + 1))


def window(source: Source, first: date, last: date) -> list[Request]:
    """What changed from one day to another; a day a request, so that few need a second page."""
    days = spans(first, last, 1)
    return [request for day, _ in days for request in _asked(source, day, day)]


def _asked(source: Source, first: date, last: date | None = None) -> list[Request]:
    """One request for each archive: categories are no sets on every host."""
    sets = dict.fromkeys(oai_set(name.partition(".")[0]) for name in source.categories)
    span = {"verb": "ListRecords", "metadataPrefix": "arXivRaw", "from": first.isoformat()}
    if last:
        span["until"] = last.isoformat()
    return [Request(f"{URL}?{urlencode({**span, 'set': name})}", "text/xml") for name in sets]


def fault(source: Source) -> str:
    """Why the options do not fit."""
    if source.url or source.path:
        return ""
    return fault_in_categories(source.categories) if source.categories else "needs categories"
