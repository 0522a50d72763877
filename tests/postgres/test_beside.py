"""The files of each machine beside a database that comes back from a copy."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from digest.model import DeliveryState, Origin, SubscriberState
from digest.store.postgres.beside import MachineJournal
from digest.store.postgres.store import PostgresStore
from digest.store.returned import Reason
from tests.samples import FRAME, NOW, digest_of, listing, subscriber
from tests.store.steps import claim

LATER = NOW + timedelta(hours=1)


@pytest.fixture
def other(
    postgres: PostgresStore, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[PostgresStore]:
    """The store as a second machine has it open."""
    monkeypatch.setattr(MachineJournal, "read_counter", "suppressed_read of another")
    store = PostgresStore(database, tmp_path / "elsewhere" / "digest")
    monkeypatch.undo()
    store.read_counter = "suppressed_read of another"
    store.path.parent.mkdir()
    yield store
    store.close_store()


def sent_one(store: PostgresStore) -> None:
    """One digest that has begun to go out, one that waits."""
    for name in ("ada", "emmy"):
        one = store.put_subscriber(subscriber(f"{name}@example.org"), NOW)
        store.open_deliveries(FRAME, [digest_of(one, listing("Tiles"))], NOW)
    assert claim(store, NOW, 1, 60, "w")


def test_d4_a_restored_copy_is_noticed_by_the_machine_that_sent(
    postgres: PostgresStore, other: PostgresStore
) -> None:
    """What it cannot tell of is held; a machine that has sent nothing yet is no sign of a copy."""
    sent_one(postgres)
    assert postgres.notice_restore(LATER) is None
    assert other.notice_restore(LATER) is None, "a new machine has no file, and that is all"
    with postgres.writing() as db:  # the copy was made before anything was sent
        db.execute("SELECT setval('sends', 1, false)")
    assert other.notice_restore(LATER) is None
    assert postgres.notice_restore(LATER) == NOW
    assert other.deliveries_by_state(NOW) == {DeliveryState.HELD: 2}
    assert postgres.notice_restore(LATER) is None


def test_n8_who_left_on_one_machine_is_known_to_all_and_after_a_restore(
    postgres: PostgresStore, other: PostgresStore, database: str
) -> None:
    """Each machine brings back what it has written down itself, and no older word than there is."""
    ada = postgres.put_subscriber(subscriber(origin=Origin.STORE), NOW)
    other.suppress("mary@example.org", Reason.BLOCKED, "", NOW)
    postgres.set_state(ada.id, SubscriberState.UNSUBSCRIBED, NOW)
    assert postgres.suppression("mary@example.org")
    with postgres.writing() as db:  # as the database was before
        db.execute("DELETE FROM suppressed")
        db.execute("UPDATE subscribers SET state = 'active'")
        db.execute("DELETE FROM counters WHERE name LIKE 'suppressed_read%'")
    again = PostgresStore(database, postgres.path)
    known = again.subscriber(ada.email)
    assert known
    assert known.state is SubscriberState.UNSUBSCRIBED
    assert not again.suppression("mary@example.org"), "the other machine has not come back yet"
    again.suppress("mary@example.org", Reason.COMPLAINED, "later", LATER)
    again.close_store()
    other.catch_up()
    kept = other.suppression("mary@example.org")
    assert kept
    assert kept.reason is Reason.COMPLAINED
