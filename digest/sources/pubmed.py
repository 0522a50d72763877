"""PubMed by E-utilities: a search gives ids, a fetch gives the articles.

Source: https://www.ncbi.nlm.nih.gov/books/NBK25499/.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from urllib.parse import urlencode

from digest.model import Announce, Listing, Source
from digest.sources import markup
from digest.sources.batch import Batch, Request, UnreadableError, spans
from digest.sources.dates import from_parts, month_of, taken_in_on
from digest.sources.ids import doi
from digest.sources.jsons import load
from digest.sources.shape import MAX_ITEMS, mapping, sequence, shape

API = "https://eutils.ncbi.nlm.nih.gov/entrez/eutils"
_MOST = 1_000  # ids a search
_AT_ONCE = 200  # articles a fetch; more would have to be posted
_DAYS = 7
_STRETCH = 3  # days a request when the past is asked for
_NOTICES = {"RetractionOf": "retracted", "ErratumFor": "corrected"}
_YEAR = re.compile(r"\b(19[7-9]\d|20\d\d)\b")


def parse(body: bytes, source: Source, now: datetime) -> Batch:
    """The ids of a search, to be fetched next, or articles. Raises: UnreadableError."""
    if body.lstrip()[:1] == b"{":
        return _parse_search(body)
    root = markup.parse(body, "a PubMed answer")
    if markup.local(root) != "PubmedArticleSet":
        words = markup.text_at(root, "ERROR")[:200] or "<PubmedArticleSet> was expected"
        raise UnreadableError(f"not a PubMed answer: {words}")
    articles = list(markup.children(root, "PubmedArticle"))[:MAX_ITEMS]
    return Batch(tuple(_listing(article, source, now) for article in articles))


def _parse_search(body: bytes) -> Batch:
    """The request for the articles that a search found; it holds none itself."""
    answer = mapping(load(body))
    result = mapping(answer.get("esearchresult"))
    if error := result.get("ERROR") or answer.get("error"):
        raise UnreadableError(f"the service answered with an error: {str(error)[:200]}")
    if "idlist" not in result:
        raise UnreadableError("not a PubMed search answer: esearchresult with idlist was expected")
    ids = [one for one in sequence(result["idlist"]) if isinstance(one, str) and one.isdecimal()]
    count = str(result.get("count", ""))
    found = int(count) if count.isdecimal() and len(count) < 10 else None
    parts = [_fetch(ids[at : at + _AT_ONCE]) for at in range(0, min(len(ids), _MOST), _AT_ONCE)]
    return Batch(found=found, next=parts[0] if parts else None, also=tuple(parts[1:]))


def _fetch(ids: list[str]) -> Request:
    query = urlencode({"db": "pubmed", "retmode": "xml", "id": ",".join(ids)}, safe=",")
    return Request(f"{API}/efetch.fcgi?{query}", "text/xml", page=1)


def _listing(article: markup.Element, source: Source, now: datetime) -> Listing:
    citation = markup.child(article, "MedlineCitation")
    paper = markup.child(article, "MedlineCitation", "Article")
    if citation is None or paper is None:
        raise UnreadableError("an article without MedlineCitation and Article")
    number = markup.text_at(citation, "PMID")
    kinds = markup.child(paper, "PublicationTypeList")
    types = [markup.text(kind) for kind in kinds] if kinds is not None else []
    about, note = _notice(citation)
    published = _published(paper, now)
    return shape(
        source,
        title=_title(paper),
        abstract=_abstract(paper),
        authors=_authors(paper),
        ids=[f"pmid:{number}", *_dois(article, paper), *about],
        url=f"https://pubmed.ncbi.nlm.nih.gov/{number}/",
        subjects=[markup.text_at(paper, "Journal", "Title"), *_keywords(citation)],
        published_at=published,
        listed_on=taken_in_on(_entered_on(article, now), published),
        announce=Announce.REPLACE if about else Announce.NEW,
        note="retracted" if "Retracted Publication" in types else note,
    )


def _notice(citation: markup.Element) -> tuple[list[str], str]:
    """The articles that a notice is about and what it says of them; nothing for other articles."""
    listed = markup.child(citation, "CommentsCorrectionsList")
    said = [] if listed is None else [(one.get("RefType", ""), one) for one in listed]
    known = [(kind, markup.text_at(one, "PMID")) for kind, one in said if kind in _NOTICES]
    known = [(kind, number) for kind, number in known if number.isdecimal()]
    return [f"pmid:{number}" for _, number in known], _NOTICES[known[0][0]] if known else ""


def _entered_on(article: markup.Element, now: datetime) -> date | None:
    """The day on which PubMed took the article in."""
    history = markup.child(article, "PubmedData", "History")
    for node in history if history is not None else ():
        if node.get("PubStatus") == "entrez" and (found := _date_in(node, now)):
            return found.date()
    return None


def _title(paper: markup.Element) -> str:
    """The title; a translated one stands in brackets, and some have the original alone."""
    return markup.text_at(paper, "ArticleTitle") or markup.text_at(paper, "VernacularTitle")


def _abstract(paper: markup.Element) -> str:
    """The parts of the abstract as paragraphs, each behind its label."""
    abstract = markup.child(paper, "Abstract")
    parts = markup.children(abstract, "AbstractText") if abstract is not None else []
    labelled = ((part.get("Label", ""), markup.text(part).strip()) for part in parts)
    labelled = (("" if label == "UNLABELLED" else label, text) for label, text in labelled)
    return "\n\n".join(f"{label}: {text}" if label else text for label, text in labelled)


def _authors(paper: markup.Element) -> list[str]:
    """Given and family names; a group has a name of its own."""
    people = markup.child(paper, "AuthorList")
    names = []
    for one in markup.children(people, "Author") if people is not None else []:
        given = markup.text_at(one, "ForeName") or markup.text_at(one, "Initials")
        own = f"{given} {markup.text_at(one, 'LastName')}".strip()
        names.append(own or markup.text_at(one, "CollectiveName"))
    return names


def _dois(article: markup.Element, paper: markup.Element) -> list[str]:
    """The article's own DOI, never one of its references."""
    places = [n for n in markup.children(paper, "ELocationID") if n.get("EIdType") == "doi"]
    own = markup.child(article, "PubmedData", "ArticleIdList")
    if own is not None:
        places += [n for n in markup.children(own, "ArticleId") if n.get("IdType") == "doi"]
    names = (doi(markup.text(node)) for node in places)
    return list(dict.fromkeys(f"doi:{name}" for name in names if name))


