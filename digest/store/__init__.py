"""What the product remembers, as verbs. `SqliteStore` does them on one file.

Every verb is one transaction: it happened whole or not at all. A database that cannot be used
(locked, full, read-only, newer than this program) raises `StoreError`, and nothing is sent that
could not be recorded.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from digest.model import (
    Delivery,
    DeliveryState,
    Digest,
    Frame,
    Imprint,
    Outcome,
    Subscriber,
    SubscriberState,
)
from digest.share import EVERYBODY, Share
from digest.store.collected import Collected
from digest.store.freeze import Frozen
from digest.store.moved import Moved
from digest.store.operating import Operating
from digest.store.personal import Personal
from digest.store.returned import Returned
from digest.store.revising import ProfileKeeper
from digest.store.shelves import ListingReader


@dataclass(frozen=True, slots=True)
class Due:
    """A subscriber whose digest for the local day `digest_on` is to be prepared."""

    subscriber: Subscriber
    digest_on: date


@dataclass(frozen=True, slots=True)
class Signup:
    """Someone asked to be subscribed: with which settings, by which form, from where.

    `client` is the client's network, masked, as it is kept for proof. `address` and `network` are
    keyed hashes that the limits count; they are empty when a sign-up is read back.
    """

    wanted: Subscriber
    form: str
    client: str
    asked_at: datetime
    address: str = ""
    network: str = ""
    confirmed_at: datetime | None = None
    id: int = 0


@dataclass(frozen=True, slots=True)
class SignupLimits:
    """How many sign-ups are let through, and how many letters they may bring to an address."""

    per_network_day: int
    per_hour: int
    per_address_day: int = 1
    per_address_month: int = 3


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail that is no digest. `kind` is `signup`, `link` or `note`; `owner` holds the lease.

    `body` is what a note says, as JSON; what the others say follows from how things stand.
    """

    id: int
    kind: str
    recipient: str
    signup_id: int | None
    message_id: str
    created_at: datetime
    attempts: int = 0
    owner: str = ""
    body: str = ""


@dataclass(frozen=True, slots=True)
class Lease:
    """A waiting delivery that `owner` alone may make and send; `attempt` is 1 for its first try."""

    delivery_id: int
    recipient: str
    attempt: int
    owner: str


@dataclass(frozen=True, slots=True)
class Tried:
    """What a try came to, when one that is not over is tried again, and what bytes went out."""

    lease: Lease
    outcome: Outcome
    retry_at: datetime
    imprint: Imprint | None = None


