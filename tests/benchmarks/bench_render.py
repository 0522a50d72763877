"""What a mail costs to make: filled in beside rendered whole, and where the time goes.

`python -m tests.benchmarks.bench_render [SUBSCRIBERS [ROUNDS]]` prints the best and the median
microseconds of CPU a mail for distinct profiles over shared listings, then each step's share. The
rounds are interleaved, so that a busy machine slows all of them alike. The listings are the
recorded pages where present (352), else the demo's own.
"""

from __future__ import annotations

import asyncio
import resource
import sys
import tempfile
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from statistics import median
from time import process_time

from digest import jobs
from digest.app import open_app
from digest.config import parse_config
from digest.dkim import Signer
from digest.model import Digest, Frame, PersonalLinks
from digest.planner import plan
from digest.renderer import Renderer, bodies, entries, headers, highlights, items, words
from digest.tokens import Tokens
from tests.benchmarks.bench_dkim import key
from tests.benchmarks.bench_end_to_end import Stopwatch, people
from tests.e2e.pages import SEEDS, TERMS, write_pages
from tests.e2e.service import CONFIG
from tests.renderer.plain_frames import rendered_whole
from tests.samples import NOW

SENT_AT = NOW + timedelta(hours=6)
A_ROUND = 40
"""Mails a round: a few tens of milliseconds."""


def digests(count: int, folder: Path) -> tuple[Frame, list[Digest]]:
    """The frame and the digests of so many subscribers, all with profiles of their own."""
    kind = "seeds" if SEEDS.is_dir() else "ours"
    write_pages(kind, folder)
    config = parse_config(CONFIG.format(port=2525, lease_s=600), "benchmark", folder)
    with open_app(config, SENT_AT) as app:
        app.store.sync_file(people(count, TERMS[kind]), SENT_AT)
        asyncio.run(jobs.ingest(app, SENT_AT, config.sources))
        made = list(plan(app, app.store.due(SENT_AT, count), SENT_AT))
    return app.frame, [digest for digest in made if digest.mailed]


def rendering(frame: Frame, links: PersonalLinks) -> Callable[[Digest], bytes]:
    """What makes the bytes of a digest in this frame."""
    renderer = Renderer(frame)
    return lambda made: renderer.render(made, "20261120.x@example.org", SENT_AT, links).raw


def watch_steps(watch: Stopwatch) -> None:
    """Put the stopwatch on every step of rendering."""
    watch.watch(words, "why_parts", "reasons in words")
    watch.watch(highlights.Highlighted, "marked", "highlights")
    watch.watch(entries.Entries, "entry", "the rest of an entry")
    watch.watch(items.HtmlItems, "octets", "items in HTML")
    watch.watch(items.TextItems, "octets", "items in text")
    watch.watch(bodies.HtmlBody, "part", "frame in HTML")
    watch.watch(bodies.TextBody, "part", "frame in text")
    watch.watch(headers.Letterhead, "fields", "header")
    watch.watch(Renderer, "_values", "receipt and foot in words")
    watch.watch(Renderer, "render", "subject and the rest")


def time_rounds(
    ways: dict[str, Callable[[Digest], object]], made: Sequence[Digest], rounds: int
) -> dict[str, list[float]]:
    """Microseconds a mail of each way in each round; every way makes the same mails."""
    took: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(rounds):
        begin = number * A_ROUND % max(1, len(made) - A_ROUND)
        for name, make in ways.items():
            begun = process_time()
            for digest in made[begin : begin + A_ROUND]:
                make(digest)
            took[name].append((process_time() - begun) / A_ROUND * 1e6)
    return took


def main() -> None:
    """Measure with so many subscribers (2,000) and rounds (40)."""
    count, rounds = (int(number) for number in [*sys.argv[1:3], "2000", "40"][:2])
    with tempfile.TemporaryDirectory() as folder:
        frame, made = digests(count, Path(folder))
    tokens = Tokens(["k" * 43])
    links = tokens.links("https://digest.example.org", 12_345, SENT_AT)
    filled, whole = rendering(frame, links), rendering(rendered_whole(frame), links)
    raw = [filled(digest) for digest in made]  # each listing's own part, once
    for digest in made[:A_ROUND]:
        whole(digest)
    signer = Signer("example.org", [key("rsa")])
    ways: dict[str, Callable[[Digest], object]] = {
        "filled in": filled,
        "rendered whole": whole,
        "links signed": lambda _: tokens.links("https://digest.example.org", 12_345, SENT_AT),
        "DKIM, RSA-2048": lambda _: signer.sign(raw[0], SENT_AT),
    }
    shown = sum(len(section.matches) for digest in made for section in digest.sections)
    size = sum(map(len, raw)) / len(raw)
    print(f"{len(made)} mails of {shown / len(made):.1f} items and {size / 1000:.0f} kB")
    print(f"{'µs of CPU a mail':32}{'best':>8}{'median':>8}")
    for name, took in time_rounds(ways, made, rounds).items():
        print(f"{name:32}{min(took):8.0f}{median(took):8.0f}")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")
    watch = Stopwatch()
    watch_steps(watch)
    for digest in made:
        filled(digest)
    whole_s = sum(watch.seconds.values())
    print(f"\n{'step of what is filled in':32}{'share':>8}")
    for name, took_s in sorted(watch.seconds.items(), key=lambda one: -one[1]):
        print(f"{name:32}{took_s / whole_s:8.1%}")


if __name__ == "__main__":
    main()
