"""The two parts of a mail: the frame around its items.

Owns what `digest.html` and `digest.txt` see. A frame is rendered once for each pattern (the day,
the sections and how many items each has, what there is to say) and filled for each mail; one whose
template looks at a personal value is rendered anew each time.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from markupsafe import Markup, escape

from digest.model import Digest, SectionName
from digest.renderer import words
from digest.renderer.entries import Entry, Shown
from digest.renderer.items import HtmlItems, Items, TextItems
from digest.renderer.marks import Mark, Slot, Stencil
from digest.renderer.theme import Theme
from digest.renderer.wire import Part, encode, join, quoted
from digest.renderer.wrapping import wrapped

_PATTERNS = 512  # kept; one takes 15 kB, or a few more where there are many sources
_LINES = 2_048  # of receipts and foots, which come again: about 1 MB

Sections = list[tuple[SectionName, list[Entry]]]
Shape = tuple[tuple[SectionName, int], ...]
"""The sections and how many items each has."""


@dataclass(frozen=True, slots=True)
class ItemSlot:
    """An item in its section: its number in the mail and its two forms."""

    number: int
    html: Shown
    text: Shown


@dataclass(frozen=True, slots=True)
class SectionView:
    """A section as `digest.html` and `digest.txt` see it."""

    name: str
    title: str
    lead: str
    items: tuple[ItemSlot, ...]


@dataclass(frozen=True, slots=True)
class Values:
    """What a frame shows beside its items.

    `own` is one person's, text or lines of text by the dotted name that a template uses; `shared`
    is the same for all mails of a pattern.
    """

    own: dict[str, str | list[str]]
    shared: dict[str, Any]
    digest: Digest


class Body(ABC):
    """Writes one part of mails."""

    template: str
    kind: str

    def __init__(self, theme: Theme, html: HtmlItems, text: TextItems) -> None:
        self._theme = theme
        self._html, self._text = html, text
        self._stencil = lru_cache(_PATTERNS)(self._cut)
        self._often = lru_cache(_LINES)(self._encode)

    def part(self, values: Values, sections: Sections) -> Part:
        """The part with these items. Raises: TemplateError."""
        there = tuple(
            (name, len(value) if isinstance(value, list) else bool(value))
            for name, value in values.own.items()
        )
        stencil = self._stencil(tuple(values.shared.items()), there, _shape(sections))
        if stencil is None:
            return encode(self.kind, self._whole(values, sections))
        items = self._items()
        made = {f"item.{n}": items.octets(one) for n, one in enumerate(_entries(sections), 1)}
        lines = dict(_lines(values.own))
        pieces = stencil.fill(made, lambda slot: self._filled(slot, lines))
        return join(self.kind, pieces, sum(one.card.foreign for one in _entries(sections)))

    def _whole(self, values: Values, sections: Sections) -> str:
        """The part by its template as it stands."""
        slots = [
            ItemSlot(n, Markup(self._html.whole(one)), self._text.whole(one))  # noqa: S704 - autoescaped
            for n, one in enumerate(_entries(sections), 1)
        ]
        view = _view(values.own, dict(values.shared), _shape(sections), slots)
        return self._finish(self._theme.render(self.template, {**view, "digest": values.digest}))

    def _cut(
        self, shared: tuple[tuple[str, Any], ...], there: tuple[tuple[str, int], ...], shape: Shape
    ) -> Stencil | None:
        """The stencil of a pattern; `there` says if each value is, or how many lines it has."""
        own = {name: _marked(name, present) for name, present in there}
        slots = [self._slot(n) for n in range(1, sum(items for _, items in shape) + 1)]
        marked = self._theme.marked(self.template, _view(own, dict(shared), shape, slots))
        return None if marked is None else Stencil.cut(self._finish(marked), quoted)

    def _filled(self, slot: Slot, lines: Mapping[str, str]) -> bytes:
        text = lines[slot.name]
        return self._often(wrapped(text, *slot.wrap) if slot.wrap else text)

    @abstractmethod
    def _items(self) -> Items:
        """What writes the items of this part."""

    @abstractmethod
    def _slot(self, number: int) -> ItemSlot:
        """An item with a mark for its form in this part; the other form cannot be printed."""

    @abstractmethod
    def _finish(self, rendered: str) -> str:
        """The rendered part as it is sent."""

    @abstractmethod
    def _encode(self, value: str) -> bytes:
        """A personal value as a piece."""


class HtmlBody(Body):
    """Writes the HTML part."""

    template, kind = "digest.html", "html"

    def _items(self) -> Items:
        return self._html

    def _slot(self, number: int) -> ItemSlot:
        return ItemSlot(number, Mark(f"item.{number}", is_text=False), Mark(""))

    def _finish(self, rendered: str) -> str:
        return rendered

    def _encode(self, value: str) -> bytes:
        return quoted(escape(value))


class TextBody(Body):
    """Writes the text part."""

    template, kind = "digest.txt", "plain"

    def _items(self) -> Items:
        return self._text

    def _slot(self, number: int) -> ItemSlot:
        return ItemSlot(number, Mark(""), Mark(f"item.{number}", is_text=False))

    def _finish(self, rendered: str) -> str:
        return rendered.strip("\n") + "\n"

    def _encode(self, value: str) -> bytes:
        return quoted(value)


def _marked(name: str, present: int) -> Any:
    """Marks in the place of a value: one, or as many as it has lines."""
    if isinstance(present, bool):
        return Mark(name) if present else ""
    return [Mark(f"{name}.{place}") for place in range(present)]


def _lines(own: Mapping[str, str | list[str]]) -> Iterator[tuple[str, str]]:
    """Each text by the name of its mark."""
    for name, value in own.items():
        if isinstance(value, str):
            yield name, value
        else:
            yield from ((f"{name}.{place}", text) for place, text in enumerate(value))


def _view(
    own: Mapping[str, Any], shared: Mapping[str, Any], shape: Shape, slots: Sequence[ItemSlot]
) -> dict[str, Any]:
    """What a frame's template sees: `receipt.counts` is `counts` in `receipt`."""
    view: dict[str, Any] = {"sections": _section_views(shape, slots)}
    for name, value in (*shared.items(), *own.items()):
        *groups, last = name.split(".")
        group = view
        for one in groups:
            group = group.setdefault(one, {})
        group[last] = value
    return view


def _section_views(shape: Shape, slots: Sequence[ItemSlot]) -> tuple[SectionView, ...]:
    """The sections that have items."""
    views, begin = [], 0
    for name, number in shape:
        items = tuple(slots[begin : begin + number])
        begin += number
        if items:
            lead = words.LEADS.get(name, "")
            views.append(SectionView(name.value, words.TITLES[name], lead, items))
    return tuple(views)


def _shape(sections: Sections) -> Shape:
    return tuple((name, len(entries)) for name, entries in sections)


def _entries(sections: Sections) -> Iterator[Entry]:
    return (entry for _, entries in sections for entry in entries)
