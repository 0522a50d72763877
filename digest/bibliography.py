"""BibTeX as listings: a library of papers that a person has kept, to learn from.

Owns what of an entry becomes what of a listing. Pure: text in, listings out; pybtex reads it.
"""

from __future__ import annotations

import re

from pybtex.database import Entry, Person, parse_string
from pybtex.errors import capture

from digest.errors import ConfigError
from digest.model import Listing
from digest.sources.ids import digest_of, strong_ids
from digest.tex import readable
from digest.text import one_line

LONGEST = 20_000_000
"""Characters of a library; 20,000 entries with abstracts."""

MOST_ENTRIES = 500
"""Entries that are taken, the last in the file: libraries grow at their end."""


def read_bibtex(text: str, place: str) -> tuple[list[Listing], list[str]]:
    """The entries that have a title, in the order of the text, and what is wrong with others.

    For one thread at a time: pybtex gathers faults in a global.
    Raises: ConfigError with the place, and the line where it is known, where no entry is left.
    """
    if len(text) > LONGEST:
        raise ConfigError([f"{place}: longer than {LONGEST:,} characters"])
    with capture() as faults:  # a library of years has a slip somewhere: the others still count
        entries = parse_string(text.removeprefix("\ufeff"), "bibtex").entries
        listings = [_listing(key, entry) for key, entry in entries.items()]
    told = [f"{place}: {one_line(str(fault))[:200]}" for fault in faults]
    found = [listing for listing in listings if listing.title]
    if not found:
        raise ConfigError(told[:1] or [f"{place}: holds no BibTeX entry with a title"])
    return found[-MOST_ENTRIES:], told


def _listing(key: str, entry: Entry) -> Listing:
    """An entry as a listing; its key is that of the same paper in the store, where it has one."""
    fields = {name.lower(): str(value) for name, value in entry.fields.items()}
    arxiv = fields.get("eprint", "") if "arxiv" in _kind(fields) else ""
    named = [f"arxiv:{arxiv}" if arxiv else "", fields.get("doi", ""), fields.get("url", "")]
    ids = tuple(strong_ids(*named))
    return Listing(
        key=ids[0] if ids else f"guid:bibtex:{digest_of(key)}",
        source="BibTeX",
        title=_plain(fields.get("title", "")),
        abstract=_plain(fields.get("abstract", "") or fields.get("keywords", "")),
        authors=tuple(_plain(_name(person)) for person in entry.persons.get("author", ())),
        url=fields.get("url", ""),
        ids=ids,
    )


def _kind(fields: dict[str, str]) -> str:
    """What an eprint number is of; without a word on it, it is arXiv's."""
    return (fields.get("archiveprefix") or fields.get("eprinttype") or "arxiv").lower()


def _name(person: Person) -> str:
    given = " ".join((*person.first_names, *person.middle_names))
    family = " ".join((*person.prelast_names, *person.last_names))
    return f"{given} {family}".strip()


def _plain(text: str) -> str:
    """TeX as it reads, without the braces that guard capitals."""
    return one_line(re.sub(r"[{}]", "", readable(text)))
