"""Delivering on PostgreSQL beside SQLite, both on this machine, and what a mail asks of the server.

`python -m tests.benchmarks.bench_postgres [MAILS [ROUNDS [WORKERS …]]]` (2,000, 1, 1 2 4) prints in
interleaved rounds the messages a second and the CPU a mail of all processes, with the server's, and
of the server its CPU, statements, transactions and bytes of its log (WAL) a mail. "As it is set up"
is one `digest send` with a process for each core that makes mails; each of the workers is one
process that makes mails and sends them. What is measured lies between the first fifth of the mails
and the last tenth. A busy machine slows all alike: trust the ratios of one run, and CPU most. The
same work takes more CPU where cores share caches and more: as many SQLite services, each with a
ledger of its own and so with nothing in common, tell by how much it grows of itself.
"""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from multiprocessing.connection import wait
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path

import psycopg

from digest.model import DeliveryState, Outcome
from digest.share import Share, shares
from digest.store import Lease
from tests.benchmarks.bench_delivery import prepared, ratio
from tests.benchmarks.contenders import AT, config_for
from tests.benchmarks.postgres_server import Server, Used, cpu_s, server
from tests.benchmarks.sink import sink

LEDGER = "prepared"
HEAD = (
    f"{'':30}{'a second':>8}{'CPU ms':>8}{'server µs':>11}{'statements':>11}"
    f"{'commits':>11}{'WAL bytes':>11}"
)
FIRST, LAST = 0.2, 0.9
"""What is measured begins and ends when so much of the mails is out."""


@dataclass(frozen=True, slots=True)
class Bench:
    """The folder with both ledgers ready, the sink's port, and the PostgreSQL."""

    folder: Path
    port: int
    mails: int
    server: Server


@dataclass(frozen=True, slots=True)
class Way:
    """One way to send: on which store, by how many workers with how many processes each."""

    postgres: bool
    workers: int = 1
    processes: int = 1

    def __str__(self) -> str:
        store = "PostgreSQL" if self.postgres else "SQLite"
        if self.processes == 0:
            return f"{store}, as it is set up"
        if self.workers == 1:
            return f"{store}, 1 worker"
        return f"{store}, {self.workers} {'workers' if self.postgres else 'services'}"


@dataclass(frozen=True, slots=True)
class Result:
    """What one round came to, for each mail but for the rate."""

    per_s: float
    cpu_ms: float
    server: Used
    mails: int


def send(folder: Path, port: int, service: str, share: Share, out: Synchronized[int]) -> None:
    """Send what waits for a share of the people; `out` counts the mails of all workers."""
    from digest import jobs  # noqa: PLC0415 - as the command does, see contenders.ours
    from digest.app import open_app  # noqa: PLC0415

    logging.basicConfig(filename=folder / f"{os.getpid()}.log", level=logging.INFO)

    def told(lease: Lease, outcome: Outcome, state: DeliveryState) -> None:
        assert state is DeliveryState.SENT, outcome
        with out.get_lock():
            out.value += 1

    with open_app(config_for(folder, port, service), AT) as app:
        asyncio.run(jobs.deliver(app, lambda: AT, share=share, told=told))


def run(bench: Bench, way: Way) -> Result:
    """One round: the ledger as it was prepared, all workers at once."""
    again = bench.folder / "again"
    shutil.rmtree(again, ignore_errors=True)
    apart = [again / str(number) for number in range(way.workers)]
    folders = [again] * way.workers if way.postgres else apart
    for folder in set(folders):
        shutil.copytree(bench.folder / ("postgres" if way.postgres else "sqlite"), folder)
    service = f"processes = {way.processes}\n"
    if way.postgres:
        service += f'data = "{bench.server.database("again", LEDGER)}"\n'
    spawning = multiprocessing.get_context("spawn")
    out: Synchronized[int] = spawning.Value("q", 0)
    running = [
        spawning.Process(target=send, args=(folder, bench.port, service, share, out))
        for folder, share in zip(folders, shares(way.workers), strict=True)
    ]
    for one in running:
        one.start()
    pids = [one.pid or 0 for one in running]
    ends, marks = [one.sentinel for one in running], []
    for share in (FIRST, LAST):
        # Nobody asks who is alive: that would bury who has ended, and what it has used with it.
        while out.value < share * bench.mails and len(wait(ends, 0.01)) < len(running):
            time.sleep(0.01)
        marks.append((out.value, time.perf_counter(), cpu_s(pids), bench.server.used()))
    for one in running:
        one.join()
    if out.value != bench.mails:
        raise SystemExit(f"{way}: {out.value} of {bench.mails} mails went out")
    (first, begun, cpu, before), (last, ended, cpu_then, after) = marks
    mails, used = last - first, after.since(before)
    whole_s = cpu_then - cpu + (used.cpu_s if way.postgres else 0)
    return Result(mails / (ended - begun), whole_s / mails * 1000, used, mails)


