"""What the operator asks of the store and decides in it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from digest.model import (
    Deferred,
    DeliveryState,
    Outcome,
    Refused,
    Sent,
    Subscriber,
    SubscriberState,
)
from digest.store import Letter, Store
from digest.store.operating import LedgerRow
from digest.store.returned import Reason
from tests.postgres.database import AnyStore
from tests.samples import FRAME, NOW, digest_of, listing, subscriber
from tests.store.steps import claim, close

A_DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


@pytest.fixture
def people(store: AnyStore) -> list[Subscriber]:
    """Three people; Ada's mail was sent, Emmy's deferred and Mary's refused."""
    made = [
        store.put_subscriber(subscriber(f"{name}@{where}"), NOW)
        for name, where in (
            ("ada", "example.org"),
            ("emmy", "Example.com"),
            ("mary", "example.org"),
        )
    ]
    store.open_deliveries(FRAME, [digest_of(one, listing("Tiles")) for one in made], NOW)
    outcomes: dict[int, Outcome] = {
        made[0].id: Sent("250"),
        made[1].id: Deferred("451", 451),
        made[2].id: Refused(550, "no"),
    }
    for held in claim(store, NOW, 9, 60, "w"):
        one = held.delivery.digest.subscriber
        close(store, held, outcomes[one.id], NOW + HOUR, NOW + 2 * HOUR)
    return made


def rows(store: Store, **asked: object) -> list[tuple[int, str]]:
    """(subscriber, state) of the rows that are found."""
    found: list[LedgerRow] = list(store.ledger_rows(9, **asked))  # type: ignore[arg-type]  # its own
    return [(row.subscriber_id, row.state.value) for row in found]


def test_rows_of_the_ledger_are_found(store: Store, people: list[Subscriber]) -> None:
    """By day, state, subscriber and number; the newest first."""
    ada, emmy, mary = (one.id for one in people)
    every = [(mary, "refused"), (emmy, "deferred"), (ada, "sent")]
    assert rows(store) == rows(store, day=NOW.date()) == every
    assert rows(store, day=NOW.date() + A_DAY) == []
    assert (
        rows(store, state=DeliveryState.SENT) == rows(store, subscriber_id=ada) == [(ada, "sent")]
    )
    last, *_ = store.ledger_rows(1)
    assert (last.code, last.reply, last.attempts, last.closed_at) == (550, "no", 1, NOW + HOUR)
    assert rows(store, before=last.id) == every[1:]
    assert [row.subscriber_id for row in store.ledger_rows(2)] == [mary, emmy]
    assert [one.state for one in store.deliveries_of(emmy)] == [DeliveryState.DEFERRED]


def test_what_waits_is_sent_now_or_never(store: Store, people: list[Subscriber]) -> None:
    """Only where that is a move: what is final stays."""
    numbers = {row.subscriber_id: row.id for row in store.ledger_rows(9)}
    ada, emmy, _ = people
    assert store.oldest_waiting_at() == NOW
    assert not store.retry_delivery(numbers[ada.id], NOW)
    assert store.retry_delivery(numbers[emmy.id], NOW + HOUR)
    assert len(store.lease(NOW + HOUR, 9, 60, "w")) == 1
    assert not store.cancel_delivery(numbers[ada.id], NOW)
    assert store.cancel_delivery(numbers[emmy.id], NOW + HOUR)
    assert not store.cancel_delivery(numbers[emmy.id], NOW + HOUR)
    kept = store.delivery(emmy.id, NOW.date())
    assert kept
    assert kept.reply == "cancelled by the operator; last reply: 451"
    assert store.oldest_waiting_at() is None


def test_the_day_is_counted(store: Store, people: list[Subscriber]) -> None:
    """What came to its end in a time, and which servers took how much, letters too."""
    assert len(people) == 3
    store.write_note("daily", Letter(0, "note", "op@Example.com", None, "n@x", NOW, body="{}"), NOW)
    (note,) = store.claim_letters(NOW, 9, 60, "w")
    assert note.body == "{}"
    assert store.close_letter(note, Sent("250"), NOW + HOUR, NOW)
    span = (NOW, NOW + A_DAY)
    assert store.closed_by_state(*span) == {DeliveryState.SENT: 1, DeliveryState.REFUSED: 1}
    assert list(store.sent_by_domain(*span).items()) == [("example.com", 1), ("example.org", 1)]
    assert store.closed_by_state(NOW + A_DAY, NOW + 2 * A_DAY) == {}
    assert store.sent_by_domain(NOW + A_DAY, NOW + 2 * A_DAY) == {}


def test_a_note_is_written_once_a_topic(store: Store) -> None:
    """Until the time that is asked for has passed."""

    def write(number: int, topic: str = "daily") -> bool:
        at = NOW + number * HOUR
        letter = Letter(0, "note", "op@example.org", None, f"{number}{topic}@x", at)
        return store.write_note(topic, letter, at - 2 * HOUR)

    assert [write(0), write(1), write(1, "relay:x"), write(3)] == [True, False, True, True]
    assert len(store.claim_letters(NOW + A_DAY, 9, 60, "w")) == 3


def test_people_are_found_by_a_part_of_their_address(
    store: Store, people: list[Subscriber]
) -> None:
    """Whatever the case; those who were removed only where they are asked for; no pattern."""
    store.set_state(people[2].id, SubscriberState.REMOVED, NOW)
    store.suppress("bad@example.org", Reason.BLOCKED, "", NOW)

    def found(part: str, state: SubscriberState | None = None, limit: int = 9) -> list[str]:
        return [one.email for one in store.find_subscribers(part, state, limit)]

    assert found("EXAMPLE") == ["ada@example.org", "emmy@Example.com"]
    assert found("example", limit=1) == ["ada@example.org"]
    assert found("", SubscriberState.REMOVED) == ["mary@example.org"]
    assert found("%") == found("a_a") == []
    assert store.subscribers_by_state() == {
        SubscriberState.ACTIVE: 2,
        SubscriberState.REMOVED: 1,
    }
    assert store.suppressed_by_reason() == {"blocked": 1}


def test_the_service_says_how_it_is(store: Store) -> None:
    """Each topic once, from when it was first said so; nothing means all is well."""
    assert not store.note_state("relays", [], NOW)
    assert store.note_state("relays", ["“one” rests"], NOW)
    assert not store.note_state("relays", ["“one” rests"], NOW + HOUR)
    assert store.note_state("settings", ["x"], NOW)
    assert store.noted_states()["relays"].since == NOW
    assert list(store.noted_states()) == ["relays", "settings"]
    assert store.note_state("relays", ["both rest"], NOW + HOUR)
    assert store.noted_states()["relays"].says == ("both rest",)
    assert store.note_state("relays", [], NOW)
    assert list(store.noted_states()) == ["settings"]
    assert store.stored_bytes() >= 4096


def test_all_who_are_due_are_numbered(store: Store, people: list[Subscriber]) -> None:
    """Of each hour those first who were answered longest ago; who is due no more is left out."""
    late = store.put_subscriber(subscriber("zoe@example.org"), NOW)
    tomorrow = NOW + A_DAY
    numbers = store.due_ids(tomorrow, at_once=True)
    assert list(numbers) == [late.id, *(one.id for one in people)]
    store.set_state(late.id, SubscriberState.PAUSED, NOW)
    due = store.due_among(numbers, tomorrow, at_once=True)
    assert [one.subscriber.id for one in due] == [one.id for one in people]
    assert store.due_among(numbers, NOW, at_once=True) == []
