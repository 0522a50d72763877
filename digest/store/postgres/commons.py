"""What all processes that send have in common, in tables of their database.

Quotas and probes are leases, so that those of a process that dies come back; what limits allow is a
schedule, so that nothing of it is anybody's. The clock is the database's.
"""

from __future__ import annotations

import secrets
import socket
from collections.abc import Mapping, Sequence
from zlib import crc32

from digest.allowance import Booked, Limit, News, Rest, Schedule, booked, parts
from digest.store.postgres.connection import PostgresConnections
from digest.store.postgres.migrations import OURS

LEASE_S = 15.0
"""Seconds for which a quota holds that was asked for."""

ROUND_S = 10.0
"""Seconds after which what cannot be parted evenly goes on to others."""

PROBE_S = 10.0
"""Seconds for which a process that asked keeps others from trying what has rested."""

_LINE = 0
"""Instead of a window: where the line ends, or when the next place of a rate is."""

# The clock is read by a statement of its own, when the lock is there.
_ALONE = f"SELECT pg_advisory_xact_lock({OURS + 1}, ?)"

_OTHERS = """
SELECT owner, granted, wanted, extract(epoch FROM clock_timestamp())::float8 FROM quotas
WHERE name = ? AND owner != ? AND until > clock_timestamp()
ORDER BY owner
"""
_QUOTA = """
INSERT INTO quotas (name, owner, granted, wanted, until)
VALUES (:name, :owner, :granted, :wanted, clock_timestamp() + make_interval(secs => :lease_s))
ON CONFLICT (name, owner) DO UPDATE
SET granted = excluded.granted, wanted = excluded.wanted, until = excluded.until
"""
_GIVE_BACK = "DELETE FROM quotas WHERE owner = ? OR until < clock_timestamp() - interval '1 hour'"
_PLACE = """
INSERT INTO rates AS r (name, window_s, at)
VALUES (:name, 0, extract(epoch FROM clock_timestamp()) + :took_s)
ON CONFLICT (name, window_s) DO UPDATE
SET at = greatest(r.at, extract(epoch FROM clock_timestamp())) + :took_s
RETURNING greatest(0, r.at - :took_s - extract(epoch FROM clock_timestamp()))
"""
_SCHEDULE = """
SELECT window_s, at, extract(epoch FROM clock_timestamp())::float8 FROM rates WHERE name = ?
UNION ALL SELECT -1, 0, extract(epoch FROM clock_timestamp())::float8
"""
_BOOK = """
INSERT INTO rates (name, window_s, at) VALUES (?, ?, ?)
ON CONFLICT (name, window_s) DO UPDATE SET at = excluded.at
"""
_REST = """
INSERT INTO rests AS r (name, rests, until, reply, prober, probe_until)
VALUES (:name, :rests, clock_timestamp() + make_interval(secs => :rest_s), :reply, '',
    clock_timestamp())
ON CONFLICT (name) DO UPDATE SET rests = greatest(r.rests, excluded.rests),
    until = greatest(r.until, excluded.until), reply = excluded.reply, prober = ''
"""
_FORGET = "DELETE FROM rests WHERE name = ? OR until < clock_timestamp() - interval '1 day'"
_RESTS = """
SELECT name, rests, greatest(0, extract(epoch FROM until - clock_timestamp()))::float8, reply
FROM rests
"""
_PROBE = """
UPDATE rests SET prober = :owner,
    probe_until = clock_timestamp() + make_interval(secs => :probe_s)
WHERE name = :name AND until <= clock_timestamp()
AND (prober IN ('', :owner) OR probe_until <= clock_timestamp())
"""


