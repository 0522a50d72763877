"""How fast profiles are matched: 10,000, 100,000 and 1,000,000 of them against 1,000 listings.

Run: `python -m tests.benchmarks.bench_matcher [--profiles N …] [--only KIND] [--no-peers]`.
Listings of 160 words are drawn from 20,000 words as unequally as words are in English; profiles of
10 keywords from 50,000 terms (four of five one word, else two). Prints, for the best 12 listings of
each profile, first with plain keywords, then with related terms drawn from 2,000 older listings:
the time to take profiles in, to find the terms and to rank; to take in one changed profile and rank
again; the peak of memory of the whole process; how the time grows with profiles and listings;
tantivy's time for the same profiles as queries and the ratio. `× bandwidth` compares ranking with
copying the rows and the result once through memory, as fast as this machine copies. `CPU/µs` is the
time of both threads together: where the machine is busy otherwise, half of it is what a quiet one
would take.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from digest.matcher import Matcher, Profiles, Statistics
from digest.matcher.reading import Batch
from digest.model import Keyword, Listing, Profile

WORDS, TERMS, LENGTH, KEYWORDS, BEST = 20_000, 50_000, 160, 10, 12


def vocabulary() -> list[str]:
    """Words of ours, two to four syllables, none the beginning of an English ending."""
    dice = np.random.default_rng(1)
    syllables = np.array([a + b + c for a in "bdfgklmnprtv" for b in "aiou" for c in "klmnrx"])
    made: dict[str, None] = {}
    while len(made) < WORDS:
        made["".join(dice.choice(syllables, dice.integers(2, 4)))] = None
    return list(made)


def listings(words: Sequence[str], number: int, seed: int) -> list[Listing]:
    """Listings whose words follow Zipf's law."""
    dice = np.random.default_rng(seed)
    chance = 1 / (np.arange(WORDS) + 2.7)
    drawn = dice.choice(WORDS, (number, LENGTH), p=chance / chance.sum())
    texts = [[words[at] for at in row] for row in drawn.tolist()]
    return [
        Listing(f"{seed}:{at}", "bench", " ".join(text[:10]), " ".join(text[10:]))
        for at, text in enumerate(texts)
    ]


