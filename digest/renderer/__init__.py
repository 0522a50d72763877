"""The mail: a digest in, finished bytes out.

Owns how a digest looks and reads. Pure: no file, no network, no clock; the same inputs give the
same bytes. A fault in a template is a `TemplateError` that names template, line and variable.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from markupsafe import Markup

from digest.markup import note_html, note_text
from digest.model import Digest, Frame, Message, PersonalLinks, SectionName
from digest.renderer import words
from digest.renderer.clean import header_text, line, visible
from digest.renderer.entries import Entries, Entry
from digest.renderer.headers import Letterhead
from digest.renderer.sample import sample_digest, sample_links, sample_time
from digest.renderer.subject import preheader, subject
from digest.renderer.theme import compiled
from digest.renderer.wire import Part, assemble, encode
from digest.text import cut, web_url

__all__ = ["Renderer", "check_templates"]

LARGEST_HTML = 90_000
"""Octets of the HTML part as sent; Gmail clips near 102,000 and hides the footer (B8)."""

_LONGEST_SUBJECT = 150
_LONGEST_NOTE = 4_000


@dataclass(frozen=True, slots=True)
class ItemSlot:
    """An item in its section: its number in the mail and its two forms."""

    number: int
    html: Markup
    text: str


@dataclass(frozen=True, slots=True)
class SectionView:
    """A section as `digest.html` and `digest.txt` see it."""

    name: str
    title: str
    lead: str
    items: tuple[ItemSlot, ...]


_Sections = list[tuple[SectionName, list[Entry]]]
_Values = dict[str, Any]


class Renderer:
    """Renders the mails of one frame; keeps what mails have in common."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self._theme = compiled(frame.templates)
        self._entries = Entries(self._theme)
        self._letterhead = Letterhead(frame)
        note = cut(visible(frame.note).strip(), _LONGEST_NOTE)
        self._note_html = Markup(self._theme.styled(note_html(note)))  # noqa: S704 - nh3 made it
        self._note_text = note_text(note)

    def render(
        self, digest: Digest, message_id: str, date: datetime, links: PersonalLinks
    ) -> Message:
        """The mail of a digest; `message_id` stands without angle brackets.

        Raises: TemplateError, AddressError.
        """
        links = PersonalLinks(web_url(links.manage), web_url(links.unsubscribe))
        sections = self._sections(digest)
        title = self._subject(digest, sections)
        values = self._values(digest, title, links)
        html, part = self._html(values, sections, 0)
        hidden = 0
        if len(part.data) > LARGEST_HTML:
            sections, hidden = self._fitting(values, sections)
            html, part = self._html(values, sections, hidden)
        text = self._theme.render("digest.txt", self._plain(values, sections, hidden))
        text = text.strip("\n") + "\n"
        fields = self._letterhead.fields(digest, title, message_id, date, links.unsubscribe)
        raw = assemble(fields, message_id, encode("plain", text), part)
        return Message(title, text, html, raw)

    def capacity(self, digest: Digest, links: PersonalLinks) -> int:
        """How many of a digest's items, from the first on, one mail can hold."""
        sections = self._sections(digest)
        values = self._values(digest, self._subject(digest, sections), links)
        return sum(len(entries) for _, entries in self._fitting(values, sections)[0])

    def _sections(self, digest: Digest) -> _Sections:
        floor, year = digest.subscriber.profile.min_score, digest.digest_on.year
        return [
            (part.name, [self._entries.entry(m, part.name, floor, year) for m in part.matches])
            for part in digest.sections
            if part.matches
        ]

    def _subject(self, digest: Digest, sections: _Sections) -> str:
        """The subject as the template has it, fit for a header field, never empty."""
        titles = _titles(sections)
        values = {
            "subject": subject(titles, digest.digest_on),
            "titles": titles,
            "day": words.short_day(digest.digest_on),
            "service": line(self._frame.service_name, 80),
        }
        made = header_text(self._theme.render("subject.txt", values), _LONGEST_SUBJECT)
        return made or f"Digest · {values['day']}"

    def _values(self, digest: Digest, title: str, links: PersonalLinks) -> _Values:
        """What `digest.html` and `digest.txt` see, but for the sections."""
        frame = self._frame
        scored = any(match.score > 0 for part in digest.sections for match in part.matches)
        return {
            "subject": title,
            "service": line(frame.service_name, 80),
            "day": words.long_day(digest.digest_on),
            "lead": words.lead(digest),
            "empty": not digest.receipt.matched,
            "links": links,
            "digest": digest,
            "receipt": {
                "counts": words.counts(digest.receipt),
                "trouble": words.troubles(digest),
                "sources": words.sources(digest),
                "scores": words.SCORES if scored else "",
            },
            "footer": words.footer(frame, digest.subscriber.email, links),
        }

    def _html(self, values: _Values, sections: _Sections, hidden: int) -> tuple[str, Part]:
        view = {
            **values,
            "note": self._note_html,
            "preheader": preheader(sections, values["digest"].receipt.considered),
            "sections": _views(sections),
            "more": words.more(hidden),
        }
        html = self._theme.render("digest.html", view)
        return html, encode("html", html)

    def _fitting(self, values: _Values, sections: _Sections) -> tuple[_Sections, int]:
        """The most items, from the first on, that fit, and the number of those that do not."""
        total = sum(len(entries) for _, entries in sections)

        def size(kept: int) -> int:
            return len(self._html(values, _first(sections, kept), total - kept)[1].data)

        kept = max(0, bisect_right(range(total), LARGEST_HTML, key=size) - 1)
        return _first(sections, kept), total - kept

    def _plain(self, values: _Values, sections: _Sections, hidden: int) -> _Values:
        return {
            **values,
            "note": self._note_text,
            "sections": _views(sections),
            "more": words.more(hidden),
        }


def check_templates(frame: Frame) -> None:
    """Render a sample with everything in it. Raises: TemplateError at the first fault."""
    Renderer(frame).render(sample_digest(), "sample@digest.invalid", sample_time(), sample_links())


def _views(sections: _Sections) -> tuple[SectionView, ...]:
    """The sections with their items numbered through the mail."""
    views, number = [], 0
    for name, entries in sections:
        slots = []
        for entry in entries:
            number += 1
            slots.append(ItemSlot(number, entry.html, entry.text))
        if slots:
            lead = words.LEADS.get(name, "")
            views.append(SectionView(name.value, words.TITLES[name], lead, tuple(slots)))
    return tuple(views)


def _titles(sections: _Sections) -> list[str]:
    """The titles shown, best first, each once, without the near misses."""
    shown = (entries for name, entries in sections if name is not SectionName.NEAREST)
    return list(dict.fromkeys(entry.title for entries in shown for entry in entries))


def _first(sections: _Sections, number: int) -> _Sections:
    """The sections with their first items only, as many as `number` in all."""
    kept = []
    for name, entries in sections:
        kept.append((name, entries[: max(0, number)]))
        number -= len(entries)
    return kept
