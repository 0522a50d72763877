"""One paper, one listing: what is new, what enriches a stored listing, what is the same again.

Papers join by arXiv id, DOI, PubMed id or the source's own id; without one of these by an equal
title together with the first author, a near-equal abstract or one page. A title alone never joins
two different papers. Owns no storage: stored listings are looked up by a function it is given.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, time
from urllib.parse import urlsplit

from digest.model import Announce, Link, Listing
from digest.sources.ids import strongest, surname, title_ids
from digest.text import title_key

_ANNOUNCE_ORDER = list(Announce)
_SPECIFIC = 16  # letters of a title that a first author may vouch for; "Introduction" has 12
# Shares of the shorter abstract's words. Of 19,110 pairs of recorded papers none shares over 0.43.
_ALIKE = 0.75  # one abstract, cut or edited
_AKIN = 0.45  # one paper rewritten: believed where the title agrees and an author stands in both
_UNLIKE = 0.2  # half of all pairs share less: believed only where the first author agrees too
_PREPRINT_DOIS = tuple(
    # bioRxiv (two), arXiv, Research Square, SSRN, ChemRxiv, OSF (two), TechRxiv, Preprints.org
    f"10.{who}/"
    for who in (1101, 64898, 48550, 21203, 2139, 26434, 31219, 31234, 36227, 20944)
)
_TEASER = 8  # words; a shorter one tells nothing by standing in a longer text
_WORDS = re.compile(r"\w+")
_VERSION = re.compile(r"version \d{1,4}")
_MAX_LINKS = 8
_MAX_IDS = 48


@dataclass(frozen=True, slots=True)
class Joined:
    """What a batch comes to: listings to store, stored listings to replace, how many joined.

    `met` holds each listing that joined a stored one, as it came, with the number of that row.
    """

    new: list[Listing] = field(default_factory=list)
    changed: list[Listing] = field(default_factory=list)
    joined: int = 0
    met: list[tuple[int, Listing]] = field(default_factory=list)


def identities(listing: Listing) -> tuple[str, ...]:
    """Every identity of a listing, strongest first: those it carries and those of its title."""
    own = (*listing.ids, listing.key)
    titled = title_ids(listing.title, listing.authors, listing.abstract)
    named = any(name.startswith("title:") for name in own)
    return tuple(dict.fromkeys(own if named else (*own, *titled)))


def join(
    incoming: Sequence[Listing], known: Callable[[Collection[str]], Mapping[str, Listing]]
) -> Joined:
    """What is new and what changes when these listings come in, in their order."""
    names = [identities(listing) for listing in incoming]
    desk = _Desk(known({name for ids in names for name in ids}))
    joined = 0
    for listing, ids in zip(incoming, names, strict=True):
        joined += desk.take(_published(listing), ids)
    return Joined(desk.new(), desk.changed(), joined, desk.met())


class _Desk:
    """The listings at hand while one batch comes in, stored and new, by each identity."""

    def __init__(self, stored: Mapping[str, Listing]) -> None:
        self._before: list[Listing | None] = []
        self._now: list[Listing | None] = []
        self._slot: dict[str, int] = {}
        self._came: list[tuple[int, Listing]] = []
        by_key: dict[str, int] = {}
        for name, listing in stored.items():
            if listing.key not in by_key:
                by_key[listing.key] = self._add(listing, listing)
            self._slot[name] = by_key[listing.key]

    def _add(self, listing: Listing, before: Listing | None) -> int:
        self._before.append(before)
        self._now.append(listing)
        return len(self._now) - 1

    def new(self) -> list[Listing]:
        """The listings that were not stored, in the order they came."""
        pairs = zip(self._before, self._now, strict=True)
        return [now for before, now in pairs if now and before is None]

    def changed(self) -> list[Listing]:
        """The stored listings that came to say more."""
        pairs = zip(self._before, self._now, strict=True)
        return [now for before, now in pairs if now and before and now != before]

    def met(self) -> list[tuple[int, Listing]]:
        """The listings that joined a stored one, each with the number of its row."""
        stored = ((self._before[slot], listing) for slot, listing in self._came)
        return [(before.id, listing) for before, listing in stored if before]

    def take(self, listing: Listing, ids: tuple[str, ...]) -> bool:
        """Join the listing with one at hand, or lay it down as new; True when it joined."""
        slots = self._same(listing, ids)
        if not slots:
            free = tuple(name for name in ids if name not in self._slot)
            key = listing.key if listing.key in free else strongest(free) if free else ""
            # No free identity is left to one that differs from all its namesakes at hand.
            key = key or f"{listing.key}:{listing.source}:{len(self._now)}"
            if (key, free) != (listing.key, listing.ids):
                listing = replace(listing, key=key, ids=free or (key,))
            self._claim(self._add(listing, None))
            return False
        for other in slots[1:]:
            self._absorb(slots[0], other)
        self._came.append((slots[0], listing))
        self._enrich(slots[0], replace(listing, ids=ids))
        return True

    def _same(self, listing: Listing, ids: tuple[str, ...]) -> list[int]:
        """The places of the listings at hand that are this paper, strongest identity first."""
        slots: list[int] = []
        for name in ids:
            slot = self._slot.get(name)
            other = self._now[slot] if slot is not None else None
            if slot is None or other is None or slot in slots:
                continue
            if _is_strong(name) or is_same(listing, other):
                slots.append(slot)
        return slots

    def _absorb(self, slot: int, other: int) -> None:
        """Fold a listing that is not stored yet into another; two stored ones stay two."""
        listing = self._now[other]
        if listing is None or self._before[other] is not None:
            return
        self._now[other] = None
        for name in listing.ids:
            self._slot[name] = slot
        self._enrich(slot, listing)

    def _enrich(self, slot: int, listing: Listing) -> None:
        mine = self._now[slot]
        if mine is None:
            return
        free = [name for name in listing.ids if self._slot.get(name, slot) == slot]
        richer = merge(mine, replace(listing, ids=tuple(free)))
        if self._before[slot] is None:
            richer = replace(richer, key=strongest(richer.ids))
        self._now[slot] = richer
        self._claim(slot)

    def _claim(self, slot: int) -> None:
        listing = self._now[slot]
        for name in listing.ids if listing else ():
            self._slot.setdefault(name, slot)


def _is_strong(name: str) -> bool:
    """True for an identity that needs no second witness."""
    return not name.startswith("title:")


# --- the same paper? ------------------------------------------------------------------------


def is_same(one: Listing, other: Listing) -> bool:
    """True when two listings are surely one paper."""
    ours, theirs = _strong(one), _strong(other)
    shared = ours.keys() & theirs.keys()
    if any(ours[kind] & theirs[kind] for kind in shared):
        return True
    if shared - {"guid", "item"}:
        return False  # two arXiv ids, or two DOIs of journals: two papers
    key = title_key(one.title)
    if key != title_key(other.title):
        return False
    if one.abstract and other.abstract:
        return _same_by_abstract(one, other, key)
    return _same_without_abstract(one, other, key)


def _same_by_abstract(one: Listing, other: Listing, key: str) -> bool:
    """The same for two listings of one title, each with an abstract."""
    alike = likeness(one.abstract, other.abstract)
    if one.source == other.source:
        return alike >= _ALIKE and not _of_two_days(one, other)
    if alike >= _ALIKE:
        return True
    vouched = alike >= (_UNLIKE if _same_first_author(one, other) else _AKIN)
    return vouched and len(key) >= _SPECIFIC and share_author(one, other)


def _of_two_days(one: Listing, other: Listing) -> bool:
    """True when both are dated and differ: one source says alike of two things on two days."""
    days = {one.published_at, other.published_at} - {None}
    return len(days) == 2


def _at_one_moment(one: Listing, other: Listing) -> bool:
    """True for two of one source that came out at one time of day: its ids have changed."""
    at = one.published_at
    return (
        one.source == other.source and at == other.published_at and bool(at and at.time() != time())
    )


def _at_one_page(one: Listing, other: Listing) -> bool:
    """True for two at one page, not of two days: the site's ids, its scheme or our name changed."""
    return bool(_page(one)) and _page(one) == _page(other) and not _of_two_days(one, other)


