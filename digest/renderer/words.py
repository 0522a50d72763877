"""What the mail says in words: days, people, reasons, the receipt.

Owns the English of the mail. Never touches HTML; all text from outside is cleaned here and escaped
by the templates.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from functools import lru_cache

from digest.model import (
    Frame,
    Listing,
    Match,
    PersonalLinks,
    Reason,
    SectionName,
)
from digest.renderer.clean import line

# ruff: noqa: PLC0414 - `as` is how the typing rules mark a name that is handed on
from digest.renderer.leads import LEADS as LEADS
from digest.renderer.leads import TITLES as TITLES
from digest.renderer.leads import lead as lead
from digest.renderer.numbers import NBSP
from digest.renderer.numbers import counted as counted
from digest.renderer.receipts import counts as counts
from digest.renderer.receipts import sources as sources
from digest.renderer.receipts import troubles as troubles
from digest.sources.calendar import DAYS, MONTHS
from digest.tex import readable
from digest.text import cut

_PLACES = {
    "title": "in the title",
    "title and abstract": "in the title and the abstract",
    "abstract": "in the abstract",
    "author": "among the authors",
    "category": "among the subjects",
    "org": "as the organization",
    "source": "as the source",
}
_ORDER = {field: place for place, field in enumerate(_PLACES)}
_KEYWORD = re.compile(r"(?:(?:title|abstract|author|category|org|source):)?\"?([^\"]+)\"?")
_LINKS = {"pdf": "PDF", "code": "Code", "project": "Project page", "comments": "Discussion"}
_PARTICLES = frozenset(
    {
        "al", "bin", "da", "de", "del", "della", "den", "der", "di", "dos", "du", "el", "la", "le",
        "ten", "ter", "van", "von",
    }
)  # fmt: skip
_FAMILY_FIRST = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")  # 湯川 秀樹 stays whole
_SHOWN = 0.005  # points below this would be written as 0.00
_MOST_GROUPS = 6  # reasons in one line; what is left is added up
_GROUPS = ("Collaboration", "Team", "Consortium", "Group", "Project")


# --- days -----------------------------------------------------------------------------------


def long_day(day: date) -> str:
    """`Friday 20 November`, whatever the locale."""
    return f"{DAYS[day.weekday()]} {day.day} {MONTHS[day.month - 1]}"


def short_day(day: date) -> str:
    """`Fri 20 Nov`."""
    return f"{DAYS[day.weekday()][:3]} {day.day} {MONTHS[day.month - 1][:3]}"


def near_day(day: date, year: int) -> str:
    """`19 Nov` in that year, `8 Oct 2025` in another."""
    shown = f"{day.day}{NBSP}{MONTHS[day.month - 1][:3]}"
    return shown if day.year == year else f"{shown}{NBSP}{day.year}"


# --- a listing ------------------------------------------------------------------------------


def meta(listing: Listing, year: int) -> str:
    """Who, where from and when, in one line: `Dao, Gu +5 · Princeton · arXiv · 19 Nov`."""
    day = listing.published_at.date() if listing.published_at else listing.listed_on
    parts = [
        people(listing),
        readable(line(listing.organization, 80)),
        _source(listing),
        near_day(day, year) if day else "",
        counted(listing.votes, "vote"),
        counted(listing.comments, "comment"),
    ]
    return "\u00a0· ".join(part for part in parts if part)  # no line begins with a dot


def people(listing: Listing) -> str:
    """The authors' family names, at most three: `Dao, Gu +5`; or `5 authors`."""
    names = [family_name(readable(name)) for name in listing.authors if line(name)]
    if not names:
        return counted(listing.author_count, "author")
    total = max(len(names), listing.author_count or 0)
    shown = names if total <= 3 and total == len(names) else names[:2]
    more = total - len(shown)
    return ", ".join(shown) + (f" +{more}" if more else "")


def family_name(name: str) -> str:
    """`Dao` of `Tri Dao` and of `Dao, Tri`; `van der Waals`; a group's name stays whole."""
    name = line(name, 60)
    if "," in name:
        return name.partition(",")[0].strip() or name
    words = name.split()
    if words[-1] in _GROUPS or len(words) == 1 or _FAMILY_FIRST.match(name):
        return name
    start = len(words) - 1
    if words[-1].rstrip(".") in {"Jr", "Sr", "II", "III", "IV"} and start > 1:
        start -= 1
    while start > 1 and words[start - 1].lower() in _PARTICLES:
        start -= 1
    return " ".join(words[start:])


