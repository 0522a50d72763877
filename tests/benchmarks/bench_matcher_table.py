"""The table of document frequencies that the wheel ships, counted anew from recordings.

Run: `python -m tests.benchmarks.bench_matcher_table [--write]`. Reads the recorded listings beside
the checkout (`../shared`), counts in how many each term stands, keeps the terms of three listings
or more. Only counts are kept, no text. Prints what was counted; `--write` replaces the table.
"""

from __future__ import annotations

import argparse
import gzip
import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from digest.matcher import Statistics
from digest.model import Listing, Source
from digest.sources import read_batch

ROOT = Path(__file__).parents[2]
SHARED = ROOT / "../shared"
TABLE = ROOT / "digest/matcher/frequencies.tsv.gz"
LEAST = 3
MOST_OF_ONE = 700
"""Listings of one collection, so that no field makes the words of another look rare."""


def recordings() -> Iterator[Iterable[Listing]]:
    """The listings of each recording that has abstracts."""
    files = [("page", path) for path in sorted((SHARED / "seeds").glob("*.txt"))]
    files += [("huggingface", SHARED / "payloads/huggingface/daily_papers_2026-06-12.json")]
    files += [("arxiv", SHARED / "payloads/arxiv_rss/quant-ph_2025-04-28.rss.xml")]
    files += [("feed", SHARED / "payloads/biorxiv/plant_biology_2019.rss1.rdf")]
    for kind, path in files:
        if path.is_file():
            source = Source(path.stem, kind, url="https://example.org/")
            yield read_batch(source, path.read_bytes(), datetime.now(UTC)).listings
    for path in sorted((SHARED / "match").glob("*/*.jsonl")):
        if path.stem in ("docs", "train"):
            yield _collected(path)


def _collected(path: Path) -> Iterator[Listing]:
    for line in path.read_text(encoding="utf-8").splitlines():
        item = json.loads(line)
        yield Listing(item["id"], path.parent.name, item["title"], item["abstract"])


def main() -> None:
    """Count, print, and write if asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help=f"replace {TABLE.name}")
    write = parser.parse_args().write
    listings: dict[str, Listing] = {}
    for recording in recordings():
        told = (each for each in recording if each.abstract)
        chosen = {each.title + each.abstract[:80]: each for each in islice(told, MOST_OF_ONE)}
        print(f"{next(iter(chosen.values())).source if chosen else '-':32} {len(chosen):5}")
        listings |= chosen
    statistics = Statistics.of(listings.values())
    kept = sorted((t, int(c)) for t, c in statistics.counts.items() if c >= LEAST and ":" not in t)
    lines = [str(statistics.listings), *(f"{count}\t{term}" for term, count in kept)]
    table = gzip.compress("\n".join(lines).encode(), mtime=0)
    print(f"{statistics.listings} listings, {len(kept)} terms, {len(table):,} bytes")
    if write:
        TABLE.write_bytes(table)


if __name__ == "__main__":
    main()
