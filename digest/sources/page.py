"""Saved Daily Papers pages: the text that a browser saves, and the HTML of the page.

The text knows no addresses, no authors' names and no ids: a listing's key is its title's.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from datetime import date, datetime

from digest.model import Listing, Source
from digest.sources import huggingface, markup
from digest.sources.batch import Batch, UnreadableError
from digest.sources.dates import MONTHS, latest_day, midnight
from digest.sources.shape import MAX_ITEMS, mapping, sequence, shape

_FIRST_LINE = "Get trending papers in your email inbox"
_LONGEST_TITLE = 250  # characters; the longest on the pages seen has 144, the shortest abstract 380
_HEADER_BLOCKS = 30
_DAY = re.compile(r"^([A-Z][a-z]{2}) (\d{1,2})(?:, (\d{4}))?$")
_HEADER = re.compile(
    rf"^(?:new|Subscribe|(?:Daily|Weekly|Monthly|Trending) Papers|Daily|Weekly|Monthly"
    rf"|{_FIRST_LINE}.*|by ?AK.*|[A-Z][a-z]{{2}} \d{{1,2}}(?:, \d{{4}})?)$"
)
_META = re.compile(
    r"^(?:•\s*(?P<count>\d[\d,]*) authors?|(?P<org>[^\n]{1,200}))?\s*·\s*"
    r"(?P<month>[A-Z][a-z]{2}) (?P<day>\d{1,2})(?:, (?P<year>\d{4}))?(?:\s+(?P<comments>\d+))?\s*$"
)
_FINISHED = re.compile(r"[.!?。…:;][)\]}\"”’'*$]*$|https?://\S+$|\S\.\S+$|\w+/\S*$")


@dataclass(frozen=True, slots=True)
class _Item:
    """The blocks of one listing: title, abstract, and the line on who and when."""

    title: str
    abstract: str
    meta: re.Match[str] | None = None


def parse(body: bytes, source: Source, now: datetime) -> Batch:
    """The listings of a saved page, text or HTML. Raises: UnreadableError."""
    if not body.strip():
        raise UnreadableError("the page is empty; expected a saved Daily Papers page")
    if b"data-props" in body:
        return _parse_html(body, source, now)
    text = _decoded(body)
    if _FIRST_LINE not in text[:4_000]:
        raise UnreadableError(
            f"not a saved Daily Papers page: the line {_FIRST_LINE!r} is missing{_looks_like(text)}"
        )
    day, items = _read(text, now)
    if not items:
        raise UnreadableError("the saved page holds no listing after its header")
    listings = [_listing(item, source, day, now) for item in items[:MAX_ITEMS]]
    return Batch(tuple(listings), batch_on=day)


def _decoded(body: bytes) -> str:
    """The page as text with plain line ends. Raises: UnreadableError."""
    encoding = "utf-16" if body[:2] in {b"\xff\xfe", b"\xfe\xff"} else "utf-8-sig"
    try:
        return "\n".join(body.decode(encoding).splitlines())
    except UnicodeDecodeError as fault:
        raise UnreadableError(
            f"no UTF-8 text, or cut off: byte {fault.start} of {len(body)} is wrong"
        ) from None


def _looks_like(text: str) -> str:
    """A hint at the kind that would read the text."""
    start = text.lstrip()[:200].lower()
    if start.startswith(("{", "[")):
        return "; this is JSON: kind = 'huggingface' or 'jsonl' may read it"
    if start.startswith("<?xml") or "<rss" in start or "<feed" in start:
        return "; this is XML: kind = 'feed' may read it"
    return "; this is HTML of another page" if "<html" in start or "<!doctype" in start else ""


# --- the text -------------------------------------------------------------------------------


def _read(text: str, now: datetime) -> tuple[date | None, list[_Item]]:
    """The page's day and its items."""
    if re.search(r"\n[^\S\n]*\n", text):
        blocks = [b for part in re.split(r"\n[^\S\n]*\n", text) if (b := part.strip())]
        blocks = _with_whole_metas(blocks)
    else:
        blocks = [line.strip() for line in text.split("\n") if line.strip()]
    start = _header_end(blocks)
    day = next(filter(None, (_page_day(block, now) for block in blocks[:start])), None)
    blocks = blocks[start:]
    if blocks and blocks[0].startswith("Subscribe") and len(blocks[0]) > 9:
        blocks[0] = blocks[0].removeprefix("Subscribe")  # the page's button sticks to the title
    metas = [_META.match(block) for block in blocks]
    return day, _by_meta(blocks, metas) if any(metas) else _by_length(blocks)


def _with_whole_metas(blocks: list[str]) -> list[str]:
    """The blocks, with `who`, `·` and `when` put together where blank lines part them too."""
    whole: list[str] = []
    place = 0
    while place < len(blocks):
        three = blocks[place : place + 3]
        if len(three) == 3 and three[1] == "·" and _META.match("\n".join(three)):
            whole.append("\n".join(three))
            place += 3
        else:
            whole.append(blocks[place])
            place += 1
    return whole


