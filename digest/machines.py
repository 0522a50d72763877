"""What machines on one database settle between them, or else what one machine has for itself."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from digest.clock import Clock, SharedClock
from digest.mailer import Commons
from digest.store import Store
from digest.store.sqlite import SqliteStore

# What fetches takes memory and time in each of the processes that only make mails, and what speaks
# to a PostgreSQL need not be installed: both are read where they are needed.
# ruff: noqa: PLC0415
if TYPE_CHECKING:
    from digest.fetcher import Turns
    from digest.store.postgres.store import PostgresStore


def turns_of(store: Store, folder: Path) -> Turns:
    """Who may ask a host: of all machines where they share the store, else of this one.

    `folder` is where processes of this machine settle who asks arXiv.
    """
    if shared := _shared(store):
        from digest.store.postgres.turns import PostgresTurns

        return PostgresTurns(shared)
    from digest.fetcher import LocalTurns

    return LocalTurns(stamp_file=folder / "arxiv.stamp")


def commons_of(store: Store) -> Commons | None:
    """What all processes that send have in common, where several machines share the store."""
    if shared := _shared(store):
        from digest.store.postgres.commons import PostgresCommons

        return PostgresCommons(shared)
    return None


def clock_of(store: Store, clock: Clock) -> Clock:
    """The time that all processes of a service go by; `clock` is the machine's.

    Raises: StoreError.
    """
    shared = _shared(store)
    return SharedClock(clock, shared.now_s) if shared else clock


def _shared(store: Store) -> PostgresStore | None:
    """The store, where it is one that several machines share."""
    if isinstance(store, SqliteStore):
        return None
    from digest.store.postgres.store import PostgresStore

    return store if isinstance(store, PostgresStore) else None
