"""What programs and the operator ask of the store: keys, people by a part of their address, rows.

Owns the nouns of these verbs and what each promises.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Protocol

from digest.model import DeliveryState, Subscriber, SubscriberState

MOST_KEYS = 10
"""Keys that one subscriber may have at a time."""


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key by which programs act for a subscriber. The key itself is shown once and not kept."""

    id: int
    subscriber_id: int
    name: str
    created_at: datetime
    used_on: date | None = None


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """A delivery as a line of a list, without its digest."""

    id: int
    subscriber_id: int
    digest_on: date
    state: DeliveryState
    prepared_at: datetime
    attempts: int
    next_attempt_at: datetime | None
    closed_at: datetime | None
    code: int
    reply: str


@dataclass(frozen=True, slots=True)
class ServiceState:
    """What the running service has said of one topic, in sentences, and since when it holds."""

    says: tuple[str, ...]
    since: datetime


@dataclass(frozen=True, slots=True)
class WorkerBeat:
    """When a worker, a process `machine:pid`, last began and ended a step.

    `ended_at` is None while the step runs for the first time; `failed` counts how often in a row it
    has failed. The step `ALIVE` is a worker's sign of life.
    """

    worker: str
    step: str
    began_at: datetime
    ended_at: datetime | None = None
    failed: int = 0


ALIVE = "alive"

ALIVE_FOR = timedelta(seconds=90)
"""After so long without a sign of life a worker counts as gone."""


def living(beats: Sequence[WorkerBeat], now: datetime) -> frozenset[str]:
    """The workers that have given a sign of life lately."""
    return frozenset(
        beat.worker
        for beat in beats
        if beat.step == ALIVE and beat.ended_at and beat.ended_at > now - ALIVE_FOR
    )


class Operating(Protocol):
    """The verbs for keys, and for who runs the service."""

    def add_api_key(
        self, subscriber_id: int, name: str, fingerprint: str, now: datetime
    ) -> ApiKey | None:
        """Keep the keyed hash of a new key; None for who has `MOST_KEYS` or is gone."""

    def api_keys(self, subscriber_id: int) -> Sequence[ApiKey]:
        """The keys of a subscriber, oldest first."""

    def api_key(self, fingerprints: Sequence[str], now: datetime) -> ApiKey | None:
        """The key that one of these keyed hashes is of; the day of its use is kept."""

    def revoke_api_key(self, subscriber_id: int, key_id: int) -> bool:
        """Make a key worthless; false where the subscriber has no such key."""

    def find_subscribers(
        self, part: str, state: SubscriberState | None, limit: int
    ) -> Sequence[Subscriber]:
        """Subscribers whose address holds a text, in the order of addresses.

        Those who were removed are left out unless that state is asked for.
        """

    def subscribers_by_state(self) -> Mapping[SubscriberState, int]:
        """How many subscribers are in each state; who erased their data does not count."""

    def suppressed_by_reason(self) -> Mapping[str, int]:
        """How many addresses nobody may mail, by the reason."""

    def ledger_rows(
        self,
        limit: int,
        *,
        day: date | None = None,
        state: DeliveryState | None = None,
        subscriber_id: int | None = None,
        before: int | None = None,
    ) -> Sequence[LedgerRow]:
        """Deliveries of a day, in a state, of a subscriber, the newest first; below a number."""

    def retry_delivery(self, delivery_id: int, now: datetime) -> bool:
        """Send a deferred or held delivery now; false where that is no move or it grew stale."""

    def cancel_delivery(self, delivery_id: int, now: datetime) -> bool:
        """Never send what waits or is held; false where that is no move any more."""

    def closed_by_state(self, since: datetime, until: datetime) -> Mapping[DeliveryState, int]:
        """How many deliveries came to their end in that time, by the state they ended in."""

    def sent_by_domain(self, since: datetime, until: datetime) -> Mapping[str, int]:
        """How many mails, letters too, servers took in that time, by the recipient's domain."""

    def note_state(self, topic: str, says: Sequence[str], now: datetime) -> bool:
        """Keep what the service says of a topic, nothing for all is well; false if it said so."""

    def noted_states(self) -> Mapping[str, ServiceState]:
        """What is not well with the service, by topic, as it has last said."""

    def note_beat(self, beat: WorkerBeat) -> None:
        """Keep when a worker began and ended a step last."""

    def beats(self) -> Sequence[WorkerBeat]:
        """What is known of each worker's steps, in the order of their names."""

    def tidy_beats(self, now: datetime) -> int:
        """Forget workers that are no more; returns how many rows."""

    def oldest_waiting_at(self) -> datetime | None:
        """When the longest waiting delivery was prepared; None when none waits."""

    def notice_restore(self, now: datetime) -> datetime | None:
        """Hold what waits in a database that is an older copy, once; up to when it knows nothing.

        None where no mail has begun to go out that it does not know of.
        """

    def stored_bytes(self) -> int:
        """How much room the database takes."""

    def back_up(self, file: Path, *, replace: bool = False) -> int:
        """Write a whole copy to a file, for its owner alone; returns its bytes.

        The file appears when the copy is complete and checked. Raises: StoreError where it is
        there already and is not to be replaced, or cannot be written, and for a PostgreSQL, which
        has its own tools.
        """