def _page(listing: Listing) -> str:
    """The page that a listing leads to, as compared; empty for a site's front page."""
    parts = urlsplit(listing.url)
    page = parts.path.rstrip("/") + (f"?{parts.query}" if parts.query else "")
    return f"{(parts.hostname or '').removeprefix('www.')}{page}" if page else ""


def _same_without_abstract(one: Listing, other: Listing, key: str) -> bool:
    """The same for two listings of one title of which one at least has no abstract."""
    if _at_one_page(one, other):
        return True
    if _at_one_moment(one, other):
        return len(key) >= _SPECIFIC
    if one.authors and other.authors:
        repeated = one.source == other.source and one.url != other.url
        return share_author(one, other) and len(key) >= _SPECIFIC and not repeated
    # A title of eight words or so has one paper.
    return one.source != other.source and len(key) >= 3 * _SPECIFIC


def _strong(listing: Listing) -> dict[str, set[str]]:
    """The identities by kind; DOIs of preprints and of journals are two kinds."""
    kinds: dict[str, set[str]] = {}
    for name in listing.ids:
        kind, _, value = name.partition(":")
        if kind == "doi":
            kind = "preprint" if value.startswith(_PREPRINT_DOIS) else "journal"
        if kind != "title":
            kinds.setdefault(kind, set()).add(value)
    return kinds


def share_author(one: Listing, other: Listing) -> bool:
    """True when the first author of one is among the authors of the other."""
    if not one.authors or not other.authors:
        return False
    ours, theirs = ([surname(name) for name in of.authors] for of in (one, other))
    return ours[0] in theirs or theirs[0] in ours


