"""From who is due to rows in the ledger: due, rank, compose, open.

`python -m tests.benchmarks.bench_prepare [SUBSCRIBERS …]` (10,000) prints for each number of
subscribers what one process takes step by step (measured with 10,000 of them at most), what the
service takes as it is set up by default, and beside both the bound: plain sqlite3 writing rows of
the same size into the same tables. CPU is that of all processes, those that are started with their
start; memory that of all at once. All profiles differ; 2,000 older listings give related terms, as
after a few days of service. The day's listings are the recorded pages where present (352), else the
demo's own. On a busy machine trust CPU, and ratios more than either.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import random
import sqlite3
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from time import perf_counter, process_time

from digest import jobs, planner, preparing
from digest.app import App, open_app
from digest.config import Config, parse_config
from digest.matcher import Matcher, Pairs, terms_of
from digest.model import Listing
from digest.offers import Offers
from digest.sizes import Measure
from digest.store.opening import OPEN_ROW, Opening
from digest.store.sqlite import SqliteStore
from digest.store.subscribers import put_row
from tests.benchmarks.bench_delivery import watched
from tests.benchmarks.bench_end_to_end import Stopwatch, people
from tests.e2e.pages import SEEDS, TERMS, read_pages, write_pages
from tests.e2e.service import CONFIG
from tests.samples import NOW

AT = NOW + timedelta(hours=6)
STEPS_AT_MOST = 10_000
ARCHIVE = 2_000
MILLION = 1_000_000
AT_ONCE = 10_000
"""Subscribers and rows that the benchmark itself writes in one transaction."""

LEDGER = "digest.db"


def config_in(folder: Path, settings: str = "") -> Config:
    """The service in that folder, with further settings of its first table."""
    text = CONFIG.format(port=2525, lease_s=600).replace("[service]", "[service]\n" + settings)
    return parse_config(text, "benchmark", folder)


# --- what there is before ---------------------------------------------------------------------


def fill(folder: Path, count: int) -> None:
    """A store with a day's listings, older ones, and so many subscribers who are due."""
    kind = "seeds" if SEEDS.is_dir() else "ours"
    write_pages(kind, folder)
    config = config_in(folder)
    with open_app(config, AT) as app:
        older = archive(read_pages(folder))
        terms = Counter(term for listing in older for term in terms_of(listing))
        app.store.add_listings(older, [], terms, [], AT - timedelta(days=20))
        asyncio.run(jobs.ingest(app, AT, config.sources))
    store = SqliteStore(folder / LEDGER)
    for first in range(0, count, AT_ONCE):
        with store.writing() as db:
            for one in people(min(AT_ONCE, count - first), TERMS[kind], first):
                put_row(db, one, NOW)
    store.close_store()


def archive(listings: list[Listing]) -> list[Listing]:
    """Older listings, of sentences that stand in the newer ones."""
    choose = random.Random(8)  # noqa: S311 - a benchmark, the same at every run
    sentences = [part for one in listings for part in one.abstract.split(". ") if part]
    return [
        Listing(
            key=f"guid:old-{number}",
            source="Saved pages",
            title=choose.choice(listings).title,
            abstract=". ".join(choose.sample(sentences, min(7, len(sentences)))),
            ids=(f"guid:old-{number}",),
        )
        for number in range(ARCHIVE)
    ]


# --- one process, step by step ----------------------------------------------------------------


def watch_steps(watch: Stopwatch, app: App) -> None:
    """Put the stopwatch on every step."""
    store = type(app.store)
    watch.watch(store, "due_ids", "due: who")
    watch.watch(store, "due_among", "due: their profiles")
    watch.watch(store, "candidates", "read the listings")
    watch.watch(store, "shown", "what was shown before")
    watch.watch(store, "last_looks", "what was looked at before")
    watch.watch(Matcher, "pairs", "rank: compile and count")
    watch.watch(Pairs, "sums", "rank: the product")
    watch.watch(Matcher, "followed", "rank: followed authors")
    watch.watch(Offers, "days", "compose: what the day offers")
    watch.watch(planner, "compose", "compose: choose")
    watch.watch(planner, "drafted", "compose: count")
    watch.watch(Pairs, "packed", "compose: scores and reasons")
    watch.watch(Measure, "items_that_fit", "compose: what fits one mail")
    watch.watch(store, "open_deliveries", "open: begin and commit")
    watch.watch(preparing.Planning, "of", "encode, and the rest of planning")
    watch.watch(Opening, "write", "open: write the rows")


