"""How well profiles are matched, beside peers run again on the same files.

Run: `python -m tests.benchmarks.bench_quality [--collections FOLDER]`. Needs the
relevance collections (default `../shared/match`, in the form that `digest rank` reads, with their
`evaluate.py`). Prints nDCG@10 and oneF1 (the mean F1 under one floor for all profiles) of
`digest rank`, bm25s, SQLite's FTS5 and tantivy, then what liked examples bring where there are any.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import ModuleType

from click.testing import CliRunner

from digest.cli.rank import rank

COLLECTIONS = Path(__file__).parents[2] / "../shared/match"
Item = dict[str, object]
Run = Iterator[tuple[str, str, float]]


def load(path: Path) -> list[Item]:
    """The objects of a JSONL file."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def evaluator(folder: Path) -> ModuleType:
    """The collections' own evaluator."""
    spec = importlib.util.spec_from_file_location("evaluate", folder / "evaluate.py")
    if spec is None or spec.loader is None:
        sys.exit(f"{folder}: no evaluate.py; name the collections with --collections")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def keywords(profile: Item) -> list[tuple[str, float]]:
    """A profile's terms and weights."""
    given = profile["keywords"]
    return [(k["term"], k["weight"]) for k in given] if isinstance(given, list) else []


# --- peers ------------------------------------------------------------------------------------


def by_bm25s(profiles: Sequence[Item], listings: Sequence[Item]) -> Run:
    """bm25s with English stems; a keyword stands in the query as often as it weighs."""
    import bm25s  # noqa: PLC0415 - a peer, present only where it is compared with
    import Stemmer  # noqa: PLC0415

    stemmer = Stemmer.Stemmer("english")
    texts = [f"{each['title']} {each['abstract']}" for each in listings]
    index = bm25s.BM25()
    tokens = bm25s.tokenize(texts, stopwords="en", stemmer=stemmer, show_progress=False)
    index.index(tokens, show_progress=False)
    for profile in profiles:
        query = " ".join(" ".join([term] * round(weight)) for term, weight in keywords(profile))
        asked = bm25s.tokenize(
            [query], stopwords="en", stemmer=stemmer, show_progress=False, return_ids=False
        )
        scores = index.get_scores(asked[0])
        for at in scores.nonzero()[0].tolist():
            yield str(profile["id"]), str(listings[at]["id"]), float(scores[at])


def by_fts5(profiles: Sequence[Item], listings: Sequence[Item]) -> Run:
    """SQLite's FTS5 with porter stems, the title counted three times, each keyword by weight."""
    store = sqlite3.connect(":memory:")
    store.execute("create virtual table t using fts5(title, abstract, tokenize='porter unicode61')")
    rows = [(each["title"], each["abstract"]) for each in listings]
    store.executemany("insert into t values (?, ?)", rows)
    search = "select rowid, bm25(t, 3.0, 1.0) from t where t match ?"
    for profile in profiles:
        sums: dict[int, float] = {}
        for term, weight in keywords(profile):
            words = [f'"{term.replace(chr(34), "")}"']
            words += [f'"{word}"' for word in term.replace('"', "").split() if " " in term]
            for row, score in store.execute(search, (" OR ".join(words),)):
                sums[row] = sums.get(row, 0.0) - weight * score
        for row, score in sums.items():
            yield str(profile["id"]), str(listings[row - 1]["id"]), score


