"""The account of a run: what became of each reader, and where the promise did not hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from digest.model import DeliveryState
from tests.soak.server import Took

FINAL = {
    DeliveryState.SENT,
    DeliveryState.REFUSED,
    DeliveryState.CANCELLED,
    DeliveryState.HELD,
}


@dataclass
class Account:
    """What became of everyone.

    `kills` counts what was done to the service, by kind or point; `excused` is how often a message
    was in flight when it was done, and so may have come once more. `beyond` are other faults.
    """

    recipients: int
    kills: Counter[str] = field(default_factory=Counter)
    states: Counter[str] = field(default_factory=Counter)
    mails: int = 0
    lost: list[str] = field(default_factory=list)
    repeated: int = 0
    excused: int = 0
    altered: list[str] = field(default_factory=list)
    unasked: list[str] = field(default_factory=list)
    unfinished: int = 0
    beyond: list[str] = field(default_factory=list)

    def note(
        self, address: str, state: DeliveryState | None, took: Sequence[Took], left_at_s: float
    ) -> None:
        """Take in one reader: the state of their row, their mails, and when they left, if ever."""
        has_left = left_at_s < float("inf")
        self.mails += len(took)
        self.repeated += max(0, len(took) - 1)
        if len({(one.message_id, one.content) for one in took}) > 1:
            self.altered.append(address)
        if any(one.allowed_at_s > left_at_s for one in took):
            self.unasked.append(address)
        if state is None:  # who left before the digests were opened was not due
            self.lost += [] if has_left else [address]
            return
        self.states[state] += 1
        self.unfinished += state not in FINAL
        if state is DeliveryState.SENT and not took:
            self.lost.append(address)
        if state is DeliveryState.CANCELLED and not has_left:
            self.lost.append(address)

    @property
    def faults(self) -> list[str]:
        """Where the promise did not hold."""
        found = [f"lost: {one}" for one in self.lost]
        found += [f"another id or other bytes: {one}" for one in self.altered]
        found += [f"mailed after leaving: {one}" for one in self.unasked]
        found += self.beyond
        if self.repeated > self.excused:
            found.append(f"{self.repeated} repeated, {self.excused} were in flight")
        if self.unfinished:
            found.append(f"{self.unfinished} rows without an end")
        return found