def steps(folder: Path, count: int) -> None:
    """Prepare once in this process, and print what each step took."""
    with open_app(config_in(folder, "processes = 1"), AT) as app:
        app.matcher(AT)
        watch = Stopwatch(process_time)
        watch_steps(watch, app)
        with watch.step("the rest"):
            jobs.prepare(app, AT)
    whole = sum(watch.seconds.values())
    print(f"\n{count:,} subscribers, one process: µs of CPU each")
    for step, seconds in sorted(watch.seconds.items(), key=lambda item: -item[1]):
        print(f"  {step:34}{seconds / count * 1e6:8.1f}{seconds / whole:8.1%}")
    print(f"  {'together':34}{whole / count * 1e6:8.1f}")


# --- the whole, and the bound -----------------------------------------------------------------


def whole(folder: Path, count: int) -> None:
    """Prepare as the service does, and print what it took."""
    peak_mb, took, used = measured(_prepare, folder)
    with closing(sqlite3.connect(folder / LEDGER)) as db:
        rows, size = db.execute(
            "SELECT count(*), sum(length(body)) FROM bodies"  # characters: nearly all are ASCII
        ).fetchone()
    print(f"\n{count:,} subscribers, {rows:,} rows of {size / max(1, rows) / 1000:.1f} kB of text")
    told("the service, all processes", count, took, used, peak_mb)


def bound(folder: Path, count: int) -> None:
    """Write the same rows with plain sqlite3, and print what it took."""
    peak_mb, took, used = measured(_copy, folder)
    told("plain sqlite3, the same rows", count, took, used, peak_mb)


def told(name: str, count: int, took: float, used: float, peak_mb: float) -> None:
    """Print a line of the table."""
    each = f"{used / count * 1e6:8.0f} µs of CPU each{took:9.1f} s{peak_mb:7.0f} MB"
    print(f"  {name:32}{each}; a million: {took / count * MILLION:.0f} s")


def measured(work: Callable[[Path], None], folder: Path) -> tuple[float, float, float]:
    """The most memory in MB, the seconds, and the seconds of CPU, of work in its own process."""
    context = multiprocessing.get_context("spawn")
    theirs, mine = context.Pipe()
    process = context.Process(target=_timed, args=(work, folder, theirs))
    process.start()
    with watched([process.pid or 0]) as memory_mb:
        process.join()
    if process.exitcode:
        raise SystemExit(process.exitcode)
    took, used = mine.recv()
    return max(memory_mb), took, used


def _timed(work: Callable[[Path], None], folder: Path, told_to: Connection) -> None:
    begun, before = perf_counter(), sum(os.times()[:4])
    work(folder)
    told_to.send((perf_counter() - begun, sum(os.times()[:4]) - before))


def _prepare(folder: Path) -> None:
    with open_app(config_in(folder), AT) as app:
        jobs.prepare(app, AT)


def _copy(folder: Path) -> None:
    """The ledger's rows into the tables of an empty one, read in one go, each value as it is."""
    copy = folder / "copy.db"
    SqliteStore(copy).close_store()
    columns = OPEN_ROW.partition("(")[2].partition(")")[0]
    names = [name.strip() for name in columns.split(",")]
    with closing(sqlite3.connect(folder / LEDGER)) as old, closing(sqlite3.connect(copy)) as new:
        new.execute("PRAGMA synchronous = FULL")
        rows = old.execute(f"SELECT {columns} FROM deliveries ORDER BY id")  # noqa: S608 - our own names
        bodies = old.execute("SELECT delivery_id, body FROM bodies ORDER BY delivery_id")
        marks = ", ".join("?" * len(names))
        while part := rows.fetchmany(AT_ONCE):
            with new:
                new.executemany(f"INSERT INTO deliveries ({columns}) VALUES ({marks})", part)  # noqa: S608 - as above
                new.executemany("INSERT INTO bodies VALUES (?, ?)", bodies.fetchmany(AT_ONCE))


def main() -> None:
    """Measure with each number of subscribers."""
    for count in map(int, sys.argv[1:] or ["10000"]):
        with tempfile.TemporaryDirectory() as name:
            few = min(count, STEPS_AT_MOST)
            fill(Path(name), few)
            work = multiprocessing.get_context("spawn").Process(
                target=steps, args=(Path(name), few)
            )
            work.start()
            work.join()
        with tempfile.TemporaryDirectory() as name:
            fill(Path(name), count)
            whole(Path(name), count)
            bound(Path(name), count)


if __name__ == "__main__":
    main()
