"""How large a digest's mail will be, before it is made.

Pure. Counts what the packaged templates make of each item, rather too much than too little: what
is estimated to fit does fit, and the last titles of a very full mail may wait for a day in vain.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from digest.matcher import KEPT
from digest.model import Abstracts, Digest, Listing, SectionName
from digest.reason import FIELD, FIELDS, RECORD, RELATED, packed

FRAME, SECTION, FULL, TITLE, LINKED = 6_900, 600, 1_720, 700, 120
"""Bytes of the HTML, encoded, without items and note; of a section's head; of an item in full
beside its texts; of one that is but a title, and of one that leads somewhere."""

LINK, REASON, HIT, REASON_SHORT, HIT_SHORT = 225, 110, 50, 200, 65
"""What a link (beside its address), a reason (beside its term) and a matched word add to an item in
full, and to a title."""

TUNINGS, TUNING, NAMED = 4, 220, 40
"""Links of an item in full by which it is judged, and what each adds beside its address; letters of
the title in the name of each link."""

FEW_HITS, DENSE_HIT = 12, 75
"""Most matched words stand outside of what is shown, unless there are very many."""

SOURCE, MOST_SOURCES = 330, 16
"""What a source adds to the receipt, and how many add something."""

LETTER, ABSTRACT = 5, 480
"""What a byte beyond ASCII, or a sign that HTML escapes, adds; letters of an abstract that are
shown where not all are."""

_SIGNS = "&<>\"'="
IN_TITLE = np.array([field.startswith("title") for field in FIELDS])
"""Which fields of a reason are in a title, by their numbers."""

MOST_KNOWN = 20_000
"""Listings of which it is remembered what they take."""

_MOST_LINKS = 4


class Measure:
    """Says how many items fit into mails of so many bytes with this note.

    `tune` begins the links by which a listing is judged; it is empty where there are none. What a
    listing takes whoever gets it is counted once: a day's listings stand in mail after mail.
    """

    def __init__(self, note: str, tune: str, most: int) -> None:
        self._room = most - FRAME - text_bytes(note)
        self._tune = tune
        self._known: dict[tuple[int, int], tuple[Listing, int, int]] = {}

    def items_that_fit(self, digests: Sequence[Digest]) -> list[int]:
        """How many items of each digest, from the first on, fit."""
        items = _Items([], [], [])
        sizes, rooms = [], []
        for digest in digests:
            sizes.append(self._take_in(digest, items))
            room = self._room - text_bytes(digest.empty_reason + digest.hint)
            rooms.append(room - SOURCE * min(len(digest.receipt.sources), MOST_SOURCES))
        takes = np.array(items.takes, dtype=float) + _reasoned(digests, items)
        ends = np.cumsum(sizes)
        # Where each item ends in its own mail.
        end = np.cumsum(takes)
        before = np.concatenate(([0.0], end))[ends - sizes]
        fits = end - np.repeat(before, sizes) <= np.repeat(rooms, sizes)
        whose = np.repeat(np.arange(len(sizes)), sizes)
        return [int(count) for count in np.bincount(whose, fits, len(sizes)).tolist()]

    def _take_in(self, digest: Digest, items: _Items) -> int:
        """Add the items of a digest without their reasons; returns how many."""
        whole, many = digest.subscriber.profile.abstracts is Abstracts.FULL, len(items.takes)
        for section in digest.sections:
            form, first = _form(section.name, whole=whole), SECTION
            for match in section.matches:
                _, takes, letters = self._plain(match.listing, form)
                items.takes.append(takes + first)
                items.forms.append(form)
                items.letters.append(letters)
                first = 0
        return len(items.takes) - many

    def _plain(self, listing: Listing, form: int) -> tuple[Listing, int, int]:
        """What a listing takes without its reasons, and the letters of it that may be marked."""
        # By the object, as to hash it takes 3 µs; it is held, so that none can take its place.
        known = self._known.get((id(listing), form))
        if known is None:
            if len(self._known) >= MOST_KNOWN:
                self._known.clear()
            known = self._known[id(listing), form] = listing, *_plain(listing, form, self._tune)
        return known


def items_that_fit(digest: Digest, note: str, tune: str, most: int) -> int:
    """How many of a digest's items, from the first on, fit into so many bytes with the note."""
    return Measure(note, tune, most).items_that_fit([digest])[0]


