"""Several workers on one PostgreSQL: the real command, each reader mailed once, whoever dies."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Event

import httpx
import psycopg
import pytest

from digest.cluster.schema import make_queue_tables
from tests.conftest import Started
from tests.e2e.service import DIGEST, Service, mail_server_thread, message_ids
from tests.postgres.database import new_database
from tests.postgres.machines import machine
from tests.postgres.victim import STEPS

PATIENCE_S = 120
"""How long a thing may take to come about on a machine that has other work."""


UNDER_WAY = "SELECT 1 FROM deliveries WHERE state NOT IN ('sent', 'empty')"


DOING = "SELECT * FROM procrastinate.procrastinate_jobs WHERE status = 'doing'"


ENDED = "SELECT step FROM beats WHERE step != 'alive' AND ended_at >= began_at"

LOCKED = "SELECT DISTINCT lock FROM procrastinate.procrastinate_jobs WHERE status = 'doing'"

OF_THE_DEAD = """
SELECT lock FROM procrastinate.procrastinate_jobs WHERE status = 'doing' AND worker_id NOT IN
    (SELECT id FROM procrastinate.procrastinate_workers
    WHERE last_heartbeat > now() - interval '4 s')
"""

NOT_ANSWERED = "SELECT 1 FROM subscribers WHERE answered_on = ''"

WITNESS = """
CREATE TABLE began (step text, tick text, worker bigint);
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO public.began VALUES (NEW.task_name, NEW.args ->> 'timestamp', NEW.worker_id);
    RETURN NEW;
END $$;
CREATE TRIGGER note AFTER UPDATE OF status ON procrastinate.procrastinate_jobs
    FOR EACH ROW WHEN (NEW.status = 'doing') EXECUTE FUNCTION note()
"""
"""Writes down each job that begins: its step, the tick that it is of, and who took it."""

TICKED = "SELECT step, tick FROM began WHERE tick IS NOT NULL GROUP BY step, tick"

COPIED = """
INSERT INTO subscribers (email, address_key, origin, state, timezone, send_at, days, name, profile,
    answered_on, created_at, updated_at)
SELECT n || email, n || address_key, 'store', state, timezone, send_at, days, name, profile,
    answered_on, created_at, updated_at
FROM subscribers, generate_series(1, 15) AS n
"""
"""Sixteen times as many readers."""

IN_FLIGHT = 8
"""Mails that a process may have begun at a time: more than it has connections."""

WROTE = "SELECT max(ended_at) FROM beats WHERE step = 'write'"

MAILBOX = """
[bounces]
every_s = 5