def by_tantivy(profiles: Sequence[Item], listings: Sequence[Item]) -> Run:
    """Lucene's ways by tantivy: English stems, boosted keywords."""
    import tantivy  # noqa: PLC0415

    schema = tantivy.SchemaBuilder()
    schema.add_text_field("title", tokenizer_name="en_stem")
    schema.add_text_field("abstract", tokenizer_name="en_stem")
    schema.add_unsigned_field("at", stored=True)
    index = tantivy.Index(schema.build())
    writer = index.writer()
    for at, each in enumerate(listings):
        writer.add_document(tantivy.Document(title=each["title"], abstract=each["abstract"], at=at))
    writer.commit()
    index.reload()
    searcher = index.searcher()
    for profile in profiles:
        parts = []
        for term, weight in keywords(profile):
            plain = "".join(c if c.isalnum() else " " for c in term).split()
            parts += [f'"{" ".join(plain)}"^{weight}'] if plain else []
            parts += [f"{word}^{weight / 2}" for word in plain if len(plain) > 1]
        query = index.parse_query(" ".join(parts), ["title", "abstract"])
        for score, address in searcher.search(query, len(listings)).hits:
            at = searcher.doc(address)["at"][0]
            yield str(profile["id"]), str(listings[at]["id"]), float(score)


PEERS: dict[str, Callable[[Sequence[Item], Sequence[Item]], Run]] = {
    "bm25s": by_bm25s,
    "SQLite FTS5": by_fts5,
    "tantivy": by_tantivy,
}


# --- tables -----------------------------------------------------------------------------------


def ours(folder: Path, out: Path, likes: bool) -> float:
    """Run `digest rank` on a collection; the answer is its seconds."""
    options = ["--profiles", folder / "profiles.jsonl", "--listings", folder / "docs.jsonl"]
    if likes:
        options += ["--history", folder / "train.jsonl", "--likes", folder / "examples.tsv"]
    begun = time.perf_counter()
    result = CliRunner().invoke(rank, [str(each) for each in (*options, "--output", out)])
    if result.exit_code:
        sys.exit(f"digest rank failed: {result.output} {result.exception}")
    return time.perf_counter() - begun


def measured(judge: ModuleType, folder: Path, run: Path) -> tuple[float, float]:
    """nDCG@10 and oneF1 of a run."""
    meta, grades = judge.load(folder)
    summary, _ = judge.summary(meta, grades, judge.read_run(run))
    return summary["nDCG@10"], summary["oneF1"]


def line(name: str, figures: Sequence[tuple[float, float]], note: str = "") -> None:
    """A line of the table: each collection, then the mean."""
    mean = [sum(each) / len(figures) for each in zip(*figures, strict=True)]
    cells = [f"{a:.3f} {b:.3f}" for a, b in (*figures, (mean[0], mean[1]))]
    print(f"{name:14} " + "   ".join(f"{cell:>12}" for cell in cells) + f"   {note}", flush=True)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--collections", type=Path, default=COLLECTIONS)
    options = parser.parse_args()
    judge = evaluator(options.collections)
    folders = sorted(path.parent for path in options.collections.glob("*/qrels.tsv"))
    liked = [folder for folder in folders if (folder / "examples.tsv").is_file()]
    with tempfile.TemporaryDirectory() as scratch:
        out = Path(scratch) / "run.tsv"
        print(" " * 15 + "   ".join(f"{f.name[:12]:>12}" for f in folders) + "           mean")
        for name, peer in PEERS.items():
            figures = []
            for folder in folders:
                run = peer(load(folder / "profiles.jsonl"), load(folder / "docs.jsonl"))
                out.write_text("".join(f"{p}\t{d}\t{s}\n" for p, d, s in run), encoding="utf-8")
                figures.append(measured(judge, folder, out))
            line(name, figures)
        took = []
        figures = []
        for folder in folders:
            took.append(ours(folder, out, likes=False))
            figures.append(measured(judge, folder, out))
        line("digest rank", figures, f"{max(took):.1f} s at most")
        if liked:
            print("with liked examples: " + ", ".join(folder.name for folder in liked))
            line("digest rank", [_liked(judge, folder, out) for folder in liked])


def _liked(judge: ModuleType, folder: Path, out: Path) -> tuple[float, float]:
    ours(folder, out, likes=True)
    return measured(judge, folder, out)


if __name__ == "__main__":
    main()
