"""Several workers on one PostgreSQL: the real command, each reader mailed once, whoever dies."""

from __future__ import annotations

import shutil
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path

import psycopg
import pytest

from tests.e2e.service import Service, mail_server_thread
from tests.postgres.database import made
from tests.postgres.test_service import machine

NAMES = (f"workers_{number}" for number in count())

PATIENCE_S = 120
"""How long a thing may take to come about on a machine that has other work."""


UNDER_WAY = "SELECT 1 FROM deliveries WHERE state NOT IN ('sent', 'empty')"


DOING = "SELECT * FROM procrastinate.procrastinate_jobs WHERE status = 'doing'"


@pytest.fixture
def address(server: str) -> str:
    """The address of a database with nothing in it."""
    return made(server, next(NAMES))


def until(come: Callable[[], bool]) -> None:
    """Wait for what has to come about."""
    for _ in range(PATIENCE_S * 10):
        if come():
            return
        time.sleep(0.1)
    raise AssertionError("it did not come about")


def asked(address: str, sql: str) -> list[tuple[object, ...]]:
    """The rows of a query."""
    with psycopg.connect(address) as connection:
        return connection.execute(sql.encode()).fetchall()


@contextmanager
def started(service: Service, *words: str) -> Iterator[subprocess.Popen[str]]:
    """A command that runs on, its log in `worker.log`; killed at the end if it still runs."""
    with (service.folder / "worker.log").open("w") as log:
        process = service.start(*words, log=log.fileno())
        try:
            yield process
        finally:
            process.kill()
            process.communicate()


def machines(folder: Path, port: int, address: str, number: int) -> list[Service]:
    """Machines for one service, who share its key; the first has let in the subscribers."""
    first, *others = (machine(folder / str(n), port, address) for n in range(number))
    first.run("status")
    for other in others:
        shutil.copy(first.folder / "secret.key", other.folder)
    return [first, *others]


def test_two_workers_share_the_mails_out(tmp_path: Path, address: str) -> None:
    """Sources are read once, each reader is mailed once, and either worker mails some of them."""
    with mail_server_thread() as server, ExitStack() as stack:
        of = machines(tmp_path, server.port, address, 2)
        workers = [stack.enter_context(started(one, "worker")) for one in of]
        until(lambda: not asked(address, "SELECT 1 FROM subscribers WHERE answered_on = ''"))
        until(
            lambda: (
                not asked(address, "SELECT 1 FROM deliveries WHERE state NOT IN ('sent', 'empty')")
            )
        )
        for worker in workers:
            worker.send_signal(signal.SIGTERM)
        assert [worker.wait(PATIENCE_S) for worker in workers] == [0, 0]
        mailed = Counter(mail.recipients[0] for mail in server.taken)
    logs = [(one.folder / "worker.log").read_text("utf-8") for one in of]
    assert len(mailed) >= 15
    assert set(mailed.values()) == {1}
    assert sum(log.count("source.read") for log in logs) == 1
    assert sum(log.count("delivery.sent") for log in logs) == len(mailed)
    assert not any("Traceback" in log for log in logs)
    assert asked(address, DOING) == []
    assert asked(address, "SELECT * FROM procrastinate.procrastinate_workers") == []


def test_a_file_has_no_workers(tmp_path: Path) -> None:
    """It says what to do instead, before anything is opened."""
    (tmp_path / "mails").mkdir()
    service = Service(tmp_path, 25, "")
    service.run("worker", code=2)
    assert "[service] data" in service.stderr
    assert "digest serve" in service.stderr
    assert "postgresql://" in service.stderr
    assert not (tmp_path / "digest.db").exists()