def _keywords(citation: markup.Element) -> list[str]:
    """The authors' keywords and the headings that the library gave."""
    words = markup.child(citation, "KeywordList")
    headings = markup.child(citation, "MeshHeadingList")
    own = [] if words is None else [markup.text(word) for word in words]
    given = [] if headings is None else [markup.text_at(one, "DescriptorName") for one in headings]
    return [*own, *given]


def _published(paper: markup.Element, now: datetime) -> datetime | None:
    """The electronic date, else that of the issue, which may be a season or a span."""
    for place in (("ArticleDate",), ("Journal", "JournalIssue", "PubDate")):
        node = markup.child(paper, *place)
        if node is not None and (found := _date_in(node, now)):
            return found
    return None


def _date_in(node: markup.Element, now: datetime) -> datetime | None:
    """The date in year, month and day, or in words such as `2026 May-Jun` and `2026 Spring`."""
    words = f"{markup.text_at(node, 'Year')} {markup.text_at(node, 'MedlineDate')}"
    year = _YEAR.search(words)
    if not year:
        return None
    month = markup.text_at(node, "Month") or markup.text_at(node, "Season")
    if not month:
        month = next((w for w in re.findall(r"[A-Za-z]{3,}", words) if month_of(w)), "")
    number = month_of(month) if month else None
    day = markup.text_at(node, "Day") if number else ""
    parts = [int(year[0]), number or 1, int(day) if day.isdecimal() and len(day) < 3 else 1]
    return from_parts(parts, now)


# --- what to ask ----------------------------------------------------------------------------


def requests(source: Source, now: datetime) -> list[Request]:
    """The search for what was added in the last days; `parse` then asks for the articles."""
    if source.url or source.path:
        return [Request(source.url)] if source.url else []
    return [_search(source, {"reldate": str(_DAYS)})]


def backfill(source: Source, since: date, now: datetime) -> list[Request]:
    """The search for what was added since a day, a few days a request."""
    return [
        _search(source, {"mindate": f"{first:%Y/%m/%d}", "maxdate": f"{last:%Y/%m/%d}"})
        for first, last in spans(since, now.date(), _STRETCH)
    ]


def _search(source: Source, span: dict[str, str]) -> Request:
    query = {
        "db": "pubmed",
        "retmode": "json",
        "retmax": str(_MOST),
        "sort": "pub_date",
        "datetype": "edat",
        "tool": "paper-digest",
        "term": source.query,
        **span,
    }
    return Request(f"{API}/esearch.fcgi?{urlencode(query)}", "application/json")


def fault(source: Source) -> str:
    """Why the options do not fit."""
    return "" if source.url or source.path or source.query else "needs a query"