def told(name: object, results: Sequence[Result]) -> None:
    """Print a line of the table: medians."""
    middle = statistics.median
    line = f"{name!s:30}{middle(one.per_s for one in results):8.0f}"
    line += f"{middle(one.cpu_ms for one in results):8.2f}"
    if str(name).startswith("P"):
        for many in (
            [one.server.cpu_s * 1e6 / one.mails for one in results],
            [one.server.statements / one.mails for one in results],
            [one.server.commits / one.mails for one in results],
            [one.server.wal_bytes / one.mails for one in results],
        ):
            line += f"{middle(many):11,.2f}" if middle(many) < 100 else f"{middle(many):11,.0f}"
    print(line, flush=True)


def compare(bench: Bench, rounds: int, workers: Sequence[int]) -> None:
    """Run all in turn, and print what they did."""
    ways = [Way(postgres=False, processes=0), Way(postgres=True, processes=0)]
    ways += [Way(postgres, many) for many in workers for postgres in (False, True)]
    results: dict[Way, list[Result]] = defaultdict(list)
    print(HEAD)
    for _ in range(rounds):
        for way in ways:
            results[way].append(run(bench, way))
            told(way, results[way][-1:])
    print(f"\nmedians\n{HEAD}")
    for way in ways:
        told(way, results[way])
    for theirs, mine in zip(ways[::2], ways[1::2], strict=True):
        speed = ratio([one.per_s for one in results[mine]], [one.per_s for one in results[theirs]])
        cpu = ratio(cpu_of(results[mine]), cpu_of(results[theirs]))
        print(f"{mine}: {speed:.2f} of SQLite's rate, {cpu:.2f} of its CPU")
    for way in ways[4:]:
        grown = ratio(cpu_of(results[way]), cpu_of(results[Way(way.postgres, workers[0])]))
        print(f"{way}: {grown:.2f} of the CPU a mail of {Way(way.postgres, workers[0])}")


def cpu_of(results: Sequence[Result]) -> list[float]:
    """The CPU a mail of each round."""
    return [one.cpu_ms for one in results]


def sizes(address: str) -> None:
    """Print how large the tables are with their indexes, a row."""
    with closing(psycopg.connect(address)) as connection:
        for table, rows, heap, indexes in connection.execute(
            "SELECT relname, n_live_tup, pg_table_size(relid), pg_indexes_size(relid)"
            " FROM pg_stat_user_tables WHERE n_live_tup > 0 ORDER BY pg_total_relation_size(relid)"
        ):
            each = f"{heap / rows:8.0f} bytes a row, {indexes / rows:6.0f} of indexes"
            print(f"  {table:20}{rows:10,} rows {each}")


def main() -> None:
    """Measure with so many mails, rounds, and workers."""
    mails, rounds, *workers = [int(word) for word in sys.argv[1:]] + [2000, 1][len(sys.argv) - 1 :]
    with tempfile.TemporaryDirectory() as name, sink() as port, server() as postgres:
        folder = Path(name)
        for kind in ("sqlite", "postgres"):
            (folder / kind).mkdir()
        waiting, size = prepared(folder / "sqlite", mails)
        address = postgres.database(LEDGER)
        prepared(folder / "postgres", mails, f'data = "{address}"')
        print(f"{waiting} mails of {size / 1000:.0f} kB, {os.cpu_count()} cores, {rounds} rounds")
        compare(Bench(folder, port, waiting, postgres), rounds, workers or [1, 2, 4])
        sizes(postgres.database("again", LEDGER))


if __name__ == "__main__":
    main()