def _same_first_author(one: Listing, other: Listing) -> bool:
    firsts = [surname(listing.authors[0]) for listing in (one, other) if listing.authors]
    return len(firsts) == 2 and firsts[0] == firsts[1]


def likeness(one: str, other: str) -> float:
    """How much of the shorter text's words stand in the longer, 0..1; a teaser is like its text."""
    ours, theirs = (set(_WORDS.findall(text.lower())) for text in (one, other))
    smaller, larger = sorted((len(ours), len(theirs)))
    whole = smaller if smaller >= _TEASER else larger
    return len(ours & theirs) / whole if whole else 0.0


# --- one listing out of two -----------------------------------------------------------------


def merge(mine: Listing, theirs: Listing) -> Listing:
    """The first listing with what the second adds; merging the same again changes nothing."""
    sources = (*mine.also_in, theirs.source, *theirs.also_in)
    later = _of_later_version(mine, theirs)
    named = _has_id(theirs) and not _has_id(mine)
    both = replace(
        mine,
        title=theirs.title if named and theirs.title else mine.title,  # pages lose TeX
        abstract=_longer(mine.abstract, theirs.abstract),
        authors=theirs.authors if len(theirs.authors) > len(mine.authors) else mine.authors,
        author_count=mine.author_count or theirs.author_count,
        organization=mine.organization or theirs.organization,
        url=later.url if later else mine.url or theirs.url,
        subjects=tuple(dict.fromkeys((*mine.subjects, *theirs.subjects))),
        published_at=_least(mine.published_at, theirs.published_at),
        listed_on=mine.listed_on or theirs.listed_on,
        votes=_most(mine.votes, theirs.votes),
        comments=_most(mine.comments, theirs.comments),
        ids=tuple(dict.fromkeys((*mine.ids, *theirs.ids)))[:_MAX_IDS],
        also_in=tuple(dict.fromkeys(name for name in sources if name != mine.source)),
        announce=min(mine.announce, theirs.announce, key=_ANNOUNCE_ORDER.index),
        links=_links(mine, theirs, later),
        note=_notes(mine.note, theirs.note),
    )
    return _published(both)


def _published(listing: Listing) -> Listing:
    """The listing with a note on its journal's DOI, if it is a preprint and no note says where."""
    dois = [name for name in listing.ids if name.startswith("doi:")]
    journals = [name for name in dois if not name.startswith(_PREPRINT_DOIS, 4)]
    is_preprint = len(journals) < len(dois) or any(name[:6] == "arxiv:" for name in listing.ids)
    if not journals or not is_preprint or "published " in listing.note:
        return listing
    return replace(listing, note=_notes(listing.note, f"published as {journals[0]}"))


def _has_id(listing: Listing) -> bool:
    """True for a paper with an arXiv id, a DOI or a PubMed id."""
    return any(name.startswith(("arxiv:", "doi:", "pmid:")) for name in listing.ids)


def _of_later_version(mine: Listing, theirs: Listing) -> Listing | None:
    """Whichever leads to a later version on one site, of those that name it in their addresses."""
    ours, other = (urlsplit(one.url).hostname for one in (mine, theirs))
    first, second = _version(mine.note), _version(theirs.note)
    if ours != other or first == second:
        return None
    return theirs if second > first else mine


def _links(mine: Listing, theirs: Listing, later: Listing | None) -> tuple[Link, ...]:
    """The links of both; of two versions that have links of one kind those of the later."""
    links = dict.fromkeys((*mine.links, *theirs.links))
    kinds = {link.kind for link in later.links} if later else set()
    kept = [link for link in links if link.kind not in kinds or (later and link in later.links)]
    return tuple(kept)[:_MAX_LINKS]


def _longer(mine: str, theirs: str) -> str:
    """Theirs where it says a fifth more: less is another wording, and wordings would alternate."""
    return theirs if len(theirs) > 1.2 * len(mine) else mine


def _least(mine: datetime | None, theirs: datetime | None) -> datetime | None:
    return min(filter(None, (mine, theirs)), default=None)


def _most(mine: int | None, theirs: int | None) -> int | None:
    return max((n for n in (mine, theirs) if n is not None), default=None)


def _version(note: str) -> int:
    """The version that a note says; 1 where it says none."""
    said = (part.split()[1] for part in note.split("; ") if _VERSION.fullmatch(part))
    return int(next(said, "1"))


def _notes(mine: str, theirs: str) -> str:
    """Both notes, each part once; of two versions the later."""
    parts = dict.fromkeys(part for part in f"{mine}; {theirs}".split("; ") if part)
    versions = [part for part in parts if _VERSION.fullmatch(part)]
    latest = max(versions, key=_version, default="")
    rest = [part for part in parts if part not in versions]
    return "; ".join([latest, *rest] if latest else rest)
