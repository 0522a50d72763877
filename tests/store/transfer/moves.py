"""A store that has something of everything, and the ways of moving one."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

from digest.model import Origin, Sent, SourceRun, SubscriberState
from digest.store import Letter, Signup, SignupLimits
from digest.store.collected import Intake
from digest.store.inspecting import Place
from digest.store.personal import Like
from digest.store.returned import Reason, What
from digest.store.revising import Revised
from digest.store.transfer.comparing import Compared, compare
from digest.store.transfer.copying import copy
from digest.store.transfer.opening import both
from tests.postgres.database import AnyStore
from tests.samples import FRAME, NOW, digest_of, listing, profile, subscriber
from tests.store.steps import claim, close

HOUR = timedelta(hours=1)
PAPERS = [
    listing(
        f"Lévy flights at {number} tiles per ″ν″ $\\alpha_{number}$",
        key=f"arxiv:2606.{number:05}",
        ids=(f"arxiv:2606.{number:05}", f"doi:10.1000/{number}"),
        abstract="We look at \\'etale maps.\nTwice\t“quoted”, 🦋 and \\u0000.",
        subjects=("cs.LG", "math.AG"),
        votes=number,
    )
    for number in range(1, 8)
]


def fill(store: AnyStore) -> None:
    """Use each verb that writes, so that every table has rows."""
    people = [
        store.put_subscriber(subscriber(f"r{n}@example.org", origin=Origin.STORE), NOW)
        for n in range(5)
    ]
    store.add_listings(PAPERS, [], {"tile": 7, "lévy": 7}, {PAPERS[0].key}, NOW)
    stored = store.find_listings("Lévy", 9)
    store.take_in(lambda look: Intake(votes={stored[0].id: 40}), NOW + HOUR)
    store.record_run(SourceRun("test", NOW, read=7, new=7), {"https://example.org/": "{}"})
    _mail(store, [digest_of(one, *stored[:3]) for one in people])
    _people(store)
    _letters(store)
    one, two, three, *_ = people
    store.like(one.id, Like(stored[1], -1, NOW, "web"))
    store.like(one.id, Like(stored[0], 1, NOW, "web"))
    store.revise(
        two.id, Revised(profile(keywords={"tiles": 1.0}), two.profile, "mail", ("A.",)), NOW
    )
    store.add_api_key(one.id, "note\tbook", "fingerprint-of-a-key", NOW)
    store.make_feed_link(two.id, NOW)
    store.pause(three.id, NOW + 9 * HOUR, NOW)
    store.use_link(["hash-of-a-link"], NOW)
    store.note_state("relays", ["“a” rests"], NOW)


def _mail(store: AnyStore, digests: list[object]) -> None:
    """Digests of which one went out, one is on its way, one came back, and the others wait."""
    store.open_deliveries(FRAME, digests, NOW)  # type: ignore[arg-type]
    first, second, _ = claim(store, NOW, 3, 60, "worker")
    close(store, first, Sent("250 2.0.0 ok"), NOW, NOW)
    close(store, second, Sent("250 2.0.0 ok"), NOW, NOW)
    mailed = store.mailed("d", second.lease.delivery_id)
    assert mailed
    store.take_return(mailed, What.SOFT, "452 4.2.2 full", NOW)


def _people(store: AnyStore) -> None:
    """Who signed up, who left, who is suppressed, who is gone."""
    for name in ("sign", "up"):
        wanted = subscriber(f"{name}@example.org", origin=Origin.STORE)
        asked = Signup(wanted, "form", "192.0.2.0/24", NOW, f"hash {name}", "net")
        assert store.sign_up(asked, SignupLimits(9, 9), "example.org", NOW)
    store.confirm(1, NOW + HOUR)
    store.suppress("gone@example.org", Reason.BOUNCED, "550 no such user", NOW)
    left = store.put_subscriber(subscriber("left@example.org", origin=Origin.STORE), NOW)
    store.set_state(left.id, SubscriberState.UNSUBSCRIBED, NOW)
    erased = store.put_subscriber(subscriber("erased@example.org", origin=Origin.STORE), NOW)
    store.erase(erased.id, NOW)


def _letters(store: AnyStore) -> None:
    """One that waits, and a note that was sent."""
    note = Letter(0, "note", "op@example.org", None, "note@example.org", NOW, body='{"a": "ü"}')
    assert store.write_note("daily", note, NOW - HOUR)
    store.claim_letters(NOW, 1, 60, "worker")


def use_up_numbers(store: AnyStore) -> None:
    """Give the greatest numbers of tables to rows that go again: none may be given once more."""
    one = store.subscriber("r0@example.org")
    assert one
    key = store.add_api_key(one.id, "short-lived", "another fingerprint", NOW)
    assert key
    assert store.revoke_api_key(one.id, key.id)


def move(source: Place, target: Place, folder: Path) -> list[Compared]:
    """Move a store, compare both, and finish."""
    with both(source, target, folder, makes=True) as (read, written):
        copy(read, written, NOW, lambda more: None)
        tables = list(compare(read, written, lambda more: None))
        assert not (differ := [one for one in tables if one.differs]), differ
        written.finish()
    return tables


def compared(source: Place, target: Place, folder: Path) -> dict[str, str]:
    """How two stores differ: by table what is said of it."""
    with both(source, target, folder, makes=False) as (one, other):
        found = compare(one, other, lambda more: None)
        return {table.table: table.differs for table in found if table.differs}


def dump(path: Path) -> dict[str, list[tuple[object, ...]]]:
    """Everything in an SQLite file but when its schema was made, read without the product."""
    with closing(sqlite3.connect(path)) as db:
        names = [
            row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        ]
        rows = {}
        for name in names:
            if not name.startswith(("_sqlite", "search_", "beats")):
                columns = "rowid, *" if name == "likes" else "*"
                rows[name] = sorted(db.execute(f"SELECT {columns} FROM {name}"), key=repr)  # noqa: S608
        return rows
