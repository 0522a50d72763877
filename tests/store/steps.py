"""A worker's way with the ledger, in two steps: take rows and begin them, close them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from digest.model import Delivery, Outcome
from digest.store import Lease, Store, Tried


@dataclass(frozen=True, slots=True)
class Held:
    """A row that was begun, as its worker sees it."""

    lease: Lease
    delivery: Delivery


def claim(store: Store, now: datetime, limit: int, lease_s: float, owner: str) -> list[Held]:
    """Lease up to so many rows and begin them."""
    leases = store.lease(now, limit, lease_s, owner)
    begun = store.turn([], leases, now, lease_s)
    return [
        Held(lease, store.delivery_by_id(lease.delivery_id))
        for lease in leases
        if lease.delivery_id in begun
    ]


def close(store: Store, held: Held, outcome: Outcome, now: datetime, again: datetime) -> bool:
    """Record what the try came to; false when the lease was lost."""
    return bool(store.turn([Tried(held.lease, outcome, again)], [], now, 60))
