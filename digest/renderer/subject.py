"""The two lines that are read before the mail is opened: subject and preheader."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

from digest.renderer.words import counted, named, short_day
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


def preheader(entries: Sequence[Entry], considered: int) -> str:
    """What follows the subject in a list of mails: the next titles, or what the first is for."""
    parts = ["; ".join(cut(entry.title, 60) for entry in entries[1:4])]
    if entries and entries[0].terms and len(parts[0]) < _PREHEADER[0]:
        parts.append(f"For {named(entries[0].terms)}")
    if len(" · ".join(filter(None, parts))) < _PREHEADER[0]:
        parts.append(f"{counted(considered, 'new listing')} looked through for this digest")
    return cut(" · ".join(filter(None, parts)), _PREHEADER[1])
