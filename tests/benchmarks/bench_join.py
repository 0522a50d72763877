"""How well papers join over sources: precision and recall on pairs made from the recordings.

Run: `python -m tests.benchmarks.bench_join`. Prints for each way in which two listings may differ
how many of the pairs joined, then precision and recall over all.
"""

from __future__ import annotations

from tests.join_pairs import alike, unlike


def main() -> None:
    """Print the table."""
    same, other = alike(), unlike()
    right, wrong = (sum(met for _, met in pairs) for pairs in (same, other))
    for name in dict.fromkeys(name for name, _ in same + other):
        met = [met for way, met in same + other if way == name]
        print(f"{name:28}{sum(met):5} of {len(met):5} joined")
    print(
        f"{len(same)} pairs alike, {len(other)} unlike:"
        f" precision {right / (right + wrong):.4f}, recall {right / len(same):.4f}"
    )


if __name__ == "__main__":
    main()
