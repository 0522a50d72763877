"""Saved pages to run the service on: the real recordings where present, and pages of our own."""

from __future__ import annotations

import json
from itertools import cycle
from pathlib import Path

import digest.demo_data
from digest.model import Listing, Source
from digest.sources import read_batch
from tests.samples import NOW

SEEDS = Path(__file__).parents[3] / "shared" / "seeds"

HEADER = (
    "new\n\nGet trending papers in your email inbox!\n\nSubscribe\n\nDaily Papers\n\n"
    "byAK and the research community\n\nNov 20\n\n"
)

TERMS = {
    "seeds": (
        "speculative decoding", "diffusion + acceleration", "quantiz*", "title:pruning",
        '"neural operator"', "reduced order model", "second-order optimization", "Hessian",
        "video generation", "knowledge distillation", "feature caching", "sparse attention",
        "partial differential equation", "natural gradient", "large language model",
        "low-rank", "vision transformer", "super-resolution", "Fourier", "momentum",
    ),
    "ours": (
        "random graph", "DNA", "quantum mechanics", "matching + graph", "neuron*",
        "title:theory", '"Markov chain"', "information", "radioactivity", "probability",
        "computable", "genetic", "turbulence", "perceptron", "fast Fourier transform",
        "antibiotic", "nerve", "light", "mutation", "sorting",
    ),
}  # fmt: skip


def write_pages(kind: str, folder: Path) -> None:
    """Put three saved pages into a folder: copies of the recordings, or pages of our own."""
    if kind == "seeds":
        for path in SEEDS.glob("*.txt"):
            (folder / path.name).write_bytes(path.read_bytes())
        return
    lines = (Path(digest.demo_data.__file__).parent / "classics.jsonl").read_text("utf-8")
    items = [json.loads(line) for line in lines.splitlines() if line.strip()]
    blocks = [
        f"{item['title']}\n\n{item['abstract']}\n\n" for item in items if item.get("abstract")
    ]
    # The pages overlap by three, as real ones do.
    for number, part in enumerate((blocks[:14], blocks[11:26], blocks[23:])):
        (folder / f"{number}.txt").write_text(HEADER + "".join(part), "utf-8")


def read_pages(folder: Path) -> list[Listing]:
    """Every listing of the pages in a folder, in the order in which they are read."""
    source = Source("Saved pages", "page", path="*.txt", max_age_days=None)
    return [
        listing
        for path in sorted(folder.glob("*.txt"))
        for listing in read_batch(source, path.read_bytes(), NOW).listings
    ]


def twenty_subscribers(kind: str) -> str:
    """The TOML of twenty people, each with two of the terms and settings that differ."""
    terms = TERMS[kind]
    zones = cycle(("Europe/London", "Asia/Kathmandu", "America/New_York", "UTC"))
    tables = []
    for number, term in enumerate(terms):
        second = terms[(number + 7) % len(terms)]
        tables.append(
            f"""
[[subscribers]]
email = "reader{number}@example.org"
timezone = "{next(zones)}"
send_at = "0{number % 8}:30"
min_score = {0.2 + 0.05 * (number % 3)}
max_items = {2 + number % 9}
[subscribers.keywords]
{json.dumps(term)} = 3
{json.dumps(second)} = 1
"""
        )
    return "".join(tables)
