"""One listing on a page: what every visitor sees of it.

The mail's own words and cuts. All text is plain text, escaped by the templates; links are checked.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache

from markupsafe import Markup

from digest import markup
from digest.model import Listing
from digest.renderer import words
from digest.renderer.clean import line, visible
from digest.renderer.excerpt import first_sentences, whole
from digest.tex import readable
from digest.text import web_url
from digest.web.site import Visit

_SIGNS = re.compile(r"[*_`\n]|^\s*(?:[-+]|\d{1,2}\.)\s")
_LARGEST = 12_000  # characters of a card's HTML; that of a usual abstract has 2,000
_MOST_LINKS = 4
_MOST_AUTHORS = 40
_MOST_SUBJECTS = 6


@dataclass(frozen=True, slots=True)
class Card:
    """What a page shows of a listing; `rest` is what follows the first sentences.

    `links` are (label, url, name for a screen reader).
    """

    id: int
    title: str
    url: str
    meta: str
    note: str
    authors: str
    subjects: str
    excerpt: Markup
    rest: Markup
    links: tuple[tuple[str, str, str], ...]


def card(listing: Listing, year: int) -> Card:
    """The card of a listing on a page of that year."""
    return _card(listing, listing.id, year)


def shown(visit: Visit, cards: Iterable[Card]) -> list[Markup]:
    """The cards as finished HTML, none larger than half a page."""
    template = visit.site.pages.get_template("_card.html")
    texts = []
    for one in cards:
        text = template.render(card=one)
        if len(text) > _LARGEST:  # made to fill the page
            text = template.render(card=replace(one, rest=Markup(), authors="", links=(), note=""))
        texts.append(Markup(text))  # noqa: S704 - escaped in the template
    return texts


@lru_cache(maxsize=2_048)  # 8 kB each
def _card(listing: Listing, row: int, year: int) -> Card:
    title = line(readable(line(listing.title, 400)) or "Without a title", 300)
    text = readable(visible(listing.abstract).strip())
    excerpt = first_sentences(text)
    return Card(
        id=row,
        title=title,
        url=web_url(listing.url),
        meta=words.meta(listing, year),
        note=line(listing.note, 200),
        authors=_authors(listing),
        subjects=", ".join(line(one, 40) for one in listing.subjects[:_MOST_SUBJECTS]),
        excerpt=_prose(excerpt),
        rest=_prose(_rest(text, excerpt)),
        links=_links(listing, line(title, 100)),
    )


def _prose(text: str) -> Markup:
    """The text with its paragraphs, emphasis and lists; nothing else in it is markup (X1)."""
    if not _SIGNS.search(text):  # as most: Markdown would take 2 ms to say the same
        return Markup("<p>{}</p>").format(text) if text else Markup()
    return Markup(markup.abstract_html(text))  # noqa: S704 - made safe there


def _rest(text: str, excerpt: str) -> str:
    """What the excerpt leaves out."""
    shown = excerpt.rstrip("…\u00a0 ")
    return whole(text[len(shown) :].lstrip()) if len(excerpt) < len(text) else ""


def _authors(listing: Listing) -> str:
    """Everybody, as the source names them."""
    names = [line(name, 60) for name in listing.authors if line(name)]
    more = len(names) - _MOST_AUTHORS
    shown = ", ".join(names[:_MOST_AUTHORS])
    return f"{shown} and {more:,} more" if more > 0 else shown


def _links(listing: Listing, title: str) -> tuple[tuple[str, str, str], ...]:
    """The further links that are safe (X3), each with a name of its own."""
    found: dict[str, tuple[str, str, str]] = {}
    for link in listing.links:
        url = web_url(link.url)
        if url and url != web_url(listing.url):
            label = words.link_label(link.kind)
            found.setdefault(label, (label, url, f"{label}: {title}"))
    return tuple(found.values())[:_MOST_LINKS]
