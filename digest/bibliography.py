"""A library of papers that a person has kept, as listings to learn from.

Owns what of an entry becomes what of a listing, for BibTeX and BibLaTeX, RIS, CSL JSON and Zotero's
CSV. Pure: text in, listings out; pybtex reads the first, rispy the second.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from io import StringIO
from typing import Any

import rispy
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

MAX_ENTRY = 100_000
"""Characters of one RIS record, or of one cell, that are read."""

Found = tuple[list[Listing], list[str]]
"""The entries of a library, and what is wrong with others."""


def read_library(text: str, place: str) -> Found:
    """The entries that have a title, in the order of the text, and what is wrong with others.

    For one thread at a time: pybtex gathers faults in a global.
    Raises: ConfigError with the place, and the line where it is known, where no entry is left.
    """
    if len(text) > LONGEST:
        raise ConfigError([f"{place}: longer than {LONGEST:,} characters"])
    text = text.removeprefix("\ufeff")
    name, read = next((name, read) for name, fits, read in FORMATS if fits(text))
    listings, faults = read(text)
    told = [f"{place}: {one_line(fault)[:200]}" for fault in faults]
    found = [listing for listing in listings if listing.title]
    if not found:
        why = one_line(faults[0])[:200] if faults else "no entry with a title"
        raise ConfigError([f"{place}: read as {name}: {why}"])
    return found[-MOST_ENTRIES:], told


# --- BibTeX and BibLaTeX ------------------------------------------------------------------------


def _bibtex(text: str) -> Found:
    with capture() as faults:  # a library of years has a slip somewhere: the others still count
        entries = parse_string(text, "bibtex").entries
        listings = [_of_bibtex(key, entry) for key, entry in entries.items()]
    return listings, [str(fault) for fault in faults]


def _of_bibtex(key: str, entry: Entry) -> Listing:
    """An entry as a listing; its key is that of the same paper in the store, where it has one."""
    fields = {name.lower(): str(value) for name, value in entry.fields.items()}
    arxiv = fields.get("eprint", "") if "arxiv" in _kind(fields) else ""
    named = [f"arxiv:{arxiv}" if arxiv else "", fields.get("doi", ""), fields.get("url", "")]
    ids = tuple(strong_ids(*named))
    return Listing(
        key=ids[0] if ids else f"guid:bibtex:{digest_of(key)}",
        source="BibTeX",
        title=_unbraced(fields.get("title", "")),
        abstract=_unbraced(fields.get("abstract", "") or fields.get("keywords", "")),
        authors=tuple(_unbraced(_name(person)) for person in entry.persons.get("author", ())),
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


def _unbraced(text: str) -> str:
    """TeX as it reads, without the braces that guard capitals."""
    return one_line(re.sub(r"[{}]", "", readable(text)))


# --- RIS, CSL JSON, Zotero's CSV ----------------------------------------------------------------

_RECORD = re.compile(r"^TY  -.*?(?:^ER  -|\Z)", re.MULTILINE | re.DOTALL)


def _ris(text: str) -> Found:
    """RIS as Zotero, EndNote and publishers write it. Source: the RIS specification of 2011."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    records = (each.removesuffix("ER  -")[:MAX_ENTRY] for each in _RECORD.findall(text))
    entries = (rispy.loads(f"{each}\nER  - \n", skip_unknown_tags=True)[0] for each in records)
    return [_of_ris(entry) for entry in entries], []


def _of_ris(entry: Mapping[str, Any]) -> Listing:
    return _listing(
        "RIS",
        title=entry.get("title") or entry.get("primary_title"),
        abstract=entry.get("abstract") or entry.get("notes_abstract") or entry.get("keywords"),
        authors=map(_turned, (*entry.get("authors", ()), *entry.get("first_authors", ()))),
        named=[entry.get("doi"), *entry.get("urls", ()), *entry.get("notes", ())],
    )


def _csl(text: str) -> Found:
    """CSL JSON: a list of items, or items in an object. Source: the CSL 1.0.2 data schema."""
    try:
        given = json.loads(text)
    except RecursionError:
        return [], ["the brackets are nested too deep"]
    except ValueError as error:
        return [], [f"is no JSON: {error}"]
    items = given.get("items", [given]) if isinstance(given, dict) else given
    listings, faults = [], []
    for number, item in enumerate(items if isinstance(items, list) else [items], start=1):
        if not isinstance(item, dict):
            faults.append(f"item {number}: is no object with a title")
            continue
        people = item.get("author")
        listings.append(
            _listing(
                "CSL JSON",
                title=item.get("title"),
                abstract=item.get("abstract") or item.get("keyword"),
                authors=map(_csl_name, people if isinstance(people, list) else ()),
                named=[item.get(name) for name in ("DOI", "URL", "number", "note")],
            )
        )
    return listings, faults


def _csl_name(person: object) -> str:
    if not isinstance(person, dict):
        return ""
    whole = person.get("literal") or f"{person.get('given', '')} {person.get('family', '')}"
    return str(whole).strip()


def _csv(text: str) -> Found:
    """The table that Zotero exports."""
    csv.field_size_limit(MAX_ENTRY)
    rows, listings = csv.DictReader(StringIO(text, newline="")), []
    try:
        for row in rows:
            listings.append(  # noqa: PERF401 - what was read before a torn row counts
                _listing(
                    "CSV",
                    title=row.get("Title"),
                    abstract=row.get("Abstract Note")
                    or f"{row.get('Manual Tags') or ''}; {row.get('Automatic Tags') or ''}",
                    authors=map(_turned, (row.get("Author") or "").split(";")),
                    named=[row.get(name) for name in ("DOI", "Url", "Extra")],
                )
            )
    except csv.Error as error:
        return listings, [f"after line {rows.line_num}: {error}"]
    return listings, []


def _listing(
    source: str,
    *,
    title: object,
    abstract: object,
    authors: Iterator[str],
    named: Sequence[object],
) -> Listing:
    """A listing of what stands in an entry, whatever stands there."""
    texts = [str(each) for each in named if each]
    ids = tuple(strong_ids(*texts))
    name = _plain(title)
    return Listing(
        key=ids[0] if ids else f"guid:library:{digest_of(name)}",
        source=source,
        title=name,
        abstract=_plain(abstract),
        authors=tuple(filter(None, map(_plain, authors))),
        url=next((text for text in texts if text.startswith(("http://", "https://"))), ""),
        ids=ids,
    )


def _plain(value: object) -> str:
    """A text as it reads on one line; a list's texts one after the other."""
    if isinstance(value, list):
        value = "; ".join(map(str, value))
    return one_line(readable(value)) if isinstance(value, str) else ""


def _turned(name: str) -> str:
    """`Noether, Emmy` as it is said."""
    family, _, given = name.partition(",")
    return f"{given.strip()} {family.strip()}".strip()


# --- which it is --------------------------------------------------------------------------------


def _is_csv(text: str) -> bool:
    head = next(csv.reader([text.split("\n", 1)[0][:MAX_ENTRY]]), [])
    return {"Title", "Author"} <= set(head)


FORMATS: Sequence[tuple[str, Callable[[str], bool], Callable[[str], Found]]] = (
    ("CSL JSON", lambda text: text.lstrip()[:1] in {"[", "{"}, _csl),
    ("RIS", lambda text: re.search(r"^TY  -", text, re.MULTILINE) is not None, _ris),
    ("CSV", _is_csv, _csv),
    ("BibTeX", lambda text: True, _bibtex),
)
"""Name, how it is known, and what reads it; the first that fits."""
