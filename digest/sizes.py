"""How large a digest's mail will be, before it is made.

Pure. Counts what the packaged templates make of each item, rather too much than too little: what
is estimated to fit does fit, and the last titles of a very full mail may wait for a day in vain.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from digest.model import Abstracts, Digest, Listing, Match, Reason, SectionName

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
_TITLES = frozenset({SectionName.WAITING, SectionName.SHORT})
_MOST_LINKS = 4


def items_that_fit(digest: Digest, note: str, tune: str, most: int) -> int:
    """How many of a digest's items, from the first on, fit into so many bytes with the note.

    `tune` begins the links by which a listing is judged; it is empty where there are none.
    """
    whole = digest.subscriber.profile.abstracts is Abstracts.FULL
    room = most - FRAME - text_bytes(note) - text_bytes(digest.empty_reason + digest.hint)
    room -= SOURCE * min(len(digest.receipt.sources), MOST_SOURCES)
    items = 0
    for section in digest.sections:
        room -= SECTION
        for match in section.matches:
            room -= item_bytes(match, section.name, tune, whole=whole)
            if room < 0:
                return items
            items += 1
    return items


def item_bytes(match: Match, section: SectionName, tune: str, *, whole: bool) -> int:
    """About how many bytes a listing takes in that section."""
    listing, reasons = match.listing, match.reasons
    if section in _TITLES:
        said = REASON_SHORT * len(reasons) if section is SectionName.WAITING else 0
        marked = HIT_SHORT * _hits(reasons, len(listing.title), in_title=True)
        where = LINKED + len(listing.url) if listing.url else 0
        text = text_bytes(listing.title) + text_bytes(listing.organization)
        return TITLE + text + where + said + marked
    shown = listing.abstract if whole else listing.abstract[:ABSTRACT]
    hits = _hits(reasons, len(listing.title) + len(shown))
    text = text_bytes(listing.title) + text_bytes(shown) + len(listing.url)
    marked = HIT * min(hits, FEW_HITS) + DENSE_HIT * max(0, hits - FEW_HITS)
    said = sum(REASON + text_bytes(reason.term) for reason in reasons)
    return FULL + text + said + marked + _links(listing, tune)


def _links(listing: Listing, tune: str) -> int:
    """What the further links of an item in full take, and those by which it is judged."""
    name = text_bytes(listing.title[:NAMED])
    further = sum(LINK + len(link.url) + name for link in listing.links[:_MOST_LINKS])
    return further + (TUNINGS * (TUNING + len(tune) + name) if tune else 0)


def _hits(reasons: Sequence[Reason], letters: int, *, in_title: bool = False) -> int:
    """How many matched words so many letters can hold."""
    return sum(
        min(reason.count, letters // (len(reason.term) + 1) + 1)
        for reason in reasons
        if not reason.related and (reason.field.startswith("title") or not in_title)
    )


@lru_cache(maxsize=4_096)  # the same texts stand in mail after mail of a day: about 4 MB
def text_bytes(text: str) -> int:
    """About how many bytes a text takes once it is escaped and encoded."""
    beyond = len(text.encode("utf-8", "ignore")) - len(text)
    return len(text) + LETTER * (beyond + sum(text.count(sign) for sign in _SIGNS))
