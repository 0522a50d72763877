"""The items of a mail as encoded pieces of its two parts.

Owns how an entry becomes bytes: by the stencil of its listing where the template only prints what
is personal, else by rendering the template for this one entry.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import lru_cache
from typing import NamedTuple

from markupsafe import escape

from digest.renderer.entries import (
    COLUMNS,
    Card,
    Entry,
    ItemLink,
    ItemView,
    Shown,
    Style,
    below,
    tuning,
)
from digest.renderer.marks import Mark, Slot, Stencil
from digest.renderer.theme import Theme
from digest.renderer.wire import quoted
from digest.renderer.wrapping import WIDTH, filled, is_narrow, wrapped

_INDENT = "    "
_SHORT_TEXTS = 2_048  # scores, meters and addresses that come again: about 0.4 MB


class _Own(NamedTuple):
    """What is one person's own in the view of an item: the values, or marks for them."""

    title: Shown
    abstract: Shown
    why: Shown
    score: Shown
    meter: int | Mark
    tune: tuple[ItemLink, ...]
    tune_url: Shown


class Items(ABC):
    """Writes items in one form."""

    template: str

    def __init__(self, theme: Theme) -> None:
        self._theme = theme
        self._often = lru_cache(_SHORT_TEXTS)(self._encode)

    def octets(self, entry: Entry) -> bytes:
        """The item as a piece of its part. Raises: TemplateError."""
        made = entry.made.get(self.template)
        if made is None:
            stencil = self._stencil(entry)
            made = quoted(self.whole(entry)) if stencil is None else self._fill(stencil, entry)
            entry.made[self.template] = made
        return made

    def whole(self, entry: Entry) -> str:
        """The item by its template as it stands. Raises: TemplateError."""
        return self._finish(self._theme.render(self.template, {"item": self._view(entry)}))

    def _stencil(self, entry: Entry) -> Stencil | None:
        """The listing's stencil for entries that have what this one has."""
        key = (self.template, bool(entry.why), bool(entry.score), bool(entry.tune))
        known = entry.card.stencils
        if key not in known:
            view = self._view(entry, marked=True)
            marked = self._theme.marked(self.template, {"item": view})
            known[key] = None if marked is None else Stencil.cut(self._finish(marked), quoted)
        return known[key]

    def _view(self, entry: Entry, *, marked: bool = False) -> ItemView:
        card = entry.card
        own = self._marks(entry) if marked else self._values(entry)
        return ItemView(
            url=card.url,
            meta=self._lines(card.meta),
            changed=self._lines(card.changed),
            links=card.links,
            short=card.style is Style.TITLE,
            **own._asdict(),
        )

    def _wrapped(self, slot: Slot, entry: Entry) -> bytes:
        """A value as a template wraps it; no other is left out by `_fill`."""
        first, rest, width = slot.wrap or ("", None, WIDTH)
        return self._encode(
            wrapped(str(getattr(self._values(entry), slot.name)), first, rest, width)
        )

    @abstractmethod
    def _fill(self, stencil: Stencil, entry: Entry) -> bytes:
        """The stencil with what is this entry's own."""

    @abstractmethod
    def _values(self, entry: Entry) -> _Own: ...

    @abstractmethod
    def _marks(self, entry: Entry) -> _Own: ...

    @abstractmethod
    def _lines(self, text: str) -> str:
        """A line of the listing's own as the template gets it."""

    @abstractmethod
    def _finish(self, rendered: str) -> str:
        """The rendered item as it stands in the frame."""

    @abstractmethod
    def _encode(self, value: str) -> bytes:
        """A personal value as a piece."""


class HtmlItems(Items):
    """Writes items in HTML."""

    template = "item.html"

    def _fill(self, stencil: Stencil, entry: Entry) -> bytes:
        card = entry.card
        made = {
            "title": card.title_html.marked(entry.terms),
            "abstract": card.abstract_html.marked(entry.terms) if card.abstract else b"",
        }
        if entry.why:
            made["why"] = b"".join(map(self._often, entry.why))
            made["score"] = self._often(entry.score)
            made["meter"] = self._often(str(entry.meter))
        if entry.tune:
            made["tune"] = self._often(entry.tune)
        return stencil.fill(made, lambda slot: self._wrapped(slot, entry))

    def _values(self, entry: Entry) -> _Own:
        card, terms = entry.card, entry.terms
        title, abstract = card.title_html.html(terms), card.abstract_html.html(terms)
        return _values(entry, title, abstract, "".join(entry.why))

    def _marks(self, entry: Entry) -> _Own:
        abstract = Mark("abstract", is_text=False) if entry.card.abstract else ""
        return _marks(entry, Mark("title", is_text=False), abstract)

    def _lines(self, text: str) -> str:
        return text

    def _finish(self, rendered: str) -> str:
        return rendered.strip()

    def _encode(self, value: str) -> bytes:
        return quoted(escape(value))


class TextItems(Items):
    """Writes items as plain text, each line but the first indented."""

    template = "item.txt"

    def _fill(self, stencil: Stencil, entry: Entry) -> bytes:
        if not stencil.slots:
            return stencil.pieces[0]
        narrow = all(map(is_narrow, entry.why))
        made = {
            "why": quoted(filled(_scored(entry), _INDENT, narrow=narrow)),
            "score": self._often(entry.score),
            "meter": self._often(str(entry.meter)),
            "tune": self._often(entry.tune),
        }
        return stencil.fill(made, lambda slot: self._wrapped(slot, entry))

    def _values(self, entry: Entry) -> _Own:
        card = entry.card
        return _values(entry, self._lines(card.title), card.abstract, self._lines(_scored(entry)))

    def _marks(self, entry: Entry) -> _Own:
        return _marks(entry, self._lines(entry.card.title), entry.card.abstract)

    def _lines(self, text: str) -> str:
        return wrapped(text, width=COLUMNS)

    def _finish(self, rendered: str) -> str:
        return _indented(rendered.strip("\n"))

    def _encode(self, value: str) -> bytes:
        return quoted(_indented(value))


def _values(entry: Entry, title: str, abstract: str, why: str) -> _Own:
    links, url = _tuning(entry.card, entry.tune)
    return _Own(title, abstract, why, entry.score, entry.meter, links, url)


def _marks(entry: Entry, title: Shown, abstract: Shown) -> _Own:
    return _Own(
        title,
        abstract,
        Mark("why") if entry.why else "",
        Mark("score") if entry.score else "",
        Mark("meter", is_text=False),
        *_tuning(entry.card, Mark("tune", is_text=False) if entry.tune else ""),
    )


def _tuning(card: Card, tune: Shown) -> tuple[tuple[ItemLink, ...], Shown]:
    """The tuning links and the page with all of them; nothing where `tune` is empty."""
    return (tuning(card, tune), below(tune, f"/{card.id}")) if tune else ((), "")


def _scored(entry: Entry) -> str:
    """The reasons behind their score."""
    why = "".join(entry.why)
    return f"{entry.score}: {why[:1].lower()}{why[1:]}" if entry.score and why else why


def _indented(text: str) -> str:
    """The text, each line but the first and the empty ones indented."""
    first, *lines = text.split("\n")
    return "\n".join([first, *(_INDENT + line if line else line for line in lines)])
