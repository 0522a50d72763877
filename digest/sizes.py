"""How large a digest's mail will be, before it is made.

Pure. Counts what the packaged templates make of each item, rather too much than too little: what
is estimated to fit does fit, and the last titles of a very full mail may wait for a day in vain.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from digest.matcher import KEPT
from digest.model import Abstracts, Digest, Listing, Match, SectionName
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
        self._known: dict[tuple[int, Form], tuple[Listing, int, int]] = {}

    def items_that_fit(self, digest: Digest) -> int:
        """How many of a digest's items, from the first on, fit."""
        room = self._room - text_bytes(digest.empty_reason + digest.hint)
        room -= SOURCE * min(len(digest.receipt.sources), MOST_SOURCES)
        whole = digest.subscriber.profile.abstracts is Abstracts.FULL
        matches = [match for section in digest.sections for match in section.matches]
        if not matches:
            return 0
        forms = [
            _form(section.name, whole=whole) for section in digest.sections for _ in section.matches
        ]
        plain = [self._plain(m.listing, form) for m, form in zip(matches, forms, strict=True)]
        takes = np.array([size for _, size, _ in plain], dtype=float)
        first = 0
        for section in digest.sections:
            takes[first : first + 1] += SECTION
            first += len(section.matches)
        takes += _reasoned(matches, forms, [letters for _, _, letters in plain])
        return int(np.searchsorted(np.cumsum(takes), room, side="right"))

    def _plain(self, listing: Listing, form: Form) -> tuple[Listing, int, int]:
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
    return Measure(note, tune, most).items_that_fit(digest)


class Form(IntEnum):
    """How a listing is shown: in full with some or all of its abstract, or as a title."""

    FULL = 0
    WHOLE = 1
    WAITING = 2
    SHORT = 3


def _form(section: SectionName, *, whole: bool) -> Form:
    if section is SectionName.WAITING:
        return Form.WAITING
    if section is SectionName.SHORT:
        return Form.SHORT
    return Form.WHOLE if whole else Form.FULL


def _plain(listing: Listing, form: Form, tune: str) -> tuple[int, int]:
    """About how many bytes a listing takes without its reasons, and how many letters it shows."""
    if form in (Form.WAITING, Form.SHORT):
        where = LINKED + len(listing.url) if listing.url else 0
        text = text_bytes(listing.title) + text_bytes(listing.organization)
        return TITLE + text + where, len(listing.title)
    shown = listing.abstract if form is Form.WHOLE else listing.abstract[:ABSTRACT]
    text = text_bytes(listing.title) + text_bytes(shown) + len(listing.url)
    return FULL + text + _links(listing, tune), len(listing.title) + len(shown)


def _reasoned(
    matches: Sequence[Match], forms: Sequence[Form], letters: Sequence[int]
) -> NDArray[np.float64]:
    """What the reasons of each match add, and the words that are marked for them."""
    texts, records = packed([match.reasons for match in matches])
    reasons = np.frombuffer(b"".join(records), dtype=KEPT)
    many, form = len(matches), np.array(forms, dtype=np.int64)
    at = np.repeat(np.arange(many), [len(raw) // RECORD.size for raw in records])
    title = (form == Form.WAITING) | (form == Form.SHORT)
    length = np.array([len(text) for text in texts], dtype=np.int64)[reasons["term"]]
    written = np.array([text_bytes(text) for text in texts], dtype=np.int64)[reasons["term"]]
    marks = reasons["marks"]
    seen = (marks & RELATED == 0) & (~title[at] | IN_TITLE[marks & FIELD])
    most = np.array(letters, dtype=np.int64)[at] // (length + 1) + 1  # so many words find room
    hits = np.bincount(at, np.minimum(reasons["count"], most) * seen, many)
    count = np.bincount(at, minlength=many)
    marked = HIT * np.minimum(hits, FEW_HITS) + DENSE_HIT * np.maximum(0, hits - FEW_HITS)
    in_full = marked + REASON * count + np.bincount(at, written, many)
    short = HIT_SHORT * hits + REASON_SHORT * count * (form == Form.WAITING)
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
