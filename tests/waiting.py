"""What a test waits for on a machine that may be busy, and the processes beside it."""

from __future__ import annotations

import asyncio
import multiprocessing
import time
from collections.abc import Callable

import pytest

WAIT_S = 60
"""How long anything may take on a busy machine; what is waited for usually takes a second."""

LOOK_EVERY_S = 0.05


def wait_for(
    what: str,
    holds: Callable[[], object],
    told: Callable[[], object] = lambda: "",
    *,
    within_s: float = WAIT_S,
) -> None:
    """Wait until something holds; fails after so long, with what `told` says of it."""
    end = time.monotonic() + within_s
    while not holds():
        if time.monotonic() > end:
            pytest.fail(f"waited {within_s:g} s for {what}\n{told()}")
        time.sleep(LOOK_EVERY_S)


async def see(what: str, holds: Callable[[], object]) -> None:
    """The same while the loop goes on; `holds` is asked in another thread."""
    await asyncio.to_thread(wait_for, what, holds)


def kill_beside() -> list[int | None]:
    """Kill the processes that work beside this one; returns which."""
    killed = []
    for process in multiprocessing.active_children():
        killed.append(process.pid)
        process.kill()
        process.join()
    return killed


def nobody_beside() -> None:
    """Wait until no process works beside this one any more."""
    wait_for("the processes to end", lambda: not multiprocessing.active_children())
