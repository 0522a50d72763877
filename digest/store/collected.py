"""The verbs for what was collected: listings, the counts of their terms, the runs of sources."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Protocol

from digest.model import Listing, SourceRun


@dataclass(frozen=True, slots=True)
class Intake:
    """What a batch of listings does to those that are stored.

    `new` are to be stored and `changed` to replace their rows; `held_back` names the keys of new
    ones that are kept out of the mail, `released` rows that are let in from now on. `terms` adds to
    the term counts. `votes` are those seen now, by row.
    """

    new: Sequence[Listing] = ()
    changed: Sequence[Listing] = ()
    terms: Mapping[str, int] = field(default_factory=dict)
    held_back: Collection[str] = ()
    released: Collection[int] = ()
    votes: Mapping[int, int] = field(default_factory=dict)


Look = Callable[[Collection[str]], Mapping[str, Listing]]
"""Looks up stored listings by any of their identities."""


class Collected(Protocol):
    """What ingest writes and matching reads; see `Store` for what holds of every verb."""

    def known(self, ids: Collection[str]) -> Mapping[str, Listing]:
        """Stored listings by any of their identities."""

    def add_listings(
        self,
        new: Sequence[Listing],
        changed: Sequence[Listing],
        terms: Mapping[str, int],
        held_back: Collection[str],
        now: datetime,
    ) -> None:
        """Store new listings, replace changed ones (by `id`), add to the term counts.

        `held_back` names the keys of new listings that are kept out of the mail (too old).
        """

    def take_in(self, sort: Callable[[Look], Intake], now: datetime) -> Intake:
        """Store what `sort` makes of the listings that come in; returns it.

        `sort` looks at the stored listings and is part of the transaction: of two that take in
        the same paper at the same moment the second finds what the first has stored. A released
        listing counts as first seen now.
        """

    def vote_history(self, since: date) -> Mapping[int, Sequence[tuple[date, int]]]:
        """By listing the days since then on which votes were seen, and how many at first sight.

        The days come oldest first; a listing's `votes` are those seen last.
        """

    def tidy_sources(self, now: datetime) -> Mapping[str, int]:
        """Forget votes and addresses that are no longer asked; returns how many rows per table."""

    def record_run(self, run: SourceRun, remembered: Mapping[str, str] | None = None) -> None:
        """Keep what one fetch of a source brought, and what to remember for each URL (JSON)."""

    def latest_runs(self) -> Mapping[str, SourceRun]:
        """The newest run of each source, successful or not."""

    def successes(
        self, since: datetime, source: str | None = None
    ) -> Mapping[str, Sequence[SourceRun]]:
        """The runs of each source since then that read something or all, oldest first.

        Only those of one source where it is named.
        """

    def last_success_at(self, source: str) -> datetime | None:
        """When a source was last read, wholly or in part."""

    def remembered(self, source: str) -> Mapping[str, str]:
        """What was remembered for each URL of a source."""

    def candidates(self, since: datetime) -> Sequence[Listing]:
        """Listings first seen since then that may be mailed, in the order of their ids."""

    def find_listings(self, text: str, limit: int) -> Sequence[Listing]:
        """Listings by key, by whole title, else by part of the title, newest first."""

    def recent_listings(self, limit: int) -> Sequence[Listing]:
        """The newest stored listings, newest first."""

    def recent_ids(self, limit: int, before: datetime) -> Sequence[int]:
        """The rows of the newest listings first seen before a time, newest first."""

    def counted_listings(self) -> int:
        """How many listings the term counts come from."""

    def term_counts(self) -> tuple[int, Mapping[str, int]]:
        """How many listings were counted, and in how many of them each term stands."""
