"""How large a digest's mail will be, before it is made.

Pure. Counts what the packaged templates make of each item, rather too much than too little: what
is estimated to fit does fit, and the last titles of a very full mail may wait for a day in vain.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from digest.drafts import SECTIONS, Drafts
from digest.model import Abstracts, Listing, SectionName
from digest.reason import FIELD, FIELDS, RELATED, Packed

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

    def items_that_fit(self, drafts: Drafts) -> NDArray[np.int64]:
        """How many items of each digest, from the first on, fit."""
        items, many = drafts.items, len(drafts)
        whole = np.array([one.profile.abstracts is Abstracts.FULL for one in drafts.people])
        form = FORMS[items.section]
        form = np.where(whole[items.who] & (form == FULL_FORM), WHOLE_FORM, form)
        code, at = np.unique(items.listing * len(FORMS) + form, return_inverse=True)
        plain = [
            self._plain(drafts.listings[one // len(FORMS)], one % len(FORMS))
            for one in code.tolist()
        ]
        takes, letters = np.array([each[1:] for each in plain], dtype=np.int64).reshape(-1, 2).T
        section = items.who * len(FORMS) + items.section
        heads = SECTION * (np.diff(section, prepend=-1) != 0)
        reasons = _reasoned(drafts.reasons, form, letters[at])
        first, room = drafts.first, self._rooms(drafts)
        # Where each item ends in its own mail.
        end = np.cumsum(takes[at] + heads + reasons)
        before = np.concatenate(([0.0], end))[first[items.who]]
        fits = end - before <= room[items.who]
        return np.bincount(items.who, fits, many).astype(np.int64)

    def _rooms(self, drafts: Drafts) -> NDArray[np.int64]:
        """The bytes that each mail has for its items."""
        said = [
            text_bytes(why + hint) if why or hint else 0
            for why, hint in zip(drafts.empty_reason, drafts.hint, strict=True)
        ]
        sources = [min(len(one.sources), MOST_SOURCES) for one in drafts.receipts]
        rooms: NDArray[np.int64] = self._room - np.array(said) - SOURCE * np.array(sources)
        return rooms

    def _plain(self, listing: Listing, form: int) -> tuple[Listing, int, int]:
        """What a listing takes without its reasons, and the letters of it that may be marked."""
        # By the object, as to hash it takes 3 µs; it is held, so that none can take its place.
        known = self._known.get((id(listing), form))
        if known is None:
            if len(self._known) >= MOST_KNOWN:
                self._known.clear()
            known = self._known[id(listing), form] = listing, *_plain(listing, form, self._tune)
        return known


FULL_FORM, WHOLE_FORM, WAITING_FORM, SHORT_FORM = range(4)
"""How a listing is shown: in full with some or all of its abstract, or as a title."""

FORMS = np.array(
    [
        {SectionName.WAITING: WAITING_FORM, SectionName.SHORT: SHORT_FORM}.get(name, FULL_FORM)
        for name in SECTIONS
    ]
)
"""How the listings of each section are shown, where abstracts are shortened."""


def _plain(listing: Listing, form: int, tune: str) -> tuple[int, int]:
    """About how many bytes a listing takes without its reasons, and how many letters it shows."""
    if form in (WAITING_FORM, SHORT_FORM):
        where = LINKED + len(listing.url) if listing.url else 0
        text = text_bytes(listing.title) + text_bytes(listing.organization)
        return TITLE + text + where, len(listing.title)
    shown = listing.abstract if form == WHOLE_FORM else listing.abstract[:ABSTRACT]
    text = text_bytes(listing.title) + text_bytes(shown) + len(listing.url)
    return FULL + text + _links(listing, tune), len(listing.title) + len(shown)


def _reasoned(
    packed: Packed, form: NDArray[np.int64], letters: NDArray[np.int64]
) -> NDArray[np.float64]:
    """What the reasons of each item add, and the words that are marked for them."""
    reasons, sizes = packed.reasons, np.diff(packed.first)
    many = len(sizes)
    at = np.repeat(np.arange(many), sizes)
    title = (form == WAITING_FORM) | (form == SHORT_FORM)
    term = packed.named[reasons["term"] + packed.begins[packed.row][at]]
    length = np.array(list(map(len, packed.texts)), dtype=np.int64)[term]
    written = np.array(list(map(text_bytes, packed.texts)), dtype=np.int64)[term]
    marks = reasons["marks"]
    seen = (marks & RELATED == 0) & (~title[at] | IN_TITLE[marks & FIELD])
    most = letters[at] // (length + 1) + 1  # so many words find room
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


@lru_cache(maxsize=20_000)  # the same texts stand in mail after mail of a day: about 4 MB
def text_bytes(text: str) -> int:
    """About how many bytes a text takes once it is escaped and encoded."""
    beyond = len(text.encode("utf-8", "ignore")) - len(text)
    return len(text) + LETTER * (beyond + sum(text.count(sign) for sign in _SIGNS))
