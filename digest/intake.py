"""What was read goes into the store: joined, guarded against a backlog, counted.

Owns which listings may be mailed and what the account of a run says. Never fetches and never
parses; a fault of the store is a `StoreError`, and then nothing of the batch was stored.
"""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from digest.backlog import MAX_UNDATED, Held, held_back, released
from digest.join import Joined, join
from digest.matcher import terms_of
from digest.model import Source, SourceRun
from digest.reader import Known, Reading, asks_again_at
from digest.sources.calendar import CALENDARS, calendar_of
from digest.standing import carried
from digest.store import Store
from digest.store.collected import Intake, Look

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
    outcome, held = Joined(), dict[str, Held]()

    def sort(look: Look) -> Intake:
        nonlocal outcome, held
        outcome = join(reading.listings, look)
        held = held_back(outcome.new, source.max_age_days, now, undated)
        return Intake(
            new=outcome.new,
            changed=outcome.changed,
            terms=Counter(term for listing in outcome.new for term in terms_of(listing)),
            held_back=held,
            released=released(outcome.met, source.max_age_days, now),
            votes=_votes(outcome),
        )

    store.take_in(sort, now)
    run = _carried(store, reading, run_of(reading, outcome, held, now))
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
    return _run_of_past(reading, outcome, now)


def rehearse_in(store: Store, reading: Reading, now: datetime) -> SourceRun:
    """What `take_in` would come to; nothing is stored."""
    outcome = join(reading.listings, store.known)
    undated = MAX_UNDATED - _let_in(store, reading.source, now)
    held = held_back(outcome.new, reading.source.max_age_days, now, undated)
    return _carried(store, reading, run_of(reading, outcome, held, now))


def rehearse_past(store: Store, reading: Reading, now: datetime) -> SourceRun:
    """What `take_in_past` would come to; nothing is stored."""
    return _run_of_past(reading, join(reading.listings, store.known), now)


def _run_of_past(reading: Reading, outcome: Joined, now: datetime) -> SourceRun:
    """The account of a part of the past, of which nothing is mailed, whatever its age."""
    held = held_back(outcome.new, reading.source.max_age_days, now, len(outcome.new))
    return run_of(reading, outcome, held, now)


def _carried(store: Store, reading: Reading, run: SourceRun) -> SourceRun:
    """The run with what was known of its source before."""
    before, wait = store.latest_runs().get(run.source), asks_again_at(reading.remember)
    return carried(run, reading.source, before, reading.listings, wait)


def run_of(reading: Reading, outcome: Joined, held: Mapping[str, Held], now: datetime) -> SourceRun:
    """The account of what was read and what it came to; `held` says why some is not mailed."""
    reasons, read = Counter(held.values()), _counted(reading, outcome)
    return SourceRun(
        source=reading.source.name,
        started_at=now,
        announced=reading.announced,
        read=read,
        new=len(outcome.new),
        joined=min(outcome.joined, read - len(outcome.new)),
        too_old=reasons[Held.TOO_OLD],
        revised=reasons[Held.REVISED],
        undated=reasons[Held.UNDATED],
        batch_on=reading.batch_on,
        error=reading.error,
        partly=bool(reading.error) and reading.answered,
        unreadable=reading.unreadable,
    )


def _counted(reading: Reading, outcome: Joined) -> int:
    """How many listings the day's list held, with what is new of others.

    Lists of the days before are looked at again for their votes: they are not the day's. The
    newest may be one of them as well, and counts once.
    """
    if CALENDARS[calendar_of(reading.source) or "rhythm"].dated_days is None:
        return len(reading.listings)
    new = {key for listing in outcome.new for key in listing.ids}
    days = {None, reading.batch_on}
    counted = [
        one.key for one in reading.listings if one.listed_on in days or not new.isdisjoint(one.ids)
    ]
    return len(set(counted))


def added(source: Source, runs: Iterable[SourceRun], now: datetime) -> SourceRun:
    """One account of several looks at one source; their errors are told once each."""
    runs = list(runs)
    errors = list(dict.fromkeys(run.error for run in runs if run.error))
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    stated = [run.announced for run in runs if run.announced is not None]
    return SourceRun(
        source.name,
        now,
        announced=sum(stated) if stated else None,
        read=sum(run.read for run in runs),
        new=sum(run.new for run in runs),
        joined=sum(run.joined for run in runs),
        too_old=sum(run.too_old for run in runs),
        revised=sum(run.revised for run in runs),
        undated=sum(run.undated for run in runs),
        batch_on=max((run.batch_on for run in runs if run.batch_on), default=None),
        error="".join(errors[:1]) + more,
        partly=bool(errors) and any(run.partly or not run.error for run in runs),
        unreadable=any(run.unreadable for run in runs),
    )


def _let_in(store: Store, source: Source, now: datetime) -> int:
    """How many listings the source brought into the mail within a day."""
    runs = store.successes(now - timedelta(days=1), source.name).get(source.name, ())
    kept = (run for run in runs if run.started_at <= now)
    return sum(run.new - run.too_old - run.revised - run.undated for run in kept)


def _votes(outcome: Joined) -> dict[int, int]:
    """The votes that were seen, by the row of a stored listing."""
    seen: dict[int, int] = {}
    for row, listing in outcome.met:
        if listing.votes is not None:
            seen[row] = max(listing.votes, seen.get(row, 0))
    return seen
