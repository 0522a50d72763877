"""The states of a delivery, its only legal moves, and what a try to send can come to.

Owns the table that a property test walks. Everybody imports these from `digest.model`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class DeliveryState(StrEnum):
    """Where a delivery stands. `empty` is born final: the day was answered without a mail.

    `held` waits for a person, who lets it go out once more or cancels it. What waits in a restored
    backup is held as well: it may have gone out since the backup was made.
    """

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    REFUSED = "refused"
    DEFERRED = "deferred"
    UNKNOWN = "unknown"
    HELD = "held"
    CANCELLED = "cancelled"
    EMPTY = "empty"


MOVES: Mapping[DeliveryState, frozenset[DeliveryState]] = MappingProxyType(
    {
        DeliveryState.QUEUED: frozenset(
            {DeliveryState.SENDING, DeliveryState.CANCELLED, DeliveryState.HELD}
        ),
        DeliveryState.SENDING: frozenset(
            {
                DeliveryState.SENT,
                DeliveryState.REFUSED,
                DeliveryState.DEFERRED,
                DeliveryState.UNKNOWN,
            }
        ),
        DeliveryState.DEFERRED: frozenset(
            {DeliveryState.SENDING, DeliveryState.CANCELLED, DeliveryState.HELD}
        ),
        DeliveryState.UNKNOWN: frozenset({DeliveryState.SENDING, DeliveryState.HELD}),
        DeliveryState.SENT: frozenset(),
        DeliveryState.REFUSED: frozenset(),
        DeliveryState.HELD: frozenset({DeliveryState.DEFERRED, DeliveryState.CANCELLED}),
        DeliveryState.CANCELLED: frozenset(),
        DeliveryState.EMPTY: frozenset(),
    }
)
"""The only legal moves of a delivery; a state without moves is final."""


@dataclass(frozen=True, slots=True)
class Sent:
    """The server took the message; `reply` holds its text, queue id included."""

    reply: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The server refused this recipient or message for good (5yz to RCPT or after the dot)."""

    code: int
    reply: str


@dataclass(frozen=True, slots=True)
class Deferred:
    """Not now. `relay` is true when the relay is in trouble: the run pauses, nobody is blamed.

    `wait_s` is set where this message alone has to wait so many seconds, through no fault of its
    own: a receiver has had its share, or a connection was cut. The run goes on.
    """

    reply: str
    code: int = 0
    relay: bool = False
    wait_s: float = 0

    @property
    def counted(self) -> bool:
        """Whether it was an attempt that counts: somebody looked at this very message."""
        return not (self.relay or self.wait_s)


@dataclass(frozen=True, slots=True)
class Unknown:
    """The connection died after the final dot: the server may or may not have the message."""

    reply: str


Outcome = Sent | Refused | Deferred | Unknown
"""What a try to send came to; match it exhaustively."""
