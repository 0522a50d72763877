"""From who is due to rows in the ledger: due, rank, compose, open.

`python -m tests.benchmarks.bench_prepare [SUBSCRIBERS …]` (10,000) prints for each number of
subscribers how many a second of time and of this process's CPU were prepared, its peak memory, and
each step's share. All profiles differ; the listings are the recorded pages where present (352),
else the demo's own. On a busy machine trust CPU. Each number is measured in a process of its own.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import resource
import sys
import tempfile
from datetime import timedelta
from pathlib import Path
from time import perf_counter, process_time

from digest import jobs, planner
from digest.app import App, open_app
from digest.config import parse_config
from digest.matcher import Matcher, Pairs
from digest.offers import Offers
from tests.benchmarks.bench_end_to_end import Stopwatch, people
from tests.e2e.pages import SEEDS, TERMS, write_pages
from tests.e2e.service import CONFIG
from tests.samples import NOW

AT = NOW + timedelta(hours=6)


def watch_steps(watch: Stopwatch, app: App) -> None:
    """Put the stopwatch on every step."""
    watch.watch(type(app.store), "due", "due: who, with their profiles")
    watch.watch(type(app.store), "candidates", "read the listings")
    watch.watch(type(app.store), "shown", "what was shown before")
    watch.watch(type(app.store), "last_looks", "what was looked at before")
    watch.watch(Matcher, "pairs", "rank: compile and count")
    watch.watch(Pairs, "rank", "rank: the product")
    watch.watch(Matcher, "followed", "rank: followed authors")
    watch.watch(Offers, "day", "compose: what the day offers")
    watch.watch(Pairs, "match", "compose: reasons")
    watch.watch(planner, "compose", "compose: choose and count")
    watch.watch(planner, "_fitting", "compose: what fits one mail")
    watch.watch(type(app.store), "open_deliveries", "open: write the rows")


def measure(count: int) -> None:
    """Prepare once for so many, and print what it took."""
    kind = "seeds" if SEEDS.is_dir() else "ours"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_pages(kind, folder)
        config = parse_config(CONFIG.format(port=2525, lease_s=600), "benchmark", folder)
        with open_app(config, AT) as app:
            app.store.sync_file(people(count, TERMS[kind]), AT)
            asyncio.run(jobs.ingest(app, AT, config.sources))
            watch = Stopwatch(process_time)
            watch_steps(watch, app)
            begun, used = perf_counter(), process_time()
            with watch.step("the rest"):
                tally = jobs.prepare(app, AT)
            took, used = perf_counter() - begun, process_time() - used
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"\n{count:,} subscribers, {sum(tally.values()):,} rows")
    print(f"{count / took:8.0f} a second of time\n{count / used:8.0f} a second of CPU")
    print(f"{peak:8.0f} MB peak memory, the subscribers' making for this measurement included")
    whole = sum(watch.seconds.values())
    for step, seconds in sorted(watch.seconds.items(), key=lambda item: -item[1]):
        print(f"  {step:34}{seconds / count * 1e6:8.0f} µs each {seconds / whole:7.1%}")


def main() -> None:
    """Measure with each number of subscribers."""
    for count in map(int, sys.argv[1:] or ["10000"]):
        process = multiprocessing.get_context("spawn").Process(target=measure, args=(count,))
        process.start()
        process.join()


if __name__ == "__main__":
    main()