def _source(listing: Listing) -> str:
    others = [line(name, 40) for name in listing.also_in if name != listing.source]
    also = f", also in {', '.join(others[:3])}" if others else ""
    return line(listing.source, 40) + also


def link_label(kind: str) -> str:
    """What a further link of a listing is called."""
    return _LINKS.get(kind, "More")


# --- reasons --------------------------------------------------------------------------------


def why(match: Match, section: SectionName, floor: float) -> str:
    """Why the listing is here, in words, with the points that make up its score."""
    return "".join(why_parts(match, section, floor))


def why_parts(match: Match, section: SectionName, floor: float) -> list[str]:
    """The same in parts, most of which stand in many mails; none for what is but a title."""
    if section is SectionName.SHORT:
        return []
    reasons = _because(match.reasons)
    if section is SectionName.NEAREST:
        below = f"{floor - match.score:.2f} below your floor of {floor:.2f}"
        return [below, ": ", *reasons] if reasons else [below]
    if not reasons:
        return []
    if section in {SectionName.TRENDING, SectionName.RISING}:
        learned = any(reason.learned for reason in match.reasons)
        return [f"From your keywords{' and likes' if learned else ''}: ", *reasons]
    return ["Because of ", *reasons]


def because(reasons: Sequence[Reason]) -> str:
    """`“draft model” in the title (+0.42) and the abstract, twice (+0.11)`, and what held back."""
    return "".join(_because(reasons))


def _because(reasons: Sequence[Reason]) -> list[str]:
    return _plainly(reasons) or _in_full(reasons)


def _plainly(reasons: Sequence[Reason]) -> list[str]:
    """The parts where each of a few terms helped in one place, as nearly always; else none."""
    parts: list[str] = []
    terms = set()
    for reason in reasons:
        if reason.points < _SHOWN or reason.related:
            return []
        terms.add((reason.term, reason.part))
        parts += (
            ", ",
            _term(reason.term, reason.part, reason.field, reason.count),
            f" (+{reason.points:.2f})",
        )
    return parts[1:] if len(terms) == len(reasons) <= _MOST_GROUPS else []


def _in_full(reasons: Sequence[Reason]) -> list[str]:
    stated = [reason for reason in reasons if not reason.related]
    weak = [r for r in reasons if r.related] if len(stated) < len(reasons) else []
    helped = _groups([reason for reason in stated if reason.points >= 0])
    hindered = _groups([reason for reason in stated if reason.points < 0])
    said = [_clause(group) for group in helped[:_MOST_GROUPS]]
    if rest := [reason for group in helped[_MOST_GROUPS:] for reason in group]:
        said.append([f"{len(helped) - _MOST_GROUPS} more{_points(rest)}"])
    if related := [r for r in weak if not r.learned and r.field != "meaning"]:
        said.append([_related(related)])
    said += _learned(weak, "liked") + _meant([r for r in weak if r.points > 0])
    against = [_clause(group) for group in hindered[:_MOST_GROUPS]] + _learned(weak, "disliked")
    against += _meant([r for r in weak if r.points < 0])
    if not against:
        return _listed(said)
    held = "; held back by " if said else "nothing, and held back by "
    return [*_listed(said), held, *_listed(against)]


def named(terms: Sequence[str]) -> str:
    """`“speculative decoding”, “draft model”`: at most three terms."""
    return ", ".join(f"“{bare(term, 40)}”" for term in terms[:3])


def bare(term: str, limit: int = 60) -> str:
    """A keyword without its field and its quotation marks: the place is said in words."""
    found = _KEYWORD.fullmatch(line(term))
    return cut(found[1] if found else line(term), limit)


def _groups(reasons: Sequence[Reason]) -> list[list[Reason]]:
    """The reasons term by term, in the order in which each term comes first."""
    groups: dict[tuple[str, str], list[Reason]] = {}
    for reason in reasons:
        groups.setdefault((reason.term, reason.part), []).append(reason)
    return list(groups.values())


