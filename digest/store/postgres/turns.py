"""Turns that all machines share: who asks a host now, and when the next one may.

One row a host says from when on its turn may be taken, by the clock of the database: a lease ahead
while somebody asks, a pause ahead when they have done so.
"""

from __future__ import annotations

import secrets
import socket

from digest.store.postgres.connection import PostgresConnections

LEASE_S = 60.0
"""Seconds after which a turn that was not given back is free: twice what a request may take."""

LOOK_S = 0.25
"""Seconds between two looks at a turn that another holds."""

# A moment further ahead than any lease was written before the server's clock was set back. The
# clock is read once the row is locked, so that nobody's wait for it shortens the pause.
_TAKE = """
INSERT INTO turns AS t (name, owner, free_at)
VALUES (:name, :owner, clock_timestamp() + make_interval(secs => :lease_s))
ON CONFLICT (name) DO UPDATE
SET owner = excluded.owner, free_at = clock_timestamp() + make_interval(secs => :lease_s)
WHERE t.free_at <= clock_timestamp()
OR t.free_at > clock_timestamp() + make_interval(secs => :longest_s)
RETURNING name
"""
_WAIT = """
SELECT owner, extract(epoch FROM free_at - clock_timestamp())::float FROM turns WHERE name = ?
"""
_GIVE_BACK = """
UPDATE turns SET owner = '', free_at = clock_timestamp() + make_interval(secs => ?)
WHERE name = ? AND owner = ?
"""


class PostgresTurns:
    """The turns of one process among all that use the database. Each verb raises StoreError."""

    def __init__(self, connections: PostgresConnections, lease_s: float = LEASE_S) -> None:
        self._connections = connections
        self._lease_s = lease_s
        self._owner = f"{socket.gethostname()}-{secrets.token_hex(6)}"
        self._pauses: dict[str, float] = {}

    def take(self, name: str, pause_s: float) -> float:
        """0 where the turn is ours now, else the seconds after which to ask again.

        It is ours for its lease at most; the pause begins when it is given back.
        """
        asked = {
            "name": name,
            "owner": self._owner,
            "lease_s": self._lease_s,
            "longest_s": LEASE_S,
        }
        with self._connections.apart() as db:
            if db.execute(_TAKE, asked).fetchone():
                self._pauses[name] = pause_s
                return 0.0
            ((owner, rest_s),) = db.execute(_WAIT, (name,)).fetchall()
        wait_s = max(float(rest_s), 0.01)  # it may have come free between the two statements
        return min(LOOK_S, wait_s) if owner else wait_s

    def give_back(self, name: str) -> None:
        """The request is over; the next may begin after the pause."""
        with self._connections.apart() as db:
            db.execute(_GIVE_BACK, (self._pauses[name], name, self._owner))