@dataclass(frozen=True, slots=True)
class _Items:
    """What items take without their reasons, how they are shown, and the letters that they show."""

    takes: list[int]
    forms: list[int]
    letters: list[int]


FULL_FORM, WHOLE_FORM, WAITING_FORM, SHORT_FORM = range(4)
"""How a listing is shown: in full with some or all of its abstract, or as a title."""


def _form(section: SectionName, *, whole: bool) -> int:
    if section is SectionName.WAITING:
        return WAITING_FORM
    if section is SectionName.SHORT:
        return SHORT_FORM
    return WHOLE_FORM if whole else FULL_FORM


def _plain(listing: Listing, form: int, tune: str) -> tuple[int, int]:
    """About how many bytes a listing takes without its reasons, and how many letters it shows."""
    if form in (WAITING_FORM, SHORT_FORM):
        where = LINKED + len(listing.url) if listing.url else 0
        text = text_bytes(listing.title) + text_bytes(listing.organization)
        return TITLE + text + where, len(listing.title)
    shown = listing.abstract if form == WHOLE_FORM else listing.abstract[:ABSTRACT]
    text = text_bytes(listing.title) + text_bytes(shown) + len(listing.url)
    return FULL + text + _links(listing, tune), len(listing.title) + len(shown)


def _reasoned(digests: Sequence[Digest], items: _Items) -> NDArray[np.float64]:
    """What the reasons of each item add, and the words that are marked for them."""
    texts, records, first = list[str](), list[bytes](), list[int]()
    for digest in digests:
        matches = [match.reasons for section in digest.sections for match in section.matches]
        own, raw = packed(matches)
        first += [len(texts)] * len(raw)
        texts += own
        records += raw
    reasons = np.frombuffer(b"".join(records), dtype=KEPT)
    many, form = len(records), np.array(items.forms, dtype=np.int64)
    sizes = np.array([len(raw) for raw in records], dtype=np.int64) // RECORD.size
    at = np.repeat(np.arange(many), sizes)
    title = (form == WAITING_FORM) | (form == SHORT_FORM)
    term = reasons["term"] + np.repeat(np.array(first, dtype=np.int64), sizes)
    length = np.array(list(map(len, texts)), dtype=np.int64)[term]
    written = np.array(list(map(text_bytes, texts)), dtype=np.int64)[term]
    marks = reasons["marks"]
    seen = (marks & RELATED == 0) & (~title[at] | IN_TITLE[marks & FIELD])
    most = (
        np.array(items.letters, dtype=np.int64)[at] // (length + 1) + 1
    )  # so many words find room
    hits = np.bincount(at, np.minimum(reasons["count"], most) * seen, many)
    count = np.bincount(at, minlength=many)
    marked = HIT * np.minimum(hits, FEW_HITS) + DENSE_HIT * np.maximum(0, hits - FEW_HITS)
    in_full = marked + REASON * count + np.bincount(at, written, many)
    short = HIT_SHORT * hits + REASON_SHORT * count * (form == WAITING_FORM)
    takes: NDArray[np.float64] = np.where(title, short, in_full).astype(float)
    return takes


def _links(listing: Listing, tune: str) -> int:
    """What the further links of an item in full take, and those by which it is judged."""
    name = text_bytes(listing.title[:NAMED])
    further = sum(LINK + len(link.url) + name for link in listing.links[:_MOST_LINKS])
    return further + (TUNINGS * (TUNING + len(tune) + name) if tune else 0)


@lru_cache(maxsize=4_096)  # the same texts stand in mail after mail of a day: about 4 MB
def text_bytes(text: str) -> int:
    """About how many bytes a text takes once it is escaped and encoded."""
    beyond = len(text.encode("utf-8", "ignore")) - len(text)
    return len(text) + LETTER * (beyond + sum(text.count(sign) for sign in _SIGNS))