def _listed(clauses: Sequence[list[str]]) -> list[str]:
    """The parts of all clauses with commas between them."""
    parts: list[str] = []
    for clause in clauses:
        parts.append(", ")
        parts += clause
    return parts[1:]


def _clause(group: list[Reason]) -> list[str]:
    """One term with all the places where it counted."""
    if len(group) > 1:
        group = sorted(group, key=lambda r: _ORDER.get(r.field, len(_ORDER)))
    first, *others = group
    parts = [_term(first.term, first.part, first.field, first.count), _points((first,))]
    for reason in others:
        parts += (f" and {_place(reason.field, reason.count)}", _points((reason,)))
    return parts


@lru_cache(maxsize=8_192)  # a day's keywords, which come again in mail after mail
def _term(term: str, part: str, field: str, count: int) -> str:
    """A term and the first place where it counted: `“draft” of “draft model” in the title`."""
    named = f"“{bare(term)}”"
    if part:  # all its words may stand there, apart from each other
        apart = bare(part).casefold() == bare(term).casefold()
        named = f"the words of {named}" if apart else f"“{bare(part)}” of {named}"
    return f"{named} {_place(field, count)}"


def _place(field: str, count: int) -> str:
    place = _PLACES.get(field) or f"in the {line(field, 20)}"
    if count <= 1:
        return place
    times = "twice" if count == 2 else f"{count} times"
    return f"{place}, {times}" + (" in all" if field == "title" else "")  # the abstract's as well


def _related(reasons: Sequence[Reason]) -> str:
    """Weak evidence, added up: words that stand with the profile's terms elsewhere."""
    terms = list(dict.fromkeys(bare(reason.term, 40) for reason in reasons))
    named = ", ".join(f"“{term}”" for term in terms[:3])
    noun = "the related word" if len(terms) == 1 else "related words such as"
    return f"{noun} {named}{_points(reasons)}"


def _learned(reasons: Sequence[Reason], how: str) -> list[list[str]]:
    """`likeness to papers you liked: “tiles”, “kernels” (+0.12)`: likes and dislikes as one."""
    of_them = [reason for reason in reasons if reason.learned]
    points, sign = _points(of_them), 1 if how == "liked" else -1
    if not points or sum(reason.points for reason in of_them) * sign < 0:
        return []
    terms = sorted((r for r in of_them if r.points * sign > 0), key=lambda r: -abs(r.points))
    return [[f"likeness to papers you {how}: {named([r.term for r in terms])}{points}"]]


def _meant(reasons: Sequence[Reason]) -> list[list[str]]:
    """`likeness in meaning (+0.05)`, by the operator's model, where it is enough to show."""
    meant = [reason for reason in reasons if reason.field == "meaning"]
    points = _points(meant)
    return [[f"{meant[0].term}{points}"]] if points else []


def _points(reasons: Sequence[Reason]) -> str:
    """` (+0.42)`; nothing where the points are too few to show."""
    points = sum([reason.points for reason in reasons])
    if abs(points) < _SHOWN:
        return ""
    return f" (+{points:.2f})" if points > 0 else f" (−{-points:.2f})"


# --- around the items -----------------------------------------------------------------------

SCORES = (
    "The number beside a listing is its score, from 0 to 1. The points of its reasons add up to it."
)


def more(hidden: int) -> str:
    """What a mail says that had no room for everything."""
    if not hidden:
        return ""
    noun = "listing" if hidden == 1 else "listings"
    return f"{hidden:,} more {noun} would have made this mail too long for some mail programs."


def footer(frame: Frame, email: str, links: PersonalLinks) -> dict[str, str]:
    """Who sends, why this person gets it, and how to stop it."""
    name, address = frame.sender
    sender = f"{line(name, 80)} ({line(address, 254)})" if line(name) else line(address, 254)
    stop = links.manage or links.unsubscribe
    return {
        "why": (
            f"Sent by {sender} to {line(email, 254)}, because this address is subscribed to "
            f"{line(frame.service_name, 80)} (list {line(frame.list_id, 100)})."
        ),
        "address": line(frame.postal_address, 300),
        "reply": "" if stop else "To change your keywords or to stop this mail, reply to it.",
    }
