"""One item of a feed, whatever the format: the shape between the readers and the kinds."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Entry:
    """What a feed says of one item; texts as they stand, markup and all. Empty means not said.

    `base` is what its links are relative to; `link_rank` how good a page `link` is, 0 the best.
    """

    title: str = ""
    summary: str = ""
    link: str = ""
    guid: str = ""
    date: str = ""
    updated: str = ""
    authors: list[str] = field(default_factory=list)
    subjects: list[str] = field(default_factory=list)
    identifiers: list[str] = field(default_factory=list)
    announce: str = ""
    journal: str = ""
    comment: str = ""
    pdf: str = ""
    base: str = ""
    link_rank: int = 9


@dataclass(slots=True)
class Feed:
    """A whole feed: its items in order, page, own address, day, hits of a search, notes."""

    entries: list[Entry]
    link: str = ""
    own_link: str = ""
    date: str = ""
    found: int | None = None
    notes: tuple[str, ...] = ()