[bounces.imap]
host = "127.0.0.1"
port = 1
tls = "none"
username = "bounces"
password_file = "password"
"""
"""A mailbox that nobody answers for."""

WORK = ("work", "config.toml")

VICTIM = (sys.executable, str(Path(__file__).with_name("victim.py")))


@pytest.fixture
def address(servers: Started) -> str:
    """The address of an empty database, on one kind of server: these tests wait a lot."""
    return new_database(servers("wheel"))


def until(come: Callable[[], bool]) -> None:
    """Wait for what has to come about."""
    end = time.monotonic() + PATIENCE_S
    while not come():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.1)


def asked(address: str, sql: str) -> list[tuple[object, ...]]:
    """The rows of a query, none of what gives none."""
    with psycopg.connect(address) as connection:
        found = connection.execute(sql.encode())
        return found.fetchall() if found.description else []


@contextmanager
def started(
    service: Service, *words: str, command: Sequence[str] = DIGEST
) -> Iterator[subprocess.Popen[str]]:
    """A command that runs on, its log in `worker.log`; killed at the end if it still runs."""
    with (service.folder / "worker.log").open("w") as log:
        process = service.start(*words, log=log.fileno(), command=command)
        try:
            yield process
        finally:
            process.kill()
            process.communicate()


def machines(folder: Path, port: int, address: str, number: int) -> list[Service]:
    """Machines for one service, who share its key; the first has let in the subscribers."""
    first, *others = (machine(folder / str(n), port, address) for n in range(number))
    first.run("status")
    for one in (first, *others):  # what a worker that died was sending is soon taken up
        config = one.folder / "config.toml"
        config.write_text(
            config.read_text("utf-8").replace("lease_s = 120", "lease_s = 4"), "utf-8"
        )
    for other in others:
        shutil.copy(first.folder / "secret.key", other.folder)
    return [first, *others]


def test_two_workers_share_the_mails_out(tmp_path: Path, server: str) -> None:
    """Sources are read once, each reader is mailed once, and either worker mails some of them."""
    address = new_database(server)
    with mail_server_thread() as mails, ExitStack() as stack:
        of = machines(tmp_path, mails.port, address, 2)
        workers = [stack.enter_context(started(one, "worker")) for one in of]
        until(lambda: not asked(address, NOT_ANSWERED))
        until(
            lambda: (
                not asked(address, "SELECT 1 FROM deliveries WHERE state NOT IN ('sent', 'empty')")
            )
        )
        for worker in workers:
            worker.send_signal(signal.SIGTERM)
        assert [worker.wait(PATIENCE_S) for worker in workers] == [0, 0]
        mailed = Counter(mail.recipients[0] for mail in mails.taken)
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


def test_no_step_dies_with_its_worker(tmp_path: Path, address: str) -> None:
    """Killed in the midst of every one of them, it leaves no lock behind: another takes them up."""
    with mail_server_thread() as server, ExitStack() as stack:
        one, two = machines(tmp_path, server.port, address, 2)
        hanging = stack.enter_context(started(one, "hang", "config.toml", command=VICTIM))
        assert hanging.stdout
        assert {hanging.stdout.readline().strip() for _ in STEPS} == set(STEPS)
        locks = {"ingest", "prepare 0/1", "deliver 0/1", "write", "tidy", "oversee"}
        assert locks <= {lock for (lock,) in asked(address, LOCKED)}
        hanging.kill()
        worker = stack.enter_context(started(two, *WORK, command=VICTIM))
        until(lambda: len(asked(address, ENDED)) == len(STEPS))
        until(lambda: asked(address, OF_THE_DEAD) == [])
        until(lambda: not asked(address, NOT_ANSWERED) and not asked(address, UNDER_WAY))
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(PATIENCE_S) == 0
        assert len(server.taken) >= 15
    log = (two.folder / "worker.log").read_text("utf-8")
    assert log.count("job.rescued") >= len(STEPS)
    assert "Traceback" not in log


def test_everybody_is_mailed_though_a_worker_is_killed(tmp_path: Path, address: str) -> None:
    """What it had begun goes out once more at most, as the same mail; all the rest once."""
    with mail_server_thread() as server, ExitStack() as stack:
        of = machines(tmp_path, server.port, address, 2)
        asked(address, COPIED)
        killed, other = (stack.enter_context(started(one, *WORK, command=VICTIM)) for one in of)
        log = of[0].folder / "worker.log"
        until(lambda: log.read_text("utf-8").count("delivery.sent") >= 20)
        killed.kill()
        until(lambda: not asked(address, NOT_ANSWERED) and not asked(address, UNDER_WAY))
        assert asked(address, OF_THE_DEAD) == []
        other.send_signal(signal.SIGTERM)
        assert other.wait(PATIENCE_S) == 0
        mails = [(mail.recipients[0], *message_ids([mail.raw])) for mail in server.taken]
    mailed = Counter(recipient for recipient, _ in mails)
    twice = [recipient for recipient, times in mailed.items() if times > 1]
    assert len(mailed) == len(asked(address, "SELECT 1 FROM deliveries WHERE state = 'sent'"))
    assert len(twice) <= IN_FLIGHT
    assert len(set(mails)) == len(mailed)
    assert log.read_text("utf-8").count("delivery.sent") < len(mailed)


def test_q7_a_machine_whose_clock_is_wrong_mails_nobody_twice(tmp_path: Path, address: str) -> None:
    """Ten minutes ahead, it takes nothing that another is sending for given up."""
    in_flight, go_on = Event(), Event()

    def slowly(step: str, _: int) -> None:
        if step == "dot" and not in_flight.is_set():
            in_flight.set()
            go_on.wait(PATIENCE_S)

    with mail_server_thread(slowly) as server, ExitStack() as stack:
        one, two = machines(tmp_path, server.port, address, 2)
        stack.enter_context(started(one, *WORK, command=VICTIM))
        assert in_flight.wait(PATIENCE_S)
        wrong = stack.enter_context(started(two, *WORK, "600", command=VICTIM))
        until(lambda: len(asked(address, "SELECT * FROM beats WHERE step = 'deliver'")) == 2)
        time.sleep(2)  # it has begun to deliver, and settles first what time has settled
        go_on.set()
        until(lambda: not asked(address, NOT_ANSWERED) and not asked(address, UNDER_WAY))
        wrong.send_signal(signal.SIGTERM)
        assert wrong.wait(PATIENCE_S) == 0
        mailed = Counter(mail.recipients[0] for mail in server.taken)
    assert len(mailed) >= 15
    assert set(mailed.values()) == {1}
    assert 'clock.apart {"seconds_behind": -600' in (two.folder / "worker.log").read_text("utf-8")


def test_a_tick_comes_once_for_all_workers(tmp_path: Path, address: str) -> None:
    """Each time that a step is due one worker begins it, and over some ticks each of them does."""
    with mail_server_thread() as server, ExitStack() as stack:
        of = machines(tmp_path, server.port, address, 2)
        make_queue_tables(address)
        asked(address, WITNESS)
        for one in of:
            stack.enter_context(started(one, *WORK, command=VICTIM))
        until(lambda: len(asked(address, TICKED)) >= 40)
        assert asked(address, f"{TICKED} HAVING count(*) > 1") == []
        workers = asked(address, "SELECT DISTINCT worker FROM began WHERE tick IS NOT NULL")
        assert len(workers) == 2


def test_the_pages_tell_of_every_worker_and_settings_change_under_way(
    tmp_path: Path, address: str
) -> None:
    """`digest serve` is a worker, too; a mailbox that comes into the config is fetched."""
    with mail_server_thread() as server, ExitStack() as stack:
        one, two = machines(tmp_path, server.port, address, 2)
        worker = stack.enter_context(started(one, *WORK, command=VICTIM))
        config = two.folder / "config.toml"
        text = config.read_text("utf-8")  # whose metrics this machine may read
        config.write_text(text.replace("https://digest.example.org", "http://localhost"), "utf-8")
        serving = stack.enter_context(started(two, "serve", "config.toml", command=VICTIM))
        log = two.folder / "worker.log"
        until(lambda: "web.listening" in log.read_text("utf-8"))
        port = json.loads(log.read_text("utf-8").partition("web.listening ")[2].partition("\n")[0])
        pages = f"http://127.0.0.1:{port['port']}"
        until(lambda: "\ndigest_workers 2.0" in httpx.get(f"{pages}/metrics").text)
        until(lambda: not asked(address, NOT_ANSWERED))
        health = httpx.get(f"{pages}/healthz").json()
        assert health["status"] == "ok"
        assert health["steps"].keys() >= {"ingest", "prepare", "deliver", "look", "reload"}
        text = (one.folder / "config.toml").read_text("utf-8")
        (one.folder / "password").write_text("secret")
        (one.folder / "password").chmod(0o600)
        (one.folder / "config.toml").write_text(text + MAILBOX, "utf-8")
        worker.send_signal(signal.SIGHUP)
        until(lambda: '"step": "fetch"' in (one.folder / "worker.log").read_text("utf-8"))
        before = asked(address, "SELECT max(ended_at) FROM beats WHERE step = 'write'")
        until(
            lambda: asked(address, "SELECT max(ended_at) FROM beats WHERE step = 'write'") > before
        )
        for process in (worker, serving):
            process.send_signal(signal.SIGTERM)
            assert process.wait(PATIENCE_S) == 0
        assert "worker" not in one.run("status"), "both have ended in order"
    assert max(Counter(mail.recipients[0] for mail in server.taken).values()) == 1
    assert "Traceback" not in log.read_text("utf-8")
