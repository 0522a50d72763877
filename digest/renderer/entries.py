"""One listing in a mail: what never changes is made once, a match adds what is one person's own.

Owns the item's view. A `Card` depends on the listing and how much of it is shown and serves every
subscriber; an `Entry` is a card with one person's reasons, score and highlights.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import lru_cache
from typing import NamedTuple

from digest import markup
from digest.model import Abstracts, Listing, Match, SectionName
from digest.renderer import words
from digest.renderer.clean import line, visible
from digest.renderer.excerpt import first_sentences, whole
from digest.renderer.highlights import Highlighted
from digest.renderer.marks import Mark, Stencil
from digest.renderer.theme import Theme
from digest.renderer.wire import count_foreign
from digest.renderer.wrapping import WIDTH, wrapped
from digest.tex import readable
from digest.text import web_url

COLUMNS = WIDTH - 4  # an item is indented
_MOST_TERMS = 24  # highlighted in one item
_MOST_LINKS = 4
_NAMED = 40  # letters of a title in the names of its links
_CARDS = 1_024  # kept; a card takes 8 kB, and 60 kB when very many terms stand in it
_TUNING = (
    ("more", "More like this"),
    ("less", "Less like this"),
    ("mute", "Mute a term"),
    ("follow", "Follow an author"),
)

Shown = str | Mark
"""A personal value in a template's view: the value, or the mark that stands for it."""


class Style(Enum):
    """How much of a listing is shown: its title, its first sentences, or its whole abstract."""

    TITLE = 0
    SHORT = 1
    FULL = 2


class ItemLink(NamedTuple):
    """A further link: what is shown, where it leads, and its name for a screen reader."""

    label: str
    url: Shown
    name: str


@dataclass(frozen=True, slots=True, eq=False)
class Card:
    """All of a listing that is the same for everyone.

    `foreign` octets of what is shown are none of ASCII; `stencils` by template and what is there.
    """

    id: int
    style: Style
    title: str
    url: str
    meta: str
    changed: str
    links: tuple[ItemLink, ...]
    abstract: str
    title_html: Highlighted
    abstract_html: Highlighted
    foreign: int
    has_authors: bool
    stencils: dict[tuple[str, bool, bool, bool], Stencil | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ItemView:
    """What `item.html` and `item.txt` see; `title` and `abstract` are HTML in the first."""

    title: Shown
    url: str
    meta: str
    changed: str
    links: tuple[ItemLink, ...]
    abstract: Shown
    why: Shown
    score: Shown
    meter: int | Mark
    short: bool
    tune: tuple[ItemLink, ...]
    tune_url: Shown


@dataclass(slots=True, eq=False)
class Entry:
    """An item of one person's mail; `why` in parts, `tune` begins its tuning links, or is empty.

    `made` keeps its finished forms by template.
    """

    card: Card
    terms: tuple[str, ...]
    why: Sequence[str]
    score: str
    meter: int
    tune: str
    made: dict[str, bytes] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """The title as plain text."""
        return self.card.title


@dataclass(frozen=True, slots=True)
class Setting:
    """Where items stand, and what they owe to their reader; `tune` begins the tuning links."""

    section: SectionName
    style: Style
    floor: float
    year: int
    tune: str


class Entries:
    """Makes entries, and keeps the latest cards."""

    def __init__(self, theme: Theme) -> None:
        self._theme = theme
        self._card = lru_cache(_CARDS)(self._make_card)

    def entry(self, match: Match, at: Setting) -> Entry:
        """The item of a match in that setting."""
        card = self._card(match.listing, match.listing.id, at.style, at.year)
        why = words.why_parts(match, at.section, at.floor)
        return Entry(
            card=card,
            terms=_terms(match),
            why=why,
            score=f"{match.score:.2f}" if match.score > 0 and why else "",
            meter=_meter(match.score),
            tune=at.tune if card.id > 0 and at.style is not Style.TITLE else "",
        )

    def _make_card(self, listing: Listing, listing_id: int, style: Style, year: int) -> Card:
        title = line(readable(line(listing.title, 400)) or "Without a title", 300)
        excerpt = _excerpt(listing, style)
        made = self._theme.styled(markup.abstract_html(excerpt)) if excerpt else ""
        prose = markup.split(made)
        return Card(
            id=listing_id,
            style=style,
            title=title,
            url=web_url(listing.url),
            meta=words.meta(listing, year),
            changed=line(listing.note, 200),
            links=() if style is Style.TITLE else _links(listing, line(title, _NAMED)),
            abstract=wrapped(excerpt, width=COLUMNS),
            title_html=Highlighted(markup.Prose(((False, title),), title), self._theme.title_hit),
            abstract_html=Highlighted(prose, self._theme.prose_hit),
            has_authors=bool(listing.authors),
            foreign=count_foreign(title + excerpt),
        )


def style_of(section: SectionName, abstracts: Abstracts) -> Style:
    """How much a section shows of its listings to someone who asked for abstracts of that kind."""
    if section in {SectionName.WAITING, SectionName.SHORT}:
        return Style.TITLE
    return Style.FULL if abstracts is Abstracts.FULL else Style.SHORT


def tuning(card: Card, tune: Shown) -> tuple[ItemLink, ...]:
    """The links by which a reader says more, less, never or always; `tune` begins each."""
    title = line(card.title, _NAMED)
    return tuple(
        ItemLink(label, below(tune, f"/{verb}/{card.id}"), f"{label}: {title}")
        for verb, label in _TUNING
        if verb != "follow" or card.has_authors
    )


def below(tune: Shown, path: str) -> Shown:
    """The address of a page below the one where the tuning links begin."""
    return tune.before(path) if isinstance(tune, Mark) else tune + path


def _excerpt(listing: Listing, style: Style) -> str:
    """As much of the abstract as is shown."""
    if style is Style.TITLE:
        return ""
    text = readable(visible(listing.abstract).strip())
    return whole(text) if style is Style.FULL else first_sentences(text)


def _terms(match: Match) -> tuple[str, ...]:
    """The terms to highlight: what counted for the listing, as the subscriber wrote it."""
    counted = [r.part or r.term for r in match.reasons if r.points >= 0 and not r.related]
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


def _meter(score: float) -> int:
    """The filled part of the 48 px bar; a score above nothing fills at least 2 px."""
    return min(46, max(2, round(48 * score)))
