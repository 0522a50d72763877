"""A folder with a config in which commands are run, in this process and at a time of our own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from digest.cli import cli
from digest.model import Listing
from digest.store.sqlite import SqliteStore

NOW = "2026-11-20T14:00:00+00:00"  # a Friday, when everyone's morning has come

PAPERS = (
    ("Flash Attention for Long Sequences", "Exact attention with tiles in fast memory.", 9),
    ("A Survey of Attention Kernels", "We compare kernels for flash attention.", 3),
    ("Quantized Weights at Four Bits", "Quantization of language models after training.", 40),
    ("Medical Imaging with Attention", "Flash attention reads medical imaging scans.", 80),
    ("On the Turbulence of Rivers", "Water, stones and the equations that move them.", 1),
)
"""(title, abstract, votes) of the listings that every desk has."""

CONFIG = """
[service]
base_url = "https://digest.example.org"

[mail]
from = "Paper digest <digest@example.org>"

[smtp]
host = "127.0.0.1"
port = 1
tls = "none"

[[sources]]
name = "Papers"
kind = "jsonl"
path = "papers.jsonl"
"""

ADA = """
[[subscribers]]
email = "ada@example.org"
[subscribers.keywords]
"flash attention" = 2
"""

EMMY = """
[[subscribers]]
email = "emmy@example.org"
[subscribers.keywords]
"noetherian ring" = 1
"""


class Desk:
    """The folder, and the command line in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.write_config(ADA + EMMY)
        self.write_papers("papers.jsonl", PAPERS)

    def write_config(self, subscribers: str, swaps: Mapping[str, str] | None = None) -> None:
        """Write the config with these subscribers; `swaps` replace parts of it."""
        text = CONFIG + subscribers
        for old, new in (swaps or {}).items():
            assert old in text, f"the config has no {old!r}"
            text = text.replace(old, new)
        (self.folder / "config.toml").write_text(text, "utf-8")

    def write_papers(self, name: str, papers: tuple[tuple[str, str, int], ...]) -> None:
        """Write listings as JSON lines."""
        lines = [
            json.dumps({"id": title, "title": title, "abstract": abstract, "upvotes": votes})
            for title, abstract, votes in papers
        ]
        (self.folder / name).write_text("\n".join(lines) + "\n", "utf-8")

    def add_listing(self, listing: Listing) -> None:
        """Store a listing as a source would have brought it."""
        store = SqliteStore(self.folder / "digest.db")
        store.add_listings([listing], [], {}, (), datetime.fromisoformat(NOW))
        store.close_store()

    def run(self, *words: str, code: int = 0, answers: str = "") -> Result:
        """Run a command; it must end with that code and without a traceback."""
        result = CliRunner().invoke(cli, words, input=answers, prog_name="digest")
        told = f"{words} ended with {result.exit_code}: {result.output} {result.exception!r}"
        assert isinstance(result.exception, SystemExit | None), told
        assert result.exit_code == code, told
        return result

    def refused(self, *words: str, code: int) -> str:
        """The one line with which a command fails."""
        result = self.run(*words, code=code)
        lines = [line for line in result.stderr.splitlines() if line.startswith("Error: ")]
        assert len(lines) == 1, result.stderr
        return lines[0]

    def json(self, *words: str, code: int = 0) -> Any:
        """What a command prints as JSON."""
        return json.loads(self.run(*words, "--json", code=code).stdout)


def at(monkeypatch: pytest.MonkeyPatch, now: str) -> None:
    """Make it that time for the commands."""
    monkeypatch.setenv("DIGEST_CLOCK", now)
