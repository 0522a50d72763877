"""The nouns of people who come from another system, and of everything that goes out as files.

What each verb promises; how it is done on SQLite stands in `moving.py` and `exporting.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from digest.model import Subscriber
from digest.store.returned import Reason, Suppression

VOUCHED = "import: "
"""How the form of a proof begins that rests on the operator's word."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What shows that somebody asked for the mail: where, when they came, when they said yes."""

    form: str
    asked_at: datetime
    confirmed_at: datetime


@dataclass(frozen=True, slots=True)
class Newcomer:
    """Somebody on another system's list, with the settings that they would have here.

    `reason` is why they are to get no mail, None where they may get some. Without a `proof` they
    are asked by a letter; `address` is the keyed hash that letters to them are counted by, `form`
    what is kept as what they were shown.
    """

    wanted: Subscriber
    reason: Reason | None = None
    note: str = ""
    proof: Proof | None = None
    paused_until: datetime | None = None
    address: str = ""
    form: str = ""


class Landing(StrEnum):
    """What becomes of a newcomer.

    `added` with a proof, `asked` by a letter. `here` already, `waiting` for the answer to an
    earlier letter, `unsubscribed` or `suppressed` here: nothing changes. Of those who are to get no
    mail: `stopped` before they came, `ended` though mailed here until now, `stopped before` by an
    earlier import or their own word; `kept` since they have confirmed here by themselves.
    """

    ADDED = "added"
    ASKED = "asked"
    HERE = "here"
    WAITING = "waiting"
    UNSUBSCRIBED = "unsubscribed"
    SUPPRESSED = "suppressed"
    STOPPED = "stopped"
    ENDED = "ended"
    STOPPED_BEFORE = "stopped before"
    KEPT = "kept"


@dataclass(frozen=True, slots=True)
class Landed:
    """What became of a newcomer; `held` is the suppression that keeps them out."""

    landing: Landing
    held: Suppression | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """A subscriber with what goes along: the newest proof, why they are suppressed, a pause's end.

    `proof` has form, asked_at and confirmed_at as they are kept; `suppressed_for` is empty for who
    is not.
    """

    one: Subscriber
    proof: Mapping[str, str] | None = None
    suppressed_for: str = ""
    paused_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Extract:
    """Rows of one meaning, with values that JSON has, read from the store as they are asked for."""

    name: str
    holds: str
    rows: Iterator[Mapping[str, Any]]


class Moved(Protocol):
    """The verbs for people who come from another system, and for everything that goes out."""

    def move_in(
        self, newcomers: Sequence[Newcomer], domain: str, now: datetime, *, dry: bool = False
    ) -> Sequence[Landed]:
        """Take in people, each address once, or only say what would become of them (`dry`).

        Who is here keeps their settings, who left or is suppressed here stays so, and the same
        people again change nothing. `domain` is that of the letters' Message-IDs.
        """

    def people(self) -> Iterator[Person]:
        """Every subscriber that is not removed, in the order of addresses, read as asked for."""

    def whole(self) -> AbstractContextManager[Sequence[Extract]]:
        """Everything that is kept, as it is at one moment, while others write on; no secret.

        Who erased their data is not in it. `people` asked inside is of the same moment.
        """
