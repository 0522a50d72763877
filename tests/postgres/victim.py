"""A worker as a process that is soon given up: `python victim.py hang|work CONFIG`.

With `hang` each step begins, says its name, and never ends, until the process is killed in their
midst. With `work` it does what any worker does. Both tick every two seconds, and the queue gives up
on either after four.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from digest import cluster
from digest.app import database_of, open_app
from digest.cli.logs import log_events
from digest.cli.options import clock
from digest.cluster import queue, timetable
from digest.config import load_config
from digest.serving import stop_signal
from digest.ticks import Ticks

STEPS = ("ingest", "open", "deliver", "write", "tidy", "oversee")
"""What hangs; `open` is that of `prepare`."""


def never_ending(name: str) -> Callable[..., Awaitable[None]]:
    """A step that says that it has begun, and no more."""

    async def step(*_: Any) -> None:
        print(name, flush=True)  # noqa: T201 - what the test waits for
        await asyncio.Event().wait()

    return step


async def run(config: Path) -> None:
    """One worker, whose rows are tidied at once."""
    with open_app(load_config(config), clock(), is_guest=True) as app:
        stop, address = stop_signal(), str(database_of(app.config))
        table = cluster.Timetable(app, clock, stop, address, "victim")
        await table.start()
        if sys.argv[1] == "hang":
            table.hurry("tidy")
        await stop.wait()
        await table.stop()


if __name__ == "__main__":
    log_events()
    queue.STALLED_S = 4
    vars(timetable).update(LOOK_S=1, INGEST_PATIENCE_S=1, TICK_S=2)
    queue.DEFAULTS.update({"update_heartbeat_interval": 0.5})
    if sys.argv[1] == "hang":
        for name in STEPS:
            setattr(Ticks, name, never_ending(name))
    asyncio.run(run(Path(sys.argv[2])))
