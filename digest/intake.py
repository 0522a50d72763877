"""What was read goes into the store: joined, guarded against a backlog, counted.

Owns which listings may be mailed and what the account of a run says. Never fetches and never
parses; a fault of the store is a `StoreError`, and then nothing of the batch was stored.
"""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from digest.join import MAX_UNDATED, Joined, held_back, join, released
from digest.matcher import terms_of
from digest.model import Source, SourceRun
from digest.reader import Known, Reading, asks_again_at
from digest.standing import carried
from digest.store import Intake, Look, Store

logger = logging.getLogger("digest")

REMEMBERED_LISTS = timedelta(days=90)
"""How far back the newest list of a source is looked for."""


def known_of(store: Store, source: Source, now: datetime) -> Known:
    """What earlier runs say of a source."""
    runs = store.successes(now - REMEMBERED_LISTS, source.name).get(source.name, ())
    days = [run.batch_on for run in runs if run.batch_on]
    whole = [run.batch_on for run in runs if run.batch_on and not run.error]
    return Known(store.remembered(source.name), max(whole, default=None), max(days, default=None))


def take_in(store: Store, reading: Reading, now: datetime) -> SourceRun:
    """Join what was read with what is stored, store it and record the run, which is returned.

    What was held back before may be mailed from now on if it is announced as new work.
    """
    source = reading.source
    undated = MAX_UNDATED - _let_in(store, source, now)
    outcome = Joined()

    def sort(look: Look) -> Intake:
        nonlocal outcome
        outcome = join(reading.listings, look)
        return Intake(
            new=outcome.new,
            changed=outcome.changed,
            terms=Counter(term for listing in outcome.new for term in terms_of(listing)),
            held_back=held_back(outcome.new, source.max_age_days, now, undated),
            released=released(outcome.met, source.max_age_days, now),
            votes=_votes(outcome),
        )

    intake = store.take_in(sort, now)
    run = run_of(reading, outcome, len(intake.held_back), now)
    before, wait = store.latest_runs().get(source.name), asks_again_at(reading.remember)
    run = carried(run, source, before, reading.listings, wait)
    store.record_run(run, reading.remember)
    event = "source.failed" if run.error else "source.read"
    told = {"source": run.source, "new": run.new, "error": run.error}
    logger.info("%s %s", event, json.dumps(told))
    return run


def take_in_past(store: Store, reading: Reading, now: datetime) -> SourceRun:
    """Store what was read of a source's past, for no mail, and without a run in the books.

    A paper of it that is announced later may be mailed all the same.
    """
    outcome = Joined()

    def sort(look: Look) -> Intake:
        nonlocal outcome
        outcome = join(reading.listings, look)
        terms = Counter(term for listing in outcome.new for term in terms_of(listing))
        return Intake(outcome.new, outcome.changed, terms, {one.key for one in outcome.new})

    store.take_in(sort, now)
    return run_of(reading, outcome, len(outcome.new), now)


def rehearse_in(store: Store, reading: Reading, now: datetime) -> SourceRun:
    """What `take_in` would come to; nothing is stored."""
    outcome = join(reading.listings, store.known)
    held = held_back(outcome.new, reading.source.max_age_days, now)
    return run_of(reading, outcome, len(held), now)


def rehearse_past(store: Store, reading: Reading, now: datetime) -> SourceRun:
    """What `take_in_past` would come to; nothing is stored."""
    outcome = join(reading.listings, store.known)
    return run_of(reading, outcome, len(outcome.new), now)


def run_of(reading: Reading, outcome: Joined, held: int, now: datetime) -> SourceRun:
    """The account of what was read and what it came to."""
    return SourceRun(
        source=reading.source.name,
        started_at=now,
        announced=reading.announced,
        read=len(reading.listings),
        new=len(outcome.new),
        joined=outcome.joined,
        too_old=held,
        batch_on=reading.batch_on,
        error=reading.error,
        partly=bool(reading.error) and reading.answered,
    )


def added(source: Source, runs: Iterable[SourceRun], now: datetime) -> SourceRun:
    """One account of several looks at one source; their errors are told once each."""
    total = SourceRun(source.name, now)
    errors: dict[str, None] = {}
    for run in runs:
        errors |= dict.fromkeys([run.error] if run.error else [])
        total = replace(
            total,
            read=total.read + run.read,
            new=total.new + run.new,
            joined=total.joined + run.joined,
            too_old=total.too_old + run.too_old,
        )
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    return replace(total, error=next(iter(errors), "") + more)


def _let_in(store: Store, source: Source, now: datetime) -> int:
    """How many listings the source brought into the mail within a day."""
    runs = store.successes(now - timedelta(days=1), source.name).get(source.name, ())
    return sum(run.new - run.too_old for run in runs if run.started_at <= now)


def _votes(outcome: Joined) -> dict[int, int]:
    """The votes that were seen, by the row of a stored listing."""
    seen: dict[int, int] = {}
    for row, listing in outcome.met:
        if listing.votes is not None:
            seen[row] = max(listing.votes, seen.get(row, 0))
    return seen
