"""How much memory `digest serve` takes while it mails everybody for the first time of a day.

`python -m tests.benchmarks.bench_serve [SUBSCRIBERS …]` (200 3,000) starts the real command with
one process and with two that make mails, and prints the most that all its processes held at once,
shared memory counted once. The listings are the recorded pages where present (352), else the
demo's own.
"""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

from digest.config import profile_toml
from tests.benchmarks.bench_delivery import watched
from tests.benchmarks.bench_end_to_end import people
from tests.benchmarks.sink import sink
from tests.e2e.pages import SEEDS, TERMS, write_pages
from tests.e2e.service import Service

WAIT_S = 1_800


def answered(folder: Path) -> int:
    """How many subscribers have their row of the day, and nothing that waits."""
    asked = "SELECT count(*) FROM deliveries WHERE state IN ('sent', 'empty')"
    try:
        with closing(sqlite3.connect(f"file:{folder / 'digest.db'}?mode=ro", uri=True)) as db:
            return int(db.execute(asked).fetchone()[0])
    except sqlite3.OperationalError:  # the file or its tables are not there yet
        return 0


def peak_mb(count: int, processes: int, port: int) -> float:
    """The most memory of a service that mails so many people by so many processes."""
    kind = "seeds" if SEEDS.is_dir() else "ours"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_pages(kind, folder)
        service = Service(folder, port, "\n".join(map(profile_toml, people(count, TERMS[kind]))))
        config = folder / "config.toml"
        text = config.read_text("utf-8")
        config.write_text(text.replace("[service]", f"[service]\nprocesses = {processes}", 1))
        process = service.start("serve", log=subprocess.DEVNULL)
        try:
            with watched([process.pid]) as found:
                end = time.monotonic() + WAIT_S
                while answered(folder) < count:
                    if process.poll() is not None or time.monotonic() > end:
                        sys.exit(f"it ended, or took more than {WAIT_S} s")
                    time.sleep(0.5)
        finally:
            process.terminate()
            process.wait()
    return max(found)


def main() -> None:
    """Measure with each number of subscribers."""
    with sink() as port:
        for count in [int(word.replace(",", "")) for word in sys.argv[1:]] or [200, 3_000]:
            for processes in (1, 2):
                found = peak_mb(count, processes, port)
                print(f"{count:7,} readers, {processes} making mails: {found:.0f} MB", flush=True)


if __name__ == "__main__":
    main()