def terms(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """What profiles ask for: 5,000 words, neither the commonest nor the rarest, and pairs of them.

    Such a word stands in one listing of eighty, as the keywords of the relevance collections do.
    """
    dice = np.random.default_rng(2)
    told = list(words[100:5100])
    pairs = dice.integers(0, len(told), (TERMS - len(told), 2)).tolist()
    return told, [f"{told[a]} {told[b]}" for a, b in pairs]


def profiles(wanted: tuple[list[str], list[str]], number: int) -> Iterator[Profile]:
    """Profiles one after the other, so that a million need no room as objects."""
    words, pairs = wanted
    dice = np.random.default_rng(3)
    for start in range(0, number, 10_000):
        size = min(10_000, number - start)
        one = dice.integers(0, len(words), (size, KEYWORDS * 4 // 5)).tolist()
        two = dice.integers(0, len(pairs), (size, KEYWORDS // 5)).tolist()
        for some, others in zip(one, two, strict=True):
            drawn = [words[at] for at in some] + [pairs[at] for at in others]
            yield Profile(tuple(Keyword(term, 1.0 + len(term) % 3) for term in drawn))


def ranked(matcher: Matcher, compiled: Profiles, batch: Batch) -> tuple[float, ...]:
    """Seconds to find the terms, to rank, to rank above the usual floor, and of CPU to rank.

    Each is the best of 3: other programs only ever add.
    """
    runs = []
    floors = [0.25] * len(compiled)
    for _ in range(3):
        begun = time.perf_counter()
        pairs = matcher.beside(compiled, batch)
        found, busy = time.perf_counter(), time.process_time()
        pairs.rank(BEST)
        every, spent = time.perf_counter(), time.process_time() - busy
        pairs.rank(BEST, floors)
        runs.append((found - begun, every - found, time.perf_counter() - every, spent))
    return tuple(min(each) for each in zip(*runs, strict=True))


def bandwidth() -> float:
    """Bytes a second that this machine copies."""
    block = np.ones(32_000_000, dtype=np.float32)
    begun = time.perf_counter()
    for _ in range(5):
        block.copy()
    return 5 * 2 * block.nbytes / (time.perf_counter() - begun)


def tantivy_time(
    wanted: tuple[list[str], list[str]], shown: Sequence[Listing], number: int = 2_000
) -> float:
    """Seconds a profile when each is a query of tantivy's, on the same listings."""
    import tantivy  # noqa: PLC0415 - a peer, present only where it is compared with

    schema = tantivy.SchemaBuilder()
    schema.add_text_field("text", tokenizer_name="en_stem")
    index = tantivy.Index(schema.build())
    writer = index.writer()
    for each in shown:
        writer.add_document(tantivy.Document(text=f"{each.title} {each.abstract}"))
    writer.commit()
    index.reload()
    searcher = index.searcher()
    asked = [
        " ".join(f'"{each.term}"^{each.weight}' for each in profile.keywords)
        for profile in profiles(wanted, number)
    ]
    queries = [index.parse_query(query, ["text"]) for query in asked]
    begun = time.perf_counter()
    for query in queries:
        searcher.search(query, BEST)
    return (time.perf_counter() - begun) / number


def peak() -> float:
    """Megabytes that this process held at most; what it was forked from does not count."""
    status = Path("/proc/self/status")
    if not status.is_file():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return int(status.read_text().partition("VmHWM:")[2].split()[0]) / 1024


def changed(compiled: Profiles, wanted: tuple[list[str], list[str]]) -> float:
    """Seconds to take in a changed profile among the others, ready to be ranked."""
    (other,) = profiles((wanted[0][::-1], wanted[1]), 1)
    begun = time.perf_counter()
    compiled.replace(len(compiled) // 2, other)
    list(compiled.rows.blocks(compiled.weak_width + len(compiled.lexicon)))
    return time.perf_counter() - begun


def measure(
    matcher: Matcher,
    wanted: tuple[list[str], list[str]],
    number: int,
    batch: Batch,
    bytes_a_second: float,
) -> float:
    """One line of the table; the answer is the seconds to rank one profile."""
    begun = time.perf_counter()
    compiled = matcher.compile(profiles(wanted, number))
    taken = time.perf_counter() - begun
    finding, ranking, cutting, busy = ranked(matcher, compiled, batch)
    bound = (compiled.rows.entries + number * BEST) * 8 / bytes_a_second
    memory = peak()
    print(
        f"{number:>9,} {len(batch):>8,} {taken / number * 1e6:>9.1f} {finding:>7.2f}"
        f" {ranking:>7.2f} {ranking / number * 1e6:>11.2f} {busy / number * 1e6:>7.2f}"
        f" {cutting / number * 1e6:>12.2f} {changed(compiled, wanted) * 1e3:>10.1f}"
        f" {memory:>6.0f} {ranking / bound:>11.0f}",
        flush=True,
    )
    return ranking / number


def table(numbers: Sequence[int], bytes_a_second: float, *, related: bool, peers: bool) -> None:
    """One kind of profile, whole."""
    words = vocabulary()
    wanted = terms(words)
    stored, shown = listings(words, 2_000, 5), listings(words, 1_000, 6)
    matcher = Matcher(Statistics.of(stored), stored if related else ())
    begun = time.perf_counter()
    batch = matcher.read(shown)
    print("keywords and related terms" if related else "plain keywords", end="; ")
    print(f"reading 1,000 listings: {time.perf_counter() - begun:.2f} s, once for all profiles")
    print(
        " profiles listings taken/µs  find/s  rank/s  µs/profile  CPU/µs  above floor changed/ms"
        "     MB × bandwidth"
    )
    ours = [measure(matcher, wanted, number, batch, bytes_a_second) for number in numbers]
    measure(matcher, wanted, numbers[0], matcher.read(shown[:500]), bytes_a_second)
    if peers:
        peer = tantivy_time(wanted, shown)
        print(
            f"tantivy, one query a profile: {peer * 1e6:.1f} µs;"
            f" ours {peer / max(ours):.0f} to {peer / min(ours):.0f} times faster"
        )


def main() -> None:
    """Print the tables, each from a process of its own, so that its peak of memory is its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--profiles", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--only", choices=("plain", "related"), help="one of the two tables")
    parser.add_argument("--no-peers", action="store_true", help="leave tantivy out")
    parser.add_argument("--bandwidth", type=float, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.bandwidth:
        kind = {"related": options.only == "related", "peers": not options.no_peers}
        table(options.profiles, options.bandwidth, **kind)
        return
    for only in (options.only,) if options.only else ("plain", "related"):
        command = [sys.executable, "-m", "tests.benchmarks.bench_matcher", *sys.argv[1:]]
        command += ["--only", only, "--bandwidth", str(bandwidth())]
        subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
