"""Digests as ledger text and back: what a mail showed, kept so that its bytes can be made again.

Listings and frames are kept once for each content (`snapshots`); a delivery's own text holds their
numbers, the scores, the reasons and the receipt, a few kilobytes. Scores and reasons are records of
a few bytes; their texts name a keyword by the place that it has in the profile beside them.
"""

from __future__ import annotations

import hashlib
from binascii import a2b_base64, b2a_base64
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, time
from itertools import islice, pairwise
from struct import Struct
from typing import Any, NamedTuple

import numpy as np
from pydantic import TypeAdapter
from pydantic_core import from_json, to_json

from digest.drafts import Drafts, in_columns
from digest.model import (
    Digest,
    Frame,
    Listing,
    Match,
    Profile,
    Reason,
    Reasons,
    Receipt,
    Section,
    SectionName,
    SourceRun,
    Subscriber,
)
from digest.reason import FIELDS, RECORD

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


def fingerprint(body: bytes) -> bytes:
    """The SHA-256 under which a snapshot's content is kept once."""
    return hashlib.sha256(body).digest()


_MATCH = Struct("<dH")
"""The score of a match and the number of its reasons."""

_HEAD = np.dtype([("score", "<f8"), ("reasons", "<u2")])
"""The same as an array has it."""


class Frozen(NamedTuple):
    """A digest on its way into the ledger, in few and simple parts: it may change processes.

    `text` is the ledger's but for the numbers of the listings, in the order of which they are
    shown: those are known where the rows are written.
    """

    subscriber_id: int
    digest_on: date
    recipient: str
    timezone: str
    send_at: time
    mailed: bool
    matched: int
    empty_reason: str
    sources: tuple[SourceRun, ...]
    listings: tuple[Listing, ...]
    text: str

    def numbered(self, numbers: Iterable[int]) -> str:
        """The ledger text with the numbers of the listings that it shows."""
        return f'{self.text[:-1]},"shown":[{",".join(map(str, numbers))}]}}'


def freeze(digest: Digest) -> Frozen:
    """A digest as the ledger keeps it."""
    return next(frozen(in_columns([digest])))


def frozen(drafts: Drafts) -> Iterator[Frozen]:
    """Digests as the ledger keeps them, one after the other."""
    reasons, first = drafts.reasons, drafts.first
    heads = np.empty(len(reasons.score), dtype=_HEAD)
    heads["score"], heads["reasons"] = reasons.score, np.diff(reasons.first)
    matches, records = memoryview(heads.tobytes()), memoryview(reasons.reasons.tobytes())
    listings = [drafts.listings[at] for at in drafts.items.listing.tolist()]
    row, texts = [*reasons.row.tolist(), -1], [*reasons.rows(), [""]]
    ends = zip(first.tolist(), reasons.first[first].tolist(), strict=True)
    columns = zip(
        drafts.people,
        drafts.sections(),
        drafts.receipts,
        drafts.empty_reason,
        drafts.mailed,
        drafts.newest,
        drafts.hint,
        pairwise(ends),
        strict=True,
    )
    for one, sections, receipt, why, mailed, newest, hint, ((low, begin), (high, end)) in columns:
        places = {keyword.term: place for place, keyword in enumerate(one.profile.keywords)}
        own = texts[row[low] if low < high else -1]
        body = to_json(
            {
                "sections": [(name.value, many) for name, many in sections],
                "matches": _printed(matches[low * _HEAD.itemsize : high * _HEAD.itemsize]),
                "texts": [places.get(text, text) for text in own],
                "reasons": _printed(records[begin * RECORD.size : end * RECORD.size]),
                "counts": [receipt.considered, receipt.matched, receipt.shown, receipt.waiting],
                "matched_by": receipt.matched_by,
                "empty_reason": why,
                "newest": newest,
                "hint": hint,
            }
        )
        yield Frozen(
            subscriber_id=one.id,
            digest_on=drafts.digest_on,
            recipient=one.email,
            timezone=one.timezone,
            send_at=one.send_at,
            mailed=mailed,
            matched=receipt.matched,
            empty_reason=why,
            sources=receipt.sources,
            listings=tuple(listings[low:high]),
            text=f'{{"subscriber":{SUBSCRIBER.dump_json(one).decode()},{body.decode()[1:]}',
        )


def _printed(part: memoryview) -> str:
    return b2a_base64(part, newline=False).decode("ascii")


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
    matches = iter((_matches if "shown" in kept else _older_matches)(kept, terms, listing))
    return Digest(
        subscriber=subscriber,
        digest_on=digest_on,
        sections=tuple(
            Section(SectionName(name), tuple(islice(matches, many)))
            for name, many in _sections(kept)
        ),
        receipt=replace(Receipt(frame.sources, *kept["counts"]), matched_by=matched_by),
        empty_reason=kept["empty_reason"],
        mailed=mailed,
        newest=kept.get("newest", 0),
        hint=kept.get("hint", ""),
    )


def _sections(kept: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    """The names of the sections, and how many matches each has."""
    for name, matches in kept["sections"]:
        yield name, matches if isinstance(matches, int) else len(matches)


def _matches(
    kept: Mapping[str, Any], terms: Sequence[str], listing: Callable[[int], Listing]
) -> Iterator[Match]:
    """The matches of all sections; their reasons are made where they are read."""
    texts = tuple(terms[text] if isinstance(text, int) else text for text in kept["texts"])
    raw, done = a2b_base64(kept["reasons"]), 0
    heads = _MATCH.iter_unpack(a2b_base64(kept["matches"]))
    for number, (score, size) in zip(kept["shown"], heads, strict=True):
        end = done + size * RECORD.size
        yield Match(listing(number), score, Reasons(texts, raw[done:end]))
        done = end


# --- as older versions have kept it -----------------------------------------------------------


def _older_matches(
    kept: Mapping[str, Any], terms: Sequence[str], listing: Callable[[int], Listing]
) -> Iterator[Match]:
    """The matches of all sections, each with its listing's number, its score and its reasons."""
    for _, matches in kept["sections"]:
        for number, score, reasons in matches:
            yield Match(listing(number), score, tuple(_reason(one, terms) for one in reasons))


def _reason(kept: Sequence[Any], terms: Sequence[str]) -> Reason:
    """The reason of a short form, which names keywords and fields by numbers, or of a whole one."""
    term, field, *rest = kept
    term = terms[term] if isinstance(term, int) else term
    return Reason(term, FIELDS[field] if isinstance(field, int) else field, *rest)
