"""How fast listings come in, from bytes to the store, beside feedparser alone in the same run.

Run: `python -m tests.benchmarks.bench_ingest [--rounds N]`. Prints for a 1,000-entry Atom feed, for
the same with a slip in it, and for a 3,000-item JSON list (which feedparser cannot read: beside it
stands its parsing of the feed) the best of N rounds, entries a second, each step's share, the ratio
to feedparser's parsing (aim: at most 1.5), and the peak of allocated memory. Storing is all that
the service does, terms counted and run recorded. Times are the processor's, so that other work of
the machine changes little.
"""

from __future__ import annotations

import argparse
import io
import json
import random
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from html import escape
from pathlib import Path

import feedparser

from digest.intake import take_in
from digest.join import join
from digest.model import Listing, Source
from digest.reader import Reading
from digest.sources import read_batch
from digest.store.sqlite import SqliteStore

NOW = datetime(2026, 11, 20, tzinfo=UTC)
_TEXT = (
    "we present a method for the analysis of engines that weave algebraic patterns by means of"
    " operations on numbers with bounds which improve over earlier work on looms and cards in the"
    " limit of large networks under noise while remaining stable for every choice of parameters"
)
_WORDS = _TEXT.split()
_NAMES = ["Ada Lovelace", "Emmy Noether", "Gregor Mendel", "Maria Mitchell", "Sofia Kovalevskaya"]


def _dice() -> random.Random:
    """The same throws in every run."""
    return random.Random(7)  # noqa: S311  # texts for a benchmark, no secrets


def _sentence(rng: random.Random, words: int) -> str:
    return " ".join(rng.choices(_WORDS, k=words)).capitalize()


def atom_feed(entries: int) -> bytes:
    """An Atom feed of papers with HTML summaries of about 1,200 characters."""
    rng = _dice()
    parts = ["<?xml version='1.0' encoding='UTF-8'?><feed xmlns='http://www.w3.org/2005/Atom'>"]
    for n in range(entries):
        summary = f"<p>{_sentence(rng, 180)} &amp; <b>H<sub>2</sub>O</b> at $x &lt; y$.</p>"
        people = "".join(f"<author><name>{name}</name></author>" for name in rng.sample(_NAMES, 3))
        page = f"https://example.org/p/{n}"
        parts.append(
            f"<entry><id>{page}</id><title>{_sentence(rng, 9)} {n}</title><link href='{page}'/>"
            f"<updated>2026-11-19T08:{n % 60:02}:00Z</updated>{people}<category term='cs.CL'/>"
            f"<summary type='html'>{escape(summary)}</summary></entry>"
        )
    return "".join([*parts, "</feed>"]).encode()


def json_list(items: int) -> bytes:
    """A Daily Papers list with abstracts of about 1,200 characters."""
    rng = _dice()
    papers = [
        {
            "paper": {
                "id": f"26{1 + n // 99999:02}.{n % 99999:05}",
                "title": f"{_sentence(rng, 9)} {n}",
                "summary": f"{_sentence(rng, 180)}.",
                "authors": [{"name": name} for name in rng.sample(_NAMES, 3)],
                "publishedAt": "2026-11-18T00:00:00.000Z",
                "submittedOnDailyAt": "2026-11-19T00:00:00.000Z",
                "upvotes": n % 90,
            },
            "numComments": n % 7,
        }
        for n in range(items)
    ]
    return json.dumps(papers).encode()


def best_s(rounds: int, *steps: Callable[[], object]) -> list[float]:
    """The shortest time of each step in seconds; the steps take turns, so that noise hits all."""
    best = [float("inf")] * len(steps)
    for _ in range(rounds):
        for place, step in enumerate(steps):
            started = time.process_time()
            step()
            best[place] = min(best[place], time.process_time() - started)
    return best


def peak_mb(step: Callable[[], object]) -> float:
    """The peak of allocated memory in megabytes."""
    tracemalloc.start()
    step()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / 1e6


def keep(source: Source, listings: Sequence[Listing]) -> None:
    """Join the listings with an empty SQLite file and store them in it."""
    with tempfile.TemporaryDirectory() as folder:
        store = SqliteStore(Path(folder) / "bench.db")
        run = take_in(store, Reading(source, {(): listings}), NOW)
        assert run.new == len(listings)
        store.close_store()


def measure(name: str, kind: str, body: bytes, rounds: int, beside: bytes) -> None:
    """Print one line on reading, joining and storing a body, beside feedparser on another."""
    source = Source("bench", kind)
    listings = read_batch(source, body, NOW).listings
    alone_s, read_s, join_s, kept_s, empty_s = best_s(
        rounds,
        lambda: feedparser.parse(io.BytesIO(beside)),
        lambda: read_batch(source, body, NOW),
        lambda: join(listings, lambda ids: {}),
        lambda: keep(source, listings),
        lambda: keep(source, ()),
    )
    store_s = kept_s - empty_s - join_s
    whole_s = read_s + join_s + store_s
    memory = peak_mb(lambda: join(read_batch(source, body, NOW).listings, lambda ids: {}))
    print(
        f"{name:18}{whole_s * 1e3:8.1f} ms {len(listings) / whole_s:7,.0f}/s"
        f"  read {read_s / whole_s:4.0%}  join {join_s / whole_s:4.0%}"
        f"  store {store_s / whole_s:4.0%}"
        f"  {whole_s / alone_s:5.2f} x feedparser ({alone_s * 1e3:.0f} ms)  {memory:5.1f} MB"
    )


def main() -> None:
    """Run all and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    feed, papers = atom_feed(1_000), json_list(3_000)
    broken = feed.replace(b"</title>", b"&nbsp;</title>", 1)
    measure("Atom, 1,000", "feed", feed, rounds, feed)
    measure("Atom, ill-formed", "feed", broken, rounds, broken)
    measure("JSON list, 3,000", "huggingface", papers, rounds, feed)


if __name__ == "__main__":
    main()
