"""The nouns of what came back and of who is not mailed for it, and the store's verbs for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol


class What(StrEnum):
    """What came back for a mail: the address is dead, it failed this time, or its reader spoke."""

    HARD = "hard"
    SOFT = "soft"
    COMPLAINT = "complaint"
    OPT_OUT = "opt-out"


class Effect(StrEnum):
    """What followed from it. `counted` is a point, `flood` a point in the place of an end."""

    SUPPRESSED = "suppressed"
    UNSUBSCRIBED = "unsubscribed"
    COUNTED = "counted"
    FLOOD = "flood"
    REPEATED = "repeated"


class Reason(StrEnum):
    """Why an address is suppressed, the strongest last; a weaker one takes no stronger one's place.

    `bounced` and `failing` are the address's, `blocked` is the operator's word, `left` the person's
    (they erased their data), `complained` what their mail provider told us.
    """

    FAILING = "failing"
    BOUNCED = "bounced"
    BLOCKED = "blocked"
    LEFT = "left"
    COMPLAINED = "complained"

    @property
    def is_the_operators(self) -> bool:
        """Whether the operator may lift it: the others are the person's own word."""
        return self in {Reason.FAILING, Reason.BOUNCED, Reason.BLOCKED}


@dataclass(frozen=True, slots=True)
class Suppression:
    """An address that gets no mail. `address` is its keyed hash; `note` holds no address.

    `email` is only known where a subscriber's row still has it.
    """

    address: str
    reason: Reason
    note: str
    since: datetime
    email: str = ""


@dataclass(frozen=True, slots=True)
class Mailed:
    """A mail of ours that something came back for: `kind` is that of its bounce token.

    `subscriber_id` is None for a letter to somebody who is no subscriber.
    """

    kind: str
    number: int
    message_id: str
    recipient: str
    subscriber_id: int | None
    mailed_on: date


class Returned(Protocol):
    """The verbs for bounces and complaints; times are aware UTC."""

    def mailed(self, kind: str, number: int) -> Mailed | None:
        """The mail of a row that is still kept; `kind` is `d` for a digest, `l` for a letter."""

    def mailed_as(self, message_id: str) -> Mailed | None:
        """The mail that had a Message-ID (without angles)."""

    def take_return(self, mail: Mailed, what: What, note: str, now: datetime) -> Effect:
        """Record what came back, and let follow what does; the same again changes nothing.

        Hard suppresses at once; soft when five points have come together, one a day, which fade
        after seven days; a complaint unsubscribes and suppresses. When half of a receiver's
        addresses fail within a day, hard is soft, also for those that were hit before.
        """

    def returned(self, since: datetime, until: datetime | None = None) -> Mapping[What, int]:
        """How many mails came back since then and before a time, and how."""

    def tidy_returns(self, now: datetime) -> Mapping[str, int]:
        """Delete what retention no longer allows; returns how many rows per table."""

    def suppression(self, email: str) -> Suppression | None:
        """Why an address gets no mail; None where it may get some."""

    def suppressions(self) -> Sequence[Suppression]:
        """Every suppressed address, the newest first."""

    def suppress(self, email: str, reason: Reason, note: str, now: datetime) -> Suppression:
        """Let an address get no mail any more; returns what is in force, which may be stronger."""

    def lift(self, email: str, now: datetime) -> Suppression | None:
        """Let the operator take back a suppression; returns what is left of it, or None.

        After a complaint the person may sign up again, and nobody else may add them.
        """