class Store(
    Collected, Moved, Operating, Personal, ProfileKeeper, Returned, ListingReader, Protocol
):
    """The verbs of the ledger and of the stored listings; times are aware UTC."""

    # --- subscribers

    def sync_file(self, subscribers: Sequence[Subscriber], now: datetime) -> None:
        """Make the file's subscribers those given; who is missing is removed."""

    def put_subscriber(self, subscriber: Subscriber, now: datetime, by: str = "cli") -> Subscriber:
        """Add a subscriber or replace the settings of the same address; `by` is what does it."""

    def subscriber(self, email: str) -> Subscriber | None:
        """The subscriber of an address, whatever its state; the domain's case is folded."""

    def subscribers(self) -> Sequence[Subscriber]:
        """Every subscriber that is not removed, in the order of addresses."""

    def set_state(self, subscriber_id: int, state: SubscriberState, now: datetime) -> None:
        """Change a subscriber's state; leaving `active` cancels what waits to be sent."""

    def subscriber_by_id(self, subscriber_id: int) -> Subscriber | None:
        """The subscriber of a number, whatever its state."""

    # --- sign-ups and letters

    def sign_up(self, asked: Signup, limits: SignupLimits, domain: str, now: datetime) -> bool:
        """Keep a sign-up and queue its letter; false, and nothing kept, beyond a limit.

        One row an address, the newest settings in it. An address that has had its letters gets
        none, and the answer is the same. `domain` is that of the letter's Message-ID.
        """

    def signup(self, signup_id: int) -> Signup | None:
        """A sign-up that was not deleted yet."""

    def confirm(self, signup_id: int, now: datetime) -> Subscriber | None:
        """The sign-up's person as an active subscriber, with the proof; None where there is none.

        Who is subscribed already keeps their settings, and so does a subscriber of the file.
        """

    def ask_for_link(
        self, subscriber: Subscriber, address: str, domain: str, per_day: int, now: datetime
    ) -> bool:
        """Queue a letter with a fresh link; false when so many were asked for today."""

    def claim_letters(
        self, now: datetime, limit: int, lease_s: float, owner: str
    ) -> Sequence[Letter]:
        """Take up to `limit` letters that are to be sent now; they are `sending` for `owner`."""

    def write_note(self, topic: str, letter: Letter, since: datetime) -> bool:
        """Queue a note to the operator; false where one on its topic was queued since then."""

    def close_letter(
        self, letter: Letter, outcome: Outcome, now: datetime, retry_at: datetime
    ) -> bool:
        """Record what a try came to; false when `letter.owner` lost its lease meanwhile."""

    def letter_wanted(self, letter: Letter, now: datetime) -> bool:
        """Whether this letter is still its owner's to send."""

    def tidy_signups(self, now: datetime) -> Mapping[str, int]:
        """Delete what retention no longer allows; returns how many rows per table."""

    # --- the ledger

    def due(self, now: datetime, limit: int, *, at_once: bool = False) -> Sequence[Due]:
        """Active subscribers whose send time has passed and whose day has no delivery yet.

        `at_once` asks for everyone without a delivery today, whatever the hour and the days.
        """

    def due_ids(
        self, now: datetime, *, at_once: bool = False, share: Share = EVERYBODY
    ) -> Sequence[int]:
        """The numbers of all of a share who are due, answered longest ago first in each hour."""

    def due_among(
        self, subscriber_ids: Sequence[int], now: datetime, *, at_once: bool = False
    ) -> Sequence[Due]:
        """Those of these subscribers who are still due, in the order given."""

    def shown(
        self, subscriber_ids: Collection[int], since: date, until: date
    ) -> Mapping[int, frozenset[int]]:
        """Per subscriber the ids of listings that a digest since that day holds or held.

        What was refused or cancelled was not seen and does not count; nor does what still waits
        from before `until`, since the digest of that day takes its place.
        """

    def last_looks(
        self, subscriber_ids: Collection[int], before: date
    ) -> Mapping[int, tuple[int, datetime]]:
        """Per subscriber the newest listing their last digest looked at, and when it did.

        That is the last one from before that day which counts as read, or was empty; who has none
        is left out. What was stored later, or let in later, is new to them.
        """

    def without_match(
        self, subscriber_ids: Collection[int], since: date, before: date
    ) -> frozenset[int]:
        """Those for whom nothing matched and nothing was hinted in all that time.

        They had two digests at least since that day, and one of that day or earlier.
        """

    def open_deliveries(
        self, frame: Frame, digests: Sequence[Digest | Frozen], now: datetime
    ) -> int:
        """Write the ledger rows of digests; returns how many are new.

        A subscriber's day that has its row already is passed over. Older rows of the same
        subscriber that still wait are cancelled: never two digests at a time.
        """

    def matched_so_far(self) -> int:
        """How many listings fitted, added up over every digest that was opened."""

    def lease(
        self, now: datetime, limit: int, lease_s: float, owner: str, share: Share = EVERYBODY
    ) -> Sequence[Lease]:
        """Take up to `limit` deliveries of a share that are to be sent now.

        The longest waiting come first, of everybody or of one bucket after the other. They keep
        their state, and nobody else is given them until the lease ends.
        """

    def turn(
        self, tried: Sequence[Tried], begun: Sequence[Lease], now: datetime, lease_s: float
    ) -> frozenset[int]:
        """Close what was tried and begin what is next; returns the deliveries that were held still.

        One that was begun is `sending`; it is left out, and stays as it is, where the lease ran out
        or the subscriber left. What was tried by a worker that lost its lease is not recorded.
        """

    def give_back(self, owner: str) -> int:
        """Let go of what `owner` leased and did not begin; returns how many rows."""

    def renew(self, owner: str, now: datetime, lease_s: float) -> None:
        """Prolong every lease that `owner` still holds, begun or not."""

    def wanted(self, lease: Lease, now: datetime) -> bool:
        """Whether this delivery is still its owner's to send and its subscriber still active."""

    def expire(self, now: datetime) -> int:
        """Settle what time has settled; returns how many rows moved.

        A `sending` row past its lease is `unknown`; a waiting one that grew stale is cancelled;
        an unknown one that was tried twice, or grew stale, is `held`.
        """

    def delivery(self, subscriber_id: int, digest_on: date) -> Delivery | None:
        """The delivery of a subscriber's day with its digest, if there is one."""

    def delivery_by_id(self, delivery_id: int) -> Delivery:
        """The delivery of a number. Raises: LookupError, ValueError when it cannot be read."""

    def deliveries_by_id(self, delivery_ids: Sequence[int]) -> Mapping[int, Delivery]:
        """The deliveries of these numbers, asked for at once; those that cannot be read are not."""

    def deliveries_of(self, subscriber_id: int) -> Sequence[Delivery]:
        """Every delivery of a subscriber that is still kept, the newest day first."""

    def deliveries_by_state(self, since: datetime) -> Mapping[DeliveryState, int]:
        """How many deliveries prepared since then stand in each state."""

    def next_attempt_at(self) -> datetime | None:
        """When the earliest delivery that is not final is to be tried; None when there is none.

        For one that is being sent, that is when its lease runs out.
        """

    def tidy(self, now: datetime) -> Mapping[str, int]:
        """Delete what retention no longer allows; returns how many rows per table."""

    def close_store(self) -> None:
        """Close every connection."""
