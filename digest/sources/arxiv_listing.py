"""arXiv's pages `/list/…/new`, fetched or saved as HTML.

Each section states how many entries it has; a page that holds fewer is cut off.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime

from digest.model import Announce, Listing, Source
from digest.sources import markup
from digest.sources.arxiv_names import fault_in_categories
from digest.sources.arxiv_notes import note_of
from digest.sources.batch import Batch, Request, UnreadableError
from digest.sources.dates import MONTHS, midnight
from digest.sources.ids import arxiv_id, dois
from digest.sources.names import split_names
from digest.sources.shape import MAX_ITEMS, link, shape

_SECTION = re.compile(
    r"^(New submissions|Cross[- ](?:submissions|lists)|Replacement(?: submission)?s)"
    r".*?(?:showing (?:first )?(\d+) of (\d+)|$)",
    re.IGNORECASE,
)
_DAY = re.compile(r"(\d{1,2}) ([A-Z][a-z]{2})[a-z]* (\d{4})")
_CODE = re.compile(r"\(([a-z-]+(?:\.[A-Za-z-]+)?)\)")


@dataclass(slots=True)
class _Section:
    """A run of entries: how they are announced, how many the page says it shows and has."""

    announce: Announce
    shown: int | None
    total: int | None
    entries: list[tuple[markup.Element, markup.Element]] = field(default_factory=list)


def parse(body: bytes, source: Source, now: datetime) -> Batch:
    """The papers of the page; its own counts hold. Raises: UnreadableError."""
    root = markup.parse_page(body)
    holder = root.xpath("//*[@id='dlpage']") if root is not None else []
    if not holder:
        raise UnreadableError("not an arXiv listing page: no element with id='dlpage' stands in it")
    sections = list(_sections(holder[0]))
    for section in sections:
        _check(section)
    day = _day(holder[0])
    listings = [
        _listing(section.announce, dt, dd, day, source)
        for section in sections
        for dt, dd in section.entries[:MAX_ITEMS]
    ]
    totals = [section.total for section in sections if section.total is not None]
    hidden = sum(totals) - sum(len(section.entries) for section in sections) if totals else 0
    notes = (f"the page shows all but {hidden} of its entries",) if hidden > 0 else ()
    return Batch(
        tuple(listings), announced=sum(totals) if totals else None, batch_on=day, notes=notes
    )


def _sections(page: markup.Element) -> Iterator[_Section]:
    """The sections in the page's order, with their entries."""
    section = None
    term = None
    for node in page.iter("h3", "dt", "dd"):
        if node.tag == "h3" and (head := _SECTION.match(_line(node))):
            if section:
                yield section
            shown, total = (int(n) if n else None for n in head.groups()[1:])
            section = _Section(_announce(head[1]), shown, total)
        elif node.tag == "dt":
            term = node
        elif node.tag == "dd" and term is not None:
            section = section or _Section(Announce.NEW, None, None)
            section.entries.append((term, node))
            term = None
    if section:
        yield section


def _announce(title: str) -> Announce:
    """How a section announces its entries."""
    kind = title[:5].lower()
    return {"cross": Announce.CROSS, "repla": Announce.REPLACE}.get(kind, Announce.NEW)


def _check(section: _Section) -> None:
    """Pass a section that holds what it states. Raises: UnreadableError."""
    if section.shown is not None and section.shown != len(section.entries):
        raise UnreadableError(
            f"the listing page is cut off: its section of {section.announce} papers states"
            f" {section.shown} entries and holds {len(section.entries)}"
        )


def _day(page: markup.Element) -> date | None:
    """The day that the page announces: `Showing new listings for Friday, 12 June 2026`."""
    for head in page.iter("h3"):
        found = _DAY.search(_line(head))
        if found and found[2].lower() in MONTHS:
            try:
                return date(int(found[3]), MONTHS[found[2].lower()], int(found[1]))
            except ValueError:
                return None
    return None


def _listing(
    announce: Announce, dt: markup.Element, dd: markup.Element, day: date | None, source: Source
) -> Listing:
    name = next((i for a in dt.iter("a") if (i := arxiv_id(a.get("href", "").lstrip("/")))), "")
    name = name or arxiv_id(_line(dt).partition("arXiv:")[2].split(" ")[0])
    if not name:
        raise UnreadableError(f"an entry without an arXiv id: {_line(dt)[:80]!r}")
    crossed = announce is Announce.REPLACE and "cross-list" in _line(dt)
    journal, outside = _part(dd, "list-journal-ref"), dois(_part(dd, "list-doi"))
    where = f"published in {journal[:200]}" if journal else ""
    return shape(
        source,
        title=_part(dd, "list-title"),
        abstract=next((markup.text(node) for node in dd.iter("p")), ""),
        authors=_authors(dd),
        ids=[f"arxiv:{name}", *(f"doi:{one}" for one in outside)],
        url=f"https://arxiv.org/abs/{name}",
        subjects=_CODE.findall(_part(dd, "list-subjects")),
        published_at=midnight(day) if announce is Announce.NEW else None,
        listed_on=day,
        announce=Announce.REPLACE_CROSS if crossed else announce,
        links=link("pdf", f"https://arxiv.org/pdf/{name}"),
        note=note_of(1, _part(dd, "list-comments"), where),
    )


def _line(node: markup.Element) -> str:
    return " ".join(markup.text(node).split())


def _part(dd: markup.Element, name: str) -> str:
    """The text of a part of an entry without its label."""
    for node in dd.iter("div"):
        if name in node.get("class", "").split():
            labels = [_line(s) for s in node.iter("span") if s.get("class") == "descriptor"]
            return _line(node).removeprefix("".join(labels[:1])).strip()
    return ""


def _authors(dd: markup.Element) -> list[str]:
    """The linked names, or those of the line where nothing is linked."""
    for node in dd.iter("div"):
        if "list-authors" in node.get("class", "").split():
            names = [_line(a) for a in node.iter("a")]
            return names or split_names(_part(dd, "list-authors"))
    return []


def requests(source: Source, now: datetime) -> list[Request]:
    """The page of each category, whole."""
    if source.url or source.path:
        return [Request(source.url, "text/html")] if source.url else []
    pages = (f"https://arxiv.org/list/{name}/new?skip=0&show=2000" for name in source.categories)
    return [Request(url, "text/html") for url in pages]


def fault(source: Source) -> str:
    """Why the options do not fit."""
    if source.url or source.path:
        return ""
    return fault_in_categories(source.categories) if source.categories else "needs categories"
