"""The main job for many subscribers: ingest, prepare and deliver into a local sink.

`python -m tests.benchmarks.bench_end_to_end [SUBSCRIBERS]` prints messages a second, each step's
share of the time, and peak memory. The listings are the recorded pages where present (352), else
the demo's own.
"""

from __future__ import annotations

import asyncio
import random
import resource
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from time import perf_counter
from typing import Any

from digest import app as parts
from digest import jobs
from digest.app import App
from digest.config import parse_config
from digest.mailer import Relay, SmtpMailer
from digest.matcher import Matcher, Pairs
from digest.model import Keyword, Origin, Profile, Subscriber
from digest.renderer import Renderer
from tests.benchmarks.sink import sink
from tests.e2e.pages import SEEDS, TERMS, write_pages
from tests.e2e.service import CONFIG
from tests.samples import NOW

WORDS = (
    "training-free", "token merging", "transformer", "benchmark", "convergence", "sparsity",
    "attention", "caching", "sampling", "optimizer", "compression", "memory", "gradient",
    "approximation", "regularization", "segmentation", "generation", "language", "image", "graph",
)  # fmt: skip


class Stopwatch:
    """Seconds by step; a step inside another is taken from the outer one."""

    def __init__(self, clock: Callable[[], float] = perf_counter) -> None:
        self._clock = clock
        self.seconds: dict[str, float] = defaultdict(float)
        self._inner = [0.0]

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Count what happens inside to a step."""
        begun = self._clock()
        self._inner.append(0.0)
        try:
            yield
        finally:
            took = self._clock() - begun
            self.seconds[name] += took - self._inner.pop()
            self._inner[-1] += took

    def watch(self, owner: Any, verb: str, name: str) -> None:
        """Count every call of a method of this object, or of every object of this class."""
        whole: Callable[..., Any] = getattr(owner, verb)

        def timed(*args: Any, **settings: Any) -> Any:
            with self.step(name):
                return whole(*args, **settings)

        setattr(owner, verb, timed)


def people(count: int, terms: Sequence[str], first: int = 0) -> list[Subscriber]:
    """Subscribers from a number on, ten keywords each, all due; the same ones at every run."""
    choose = random.Random(7 + first)  # noqa: S311 - a benchmark, the same at every run
    made = []
    for number in range(first, first + count):
        chosen = [*choose.sample(terms, 4), *choose.sample(WORDS, 6)]
        keywords = tuple(Keyword(term, choose.choice((1.0, 2.0, 3.0))) for term in chosen)
        made.append(
            Subscriber(
                f"reader{number}@example.org", Profile(keywords, min_score=0.2), origin=Origin.STORE
            )
        )
    return made


def watch_parts(watch: Stopwatch, app: App) -> None:
    """Put the stopwatch on every step of prepare and deliver."""
    watch.watch(Matcher, "pairs", "matcher: compile and count")
    watch.watch(Matcher, "followed", "matcher: followed authors")
    watch.watch(Pairs, "rank", "matcher: rank")
    watch.watch(Pairs, "match", "matcher: reasons")
    watch.watch(Renderer, "render", "render")
    for verb in ("due", "shown", "open_deliveries", "lease", "turn", "wanted"):
        watch.watch(type(app.store), verb, f"ledger: {verb}")


def measure(count: int, folder: Path, port: int) -> None:
    """Run the job once and print what it took."""
    kind = "seeds" if SEEDS.is_dir() else "ours"
    write_pages(kind, folder)
    config = parse_config(CONFIG.format(port=port, lease_s=600), "benchmark", folder)
    now = NOW + timedelta(hours=6)
    watch = Stopwatch()
    relay = Relay("127.0.0.1", port, "none", connections=16, messages_per_connection=1000)
    mailer = SmtpMailer(relay)
    with parts.open_app(config, now, mailer=mailer) as app:
        app.store.sync_file(people(count, TERMS[kind]), now)
        watch_parts(watch, app)
        with watch.step("ingest"):
            runs = asyncio.run(jobs.ingest(app, now, config.sources))
        begun = perf_counter()
        with watch.step("compose and the rest of prepare"):
            prepared = jobs.prepare(app, now)
        prepare_s = perf_counter() - begun
        begun = perf_counter()
        with watch.step("SMTP, the event loop and the rest of deliver"):
            sent = asyncio.run(jobs.deliver(app, lambda: now))
        deliver_s = perf_counter() - begun
    mails = sum(sent.values())
    print(f"{runs[0].read} listings, {count} subscribers, {mails} mails")
    print(f"prepare {prepare_s:8.1f} s  {count / prepare_s:8.0f} subscribers/s  {dict(prepared)}")
    print(f"deliver {deliver_s:8.1f} s  {mails / deliver_s:8.0f} messages/s     {dict(sent)}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak memory {peak:.0f} MB\n\n{'step':48}{'s':>8}{'share':>8}")
    whole = sum(watch.seconds.values())
    for name, took in sorted(watch.seconds.items(), key=lambda item: -item[1]):
        print(f"{name:48}{took:8.2f}{took / whole:8.1%}")


def main() -> None:
    """Measure with so many subscribers (10,000)."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    with tempfile.TemporaryDirectory() as folder, sink() as port:
        measure(count, Path(folder), port)


if __name__ == "__main__":
    main()
