"""Our own format: one listing a line, as JSON."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from digest.model import Announce, Link, Listing, Source
from digest.sources.batch import Batch, UnreadableError
from digest.sources.dates import day_in, moment
from digest.sources.ids import strong_ids
from digest.sources.jsons import load
from digest.sources.names import split_names
from digest.sources.shape import link, mapping, sequence, shape

MAX_LINES = 100_000  # an operator's own file may be larger than any answer from outside
_TOLD_FAULTS = 3
_OTHER_NAMES = {
    "abstract": ("summary", "description"),
    "subjects": ("categories", "tags"),
    "published_at": ("published", "date"),
    "votes": ("upvotes",),
    "url": ("link",),
}
_NAMES = (
    "id key title abstract authors author_count organization url subjects published_at listed_on"
    " votes comments ids announce links note doi arxiv_id pmid also_in source"
)
_FIELDS = frozenset(_NAMES.split()) | {other for names in _OTHER_NAMES.values() for other in names}


def parse(body: bytes, source: Source, now: datetime) -> Batch:
    """The listings of a file, in its order. Raises: UnreadableError, naming the lines at fault."""
    listings: list[Listing] = []
    faults: list[str] = []
    for number, line in _lines(body):
        try:
            listings.append(listing_of(load(line), source, now))
        except UnreadableError as fault:
            faults.append(f"line {number}: {fault}")
    if faults:
        more = f"; and {len(faults) - _TOLD_FAULTS} more" if len(faults) > _TOLD_FAULTS else ""
        raise UnreadableError("; ".join(faults[:_TOLD_FAULTS]) + more)
    return Batch(tuple(listings))


def _lines(body: bytes) -> Iterator[tuple[int, str]]:
    """The lines that hold something, numbered from 1. Raises: UnreadableError."""
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        line = body.count(b"\n", 0, fault.start) + 1
        raise UnreadableError(f"line {line}: no UTF-8 text") from None
    lines = text.split("\n")  # never splitlines: U+2028 may stand inside a JSON text
    if len(lines) > MAX_LINES + 1:
        raise UnreadableError(f"more than {MAX_LINES:,} lines; part the file")
    return ((number, line) for number, line in enumerate(lines, start=1) if line.strip())


def listing_of(row: object, source: Source, now: datetime) -> Listing:
    """The listing that one JSON object describes. Raises: UnreadableError."""
    if not isinstance(row, dict):
        raise UnreadableError('a JSON object was expected, such as {"title": "…", "abstract": "…"}')
    title = row.get("title")
    if not isinstance(title, str) or not title.strip():
        raise UnreadableError(f'"title" is missing{_nearest("title", row)}')
    announce = row.get("announce", "new")
    if announce not in {a.value for a in Announce}:
        raise UnreadableError(
            f'"announce" is {announce!r}; one of new, cross, replace, replace-cross'
        )
    ids, own = _identities(row)
    return shape(
        source,
        title=title,
        abstract=_field(row, "abstract"),
        authors=_people(row.get("authors")),
        ids=ids,
        guid=own,
        url=_field(row, "url"),
        subjects=_subjects(_field(row, "subjects")),
        published_at=moment(_field(row, "published_at"), now),
        listed_on=day_in(row.get("listed_on"), now),
        votes=_field(row, "votes"),
        comments=row.get("comments"),
        organization=row.get("organization"),
        author_count=row.get("author_count"),
        announce=Announce(announce),
        links=_links(row.get("links")),
        note=row["note"] if isinstance(row.get("note"), str) else "",
    )


def _field(row: dict[str, Any], name: str) -> Any:  # JSON; `shape` looks
    """The value under the field's name or one of its other names."""
    names = (name, *_OTHER_NAMES[name])
    return next((row[n] for n in names if row.get(n) is not None), None)


def _identities(row: dict[str, Any]) -> tuple[list[str], str]:
    """The strong identities of a row, and its own id where that is none of them."""
    given = [row.get("id"), row.get("key"), *sequence(row.get("ids"))]
    named = [("arXiv:", row.get("arxiv_id")), ("doi:", row.get("doi")), ("pmid:", row.get("pmid"))]
    texts = [str(v) for v in given if isinstance(v, (str, int)) and not isinstance(v, bool)]
    texts += [f"{prefix}{v}" for prefix, v in named if isinstance(v, (str, int)) and v]
    strong = strong_ids(*texts, row["url"] if isinstance(row.get("url"), str) else "")
    own = row.get("id")
    is_own = isinstance(own, (str, int)) and not isinstance(own, bool) and not strong_ids(str(own))
    return strong, str(own) if is_own else ""


def _people(value: object) -> list[object]:
    """Authors as a list of names, of objects with a name, or one text."""
    if isinstance(value, str):
        return list(split_names(value))
    return [mapping(one).get("name") if isinstance(one, dict) else one for one in sequence(value)]


def _subjects(value: object) -> list[object]:
    """Subjects as a list, or one text parted by blanks or commas as arXiv writes it."""
    return list(value.replace(",", " ").split()) if isinstance(value, str) else sequence(value)


def _links(value: object) -> Iterator[Link]:
    for one in sequence(value):
        kind = mapping(one).get("kind")
        if kind in {"pdf", "code", "project", "comments"}:
            yield from link(kind, mapping(one).get("url"))


def _nearest(name: str, row: dict[str, Any]) -> str:
    """A hint at the key that may have been meant."""
    unknown = [key for key in row if key not in _FIELDS]
    near = difflib.get_close_matches(name, unknown, n=1, cutoff=0.6)
    return f" (is {near[0]!r} a slip of it?)" if near else ""
