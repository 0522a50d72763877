"""From a claimed row to a recorded outcome, beside what others send to the same sink.

`python -m tests.benchmarks.bench_delivery [MAILS [ROUNDS [ours|postfix]]]` prints for ours, the
usual Python stack, nodemailer (where `node` finds it; NODE_PATH helps) and Postfix's `smtp-source`
(Debian's package postfix) messages a second in interleaved rounds, CPU a mail and peak memory, all
processes of each added up; how many times each other ours is; and where our time goes. Beside them
stand two bounds: ours with one mail for all, made before, is what signing, handing over, recording
and SMTP leave room for; signatures alone, without a mail, are what RSA-2048 allows here at most.
The last word chooses the sink, ours or Postfix's. All but `smtp-source` use two processes that make
mails; the first fifth of each run is left out. A busy machine slows all alike: trust the ratios of
one run, and CPU more than either.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter

import numpy as np

from digest import jobs
from digest.app import open_app
from digest.dkim import make_pem
from digest.planner import Planner
from digest.press import render
from digest.store.freeze import frozen
from tests.benchmarks.bench_end_to_end import people
from tests.benchmarks.contenders import AT, COMPOSED, KEY, MAILS, config_for
from tests.benchmarks.sink import postfix_sink, sink
from tests.benchmarks.steps import print_steps
from tests.benchmarks.usual import items_of
from tests.e2e.pages import SEEDS, TERMS, write_pages

PROCESSES = 2
ITEMS = 12
FEWER = 10
"""The usual stack sends one mail in so many of what the others send: it takes that much longer."""

SAMPLES = 200
"""Different mails that the others send in turn."""

LEDGER = "digest.db"


@dataclass(slots=True)
class Results:
    """What one contender did, a value for each round."""

    per_s: list[float] = field(default_factory=list)
    cpu_ms: list[float] = field(default_factory=list)
    peak_mb: float = 0.0


@dataclass(frozen=True, slots=True)
class Bench:
    """The prepared ledger and mails, and the port of the sink."""

    folder: Path
    port: int
    mails: int
    size: int


def prepared(folder: Path, wanted: int, service: str = "") -> tuple[int, int]:
    """A ledger with so many mails that wait, and samples for the others; (mails, bytes each)."""
    kind = "seeds" if SEEDS.is_dir() else "ours"
    write_pages(kind, folder)
    (folder / KEY).write_bytes(make_pem("rsa"))
    (folder / KEY).chmod(0o600)
    config = config_for(folder, 2525, service)
    with open_app(config, AT) as app:
        app.store.sync_file(people(wanted, TERMS[kind]), AT)
        asyncio.run(jobs.ingest(app, AT, config.sources))
        for drafts in Planner(app, AT).drafts(app.store.due(AT, wanted)):
            cut = drafts.cut_to(np.full(len(drafts), ITEMS))
            app.store.open_deliveries(app.frame, list(frozen(cut)), AT)
        waiting = sum(app.store.deliveries_by_state(AT).values())
        sizes, raws, lines = [], [], []
        for row in range(1, min(waiting, SAMPLES) + 1):
            delivery = app.store.delivery_by_id(row)
            mail = render(app, delivery)
            matches = [match for part in delivery.digest.sections for match in part.matches]
            foot = "You get this mail because you asked for it."
            sample = {"subject": mail.subject, "text": mail.text, "html": mail.html, "foot": foot}
            lines.append(json.dumps({**sample, "items": items_of(matches)}))
            sizes.append(len(mail.raw))
            raws.append(mail.raw)
        middling = sorted(raws, key=len)[len(raws) // 2]
        (folder / COMPOSED).write_bytes(middling[middling.index(b"From: ") :])  # not signed yet
        (folder / MAILS).write_text("\n".join(lines))
    return waiting, round(statistics.mean(sizes))


# --- running one ------------------------------------------------------------------------------


def ours(bench: Bench) -> list[str]:
    """Words that send the ledger's mails, the ledger fresh each time."""
    again = bench.folder / "again"
    shutil.rmtree(again, ignore_errors=True)
    again.mkdir()
    for path in bench.folder.iterdir():
        if path.is_file():
            shutil.copy(path, again)
    contender = [sys.executable, "-m", "tests.benchmarks.contenders"]
    return [*contender, str(bench.port), str(again), str(bench.mails)]


def composed(bench: Bench) -> list[str]:
    """The same with mails that are made before: the bound of whatever signs and records as ours."""
    return [*ours(bench), "composed"]


def usual(bench: Bench) -> list[str]:
    """Words that send with the usual Python stack."""
    contender = [sys.executable, "-m", "tests.benchmarks.usual"]
    count = bench.mails // PROCESSES // FEWER
    return [*contender, str(bench.port), str(bench.folder), str(count)]


def nodemailer(bench: Bench) -> list[str]:
    """Words that send with nodemailer. Raises: LookupError where it is not there."""
    node = shutil.which("node")
    script = Path(__file__).with_name("nodemailer.mjs")
    if not node:
        raise LookupError("node is not there")
    asking = [node, "-e", "require.resolve('nodemailer')"]
    if subprocess.run(asking, check=False, capture_output=True).returncode:
        raise LookupError("node does not find nodemailer: npm install it, and set NODE_PATH")
    mails = bench.folder / MAILS
    count = bench.mails // PROCESSES
    return [node, *map(str, (script, bench.port, mails, count, bench.folder / KEY))]


