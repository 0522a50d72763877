"""How well the matcher ranks, on the relevance collections where they are present."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.benchmarks.bench_quality import COLLECTIONS, evaluator, measured, ours

PEERS = {
    "arxiv-lists": (0.586, 0.379),
    "cranfield": (0.371, 0.241),
    "inspec-topic": (0.435, 0.341),
    "med": (0.713, 0.446),
}
"""The best that bm25s, tantivy or SQLite's FTS5 reaches: nDCG@10 and oneF1."""

LIKED = {"arxiv-lists": 0.71, "inspec-topic": 0.565}
"""nDCG@10 that the listings liked by each profile have to bring."""

NOISE = 0.009

pytestmark = pytest.mark.skipif(
    not (COLLECTIONS / "evaluate.py").is_file(), reason="the relevance collections are not here"
)


def figures(name: str, out: Path, *, likes: bool = False) -> tuple[float, float]:
    """nDCG@10 and oneF1 of `digest rank` on a collection."""
    ours(COLLECTIONS / name, out, likes)
    return measured(evaluator(COLLECTIONS), COLLECTIONS / name, out)


def test_it_ranks_better_than_the_peers_and_one_floor_cuts(tmp_path: Path) -> None:
    """Level with the best peer on each collection, and above the aim on their mean."""
    found = {name: figures(name, tmp_path / name) for name in PEERS}
    for name, peer in PEERS.items():
        assert found[name][0] >= peer[0] - NOISE, name
        assert found[name][1] >= peer[1] - NOISE, name
    ndcg, one_f1 = (sum(column) / len(found) for column in zip(*found.values(), strict=True))
    assert ndcg >= 0.560
    assert one_f1 >= 0.415


@pytest.mark.parametrize("name", LIKED)
def test_likes_bring_what_they_should(tmp_path: Path, name: str) -> None:
    """Liked examples lift the ranking beyond what keywords alone reach."""
    assert figures(name, tmp_path / "run.tsv", likes=True)[0] >= LIKED[name]
