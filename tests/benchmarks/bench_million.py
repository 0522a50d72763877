"""Many subscribers on PostgreSQL, shared out among workers: who is due, prepare, deliver.

`python -m tests.benchmarks.bench_million [SUBSCRIBERS [SOME [WORKERS …]]]` (20,000, 4,000, 1 2 4)
fills a database with so many subscribers, all due (10,000 different profiles), and 1,000 listings
that are new to all of them. It prepares SOME of their digests by each number of workers, then lets
every subscriber have a digest that waits (copies of those), and sends SOME of them by each number
of workers. Each worker is one process that takes a share, as `digest worker` does. CPU is that of
the workers and of the server, their start left out; what the server does is for each digest or
mail. At the end: how large the tables are.
"""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.synchronize import Barrier
from pathlib import Path

import psycopg

from digest import jobs
from digest.app import App, open_app
from digest.dkim import make_pem
from digest.share import Share, shares
from digest.store.postgres.store import PostgresStore
from digest.store.subscribers import put_row
from tests.benchmarks.bench_end_to_end import people
from tests.benchmarks.bench_postgres import HEAD, Result, sizes, told
from tests.benchmarks.bench_prepare import archive
from tests.benchmarks.contenders import AT, KEY, config_for
from tests.benchmarks.postgres_server import Server, cpu_s, server
from tests.benchmarks.sink import sink
from tests.e2e.pages import SEEDS, TERMS, read_pages, write_pages
from tests.samples import NOW

DIFFERENT = 10_000
NEW = 1_000
"""Listings of the day."""

WARM = 300
"""Mails that each worker sends before it is measured."""

COPY_PEOPLE = """
INSERT INTO subscribers (email, address_key, origin, state, timezone, send_at, days, name, profile,
    answered_on, created_at, updated_at)
SELECT 'copy' || n || '.' || email, 'copy' || n || '.' || address_key, origin, state, timezone,
    send_at, days, name, profile, answered_on, created_at, updated_at
FROM generate_series(1, %s) AS copies (n), subscribers WHERE id <= %s
"""

COPY_ROWS = """
WITH known AS MATERIALIZED (
    SELECT id, row_number() OVER (ORDER BY id) - 1 AS place FROM deliveries WHERE state = 'queued'
), copies AS MATERIALIZED (
    SELECT s.id AS subscriber_id, s.email, known.id FROM subscribers s
    JOIN known ON known.place = s.id % (SELECT count(*) FROM known)
    WHERE NOT EXISTS (SELECT 1 FROM deliveries o WHERE o.subscriber_id = s.id)
), made AS (
    INSERT INTO deliveries (id, subscriber_id, digest_on, state, message_id, recipient, frame_id,
        listing_ids, prepared_at, attempts, unknowns, next_attempt_at, owner, code, reply)
    SELECT 100000000 + c.subscriber_id, c.subscriber_id, d.digest_on, d.state,
        'copy' || c.subscriber_id || '.' || d.message_id, c.email, d.frame_id, d.listing_ids,
        d.prepared_at, 0, 0, d.next_attempt_at, '', 0, ''
    FROM copies c JOIN deliveries d USING (id)
)
INSERT INTO bodies (delivery_id, body)
SELECT 100000000 + c.subscriber_id, b.body FROM copies c JOIN bodies b ON b.delivery_id = c.id
"""


@dataclass(frozen=True, slots=True)
class Work:
    """What a worker does: its folder, the sink's port, the database, its share, how many."""

    folder: Path
    port: int
    address: str
    share: Share
    many: int


Step = Callable[[Work, Barrier], None]


def preparing(work: Work, barrier: Barrier) -> None:
    """Prepare so many of a share."""
    made = 0

    def done(more: int) -> None:
        nonlocal made
        made += more

    with open_app(config_for(work.folder, work.port, settings(work)), AT) as app:
        app.matcher(AT)
        with at_once(barrier):
            jobs.prepare(app, AT, share=work.share, stopping=lambda: made >= work.many, done=done)


def delivering(work: Work, barrier: Barrier) -> None:
    """Send so many of a share, after some that fill the caches."""
    logging.basicConfig(filename=work.folder / f"{os.getpid()}.log", level=logging.INFO)
    with open_app(config_for(work.folder, work.port, settings(work)), AT) as app:
        send(app, work.share, WARM)
        with at_once(barrier):
            send(app, work.share, work.many)