def _header_end(blocks: list[str]) -> int:
    """The place after the last block, before any abstract, that belongs to the page's header."""
    marks = [0]
    for place, block in enumerate(blocks[:_HEADER_BLOCKS], start=1):
        if not _may_be_title(block):
            break
        if _HEADER.match(block):
            marks.append(place)
    return marks[-1]


def _page_day(block: str, now: datetime) -> date | None:
    """The day that a header block names: without a year the latest that is not after today."""
    found = _DAY.match(block)
    return _day(found[1], found[2], found[3], now.date()) if found else None


def _day(month: str, day: str, year: str | None, not_after: date) -> date | None:
    number = MONTHS.get(month.lower())
    if not number:
        return None
    if not year:
        return latest_day(number, int(day), not_after)
    try:
        return date(int(year), number, int(day))
    except ValueError:
        return None


def _by_meta(blocks: list[str], metas: list[re.Match[str] | None]) -> list[_Item]:
    """Items whose last block says who and when. Raises: UnreadableError when the last has none."""
    items: list[_Item] = []
    start = 0
    for end, meta in enumerate(metas):
        if meta and end > start:
            *bare, last = _parted(blocks[start:end])
            items += [*bare, replace(last, meta=meta)]
        if meta:
            start = end + 1
    if start < len(blocks):
        raise UnreadableError(
            f"the saved page is cut off: its listing {len(items) + 1}, {blocks[start][:60]!r},"
            " has no line with a date"
        )
    return items


def _parted(blocks: list[str]) -> list[_Item]:
    """Items of a title and an abstract in turn, told apart by length."""
    items: list[_Item] = []
    place = 0
    while place < len(blocks):
        title, place = blocks[place], place + 1
        end = _abstract_end(blocks, place)
        items.append(_Item(title, "\n\n".join(blocks[place:end])))
        place = end
    return items


def _by_length(blocks: list[str]) -> list[_Item]:
    """Items without a line on who and when. Raises: UnreadableError for a last one cut."""
    items = _parted(blocks)
    if items and not _FINISHED.search(items[-1].abstract[-300:]):
        raise UnreadableError(
            f"the saved page is cut off: its last listing, {items[-1].title[:60]!r},"
            " ends within a sentence"
        )
    return items


def _abstract_end(blocks: list[str], place: int) -> int:
    """The place after the abstract that begins at `place`."""
    if _begins_item(blocks, place):
        return place  # title, title, abstract: the first has no abstract
    place += 1
    while place < len(blocks) and not _begins_item(blocks, place):
        # The last block of all, or a short one before a short one, may be either: a title then
        # stands before a title's own abstract, which is no longer than a title itself.
        if _may_be_title(blocks[place]) and place + 1 < len(blocks):
            return place
        place += 1
    return min(place, len(blocks))


def _begins_item(blocks: list[str], place: int) -> bool:
    """True where a title stands right before a long block, which can only be its abstract."""
    two = blocks[place : place + 2]
    return len(two) == 2 and _may_be_title(two[0]) and not _may_be_title(two[1])


def _may_be_title(block: str) -> bool:
    """False for what is too long for a title, or holds an address as last lines of abstracts do."""
    return len(block) <= _LONGEST_TITLE and "://" not in block


def _listing(item: _Item, source: Source, day: date | None, now: datetime) -> Listing:
    """The listing of one item of a page of that day."""
    meta = item.meta.groupdict() if item.meta else {}
    published = _day(meta["month"], meta["day"], meta["year"], day or now.date()) if meta else None
    return shape(
        source,
        title=item.title,
        abstract=item.abstract,
        organization=_display_name(meta.get("org") or ""),
        author_count=int(meta["count"].replace(",", "")) if meta.get("count") else None,
        published_at=midnight(published),
        listed_on=day,
        comments=int(meta["comments"]) if meta.get("comments") else None,
    )


def _display_name(line: str) -> str:
    """The name out of a line that holds an account and then the name: `ai2 Allen Institute`."""
    account, _, name = line.strip().partition(" ")
    return name.strip() or account


# --- the HTML -------------------------------------------------------------------------------


def _parse_html(body: bytes, source: Source, now: datetime) -> Batch:
    """The listings in the JSON that the page's own script reads. Raises: UnreadableError."""
    root = markup.parse_page(body)
    path = "//*[@data-target='DailyPapers'][@data-props]"
    holders = root.xpath(path) if root is not None else []
    if not holders:
        raise UnreadableError(
            "not a saved Daily Papers page: no element with data-target='DailyPapers' stands in it"
        )
    try:
        props = mapping(json.loads(holders[0].get("data-props")))
    except ValueError:
        raise UnreadableError("the saved page is cut off: its data-props is no JSON") from None
    papers = sequence(props.get("dailyPapers")) or sequence(props.get("papers"))
    return huggingface.read(papers, source, now)
