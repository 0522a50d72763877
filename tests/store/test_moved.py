"""Who comes from elsewhere and everything that goes out, on both stores."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from digest.model import Origin, SubscriberState
from digest.store.exporting import PLAIN, names_of
from digest.store.moved import VOUCHED, Landing, Newcomer, Proof
from digest.store.personal import Like
from digest.store.returned import Reason
from tests.postgres.database import AnyStore
from tests.samples import FRAME, NOW, digest_of, listing, subscriber

PROOF = Proof(VOUCHED + "a list", NOW - timedelta(days=9), NOW - timedelta(days=8))


def newcomer(name: str, **fields: object) -> Newcomer:
    """Somebody on another system's list."""
    wanted = subscriber(f"{name}@example.org", origin=Origin.STORE)
    return Newcomer(wanted, address=f"hash of {name}", form="a list", **fields)  # type: ignore[arg-type]  # its fields


PEOPLE = [
    newcomer("ada", proof=PROOF, paused_until=NOW + timedelta(days=3)),
    newcomer("emmy"),
    newcomer("mary", reason=Reason.LEFT, note="had enough"),
]


def move_in(store: AnyStore, *, dry: bool = False) -> list[Landing]:
    """What becomes of the three."""
    return [one.landing for one in store.move_in(PEOPLE, "example.org", NOW, dry=dry)]


def test_people_come_in_once(store: AnyStore) -> None:
    """Told before it is done, done, and nothing the second time."""
    expected = [Landing.ADDED, Landing.ASKED, Landing.STOPPED]
    assert move_in(store, dry=True) == expected
    assert not store.subscribers()
    assert not store.claim_letters(NOW, 9, 60, "w")
    assert move_in(store) == expected
    (letter,) = store.claim_letters(NOW, 9, 60, "w")
    assert letter.recipient == "emmy@example.org"
    held = store.suppression("mary@example.org")
    assert held
    assert (held.reason, held.note) == (Reason.LEFT, "had enough")
    assert move_in(store) == [Landing.HERE, Landing.WAITING, Landing.STOPPED_BEFORE]


def test_who_has_confirmed_here_is_not_stopped_by_a_list(store: AnyStore) -> None:
    """Their own word holds; one that a list vouched for gives way."""
    move_in(store)
    gone = [newcomer("ada", reason=Reason.LEFT)]
    (landed,) = store.move_in(gone, "example.org", NOW)
    assert landed.landing is Landing.ENDED
    (letter,) = store.claim_letters(NOW, 9, 60, "w")
    assert letter.signup_id
    assert store.confirm(letter.signup_id, NOW)
    gone = [newcomer("emmy", reason=Reason.LEFT)]
    (landed,) = store.move_in(gone, "example.org", NOW)
    assert landed.landing is Landing.KEPT


def test_people_go_out_with_their_proof(store: AnyStore) -> None:
    """In the order of addresses; who was removed is not among them."""
    move_in(store)
    gone = store.put_subscriber(subscriber("gone@example.org"), NOW)
    store.set_state(gone.id, SubscriberState.REMOVED, NOW)
    store.put_subscriber(subscriber("bea@example.org"), NOW)
    ada, bea = store.people()
    assert (ada.one.email, bea.one.email) == ("ada@example.org", "bea@example.org")
    assert ada.proof
    assert ada.proof["form"] == PROOF.form
    assert ada.paused_until == NOW + timedelta(days=3)
    assert (bea.proof, bea.suppressed_for, bea.paused_until) == (None, "", None)


def test_everything_goes_out_as_it_was_at_one_moment(store: AnyStore) -> None:
    """What is written while it is read is not in it; rows of several kinds are read by turns."""
    move_in(store)
    one = store.subscribers()[0]
    store.add_listings([listing("Tiles"), listing("Rivers")], [], {}, (), NOW)
    store.open_deliveries(FRAME, [digest_of(one, *store.recent_listings(1))], NOW)
    store.like(one.id, Like(listing("Tiles"), 1, NOW, "cli"))
    with store.whole() as extracts:
        rows = {extract.name: extract.rows for extract in extracts}
        first = next(rows["listings"])
        with ThreadPoolExecutor(1) as other:
            other.submit(store.put_subscriber, subscriber("late@example.org"), NOW).result()
        assert [each.one.email for each in store.people()] == [one.email]
        found = {
            name: [json.loads(json.dumps(each)) for each in rest] for name, rest in rows.items()
        }
    assert first["listing"]["title"] == "Tiles"
    assert [each["listing"]["title"] for each in found["listings"]] == ["Rivers"]
    assert [each["email"] for each in found["subscribers"]] == [one.email]
    (delivery,) = found["deliveries"]
    assert [each["title"] for each in delivery["sections"][0]["matches"]] == ["Rivers"]
    assert [each["value"] for each in found["likes"]] == [1]
    assert [each["note"] for each in found["suppressed"]] == ["had enough"]


@pytest.mark.parametrize("name", sorted(PLAIN))
def test_every_column_of_a_file_has_its_name(name: str) -> None:
    """As the statement says; none holds a blank or a bracket."""
    _, sql, parsed = PLAIN[name]
    names = names_of(sql)
    assert all(column.isidentifier() for column in names)
    assert set(parsed) <= set(names)