class PostgresCommons:
    """The part of one process; see `Commons` of the mailer. Each verb raises StoreError."""

    is_shared = True

    def __init__(
        self,
        connections: PostgresConnections,
        *,
        lease_s: float = LEASE_S,
        probe_s: float = PROBE_S,
    ) -> None:
        self.lease_s = lease_s
        self._connections = connections
        self._probe_s = probe_s
        self._owner = f"{socket.gethostname()}-{secrets.token_hex(6)}"

    def quota(self, name: str, most: int, held: int, wanted: int) -> int:
        """How many of `most` this process may hold now; `held` are taken to be held till then."""
        with self._connections.apart() as db:
            db.execute(_ALONE, (_number(name),))
            others = db.execute(_OTHERS, (name, self._owner)).fetchall()
            part = _part(most, self._owner, wanted, others)
            free = most - sum(int(other) for _, other, *_ in others)
            granted = max(0, min(part, free))
            if held or wanted:
                row = {"name": name, "owner": self._owner, "lease_s": self.lease_s}
                db.execute(_QUOTA, row | {"granted": max(held, granted), "wanted": wanted})
            else:
                db.execute("DELETE FROM quotas WHERE name = ? AND owner = ?", (name, self._owner))
        return granted

    def book(self, name: str, limits: Sequence[Limit], mails: int) -> Booked:
        """Up to so many mails under all these limits, or places in the line."""
        with self._connections.apart() as db:
            db.execute(_ALONE, (_number(name),))
            rows = db.execute(_SCHEDULE, (name,)).fetchall()
            now, known = rows[0][2], {window_s: at for window_s, at, _ in rows}
            # So far ahead a schedule never is, unless the server's clock was set back.
            moments = [(known.get(limit.seconds, now), now + 2 * limit.seconds) for limit in limits]
            next_at = tuple(at if at <= latest else now for at, latest in moments)
            longest_s = max(limit.seconds for limit in limits)
            line_at = known.get(_LINE, now)
            schedule = Schedule(next_at, line_at if line_at <= now + 24 * longest_s else now)
            schedule, got = booked(limits, schedule, now, mails)
            kept = (
                [(name, _LINE, schedule.line_at)]
                if got.again_s
                else [
                    (name, limit.seconds, at)
                    for limit, at in zip(limits, schedule.next_at, strict=True)
                ]
            )
            db.executemany(_BOOK, kept)
        return got

    def place(self, name: str, rate_per_s: float, mails: int) -> float:
        """Seconds until the first of so many mails, which then follow at that rate."""
        with self._connections.apart() as db:
            ((wait_s,),) = db.execute(
                _PLACE, {"name": name, "took_s": mails / rate_per_s}
            ).fetchall()
        return float(wait_s)

    def rests(self, news: Sequence[News]) -> Mapping[str, Rest]:
        """Write down who rests and who no longer does; everyone who has not gone well since."""
        if not news:
            return _rests(self._connections.rows(_RESTS))
        with self._connections.apart() as db:
            for name, rest in news:
                if rest:
                    told = {"rests": rest.rests, "rest_s": rest.rest_s, "reply": rest.reply}
                    db.execute(_REST, {"name": name, **told})
                else:
                    db.execute(_FORGET, (name,))
            return _rests(db.execute(_RESTS).fetchall())

    def probe(self, name: str) -> bool:
        """Whether this process is the one that tries it now, and for the next seconds."""
        asked = {"name": name, "owner": self._owner, "probe_s": self._probe_s}
        with self._connections.apart() as db:
            return bool(db.execute(_PROBE, asked).rowcount)

    def leave(self) -> None:
        """Give back whatever this process holds."""
        with self._connections.apart() as db:
            db.execute(_GIVE_BACK, (self._owner,))
            db.execute("UPDATE rests SET prober = '' WHERE prober = ?", (self._owner,))


def _part(most: int, owner: str, wanted: int, others: Sequence[tuple[str, int, int, float]]) -> int:
    """What of `most` is this process's part; what cannot be parted evenly goes round among all."""
    if not others:
        return min(most, wanted)
    wants = sorted([(owner, wanted), *((other, want) for other, _, want, _ in others)])
    first = int(others[0][3] / ROUND_S) % len(wants)
    turned = wants[first:] + wants[:first]
    given = parts(most, [want for _, want in turned])
    return given[turned.index((owner, wanted))]


def _rests(rows: Sequence[tuple[str, int, float, str]]) -> Mapping[str, Rest]:
    return {name: Rest(rests, rest_s, reply) for name, rests, rest_s, reply in rows}


def _number(name: str) -> int:
    """The number by which an advisory lock knows a name, of 32 bits."""
    return crc32(name.encode()) - (1 << 31)
