"""What came back for mails, and what follows in the store."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from digest.model import Sent, Subscriber, SubscriberState
from digest.store.returned import Effect, Mailed, Reason, What
from tests.postgres.database import AnyStore
from tests.samples import FRAME, NOW, digest_of, listing, subscriber
from tests.store.steps import claim, close

A_DAY = timedelta(days=1)


def mailed(store: AnyStore, *names: str, now: datetime = NOW) -> list[Mailed]:
    """A mail to each of these, which its server took."""
    people = [store.put_subscriber(subscriber(f"{name}@example.org"), now) for name in names]
    digests = [digest_of(one, listing("Tiles"), digest_on=now.date()) for one in people]
    store.open_deliveries(FRAME, digests, now)
    found = []
    for held in claim(store, now, 99, 60, "w"):
        close(store, held, Sent("250"), now, now)
        mail = store.mailed("d", held.lease.delivery_id)
        assert mail
        assert store.mailed_as(mail.message_id) == mail
        found.append(mail)
    return found


def state(store: AnyStore, name: str) -> SubscriberState:
    """How someone stands."""
    one = store.subscriber(f"{name}@example.org")
    assert one
    return one.state


def test_a_mail_is_known_by_its_number_and_by_its_id(store: AnyStore) -> None:
    """A digest, a letter to somebody who is no subscriber, and none."""
    (mail,) = mailed(store, "ada")
    assert (mail.kind, mail.recipient, mail.mailed_on) == ("d", "ada@example.org", NOW.date())
    one = Subscriber("emmy@example.org", subscriber().profile)
    assert store.ask_for_link(one, "hash", "example.org", 9, NOW)
    (letter,) = store.claim_letters(NOW, 9, 60, "w")
    found = store.mailed("l", letter.id)
    assert found
    assert found == store.mailed_as(letter.message_id)
    assert (found.kind, found.subscriber_id, found.mailed_on) == ("l", None, NOW.date())
    assert store.mailed("d", 999) is store.mailed("l", 999) is store.mailed_as("x@y") is None


@pytest.mark.parametrize(
    ("what", "effect", "after", "reason"),
    [
        (What.HARD, Effect.SUPPRESSED, SubscriberState.SUPPRESSED, Reason.BOUNCED),
        (What.SOFT, Effect.COUNTED, SubscriberState.ACTIVE, None),
        (What.COMPLAINT, Effect.SUPPRESSED, SubscriberState.UNSUBSCRIBED, Reason.COMPLAINED),
        (What.OPT_OUT, Effect.UNSUBSCRIBED, SubscriberState.UNSUBSCRIBED, None),
    ],
)
def test_each_kind_has_its_effect_once(
    store: AnyStore, what: What, effect: Effect, after: SubscriberState, reason: Reason | None
) -> None:
    """The same report again changes nothing."""
    (mail,) = mailed(store, "ada")
    assert store.take_return(mail, what, "550 ada@example.org is gone", NOW) is effect
    assert store.take_return(mail, what, "again", NOW) is Effect.REPEATED
    assert state(store, "ada") is after
    held = store.suppression("ADA@example.org")
    assert (held and held.reason) == reason
    assert held is None or "@" not in held.note
    assert store.returned(NOW) == {what: 1}
    assert store.returned(NOW - A_DAY, NOW) == {}
    assert store.tidy_returns(NOW + 61 * A_DAY) == {"returns": 1}
    assert store.returned(NOW) == {}


def test_points_come_together(store: AnyStore) -> None:
    """Five days on which the mail failed; a lift takes them away."""
    for day in range(5):
        now = NOW + day * A_DAY
        (mail,) = mailed(store, "ada", now=now)
        effect = store.take_return(mail, What.SOFT, "452 full", now)
        assert effect is (Effect.SUPPRESSED if day == 4 else Effect.COUNTED)
    held = store.suppression("ada@example.org")
    assert held
    assert held.reason is Reason.FAILING
    assert store.lift("ada@example.org", NOW) is None
    assert state(store, "ada") is SubscriberState.ACTIVE
    (mail,) = mailed(store, "ada", now=NOW + 5 * A_DAY)
    assert store.take_return(mail, What.SOFT, "452 full", NOW + 5 * A_DAY) is Effect.COUNTED


def test_n5_a_flood_ends_nobody(store: AnyStore) -> None:
    """When half of a receiver's addresses fail it is the receiver: those hit first come back."""
    names = [f"r{n}" for n in range(30)]
    mails = mailed(store, *names)
    effects = [store.take_return(mail, What.HARD, "550", NOW) for mail in mails]
    assert effects[0] is Effect.SUPPRESSED
    assert effects[-1] is Effect.FLOOD
    assert {state(store, name) for name in names} == {SubscriberState.ACTIVE}
    assert store.suppressions() == []
    assert store.returned(NOW).get(What.HARD, 0) == 0


def test_the_list_says_whom_it_holds(store: AnyStore) -> None:
    """The newest first; the address only where a subscriber's row has it; a stronger word stays."""
    mailed(store, "ada")
    store.suppress("gone@example.org", Reason.BLOCKED, "", NOW)
    store.suppress("ada@example.org", Reason.COMPLAINED, "", NOW + A_DAY)
    kept = store.suppress("ada@example.org", Reason.BLOCKED, "", NOW + 2 * A_DAY)
    assert kept.reason is Reason.COMPLAINED
    assert [(one.email, one.reason) for one in store.suppressions()] == [
        ("ada@example.org", Reason.COMPLAINED),
        ("", Reason.BLOCKED),
    ]
    left = store.lift("ada@example.org", NOW)
    assert left
    assert left.reason is Reason.LEFT
    assert store.lift("gone@example.org", NOW) is None
