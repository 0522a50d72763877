"""Two processes that take in at the same moment."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Collection, Mapping
from dataclasses import replace
from multiprocessing.synchronize import Barrier
from pathlib import Path

from digest.join import join
from digest.model import Listing, Source
from digest.sources.shape import shape
from digest.store.collected import Intake, Look
from digest.store.sqlite import SqliteStore
from tests.samples import NOW

PAPERS = 40


def papers(source: str, kind: str) -> list[Listing]:
    """The same papers as every source has them, each source with an identity of its own kind."""
    return [
        shape(
            Source(source, "jsonl"),
            title=f"Notes on the Analytical Engine, in {n} parts",
            abstract=f"The engine {n} weaves patterns as the loom weaves flowers and leaves.",
            authors=["Ada Lovelace"],
            ids=[f"{kind}{n}"],
            published_at=NOW,
        )
        for n in range(PAPERS)
    ]


def take_in(path: Path, source: str, kind: str, together: Barrier) -> None:
    """Take the papers in as that source, slowly, at the same moment as the other process."""
    store = SqliteStore(path)

    def sort(look: Look) -> Intake:
        def slow(ids: Collection[str]) -> Mapping[str, Listing]:
            found = look(ids)
            time.sleep(0.3)  # long enough for the other to look as well
            return found

        joined = join(papers(source, kind), slow)
        return Intake(joined.new, joined.changed)

    together.wait()
    store.take_in(sort, NOW)
    store.close_store()


def test_two_processes_store_a_paper_once(tmp_path: Path) -> None:
    """By different identities, found by title and author: one row each, known by both."""
    path = tmp_path / "digest.db"
    SqliteStore(path).close_store()
    spawning = multiprocessing.get_context("spawn")
    together = spawning.Barrier(2, timeout=30)
    sources = (("arXiv", "arxiv:2611.0000"), ("Crossref", "doi:10.1000/"))
    running = [
        spawning.Process(target=take_in, args=(path, name, kind, together))
        for name, kind in sources
    ]
    for process in running:
        process.start()
    for process in running:
        process.join(60)
        assert process.exitcode == 0
    store = SqliteStore(path)
    kept = store.recent_listings(1_000)
    assert len(kept) == PAPERS
    for name, kind in sources:
        assert len(store.known([f"{kind}{n}" for n in range(PAPERS)])) == PAPERS, name
    store.close_store()


def test_a_fault_while_sorting_stores_nothing(tmp_path: Path) -> None:
    """The transaction is taken back, and the next one goes in."""
    store = SqliteStore(tmp_path / "digest.db")

    def broken(look: Look) -> Intake:
        raise ZeroDivisionError

    for _ in range(2):
        try:
            store.take_in(broken, NOW)
        except ZeroDivisionError:
            continue
    one = replace(papers("a", "arxiv:")[0], votes=3)
    store.take_in(lambda look: Intake([one]), NOW)
    assert [kept.votes for kept in store.recent_listings(9)] == [3]
    assert list(store.vote_history(NOW.date()).values()) == [[(NOW.date(), 3)]]
    store.close_store()
