"""One listing out of what a source said: plain, cut to size, with every identity it has."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from typing import Any

from digest.model import Announce, Link, Listing, Source
from digest.sources import ids as identity
from digest.text import cut, one_line, plain, web_url

MAX_ITEMS = 5_000  # items read of one body
MAX_TITLE = 1_000  # characters, as all lengths here
MAX_ABSTRACT = 20_000
MAX_NAME = 200
MAX_NAMES = 500
MAX_SUBJECTS = 40
MAX_NUMBER = 2**31 - 1
_NO_TITLE = "Untitled"


def shape(  # noqa: PLR0913  # one keyword for each field of a listing, all but two optional
    source: Source,
    *,
    title: object,
    abstract: object = "",
    authors: Iterable[object] = (),
    ids: Iterable[str] = (),
    guid: str = "",
    url: object = "",
    base: str = "",
    subjects: Iterable[object] = (),
    published_at: datetime | None = None,
    listed_on: date | None = None,
    votes: object = None,
    comments: object = None,
    organization: object = "",
    author_count: object = None,
    announce: Announce = Announce.NEW,
    links: Iterable[Link] = (),
    note: str = "",
) -> Listing:
    """A listing of that source; fields that are missing, of a wrong type or unsafe are left out."""
    heading = cut(one_line(_text(title)), MAX_TITLE)
    body = cut(plain(_text(abstract)), MAX_ABSTRACT)
    people = tuple(_lines(authors, MAX_NAMES))
    known = [*ids, *([identity.guid(source.name, guid)] if guid else [])]
    if not known:  # the same item read again is the same, whatever else has its title
        known = [identity.item(source.name, heading, body, *people, _text(url))]
    known = list(dict.fromkeys((*known, *identity.title_ids(heading, people, body))))
    return Listing(
        key=identity.strongest(known),
        source=source.name,
        title=heading or _headline(body),
        abstract=body,
        authors=people,
        author_count=_count(author_count),
        organization=cut(one_line(_text(organization)), MAX_NAME),
        url=web_url(_text(url), base),
        subjects=tuple(_lines(subjects, MAX_SUBJECTS)),
        published_at=published_at,
        listed_on=listed_on,
        votes=_count(votes),
        comments=_count(comments),
        ids=tuple(known),
        announce=announce,
        links=tuple(links),
        note=note,
    )


def link(kind: str, address: object, base: str = "") -> Iterator[Link]:
    """One link, or none where the address is no safe one."""
    if url := web_url(_text(address), base):
        yield Link(kind, url)


def _text(value: object) -> str:
    """The value where it is text, a number written out, else nothing."""
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else ""


def _lines(values: Iterable[object], limit: int) -> Iterator[str]:
    """The texts among the values, each on one line and once, at most `limit`."""
    seen: set[str] = set()
    for value in values:
        line = cut(one_line(_text(value)), MAX_NAME)
        if line and line not in seen:
            seen.add(line)
            yield line
        if len(seen) == limit:
            return


def _count(value: object) -> int | None:
    """A count that is one, else None."""
    right = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_NUMBER
    return value if right and isinstance(value, int) else None


def _headline(body: str) -> str:
    """A stand-in for the title that an item does not have."""
    return cut(body.partition("\n")[0], 100) or _NO_TITLE


def mapping(value: object) -> dict[str, Any]:
    """The value where it is a JSON object, else an empty one."""
    return value if isinstance(value, dict) else {}


def sequence(value: object) -> list[Any]:
    """The value where it is a JSON array, else an empty one."""
    return value if isinstance(value, list) else []
