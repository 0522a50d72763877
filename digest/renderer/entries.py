"""One listing in a mail: what never changes is made once, the reasons once for each match.

Owns the item's view. A `Card` depends on the listing alone and serves every subscriber; an `Entry`
is a card with one person's reasons, score and highlights.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from markupsafe import Markup, escape

from digest import markup
from digest.matcher import find_spans
from digest.model import Listing, Match, SectionName
from digest.renderer import words
from digest.renderer.clean import line, visible
from digest.renderer.excerpt import first_sentences
from digest.renderer.theme import Theme
from digest.renderer.wrapping import WIDTH, wrapped
from digest.tex import readable
from digest.text import web_url

_INDENT = "    "
_COLUMNS = WIDTH - len(_INDENT)
_MOST_TERMS = 24  # highlighted in one item
_MOST_LINKS = 4
_CARDS, _ENTRIES = 4_096, 2_048  # kept; a card takes about 8 kB, an entry about 6 kB
# Letter for letter, so that places stay: plain ASCII is found in several times as fast.
_ASCII = str.maketrans("\u00a0\u2011\u2018\u2019\u201c\u201d\u2013\u2014\u2026", " -''\"\"-, ")


class ItemLink(NamedTuple):
    """A further link: what is shown, where it leads, and its name for a screen reader."""

    label: str
    url: str
    name: str


@dataclass(frozen=True, slots=True)
class Card:
    """All of a listing that is the same for everyone."""

    title: str
    url: str
    meta: str
    changed: str
    links: tuple[ItemLink, ...]
    prose: markup.Prose
    abstract: str


@dataclass(frozen=True, slots=True)
class ItemView:
    """What `item.html` and `item.txt` see; `title` and `abstract` are HTML in the first."""

    title: str
    url: str
    meta: str
    changed: str
    links: tuple[ItemLink, ...]
    abstract: str
    why: str
    score: str
    meter: int
    short: bool


class Entry(NamedTuple):
    """An item as it stands in both parts of a mail; `title` and `terms` are plain text."""

    title: str
    html: Markup
    text: str
    terms: str


class Entries:
    """Makes entries, and keeps the latest."""

    def __init__(self, theme: Theme) -> None:
        self._theme = theme
        self._card = lru_cache(_CARDS)(self._make_card)
        self._marked = lru_cache(_CARDS)(self._mark)
        self._entry = lru_cache(_ENTRIES)(self._make_entry)

    def entry(self, match: Match, section: SectionName, floor: float, year: int) -> Entry:
        """The item of a match in that section. Raises: TemplateError."""
        shown_floor = floor if section is SectionName.NEAREST else 0.0
        return self._entry(match, section, shown_floor, year)

    def _make_entry(self, match: Match, section: SectionName, floor: float, year: int) -> Entry:
        card = self._card(match.listing, year)
        why = words.why(match, section, floor)
        title, abstract = self._marked(match.listing, year, _terms(match))
        short = section is SectionName.SHORT
        view = ItemView(
            title=title,
            url=card.url,
            meta=card.meta,
            changed=card.changed,
            links=() if short else card.links,
            abstract="" if short else abstract,
            why=why,
            score=f"{match.score:.2f}" if match.score > 0 and why else "",
            meter=_meter(match.score),
            short=short,
        )
        html = Markup(self._theme.render("item.html", {"item": view}).strip())  # noqa: S704 - autoescaped
        return Entry(card.title, html, self._text(card, view), words.named(_terms(match)))

    def _text(self, card: Card, view: ItemView) -> str:
        """The item in the text part, wrapped, each line but the first indented."""
        plain = ItemView(
            title=wrapped(card.title, width=_COLUMNS),
            url=card.url,
            meta=wrapped(card.meta, width=_COLUMNS),
            changed=wrapped(card.changed, width=_COLUMNS),
            links=view.links,
            abstract="" if view.short else card.abstract,
            why=wrapped(_scored(view.why, view.score), width=_COLUMNS),
            score=view.score,
            meter=view.meter,
            short=view.short,
        )
        made = self._theme.render("item.txt", {"item": plain}).strip("\n").split("\n")
        return "\n".join(_INDENT + one if one and place else one for place, one in enumerate(made))

    def _make_card(self, listing: Listing, year: int) -> Card:
        title = readable(line(listing.title, 400)) or "Without a title"
        excerpt = first_sentences(readable(visible(listing.abstract).strip()))
        return Card(
            title=line(title, 300),
            url=web_url(listing.url),
            meta=words.meta(listing, year),
            changed=line(listing.note, 200),
            links=_links(listing, line(title, 100)),
            prose=markup.split(self._theme.styled(markup.abstract_html(excerpt))),
            abstract=wrapped(excerpt, width=_COLUMNS),
        )

    def _mark(self, listing: Listing, year: int, terms: tuple[str, ...]) -> tuple[Markup, Markup]:
        """Title and abstract as HTML, with the terms highlighted."""
        card = self._card(listing, year)
        title = markup.Prose(((False, card.title),), card.title)
        hits = self._theme.title_hit, self._theme.prose_hit
        return _highlighted(title, terms, hits[0]), _highlighted(card.prose, terms, hits[1])


def _highlighted(prose: markup.Prose, terms: Sequence[str], hit: str) -> Markup:
    """The prose as HTML, the terms between `hit` and `</b>`."""
    spans = find_spans(terms, prose.text.translate(_ASCII)) if terms and prose.text else []
    made: list[str] = []
    at = 0
    for is_tag, piece in prose.pieces:
        if is_tag:
            made.append(piece)
            continue
        made += _marked_piece(piece, at, spans, hit)
        at += len(piece)
    return Markup("".join(made))  # noqa: S704 - tags are nh3's and ours, all else is escaped


def _marked_piece(piece: str, at: int, spans: Sequence[tuple[int, int]], hit: str) -> list[str]:
    """A piece of text that begins at `at`, escaped, its share of the spans between tags."""
    made, place = [], 0
    for start, end in spans:
        first, last = max(start - at, place), min(end - at, len(piece))
        if first >= last:
            continue
        made += [escape(piece[place:first]), hit, escape(piece[first:last]), "</b>"]
        place = last
    return [*made, escape(piece[place:])]


def _terms(match: Match) -> tuple[str, ...]:
    """The terms to highlight: what counted for the listing, as the subscriber wrote it."""
    counted = (r.part or r.term for r in match.reasons if not r.related and r.points >= 0)
    return tuple(dict.fromkeys(counted))[:_MOST_TERMS]


def _links(listing: Listing, title: str) -> tuple[ItemLink, ...]:
    """The further links that are safe, each with a name of its own."""
    found: dict[str, ItemLink] = {}
    for link in listing.links:
        url = web_url(link.url)
        if url and url != web_url(listing.url):
            label = words.link_label(link.kind)
            found.setdefault(label, ItemLink(label, url, f"{label}: {title}"))
    return tuple(found.values())[:_MOST_LINKS]


def _scored(why: str, score: str) -> str:
    return f"{score}: {why[:1].lower()}{why[1:]}" if score and why else why


def _meter(score: float) -> int:
    """The filled part of the 48 px bar; a score above nothing fills at least 2 px."""
    return min(46, max(2, round(48 * score)))
