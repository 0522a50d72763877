"""The mail's receipt in words: what became of the day and of each source, for one reader.

Owns which sources are named and which share a line; a source's own sentence is of `standing`. What
many mails share is said once for all of them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache

from digest.errors import SourceError
from digest.model import Digest, Listing, Receipt, SectionName, SourceRun, Standing
from digest.renderer.clean import line
from digest.renderer.numbers import counted
from digest.standing import Share, is_counted, state_of, told

_ADDRESS = re.compile(r"\b[a-z]+://\S+\s*", re.IGNORECASE)
_MOST_SOURCES = 12
_MOST_QUIET = 3  # sources without news that are named one by one


def counts(receipt: Receipt) -> str:
    """What became of the day for this person, in one sentence."""
    parts = [
        counted(receipt.considered, "new listing") + " considered",
        f"{receipt.matched:,} {'fits' if receipt.matched == 1 else 'fit'} you",
        f"{receipt.shown:,} shown",
    ]
    if not receipt.matched:
        parts[1:] = ["none fits you"] if receipt.considered else []
        parts += [f"{receipt.shown:,} shown"] if receipt.shown else []
    if not receipt.considered:
        parts[0] = "No new listing to consider"
    if receipt.waiting:
        waits = "waits" if receipt.waiting == 1 else "wait"
        parts.append(f"{receipt.waiting:,} {waits} for tomorrow")
    return ", ".join(parts) + "."


def troubles(digest: Digest) -> list[str]:
    """The sources that failed or have been silent for too long: since when, and what comes next."""
    batch = _Batch(digest.receipt.sources)
    return list(_troubles(batch, digest.digest_on, digest.subscriber.timezone))


def sources(digest: Digest) -> list[str]:
    """One line for each source that was read: what it announced, what of it fits, what is shown."""
    said_of, rest = _told(_Batch(digest.receipt.sources), digest.digest_on)
    shares = _shares(digest)
    any_other = shares[""]
    lines = [f"{said}{shares.get(name, any_other) if own else ''}." for name, said, own in said_of]
    return [*lines, *rest]


@dataclass(frozen=True, slots=True, eq=False)
class _Batch:
    """The sources of a whole batch of mails, known by being the same object.

    To compare all their runs would take longer than the words of one mail.
    """

    runs: tuple[SourceRun, ...]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Batch) and self.runs is other.runs

    def __hash__(self) -> int:
        return id(self.runs)


@lru_cache(maxsize=512)
def _troubles(batch: _Batch, today: date, timezone: str) -> tuple[str, ...]:
    bad = [_clean(run) for run in batch.runs if _is_trouble(run)]
    lines = [f"{run.source} {state_of(run, today, timezone)}." for run in bad[:_MOST_SOURCES]]
    if more := len(bad) - len(lines):
        lines.append(f"{more} more {'source is' if more == 1 else 'sources are'} in trouble.")
    return tuple(lines)


@lru_cache(maxsize=64)
def _told(batch: _Batch, today: date) -> tuple[list[tuple[str, str, bool]], list[str]]:
    """(name, sentence, whether this reader's share belongs to it) of each source, further lines."""
    read = [run for run in batch.runs if not _is_trouble(run) or run.new]
    quiet = [run for run in read if not run.read and run.standing is Standing.ON_TIME]
    quiet = quiet if len(quiet) > _MOST_QUIET else []
    read = [run for run in read if run not in quiet]
    lines = []
    if rest := read[_MOST_SOURCES:]:
        total = sum(run.read for run in rest)
        lines.append(f"{len(rest)} more sources: {total:,} read, {sum(r.new for r in rest):,} new.")
    if quiet:
        names = ", ".join(line(run.source, 40) for run in quiet[:_MOST_QUIET])
        lines.append(f"Nothing new from {names} and {len(quiet) - _MOST_QUIET} more.")
    return [
        (run.source, told(_clean(run), today), is_counted(run) and run.read > 0)
        for run in read[:_MOST_SOURCES]
    ], lines


def _is_trouble(run: SourceRun) -> bool:
    return bool(run.error) or run.standing is Standing.SILENT


def _shares(digest: Digest) -> dict[str, Share]:
    """Per source what of its listings fits and is shown; under the empty name, of any other."""
    shown: dict[str, set[str]] = {}
    also: dict[str, Counter[str]] = {}
    for listing in _shown(digest):
        keys = shown.setdefault(listing.source, set())
        if listing.also_in and listing.key not in keys:
            others = (name for name in listing.also_in if name != listing.source)
            also.setdefault(listing.source, Counter()).update(others)
        keys.add(listing.key)
    receipt = digest.receipt
    fits = dict(receipt.matched_by)
    # A list of feeds names its listings by the feeds, so that its own share is not known.
    known = fits.keys() <= {run.source for run in receipt.sources}
    none = 0 if known and (fits or not receipt.matched) else None
    shares = {
        name: Share(fits.get(name, none), len(shown.get(name, ())), _elsewhere(also.get(name)))
        for name in {*fits, *shown}
    }
    return {"": Share(none), **shares}


def _shown(digest: Digest) -> Iterator[Listing]:
    """The listings of each section but the near misses."""
    for section in digest.sections:
        if section.name is not SectionName.NEAREST:
            yield from (match.listing for match in section.matches)


def _elsewhere(names: Counter[str] | None) -> tuple[tuple[str, int], ...]:
    """The two sources that most of the listings are in as well."""
    return tuple((line(name, 40), n) for name, n in names.most_common(2)) if names else ()


def _clean(run: SourceRun) -> SourceRun:
    """The run with what is from outside on one line and without what nobody can see.

    Addresses are the operator's: they may hold a key, and help no reader.
    """
    why = _ADDRESS.sub("", run.error.removeprefix(str(SourceError(run.source, ""))))
    why = line(why, 160) or (run.error and "no reason given")
    return replace(run, source=line(run.source, 60), error=why)
