"""A worker as a process that is soon given up: `python victim.py hang|work|serve CONFIG [AHEAD]`.

With `hang` each step begins, says its name, and never ends, until the process is killed in their
midst. With `work` and `serve` it does what those commands do. All tick every two seconds, and the
queue gives up on each after four. Its machine's clock is so many seconds ahead.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from digest import cluster
from digest.app import App, database_of, open_app
from digest.cli.logs import log_events
from digest.cli.options import clock
from digest.clock import Clock
from digest.cluster import queue, timetable
from digest.config import load_config
from digest.machines import clock_of
from digest.serving import serve, work
from digest.ticks import Ticks

STEPS = ("ingest", "open", "deliver", "write", "tidy", "oversee")
"""What hangs; `open` is that of `prepare`."""


def never_ending(name: str) -> Callable[..., Awaitable[None]]:
    """A step that says that it has begun, and no more."""

    async def step(*_: Any) -> None:
        print(name, flush=True)  # noqa: T201 - what the test waits for
        await asyncio.Event().wait()

    return step


async def hang(app: App, clock: Clock) -> None:
    """Begin every step, that of tidying too, which comes every six hours."""
    address = str(database_of(app.config))
    table = cluster.Timetable(app, clock, asyncio.Event(), address, "victim")
    await table.start()
    table.hurry("tidy")
    await asyncio.Event().wait()


if __name__ == "__main__":
    log_events()
    queue.STALLED_S = 4
    vars(timetable).update(LOOK_S=1, INGEST_PATIENCE_S=1, TICK_S=2)
    queue.DEFAULTS.update({"update_heartbeat_interval": 0.5})
    if sys.argv[1] == "hang":
        for name in STEPS:
            setattr(Ticks, name, never_ending(name))
    if ahead := [float(one) for one in sys.argv[3:]]:
        true_time = time.time
        time.time = lambda: true_time() + ahead[0]
    act = {"hang": hang, "work": work, "serve": serve}[sys.argv[1]]
    with open_app(load_config(Path(sys.argv[2])), clock(), is_guest=act is not serve) as opened:
        wrong = lambda: clock() + timedelta(seconds=sum(ahead))  # noqa: E731 - of one line
        asyncio.run(act(opened, clock_of(opened.store, wrong)))
