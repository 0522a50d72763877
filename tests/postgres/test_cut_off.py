"""A machine that is cut off from its database, or stands still: nobody waits for it for ever."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread

import psycopg
import pytest
from psycopg_pool import PoolTimeout

from digest.cluster.queue import worded
from digest.errors import StoreError
from digest.store.postgres import connection as module
from digest.store.postgres.store import PostgresStore
from tests.postgres.database import made
from tests.postgres.servers import HASTE, of_debian, programs_of_debian
from tests.samples import NOW, subscriber
from tests.soak.hosts import NET, Host, hosts, inside, why_not
from tests.waiting import wait_for

PATIENCE_S = 120
"""Far less than the hours that the system itself would wait, and more than a busy machine takes."""

THEIRS = "SELECT count(*) FROM pg_stat_activity WHERE client_addr IS NOT NULL"

WAITING = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"


@pytest.fixture
def reached() -> Iterator[tuple[Host, str, str]]:
    """A host, the address of a database for it, and that for whoever is where the server is."""
    if reason := why_not():
        pytest.skip(reason)
    if not programs_of_debian():
        pytest.skip("no PostgreSQL of Debian's is installed (Debian package postgresql)")
    with ExitStack() as stack:
        middle, (host,) = stack.enter_context(hosts(1))
        folder = stack.enter_context(TemporaryDirectory(prefix="digest-pg-"))
        with inside(middle):
            server = of_debian(Path(folder), {**HASTE, "listen_addresses": host.database}, NET)
            address = stack.enter_context(server)
        yield host, f"postgresql://postgres@{host.database}/far", made(address, "far")


def fails(verb: Callable[[], object]) -> bool:
    """Whether that ends with a StoreError, in a time that a person would wait."""
    came_of: list[str] = []

    def run() -> None:
        try:
            verb()
        except StoreError as error:
            came_of.append(str(error))

    thread = Thread(target=run, daemon=True)
    thread.start()
    thread.join(PATIENCE_S)
    return bool(came_of)


def test_who_stands_still_in_a_change_holds_up_nobody(
    postgres: PostgresStore, database: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Others go on before they lose their patience, and its change is not made."""
    monkeypatch.setattr(module, "STILL_S", 1)
    stopped = PostgresStore(database, tmp_path / "stopped")

    def change() -> None:
        with stopped.writing() as db:
            db.execute("INSERT INTO used_links (link, used_at) VALUES ('x', '')")
            postgres.put_subscriber(subscriber(), NOW)

    with pytest.raises(StoreError, match="stood still in its midst; nothing was changed"):
        change()
    assert postgres.subscriber("ada@example.org")
    assert not postgres.is_link_used(["x"])
    with stopped.writing() as db:
        db.execute("INSERT INTO used_links (link, used_at) VALUES ('y', '')")
    assert postgres.is_link_used(["y"])
    stopped.close_store()


def test_who_reads_may_take_their_time(
    database: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Rows are handed on to whoever is slow."""
    monkeypatch.setattr(module, "STILL_S", 1)
    store = PostgresStore(database, tmp_path / "digest")
    rows = store.stream("SELECT value FROM json_each('[1, 2]')")
    first = next(rows)
    with store.at_one_moment():
        found = store.subscribers()
        time.sleep(2)
        assert store.subscribers() == found
    assert [first, *rows] == [("1",), ("2",)]
    store.close_store()


def test_a_queue_that_cannot_be_reached_is_told_in_a_line() -> None:
    """Also where its pool of connections gives up, as when a start is cut off in its midst."""
    with pytest.raises(StoreError, match=r"^postgresql://db\.example\.org/digest: incomplete$"):  # noqa: SIM117
        with worded("postgresql://ada:s3cret@db.example.org/digest"):
            raise PoolTimeout("incomplete\nand more")


def test_a_machine_that_is_cut_off_notices_it(
    reached: tuple[Host, str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What it asks fails soon, and goes through again as soon as it can."""
    host, address, _ = reached
    monkeypatch.setattr(module, "WAIT_S", 3)
    with inside(host.name):
        store = PostgresStore(address, tmp_path / "digest")
    store.put_subscriber(subscriber(), NOW)
    host.cut(near=False)
    assert fails(lambda: store.put_subscriber(subscriber(name="Ada"), NOW))
    host.mend(near=False)
    store.put_subscriber(subscriber(name="Mary"), NOW)
    found = store.subscriber("ada@example.org")
    assert found
    assert found.name == "Mary"
    store.close_store()


def test_a_server_gives_up_a_machine_that_is_gone(
    reached: tuple[Host, str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It keeps no connection of it, not even one that waits for a lock and would yet get it."""
    host, address, near = reached
    monkeypatch.setattr(module, "SILENT_S", 1)
    monkeypatch.setattr(module, "WAIT_S", 600)
    with inside(host.name):
        gone = PostgresStore(address, tmp_path / "gone")
    with psycopg.connect(near, autocommit=True) as other:
        assert other.execute(module.HOLD_ALL).fetchone() == (True,)
        change = partial(gone.put_subscriber, subscriber(), NOW)
        waiting = Thread(target=fails, args=(change,))
        waiting.start()
        wait_for("the change to wait", lambda: other.execute(WAITING).fetchone() != (0,))
        host.cut(near=True)
        wait_for("the server", lambda: other.execute(THEIRS).fetchone() == (0,))
        host.mend(near=True)
        waiting.join()
    gone.close_store()
