"""What goes to a mail server, and the two protocols through which the story sends it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from digest.model import Deferred, Outcome

Permit = Callable[[], bool]
"""Asked right before the last byte: is this mail still ours to send, and still wanted?"""

WITHDRAWN = Deferred("withdrawn before the last byte: unsubscribed or taken over", wait_s=1)


@dataclass(frozen=True, slots=True)
class Envelope:
    """One message for one recipient: checked addresses, and bytes that go out as they are."""

    sender: str
    recipient: str
    raw: bytes


class Session(Protocol):
    """A way to a mail server while it is open."""

    async def send(self, envelope: Envelope, permit: Permit) -> Outcome:
        """Send one message; never raises for anything that a server or a network does."""


class Mailer(Protocol):
    """Where mails go; `workers` is how many messages may ever be under way at once."""

    workers: int

    @property
    def room(self) -> int:
        """How many may be now, at least 1: as many as need not wait for a connection."""

    @property
    def rest_s(self) -> float:
        """Seconds for which nothing can go out, since all is in trouble; 0 when it may be tried."""

    def session(self) -> AbstractAsyncContextManager[Session]:
        """A session; with the last one that ends, connections are closed in order."""
