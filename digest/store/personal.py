"""What people do with their own row: links, pauses, changes, leaving; what each verb promises."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from digest.model import Listing, Subscriber


@dataclass(frozen=True, slots=True)
class Like:
    """What a subscriber said of a listing: `value` 1 is more like this, -1 less like this.

    The listing is as it was then; `origin` is where it was said, `cli` or `web`.
    """

    listing: Listing
    value: int
    liked_at: datetime
    origin: str


class Personal(Protocol):
    """The verbs of a person's own settings; none brings back who left in the meantime."""

    def change_subscriber(
        self, subscriber: Subscriber, now: datetime, by: str = "form"
    ) -> Subscriber | None:
        """Replace the settings of a subscriber, by `id`; None for who is gone or erased."""

    def is_link_used(self, names: Sequence[str]) -> bool:
        """Whether a link that works once has been used, by any of the names it may go by."""

    def use_link(self, names: Sequence[str], now: datetime) -> bool:
        """Use a link that works once; false when it was used before. The first name is kept."""

    def pause(self, subscriber_id: int, until: datetime, now: datetime) -> bool:
        """Send nothing until a time, and cancel what waits; false for who is not mailed anyway."""

    def unpause(self, subscriber_id: int, now: datetime) -> bool:
        """End a pause now; false where there is none."""

    def paused_until(self, subscriber_id: int) -> datetime | None:
        """When a pause ends; None where there is none, or none with an end."""

    def resume(self, now: datetime) -> int:
        """Make those active whose pause is over; returns how many."""

    def make_feed_link(self, subscriber_id: int, now: datetime) -> None:
        """Let a fresh private link to a person's digests work, and no other."""

    def drop_feed_link(self, subscriber_id: int) -> None:
        """Let no private link work any more."""

    def feed_link_made_at(self, subscriber_id: int) -> datetime | None:
        """When the private link was made that works, to the second; None where none does."""

    def consents(self, subscriber_id: int) -> Sequence[Mapping[str, str]]:
        """What proves that a subscriber asked for the mail, oldest first."""

    def erase(self, subscriber_id: int, now: datetime) -> None:
        """Delete everything about a person; the row's number stays taken, as old links name it."""

    def like(self, subscriber_id: int, said: Like) -> None:
        """Keep what a subscriber says of a listing, in the place of what they said before.

        A subscriber has at most 500 likes and dislikes; beyond them the oldest are forgotten.
        """

    def unlike(self, subscriber_id: int, listing: Listing) -> bool:
        """Take back what was said of a listing; false where nothing was."""

    def likes(self, subscriber_ids: Collection[int]) -> Mapping[int, Sequence[Like]]:
        """What these subscribers liked and disliked, the newest first."""
