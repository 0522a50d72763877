"""The service as a process that can be told where to die: `prepare`, then `deliver`.

`python -m tests.soak.service FOLDER NOW POINT PASSES`: at the named point, after so many passes,
the process kills itself with SIGKILL. The points on the server's side are the server's business.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from digest import jobs
from digest.app import open_app
from digest.config import load_config
from digest.mailer import Envelope, Mailer, Permit, Session
from digest.model import Digest, Frame, Outcome
from digest.serving import stop_signal
from digest.store import Lease, Tried
from digest.store.connection import Part
from digest.store.freeze import Frozen
from digest.store.sqlite import SqliteStore

OURS = (
    "after the snapshot",
    "inside the transaction",
    "after a row was begun",
    "after the reply",
    "after the commit",
)
"""The points that lie on this side of the wire."""


@dataclass
class Fate:
    """Where this process dies, and how often it passes that point before."""

    point: str
    passes: int

    def pass_by(self, point: str) -> None:
        """Die here if this is the place."""
        if point != self.point:
            return
        if not self.passes:
            os.kill(os.getpid(), signal.SIGKILL)
        self.passes -= 1


class MortalStore(SqliteStore):
    """The store, with the points at which it may be left."""

    def __init__(self, path: Path, fate: Fate) -> None:
        self.fate = fate
        self._turning = False
        super().__init__(path)

    @contextmanager
    def writing(self, part: Part = Part.ALL) -> Iterator[sqlite3.Connection]:
        """A transaction; all of it is written but its end."""
        with super().writing(part) as db:
            yield db
            if self._turning:
                self.fate.pass_by("inside the transaction")

    def open_deliveries(
        self, frame: Frame, digests: Sequence[Digest | Frozen], now: datetime
    ) -> int:
        """The same."""
        opened = super().open_deliveries(frame, digests, now)
        self.fate.pass_by("after the snapshot")
        return opened

    def turn(
        self, tried: Sequence[Tried], begun: Sequence[Lease], now: datetime, lease_s: float
    ) -> frozenset[int]:
        """The same; only the clerk's thread comes here."""
        self._turning = True
        held = super().turn(tried, begun, now, lease_s)
        self._turning = False
        if begun:
            self.fate.pass_by("after a row was begun")
        if tried:
            self.fate.pass_by("after the commit")
        return held


@dataclass
class MortalMailer:
    """The mailer, whose replies may be the last thing that is seen."""

    mailer: Mailer
    fate: Fate
    workers: int

    @property
    def room(self) -> int:
        """The same."""
        return self.mailer.room

    @property
    def rest_s(self) -> float:
        """The same."""
        return self.mailer.rest_s

    @asynccontextmanager
    async def session(self) -> AsyncIterator[Session]:
        """A session of the mailer."""
        async with self.mailer.session() as session:
            yield MortalSession(session, self.fate)


@dataclass
class MortalSession:
    """One session."""

    session: Session
    fate: Fate

    async def send(self, envelope: Envelope, permit: Permit) -> Outcome:
        """The same."""
        outcome = await self.session.send(envelope, permit)
        self.fate.pass_by("after the reply")
        return outcome


async def run(folder: Path, now: datetime, fate: Fate) -> None:
    """Prepare and deliver once, as `digest send` does, at a time that goes on from `now`."""
    config, started = load_config(folder / "config.toml"), datetime.now(UTC)
    with open_app(config, now) as app:
        app.store.close_store()
        store = MortalStore(folder / config.service.data, fate)
        mortal = replace(
            app, store=store, mailer=MortalMailer(app.mailer, fate, app.mailer.workers)
        )
        stop = stop_signal()
        jobs.prepare(mortal, now)
        await jobs.deliver(
            mortal, lambda: now + (datetime.now(UTC) - started), stopping=stop.is_set
        )


def main() -> None:
    """Run as the arguments say."""
    folder, now, point, passes = sys.argv[1:]
    asyncio.run(run(Path(folder), datetime.fromisoformat(now), Fate(point, int(passes))))


if __name__ == "__main__":
    main()
