"""Digests as ledger text and back: what a mail showed, kept so that its bytes can be made again.

Listings and frames are kept once for each content (`snapshots`); a delivery's own text holds their
numbers, the scores, the reasons and the receipt, a few kilobytes. A reason names its keyword by the
place that it has in the profile beside it, and leaves out at its end what most reasons lack.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from pydantic import TypeAdapter
from pydantic_core import from_json, to_json

from digest.model import (
    Digest,
    Frame,
    Listing,
    Match,
    Profile,
    Reason,
    Receipt,
    Section,
    SectionName,
    SourceRun,
    Subscriber,
)

LISTING = TypeAdapter(Listing)
PROFILE = TypeAdapter(Profile)
SOURCE_RUN = TypeAdapter(SourceRun)
SUBSCRIBER = TypeAdapter(Subscriber)


@dataclass(frozen=True, slots=True)
class FrameSnapshot:
    """A frame with the sources' part of the receipt, which a whole batch of mails shares."""

    frame: Frame
    sources: tuple[SourceRun, ...]


FRAME = TypeAdapter(FrameSnapshot)


FIELDS = ("title", "abstract", "title and abstract", "author", "category", "org", "source")
"""Fields that a kept reason names by their number: new ones are added at the end."""

_NUMBERS = {name: number for number, name in enumerate(FIELDS)}


def fingerprint(body: bytes) -> bytes:
    """The SHA-256 under which a snapshot's content is kept once."""
    return hashlib.sha256(body).digest()


def freeze(digest: Digest, snapshot_id: Callable[[Listing], int]) -> str:
    """The ledger text of a digest; `snapshot_id` numbers the listings it shows."""
    keywords = digest.subscriber.profile.keywords
    places = {keyword.term: place for place, keyword in enumerate(keywords)}
    sections = [
        [
            section.name.value,
            [
                [
                    snapshot_id(match.listing),
                    match.score,
                    [_short(reason, places) for reason in match.reasons],
                ]
                for match in section.matches
            ],
        ]
        for section in digest.sections
    ]
    receipt = digest.receipt
    counts = [receipt.considered, receipt.matched, receipt.shown, receipt.waiting]
    return to_json(  # a third of the time of the library's own
        {
            "subscriber": digest.subscriber,
            "sections": sections,
            "counts": counts,
            "matched_by": receipt.matched_by,
            "empty_reason": digest.empty_reason,
            "newest": digest.newest,
            "hint": digest.hint,
        }
    ).decode()


def _short(reason: Reason, places: Mapping[str, int]) -> list[object]:
    """A reason as it is kept."""
    term, field = reason.term, reason.field
    named: list[object] = [
        places.get(term, term),
        _NUMBERS.get(field, field),
        reason.points,
        reason.count,
    ]
    if reason.related or reason.part:  # what was learned is related as well
        return [*named, reason.related, reason.part, reason.learned]
    return named


def _reason(kept: Sequence[Any], terms: Sequence[str]) -> Reason:
    """The reason of its short form, or of the whole one that older versions have kept."""
    term, field, *rest = kept
    term = terms[term] if isinstance(term, int) else term
    return Reason(term, FIELDS[field] if isinstance(field, int) else field, *rest)


def thaw(
    body: str,
    digest_on: date,
    *,
    mailed: bool,
    frame: FrameSnapshot,
    listing: Callable[[int], Listing],
) -> Digest:
    """The digest of a ledger text; `listing` gives the listing of a snapshot number."""
    kept = from_json(body)
    matched_by = tuple((source, count) for source, count in kept.get("matched_by", ()))
    subscriber = SUBSCRIBER.validate_python(kept["subscriber"])
    terms = [keyword.term for keyword in subscriber.profile.keywords]
    return Digest(
        subscriber=subscriber,
        digest_on=digest_on,
        sections=tuple(
            Section(
                SectionName(name),
                tuple(
                    Match(listing(number), score, tuple(_reason(one, terms) for one in reasons))
                    for number, score, reasons in matches
                ),
            )
            for name, matches in kept["sections"]
        ),
        receipt=replace(Receipt(frame.sources, *kept["counts"]), matched_by=matched_by),
        empty_reason=kept["empty_reason"],
        mailed=mailed,
        newest=kept.get("newest", 0),
        hint=kept.get("hint", ""),
    )
