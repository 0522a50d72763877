"""Our subscribers as rows of a table, which `reading` reads back as the same people."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from digest.config.writing import subscriber_table
from digest.model import Subscriber
from digest.roster.cells import READERS, neutral, write_cell

PROOF = ("consent", "joined_at", "confirmed_at")
COLUMNS = ("email", "name", "state", "suppressed_for", "paused_until", *PROOF, *READERS)
"""The head of the table; from `timezone` on by the names of the config."""


def row_of(
    one: Subscriber,
    consent: Mapping[str, str] | None,
    suppressed_for: str = "",
    paused_until: datetime | None = None,
) -> list[str]:
    """The cells of a subscriber, in the order of `COLUMNS`; none begins like a formula (X11).

    `consent` is the newest proof: form, asked_at and confirmed_at.
    """
    proof = consent or {}
    cells = {
        name: write_cell(name, value)
        for name, value in subscriber_table(one).items()
        if value != {}
    }
    cells |= {
        "state": one.state,
        "suppressed_for": suppressed_for,
        "paused_until": paused_until.isoformat() if paused_until else "",
        "consent": proof.get("form", ""),
        "joined_at": proof.get("asked_at", ""),
        "confirmed_at": proof.get("confirmed_at", ""),
    }
    return [neutral(cells.get(name, "")) for name in COLUMNS]
