"""Past digests again: their bytes from the ledger, and what another profile would have got.

Reads the store and the secrets, writes nothing. A digest is made from what its row has kept; only
its links and signatures need keys, which the operator may have changed since.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from difflib import SequenceMatcher
from enum import StrEnum
from typing import Any, cast

from digest.app import App
from digest.model import (
    Delivery,
    DeliveryState,
    Digest,
    Imprint,
    Listing,
    Match,
    Profile,
    SectionName,
)
from digest.planner import plan
from digest.press import key_mark, render
from digest.store import Due, Store
from digest.store.personal import Like
from digest.tokens import Tokens, read_keys

UNREAD = {
    DeliveryState.REFUSED,
    DeliveryState.CANCELLED,
    DeliveryState.EMPTY,
    DeliveryState.QUEUED,
    DeliveryState.DEFERRED,
}
"""States of an earlier day's digest that nobody has read, so that its listings are new again."""

HANDED_OVER = {DeliveryState.SENT, DeliveryState.UNKNOWN, DeliveryState.HELD}
"""States of a mail that a server has, or may have."""


# --- the bytes --------------------------------------------------------------------------------


class Likeness(StrEnum):
    """How the bytes made again compare with those that were sent."""

    SAME = "byte for byte the mail that was sent"
    UNSENT = "no mail server has taken this mail"
    UNKNOWN = "sent before fingerprints of mails were kept: it cannot be told whether a key changed"
    OTHER_KEY = "the key that signed the links of this mail is no longer in the secret file"
    OTHER_SIGNATURE = "the DKIM keys have changed since: all but the signatures is as it was sent"
    OTHER_PROGRAM = "this version of the program makes the same digest into other bytes"

    @property
    def is_faithful(self) -> bool:
        """Whether nothing is known to differ."""
        return self in {Likeness.SAME, Likeness.UNSENT, Likeness.UNKNOWN}


def then(app: App, delivery: Delivery) -> App:
    """The parts with the key that signed a delivery's links, where the secret file still has it."""
    if delivery.imprint:
        for key in read_keys(app.config.service.secret_file):
            tokens = Tokens([key])
            if key_mark(tokens) == delivery.imprint.key:
                return replace(app, tokens=tokens)
    return app


def likeness(app: App, delivery: Delivery) -> Likeness:
    """What the bytes that `app` makes of a delivery are to those that were sent."""
    sent = delivery.imprint
    if sent is None:
        return Likeness.UNKNOWN if delivery.state in HANDED_OVER else Likeness.UNSENT
    made = Imprint.of(render(app, delivery).raw, key_mark(app.tokens))
    if made == sent:
        return Likeness.SAME
    if made.mail == sent.mail:
        return Likeness.OTHER_SIGNATURE
    return Likeness.OTHER_PROGRAM if made.key == sent.key else Likeness.OTHER_KEY


# --- another profile ------------------------------------------------------------------------------


class Change(StrEnum):
    """What becomes of a listing under another profile."""

    KEPT = "kept"
    MOVED = "moved"
    NEW = "new"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a listing stands in a digest; `number` counts from 1 through all sections."""

    section: SectionName
    number: int
    score: float


@dataclass(frozen=True, slots=True)
class Difference:
    """One listing of two digests; `was` is None when it is new, `would_be` when it is gone."""

    change: Change
    listing: Listing
    was: Place | None
    would_be: Place | None


def with_profile(app: App, delivery: Delivery, profile: Profile) -> Digest:
    """What this profile would have got in place of a delivery, from the listings of that time.

    Votes are those of that day; terms weigh what the stored listings make them weigh now.
    """
    past = cast("Store", _Past(app.store, delivery))  # the verbs it lacks are the store's own
    subscriber = replace(delivery.digest.subscriber, profile=profile)
    due = Due(subscriber, delivery.digest.digest_on)
    return next(iter(plan(replace(app, store=past), [due], delivery.prepared_at)))


def differences(was: Digest, would_be: Digest) -> list[Difference]:
    """Every listing of either: those of the second in its order, then what is gone.

    Kept is what stands in its section still and between the same neighbours' sides; of what
    changed its order, as few as possible count as moved.
    """
    before, after = _places(was), _places(would_be)
    runs = SequenceMatcher(None, list(before), list(after), autojunk=False).get_matching_blocks()
    keys = list(before)
    steady = {key for run in runs for key in keys[run.a : run.a + run.size]}
    made = []
    for key, (match, place) in after.items():
        old = before[key][1] if key in before else None
        stays = old is not None and key in steady and old.section is place.section
        change = Change.NEW if old is None else Change.KEPT if stays else Change.MOVED
        made.append(Difference(change, match.listing, old, place))
    gone = [one for key, one in before.items() if key not in after]
    return made + [Difference(Change.GONE, match.listing, place, None) for match, place in gone]


def _places(digest: Digest) -> dict[str, tuple[Match, Place]]:
    found: dict[str, tuple[Match, Place]] = {}
    for section in digest.sections:
        for match in section.matches:
            place = Place(section.name, len(found) + 1, match.score)
            found.setdefault(match.listing.key, (match, place))
    return found


class _Past:
    """The store as a delivery's making found it, as far as the planner asks."""

    def __init__(self, store: Store, delivery: Delivery) -> None:
        self._store = store
        self._day = delivery.digest.digest_on
        self._at = delivery.prepared_at

    def __getattr__(self, verb: str) -> Any:
        return getattr(self._store, verb)

    def candidates(self, since: datetime) -> Sequence[Listing]:
        """What was stored by then, with the votes of then."""
        votes = self.vote_history(since.date())
        return [
            replace(one, votes=votes[one.id][-1][1]) if votes.get(one.id) else one
            for one in self._store.candidates(since)
            if one.first_seen_at and one.first_seen_at <= self._at
        ]

    def vote_history(self, since: date) -> Mapping[int, Sequence[tuple[date, int]]]:
        """The votes of the days until then."""
        found = self._store.vote_history(since)
        until = {
            one: [seen for seen in days if seen[0] <= self._day] for one, days in found.items()
        }
        return {one: days for one, days in until.items() if days}

    def shown(
        self, subscriber_ids: Collection[int], since: date, until: date
    ) -> Mapping[int, frozenset[int]]:
        """What digests of earlier days had shown."""
        return {
            one: frozenset(
                listing.id
                for delivery in self._store.deliveries_of(one)
                if since <= delivery.digest.digest_on < self._day and delivery.state not in UNREAD
                for listing in delivery.digest.listings
            )
            for one in subscriber_ids
        }

    def likes(self, subscriber_ids: Collection[int]) -> Mapping[int, Sequence[Like]]:
        """What was liked by then."""
        found = self._store.likes(subscriber_ids)
        return {
            one: [like for like in said if like.liked_at <= self._at] for one, said in found.items()
        }
