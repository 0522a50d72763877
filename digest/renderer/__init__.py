"""The mail: a digest in, finished bytes out.

Owns how a digest looks and reads. Pure: no file, no network, no clock; the same inputs give the
same bytes. A fault in a template is a `TemplateError` that names template, line and variable.
"""

from __future__ import annotations

from bisect import bisect_right
from datetime import datetime
from functools import lru_cache

from markupsafe import Markup

from digest.markup import note_html, note_text
from digest.model import Digest, Frame, Message, PersonalLinks, SectionName
from digest.renderer import words
from digest.renderer.bodies import HtmlBody, Sections, TextBody, Values
from digest.renderer.clean import header_text, line, visible
from digest.renderer.entries import Entries, Setting, style_of
from digest.renderer.headers import Letterhead
from digest.renderer.items import HtmlItems, TextItems
from digest.renderer.marks import Mark, around
from digest.renderer.sample import sample_digest, sample_links, sample_time
from digest.renderer.subject import preheader, subject
from digest.renderer.theme import compiled
from digest.renderer.wire import Part, assemble
from digest.text import cut, web_url

__all__ = ["Renderer", "check_templates"]

LARGEST_HTML = 90_000
"""Octets of the HTML part as sent; Gmail clips near 102,000 and hides the footer (B8)."""

_LONGEST_SUBJECT = 150
_LONGEST_NOTE = 4_000


class Renderer:
    """Renders the mails of one frame; keeps what mails have in common."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self._theme = compiled(frame.templates)
        self._entries = Entries(self._theme)
        forms = HtmlItems(self._theme), TextItems(self._theme)
        self._html, self._text = HtmlBody(self._theme, *forms), TextBody(self._theme, *forms)
        self._letterhead = Letterhead(frame)
        self._subjects = lru_cache(maxsize=8)(self._around_subject)
        self._service = line(frame.service_name, 80)
        note = cut(visible(frame.note).strip(), _LONGEST_NOTE)
        self._note_html = Markup(self._theme.styled(note_html(note)))  # noqa: S704 - nh3 made it
        self._note_text = note_text(note)

    def render(
        self, digest: Digest, message_id: str, date: datetime, links: PersonalLinks
    ) -> Message:
        """The mail of a digest; `message_id` stands without angle brackets.

        Raises: TemplateError, AddressError.
        """
        links = _safe(links)
        sections = self._sections(digest, links)
        title = self._subject(digest, sections)
        values = self._values(digest, title, links)
        html = self._html_part(values, sections, 0)
        hidden = 0
        if len(html.data) > LARGEST_HTML:
            sections, hidden = self._fitting(values, sections)
            html = self._html_part(values, sections, hidden)
        text = self._text_part(values, sections, hidden)
        fields = self._letterhead.fields(digest, title, message_id, date, links.unsubscribe)
        return Message(title, assemble(fields, message_id, text, html))

    def capacity(self, digest: Digest, links: PersonalLinks) -> int:
        """How many of a digest's items, from the first on, one mail can hold."""
        links = _safe(links)
        sections = self._sections(digest, links)
        values = self._values(digest, self._subject(digest, sections), links)
        if len(self._html_part(values, sections, 0).data) <= LARGEST_HTML:
            return sum(len(entries) for _, entries in sections)
        return sum(len(entries) for _, entries in self._fitting(values, sections)[0])

    def _sections(self, digest: Digest, links: PersonalLinks) -> Sections:
        profile, year = digest.subscriber.profile, digest.digest_on.year
        floor = profile.min_score
        made = []
        for part in digest.sections:
            setting = Setting(
                part.name, style_of(part.name, profile.abstracts), floor, year, links.tune
            )
            entries = [self._entries.entry(match, setting) for match in part.matches]
            if entries:
                made.append((part.name, entries))
        return made

    def _subject(self, digest: Digest, sections: Sections) -> str:
        """The subject as the template has it, fit for a header field, never empty."""
        titles, day = _titles(sections), words.short_day(digest.digest_on)
        ours = subject(titles, digest.digest_on)
        marked = self._subjects(day)
        if not marked:
            values = {"subject": ours, "titles": titles, "day": day, "service": self._service}
            made = self._theme.render("subject.txt", values)
        else:
            made = ours.join(marked)
        return header_text(made, _LONGEST_SUBJECT) or f"Digest · {day}"

    def _around_subject(self, day: str) -> list[str]:
        """What the template puts around any subject of that day; none where it has to see it."""
        marks = {"subject": Mark("subject", is_text=False), "day": day, "service": self._service}
        marked = self._theme.marked("subject.txt", marks)
        return [] if marked is None else around(marked)

    def _values(self, digest: Digest, title: str, links: PersonalLinks) -> Values:
        """What `digest.html` and `digest.txt` see, but for the sections."""
        frame, receipt = self._frame, digest.receipt
        scored = any(match.score > 0 for part in digest.sections for match in part.matches)
        foot = words.footer(frame, digest.subscriber.email, links)
        return Values(
            own={
                "subject": title,
                "lead": words.lead(digest),
                "links.manage": links.manage,
                "links.unsubscribe": links.unsubscribe,
                "receipt.counts": words.counts(receipt),
                "receipt.trouble": words.troubles(digest),
                "receipt.sources": words.sources(digest),
                "footer.why": foot["why"],
            },
            shared={
                "service": self._service,
                "day": words.long_day(digest.digest_on),
                "empty": not receipt.matched,
                "note_position": frame.note_position,
                "receipt.scores": words.SCORES if scored else "",
                "footer.address": foot["address"],
                "footer.reply": foot["reply"],
            },
            digest=digest,
        )

    def _html_part(self, values: Values, sections: Sections, hidden: int) -> Part:
        entries = [entry for _, listed in sections for entry in listed]
        first = preheader(entries, values.digest.receipt.considered)
        own = {**values.own, "preheader": first, "more": words.more(hidden)}
        shared = {**values.shared, "note": self._note_html}
        return self._html.part(Values(own, shared, values.digest), sections)

    def _text_part(self, values: Values, sections: Sections, hidden: int) -> Part:
        own = {**values.own, "more": words.more(hidden)}
        shared = {**values.shared, "note": self._note_text}
        return self._text.part(Values(own, shared, values.digest), sections)

    def _fitting(self, values: Values, sections: Sections) -> tuple[Sections, int]:
        """The most items, from the first on, that fit, and the number of those that do not."""
        total = sum(len(entries) for _, entries in sections)

        def size(kept: int) -> int:
            return len(self._html_part(values, _first(sections, kept), total - kept).data)

        kept = max(0, bisect_right(range(total), LARGEST_HTML, key=size) - 1)
        return _first(sections, kept), total - kept


def check_templates(frame: Frame) -> None:
    """Render a sample with everything in it. Raises: TemplateError at the first fault."""
    Renderer(frame).render(sample_digest(), "sample@digest.invalid", sample_time(), sample_links())


def _safe(links: PersonalLinks) -> PersonalLinks:
    """The links that may stand in a mail."""
    return PersonalLinks(*map(web_url, (links.manage, links.unsubscribe, links.tune)))


def _titles(sections: Sections) -> list[str]:
    """The titles shown, best first, each once, without the near misses."""
    shown = (entries for name, entries in sections if name is not SectionName.NEAREST)
    return list(dict.fromkeys(entry.title for entries in shown for entry in entries))


def _first(sections: Sections, number: int) -> Sections:
    """The sections with their first items only, as many as `number` in all."""
    kept = []
    for name, entries in sections:
        kept.append((name, entries[: max(0, number)]))
        number -= len(entries)
    return kept
