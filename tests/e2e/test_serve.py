"""`digest serve` as a process: starts late, sends once, stops when told."""

from __future__ import annotations

import json
import platform
import re
import signal
import sqlite3
import subprocess
import time
from collections import Counter
from pathlib import Path

import pytest

from digest import __version__
from tests.e2e.pages import twenty_subscribers, write_pages
from tests.e2e.service import Service, mail_server_thread
from tests.smtp_server import HOLD, MailServer
from tests.waiting import wait_for


def serving(folder: Path, server: MailServer) -> Service:
    """A service with twenty people and saved pages."""
    write_pages("ours", folder)
    return Service(folder, server.port, twenty_subscribers("ours"))


def states(folder: Path) -> Counter[str]:
    """How many rows of the ledger stand in each state."""
    db = sqlite3.connect(folder / "digest.db")
    found = Counter(state for (state,) in db.execute("SELECT state FROM deliveries"))
    db.close()
    return found


def wait_until(process: subprocess.Popen[str], folder: Path, rows: int) -> None:
    """Wait until the ledger has so many rows that nothing waits for."""

    def are_done() -> bool:
        assert process.poll() is None, process.communicate()
        if not (folder / "digest.db").exists():
            return False
        try:
            done = states(folder)
        except sqlite3.OperationalError:
            return False  # the tables are not there yet
        return done["sent"] + done["empty"] >= rows

    try:
        wait_for(f"{rows} rows to be done", are_done, lambda: states(folder))
    except pytest.fail.Exception:
        process.kill()
        process.communicate()  # or the tests after this one pay for it
        raise


def stopped(process: subprocess.Popen[str], how: signal.Signals) -> str:
    """Tell the service to stop; what it logged. It must end with 0 within 30 seconds."""
    process.send_signal(how)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (0, ""), err
    return err


def test_started_late_it_serves_today_once_and_stops_when_told(tmp_path: Path) -> None:
    """At its first tick it reads, prepares and sends; a restart the same day sends nothing."""
    with mail_server_thread() as server:
        service = serving(tmp_path, server)
        process = service.start("serve")
        wait_until(process, tmp_path, 20)
        log = stopped(process, signal.SIGTERM)
        first = Counter(address for mail in server.taken for address in mail.recipients)
        assert set(first.values()) == {1}
        assert (
            states(tmp_path) == Counter({"sent": len(first), "empty": 20 - len(first)}) + Counter()
        )
        process = service.start("serve")
        assert process.stderr
        log += process.stderr.readline()  # it has started, and its signals are its own
        time.sleep(2)
        log += stopped(process, signal.SIGINT)
        assert Counter(one for mail in server.taken for one in mail.recipients) == first
    db = sqlite3.connect(tmp_path / "digest.db")
    assert db.execute("SELECT DISTINCT digest_on FROM deliveries").fetchall() == [("2026-11-20",)]
    db.close()
    check_log(log)


def check_log(log: str) -> None:
    """One line an event, none with an address (D2), none a traceback."""
    started = re.search(r" INFO service\.started (.+)", log)
    assert started
    assert json.loads(started[1]) == {
        "version": __version__,
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
    }
    assert "delivery.sent" in log
    assert "service.stopped" in log
    assert not re.search(r"reader\d+@", log)
    assert "Traceback" not in log
    assert all(re.match(r"\d{4}-\d\d-\d\dT[\d:]{8}Z [A-Z]+ ", line) for line in log.splitlines())


def test_a_stop_in_the_middle_leaves_no_row_behind(tmp_path: Path) -> None:
    """SIGTERM while mails are in flight: they are finished and recorded; no row is `sending`."""
    slow = [True]

    def script(step: str, before: int) -> bytes | None:
        if step == "dot" and slow[0]:
            time.sleep(0.2)  # a server that takes its time; the thread is its own
        return None

    with mail_server_thread(script) as server:
        service = serving(tmp_path, server)
        process = service.start("serve")
        wait_for("mails", lambda: len(server.taken) >= 3 or process.poll() is not None)
        stopped(process, signal.SIGTERM)
        slow[0] = False
        found = states(tmp_path)
        assert found["sending"] == found["unknown"] == 0
        assert 3 <= found["sent"] == len(server.taken) < 15
        service.now = "2026-11-20T14:05:00+00:00"
        service.run("send")
        mails = Counter(address for mail in server.taken for address in mail.recipients)
    assert set(mails.values()) == {1}
    assert states(tmp_path)["sent"] == len(mails)


def test_a_server_that_never_answers_holds_up_no_stop(tmp_path: Path) -> None:
    """The stop waits for a while and ends all the same; the mail in flight is accounted for."""
    with mail_server_thread(lambda step, before: HOLD if step == "connect" else None) as server:
        service = serving(tmp_path, server)
        config = tmp_path / "config.toml"
        config.write_text(config.read_text().replace("[smtp]", "[smtp]\ntimeout_s = 3"))
        process = service.start("serve")
        wait_for("a connection", lambda: server.connections or process.poll() is not None)
        stopped(process, signal.SIGTERM)
        found = states(tmp_path)
    assert found["sending"] == 0
    assert found["deferred"] + found["queued"] + found["empty"] == 20


def log_until(process: subprocess.Popen[str], event: str) -> str:
    """What the service logs up to an event and with it."""
    assert process.stderr
    log = ""
    for line in process.stderr:
        log += line
        if f" {event}" in line:
            return log
    pytest.fail(f"{event} never came: {log}")


def test_a_signal_has_changed_settings_taken_up_and_faulty_ones_kept_out(tmp_path: Path) -> None:
    """SIGHUP twice: a slip is told and all goes on, mended it brings the new reader their mail."""
    new = '\n[[subscribers]]\nemail = "new@example.org"\nkeywords = { "random graph" = 3 }\n'
    with mail_server_thread() as server:
        service = serving(tmp_path, server)
        process = service.start("serve")
        log_until(process, "web.listening")
        config = tmp_path / "config.toml"
        text = config.read_text()
        config.write_text(text + new + "send_at = 7\n")
        process.send_signal(signal.SIGHUP)
        log = log_until(process, "settings.faulty")
        assert "(***@example.org) send_at" in log.splitlines()[-1]
        config.write_text(text + new)
        process.send_signal(signal.SIGHUP)
        log_until(process, "settings.taken_up")
        wait_until(process, tmp_path, 21)
        log = stopped(process, signal.SIGTERM)
        assert "service.stopped" in log
        mails = Counter(address for mail in server.taken for address in mail.recipients)
    assert mails["new@example.org"] == 1
    assert set(mails.values()) == {1}
    assert states(tmp_path)["sending"] == 0