def send(app: App, share: Share, many: int) -> None:
    """Send so many mails of a share."""
    made = 0

    def told_one(*_: object) -> None:
        nonlocal made
        made += 1

    sending = jobs.deliver(
        app, lambda: AT, share=share, stopping=lambda: made >= many, told=told_one
    )
    asyncio.run(sending)


def settings(work: Work) -> str:
    """The service's: a database, and one process for each worker."""
    return f'processes = 1\ndata = "{work.address}"\n'


@contextmanager
def at_once(barrier: Barrier) -> Iterator[None]:
    """All begin what stands inside when all are ready and the clocks are read, and end so."""
    barrier.wait()
    barrier.wait()
    yield
    barrier.wait()
    barrier.wait()


def run(postgres: Server, works: Sequence[Work], step: Step) -> Result:
    """All workers at once, and what it came to for each digest or mail."""
    spawning = multiprocessing.get_context("spawn")
    barrier = spawning.Barrier(len(works) + 1)
    running = [spawning.Process(target=step, args=(work, barrier)) for work in works]
    for one in running:
        one.start()
    pids = [one.pid or 0 for one in running]
    marks = []
    for _ in range(2):
        barrier.wait()
        marks.append((time.perf_counter(), cpu_s(pids), postgres.used(), moved(works[0].address)))
        barrier.wait()
    for one in running:
        one.join()
    (begun, cpu, before, first), (ended, cpu_then, after, last) = marks
    many, used = last - first, after.since(before)
    return Result(many / (ended - begun), (cpu_then - cpu + used.cpu_s) / many * 1000, used, many)


def moved(address: str) -> int:
    """How many rows were written or sent so far: all are opened, then sent."""
    with psycopg.connect(address) as connection:
        ((opened, closed),) = connection.execute(
            "SELECT (SELECT count(*) FROM deliveries WHERE id < 100000000),"
            " (SELECT count(*) FROM deliveries WHERE state = 'sent')"
        ).fetchall()
    return int(opened + closed)


def fill(folder: Path, address: str, count: int) -> None:
    """The day's listings, some older ones, and so many subscribers who are due."""
    kind = "seeds" if SEEDS.is_dir() else "ours"
    write_pages(kind, folder)
    (folder / KEY).write_bytes(make_pem("rsa"))
    (folder / KEY).chmod(0o600)
    config = config_for(folder, 2525, f'data = "{address}"\n')
    with open_app(config, AT) as app:
        read = read_pages(folder)
        made = archive(read)  # of the same sentences; what the day lacks is of them
        more = NEW - len({one.key for one in read})
        app.store.add_listings(made[more:], [], {}, [], AT.replace(day=1))
        asyncio.run(jobs.ingest(app, AT, config.sources))
        app.store.add_listings(made[:more], [], {}, [], AT)
    store = PostgresStore(address, folder / "filling")
    different = min(count, DIFFERENT)
    with store.writing() as db:
        for one in people(different, TERMS[kind]):
            put_row(db, one, NOW)
    store.close_store()
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(COPY_PEOPLE, (count // different - 1, different))
        connection.execute("VACUUM ANALYZE")


def who_is_due(folder: Path, address: str) -> None:
    """Print how long the question takes."""
    with open_app(config_for(folder, 2525, f'data = "{address}"\n'), AT) as app:
        begun = time.perf_counter()
        count = len(app.store.due_ids(AT))
        print(f"who is due: {count:,} numbers in {time.perf_counter() - begun:.2f} s", flush=True)


def main() -> None:
    """Measure with so many subscribers, some of their digests, and workers."""
    words = [int(word) for word in sys.argv[1:]] + [20_000, 4_000][len(sys.argv) - 1 :]
    count, some, workers = words[0], words[1], words[2:] or [1, 2, 4]
    with tempfile.TemporaryDirectory() as name, sink() as port, server() as postgres:
        folder, address = Path(name), postgres.database("many")
        fill(folder, address, count)
        who_is_due(folder, address)
        for step in (preparing, delivering):
            if step is delivering:
                with psycopg.connect(address, autocommit=True) as connection:
                    connection.execute(COPY_ROWS)
                    connection.execute("VACUUM ANALYZE")
                    connection.execute("CHECKPOINT")
            print(f"\n{step.__name__}{HEAD[len(step.__name__) :]}", flush=True)
            for of in workers:
                works = [Work(folder, port, address, one, some // of) for one in shares(of)]
                told(
                    f"PostgreSQL, {of} worker{'s' if of > 1 else ''}", [run(postgres, works, step)]
                )
        print()
        sizes(address)


if __name__ == "__main__":
    main()
