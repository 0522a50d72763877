"""A service whose data is on a PostgreSQL: the real command, on one machine and on two."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path

import psycopg
import pytest

from digest import jobs
from digest.doctor.data import data_findings
from digest.doctor.finding import Level
from digest.errors import ConfigError
from digest.matcher import terms_of
from digest.model import DeliveryState, Subscriber
from digest.store.inspecting import inspect, is_subscriber, is_there, shelf
from tests.e2e.service import mail_server_thread
from tests.postgres.machines import machine
from tests.running import announce, running
from tests.samples import NOW, listing, subscriber


def test_the_main_job_runs_on_two_machines(tmp_path: Path, address: str) -> None:
    """One reads the sources, both send at the same moment; each reader gets one mail."""
    with mail_server_thread() as server:
        first = machine(tmp_path / "one", server.port, address)
        first.run("ingest")
        second = machine(tmp_path / "two", server.port, address)
        shutil.copy(first.folder / "secret.key", second.folder)
        sending = [one.start("send") for one in (first, second)]
        for process in sending:
            _, said = process.communicate(timeout=120)
            assert process.returncode == 0 or "mails wait" in said, said  # for the other one
        second.run("send")
        mailed = Counter(mail.recipients[0] for mail in server.taken)
        states = json.loads(first.run("status", "--json"))["deliveries"]
        assert len(mailed) >= 15
        assert set(mailed.values()) == {1}
        assert states["sent"] == len(mailed)
        assert sum(states.values()) == 20
    assert not list(tmp_path.glob("*/*.db"))
    assert json.loads(second.run("check", "--json"))
    second.run("backup", "copy.db", code=1)
    assert "pg_dump" in second.stderr
    second.run("restore", "copy.db", code=1)
    assert "its own tools" in second.stderr


def test_a_day_is_prepared_and_kept(tmp_path: Path, address: str) -> None:
    """By the story itself; a second start finds it."""
    with running(tmp_path, subscriber(), data=address) as app:
        announce(app, listing("Flash attention"))
        jobs.prepare(app, NOW)
    with running(tmp_path, subscriber(), data=address) as app:
        one = app.store.subscriber("ada@example.org")
        assert one
        kept = app.store.delivery(one.id, NOW.date())
        assert kept
        assert kept.state is DeliveryState.QUEUED
        assert app.store.stored_bytes() > 1_000_000
    assert not (tmp_path / "digest.db").exists()


def test_a_look_from_outside_changes_nothing(tmp_path: Path, address: str) -> None:
    """What the doctor and the checks of profiles ask; they make no schema either."""
    assert not is_there(address)
    assert not is_subscriber(address, "ada@example.org")
    assert data_findings(address)[1][0].level is Level.WARNING
    with psycopg.connect(address) as connection:
        assert connection.execute("SELECT to_regclass('subscribers')").fetchone() == (None,)
    with running(tmp_path, subscriber(), data=address) as app:
        announce(app, listing("Flash attention"))
    assert is_subscriber(address, "ada@EXAMPLE.org")
    assert not is_subscriber(address, "mary@example.org")
    counted, terms, newest = shelf(address, 5)
    assert (counted, newest[0].title) == (1, "Flash attention")
    assert set(terms) == set(terms_of(newest[0]))
    seen = inspect(address)
    assert (seen.pending, seen.newer, list(seen.runs)) == ((), (), ["test"])
    assert [one.level for one in data_findings(address)[1]] == [Level.OK]


@pytest.mark.parametrize("change", ["INSERT INTO schema_steps (name) VALUES ('p999')", ""])
def test_what_is_wrong_is_found(tmp_path: Path, address: str, change: str) -> None:
    """A newer schema, and a server that is not there; no password is shown."""
    with running(tmp_path, data=address):
        pass
    if change:
        with psycopg.connect(address) as connection:
            connection.execute(change.encode())
    else:
        address = "postgresql://ada:s3cret@127.0.0.1:1/digest"
    (found, *_) = data_findings(address)[1]
    assert found.level is Level.ERROR
    assert "s3cret" not in found.found


def test_without_the_extra_the_config_says_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before anything is opened."""
    monkeypatch.setattr("digest.app.find_spec", lambda name: None)
    people: tuple[Subscriber, ...] = ()
    with (
        pytest.raises(ConfigError, match=r"\[service\] data: .*paper-digest\[postgres\]"),
        running(tmp_path, *people, data="postgresql://db.example.org/digest"),
    ):
        pass