def smtp_source(bench: Bench) -> list[str]:
    """Words that send one fixed message. Raises: LookupError where it is not there."""
    path = shutil.which("smtp-source")
    if not path:
        raise LookupError("smtp-source is not there: Debian's package postfix has it")
    settings = ["-d", "-s", "8", "-l", str(bench.size), "-m", str(bench.mails)]
    envelope = ["-f", "digest@example.org", "-t", "reader@example.org"]
    return [path, *settings, *envelope, f"127.0.0.1:{bench.port}"]


def signatures(bench: Bench) -> list[str]:
    """Words that sign hashes and send nothing: the bound of whoever signs by RSA-2048."""
    contender = [sys.executable, "-m", "tests.benchmarks.contenders"]
    return [*contender, "sign", str(bench.folder), str(bench.mails // PROCESSES)]


WAYS: dict[str, tuple[Callable[[Bench], list[str]], int]] = {
    "ours": (ours, 1),  # its own processes: one sends, two make
    "smtp-source": (smtp_source, 1),
    "composed before": (composed, 1),
    "signing alone": (signatures, PROCESSES),
    "nodemailer": (nodemailer, PROCESSES),
    "usual stack": (usual, PROCESSES),
}
"""How each is started, and how many of it."""


def run(bench: Bench, words: Sequence[str], times: int, results: Results) -> None:
    """One round of one contender."""
    begun, before = perf_counter(), os.times()
    running = [subprocess.Popen(words, stdout=subprocess.PIPE, text=True) for _ in range(times)]
    with watched([one.pid for one in running]) as peak_mb:
        said = [one.communicate()[0] for one in running]
    if failed := [one.returncode for one in running if one.returncode]:
        raise SystemExit(f"{words[0]} ended with {failed[0]}")
    took, after = perf_counter() - begun, os.times()
    told = [json.loads(line) for line in said if line.strip()]
    counted = [one["mails"] / one["seconds"] for one in told]
    sent = bench.mails if times == 1 else int(words[-2 if "node" in words[0] else -1]) * times
    used = after.children_user + after.children_system
    used -= before.children_user + before.children_system
    results.per_s.append(sum(counted) if told else sent / took)
    results.cpu_ms.append(used / sent * 1000)
    results.peak_mb = max(results.peak_mb, *peak_mb, 0)


@contextmanager
def watched(roots: Sequence[int]) -> Iterator[list[float]]:
    """A list that grows by the memory of these processes and theirs, four times a second."""
    found, ended = [0.0], threading.Event()

    def watch() -> None:
        while not ended.wait(0.25):
            found.append(memory_mb(roots))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield found
    finally:
        ended.set()
        thread.join()


def memory_mb(roots: Sequence[int]) -> float:
    """Megabytes of these processes and all below them; 0 but on Linux."""
    parents: dict[int, int] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(path.parent.name)] = int(path.read_text().rpartition(")")[2].split()[1])
        except (OSError, IndexError, ValueError):  # it has ended meanwhile
            continue
    family = set(roots)
    while more := {one for one, parent in parents.items() if parent in family} - family:
        family |= more
    return sum(map(_proportional_mb, family))


def _proportional_mb(process: int) -> float:
    """What a process has for itself, and its part of what it shares."""
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("Pss:")), 0.0)


# --- the table --------------------------------------------------------------------------------


def compare(bench: Bench, rounds: int) -> None:
    """Run all in turn, and print what they did."""
    results: dict[str, Results] = {}
    missing: dict[str, str] = {}
    for _ in range(rounds):
        for name, (words_of, times) in WAYS.items():
            try:
                words = words_of(bench)
            except LookupError as error:
                missing[name] = str(error)
                continue
            one = results.setdefault(name, Results())
            run(bench, words, times, one)
            print(
                f"  {name:16}{one.per_s[-1]:8.0f}/s {one.cpu_ms[-1]:8.2f} ms of CPU each",
                flush=True,
            )
    print(f"\n{'':16}{'median/s':>10}{'best/s':>9}{'CPU ms each':>13}{'peak MB':>9}  ours is")
    for name, one in results.items():
        speed, cpu = statistics.median(one.per_s), statistics.median(one.cpu_ms)
        ours_is = ratio(results["ours"].per_s, one.per_s)
        said = "" if name == "ours" else f"{ours_is:6.2f} times it"
        print(f"{name:16}{speed:10.0f}{max(one.per_s):9.0f}{cpu:13.2f}{one.peak_mb:9.0f}  {said}")
    for why in missing.values():
        print(why)


def ratio(these: Sequence[float], those: Sequence[float]) -> float:
    """The median of what one is of the other in the same round."""
    return statistics.median(one / other for one, other in zip(these, those, strict=True))


def main() -> None:
    """Measure with so many mails (4,000), rounds (3), and a sink."""
    mails = int(sys.argv[1]) if len(sys.argv) > 1 else 4000
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    taking = postfix_sink if sys.argv[3:] == ["postfix"] else sink
    with tempfile.TemporaryDirectory() as name, taking() as port:
        folder = Path(name)
        waiting, size = prepared(folder, mails)
        print(f"{waiting} mails of {size / 1000:.0f} kB, {os.cpu_count()} cores, {rounds} rounds")
        bench = Bench(folder, port, waiting, size)
        if rounds:
            compare(bench, rounds)
        print_steps(folder, port)


if __name__ == "__main__":
    main()
