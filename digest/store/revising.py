"""How a subscriber's settings change with their history kept: what is asked, what comes back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from digest.model import Delivery, Profile, Subscriber

if TYPE_CHECKING:
    from digest.store.personal import Like


@dataclass(frozen=True, slots=True)
class Revision:
    """A change of someone's settings: by what, in words, and the settings before it.

    `by` is `form`, `toml`, `mail`, `cli`, `api` or `undo`; `listing_key` names what was liked or
    disliked with it.
    """

    id: int
    changed_at: datetime
    by: str
    says: tuple[str, ...]
    before: Subscriber
    listing_key: str = ""


@dataclass(frozen=True, slots=True)
class Revised:
    """A change that is wanted: to this profile, from the one that was looked at, by what.

    `said` is what the subscriber says of a listing by it; it is kept in the same moment.
    """

    profile: Profile
    expected: Profile
    by: str
    says: tuple[str, ...]
    said: Like | None = None


class ProfileKeeper(Protocol):
    """The verbs that change settings and remember how they were.

    At most 50 changes of a person are kept, for a week.
    """

    def revise(self, subscriber_id: int, wanted: Revised, now: datetime) -> int | None:
        """Change a profile; returns the number of the change.

        None, and nothing is done, where the profile is no longer the expected one.
        """

    def revisions(self, subscriber_id: int) -> Sequence[Revision]:
        """The changes that are kept, the newest first."""

    def go_back(self, subscriber_id: int, revision_id: int, now: datetime) -> Subscriber | None:
        """Make the settings what they were before a change, and take back what was said since.

        That is a change itself. None where the change is not theirs, or no longer kept.
        """

    def delivery_showing(self, subscriber_id: int, listing_id: int) -> Delivery | None:
        """The newest delivery of a subscriber that shows a listing."""
