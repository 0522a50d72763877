"""Sign-ups and their letters in the store: one of each, through crashes and second thoughts."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from digest.model import Deferred, Origin, Sent, SubscriberState, Unknown
from digest.store import Signup, SignupLimits, Store
from digest.store.first_schema import LEDGER
from digest.store.sqlite import SqliteStore
from tests.samples import NOW, profile, subscriber

LIMITS = SignupLimits(per_network_day=100, per_hour=100)
LEASE_S = 60.0


def asked(email: str = "ada@example.org", term: str = "flash attention") -> Signup:
    """A sign-up with one keyword."""
    wanted = subscriber(email, profile=profile(keywords={term: 1.0}))
    return Signup(wanted, "form", "192.0.2.0/24", NOW, f"hash of {email}", "hash of a network")


def sign_up(store: Store, one: Signup | None = None, now: datetime = NOW) -> bool:
    """Sign up at a time."""
    return store.sign_up(one or asked(), LIMITS, "example.org", now)


def test_a_letter_is_sent_once(store: Store) -> None:
    """Claimed, closed, and never claimed again."""
    sign_up(store)
    (letter,) = store.claim_letters(NOW, 10, LEASE_S, "w")
    assert letter.recipient == "ada@example.org"
    assert not store.claim_letters(NOW, 10, LEASE_S, "other")
    assert store.close_letter(letter, Sent("250 OK"), NOW, NOW)
    assert not store.claim_letters(NOW + timedelta(days=2), 10, LEASE_S, "w")


def test_q4_a_letter_of_a_dead_worker_goes_out_once_more(store: Store) -> None:
    """After its lease it is tried again with the same Message-ID, and then no more."""
    sign_up(store)
    (first,) = store.claim_letters(NOW, 10, LEASE_S, "dead")
    later = NOW + timedelta(minutes=5)
    assert not store.letter_wanted(first, later)
    (again,) = store.claim_letters(later, 10, LEASE_S, "w")
    assert (again.message_id, again.created_at) == (first.message_id, first.created_at)
    assert not store.close_letter(first, Sent("late"), later, later)
    store.close_letter(again, Unknown("no reply"), later, later)
    assert not store.claim_letters(later + timedelta(hours=1), 10, LEASE_S, "w")


def test_q8_a_letter_that_cannot_go_out_ends_after_48_hours(store: Store) -> None:
    """It is tried while its link works, and cancelled then."""
    sign_up(store)
    now = NOW
    for _ in range(3):
        (letter,) = store.claim_letters(now, 10, LEASE_S, "w")
        now += timedelta(hours=12)
        store.close_letter(letter, Deferred("451 later", 451), now, now)
    assert not store.claim_letters(NOW + timedelta(hours=49), 10, LEASE_S, "w")


def test_who_asks_again_gets_what_they_asked_for_last(store: Store) -> None:
    """One row an address; the first letter's link confirms the newest settings."""
    sign_up(store)
    (letter,) = store.claim_letters(NOW, 10, LEASE_S, "w")
    sign_up(store, asked(term="second thoughts"), NOW + timedelta(minutes=5))
    assert letter.signup_id
    one = store.confirm(letter.signup_id, NOW + timedelta(minutes=6))
    assert one
    assert [k.term for k in one.profile.keywords] == ["second thoughts"]


def test_a_stranger_cannot_change_the_settings_of_a_subscriber(store: Store) -> None:
    """Confirming a sign-up leaves who is subscribed already as they are."""
    store.put_subscriber(subscriber(origin=Origin.STORE, name="Ada"), NOW)
    sign_up(store, asked(term="of a stranger"))
    (letter,) = store.claim_letters(NOW, 10, LEASE_S, "w")
    assert letter.signup_id
    one = store.confirm(letter.signup_id, NOW)
    assert one
    assert one.name == "Ada"
    assert one.profile == profile()


def test_u8_a_used_link_does_not_bring_back_who_has_left(store: Store) -> None:
    """Confirmed, unsubscribed, and the old link pressed again: nobody is mailed."""
    sign_up(store)
    (letter,) = store.claim_letters(NOW, 5, 60, "w")
    assert letter.signup_id is not None
    one = store.confirm(letter.signup_id, NOW)
    assert one
    assert store.confirm(letter.signup_id, NOW) == one  # pressed twice: the same answer
    store.set_state(one.id, SubscriberState.UNSUBSCRIBED, NOW)
    assert store.confirm(letter.signup_id, NOW) is None
    left = store.subscriber(one.email)
    assert left
    assert left.state is SubscriberState.UNSUBSCRIBED


def test_a_subscriber_of_the_file_keeps_its_settings(store: Store) -> None:
    """Who left and comes back by the form is active again, and the file still owns the rest."""
    store.sync_file([subscriber()], NOW)
    known = store.subscriber("ada@example.org")
    assert known
    store.set_state(known.id, SubscriberState.UNSUBSCRIBED, NOW)
    sign_up(store, asked(term="other"))
    (letter,) = store.claim_letters(NOW, 10, LEASE_S, "w")
    assert letter.signup_id
    one = store.confirm(letter.signup_id, NOW)
    assert one == replace(known, state=SubscriberState.ACTIVE)


def test_a_store_of_the_first_step_is_brought_up(tmp_path: Path) -> None:
    """A file with the first step's tables gets the second's, and keeps its rows."""
    path = tmp_path / "old.db"
    with closing(sqlite3.connect(path)) as db:
        db.executescript(LEDGER)
        db.executescript(
            "CREATE TABLE _sqlite_migrations (migration_set TEXT, name TEXT, applied_at TEXT,"
            " PRIMARY KEY (migration_set, name));"
            "INSERT INTO _sqlite_migrations VALUES ('paper_digest', 'm001_ledger', '2026-11-01');"
            "INSERT INTO terms VALUES ('kept', 3);"
        )
    store = SqliteStore(path)
    try:
        assert store.term_counts()[1] == {"kept": 3}
        assert sign_up(store)
    finally:
        store.close_store()
