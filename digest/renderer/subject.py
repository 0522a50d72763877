"""The two lines that are read before the mail is opened: subject and preheader."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING

from digest.model import SectionName
from digest.renderer.words import short_day
from digest.text import cut

if TYPE_CHECKING:  # the entries know nothing of the subject
    from digest.renderer.entries import Entry

_LONGEST_TITLE = 90  # characters in the subject
_PREHEADER = (40, 110)  # characters, at least and at most


def subject(titles: Sequence[str], day: date) -> str:
    """`Draft models that decode faster, and 9 more · Fri 20 Nov`."""
    if not titles:
        return f"Nothing new for you · {short_day(day)}"
    more = f", and {len(titles) - 1} more" if len(titles) > 1 else ""
    return f"{cut(titles[0], _LONGEST_TITLE).rstrip('.')}{more} · {short_day(day)}"


def preheader(
    sections: Sequence[tuple[SectionName, Sequence[Entry]]], values: Mapping[str, object]
) -> str:
    """What follows the subject in a list of mails: the next titles, or why the first is here."""
    entries = [entry for _, listed in sections for entry in listed]
    shown = "; ".join(cut(entry.title, 60) for entry in entries[1:4])
    if len(shown) < _PREHEADER[0] and entries:
        shown = " · ".join(filter(None, [shown, entries[0].why]))
    if len(shown) < _PREHEADER[0]:
        receipt = values["receipt"]
        counts = receipt["counts"] if isinstance(receipt, dict) else ""
        shown = " · ".join(filter(None, [shown, counts]))
    if len(shown) < _PREHEADER[0]:
        shown = f"{shown} · How the day came about stands in the mail."
    return cut(shown, _PREHEADER[1])
