"""Processes that work for this one: what they do, and what becomes of it when they are killed."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection

import pytest

from digest.crew import Crew
from tests.waiting import nobody_beside, wait_for

HELD_UP_S = 60
"""After so long somebody waits for what will never come."""


@contextmanager
def alarm() -> Iterator[None]:
    """Fails where something is waited for in vain, instead of waiting with it."""

    def ring(*_: object) -> None:
        pytest.fail("waits for ever")

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(HELD_UP_S)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@pytest.fixture(autouse=True)
def _alarmed() -> Iterator[None]:
    with alarm():
        yield


def power(base: int) -> Callable[[int], int]:
    """What raises the base to a power."""
    return lambda exponent: base**exponent


def whoever(_: object) -> Callable[[object], int]:
    """What tells which process it runs in."""
    return lambda _: os.getpid()


def fatal(_: object) -> Callable[[str], bytes]:
    """What ends its process the way it is asked to, or gives 100 kB."""

    def work(how: str) -> bytes:
        if how == "while it works":
            os.kill(os.getpid(), signal.SIGKILL)
        if how == "in the midst of an answer":
            Connection._send = _first_half  # type: ignore[attr-defined]
        if how == "by a fault":
            raise ValueError(how)
        return bytes(100_000)

    return work


def _first_half(pipe: Connection, octets: bytes) -> None:
    """Write a part of what is to be written, and be killed."""
    os.write(pipe.fileno(), bytes(octets)[: max(1, len(octets) // 2)])
    os.kill(os.getpid(), signal.SIGKILL)


def stillborn(_: object) -> Callable[[object], int]:
    """What a process cannot begin with."""
    sys.exit(3)


def here() -> int:
    """Done in this process."""
    return -1


def test_each_job_is_done_once_beside_this_process() -> None:
    """More jobs than processes, and answers in the order in which they are asked for."""
    with Crew(2, power, 3) as crew:
        jobs = [crew.hand(exponent, here) for exponent in range(40)]
        assert [job.result() for job in jobs] == [3**exponent for exponent in range(40)]
    with Crew(2, whoever, None) as crew:
        pids = {job.result() for job in [crew.hand(None, here) for _ in range(40)]}
    assert os.getpid() not in pids
    assert 1 <= len(pids) <= 2


@pytest.mark.parametrize("how", ["while it works", "in the midst of an answer"])
def test_what_a_killed_process_held_is_done_here(how: str) -> None:
    """Nobody waits for the rest of an answer; one that had worked is replaced."""
    with Crew(1, fatal, None) as crew:
        assert crew.hand("", lambda: b"here").result() == bytes(100_000)
        assert crew.hand(how, lambda: b"here").result() == b"here"
        assert crew.hand("", lambda: b"here").result() == bytes(100_000)


def test_waiting_holds_up_nobody() -> None:
    """The loop goes on with other things."""

    async def both() -> tuple[int, bytes]:
        ticks = 0
        with Crew(1, fatal, None) as crew:
            first = asyncio.ensure_future(crew.hand("", lambda: b"here").wait())
            while not first.done():
                ticks += 1
                await asyncio.sleep(0.001)
            assert await first == bytes(100_000)
            return ticks, await crew.hand("while it works", lambda: b"here").wait()

    ticks, answer = asyncio.run(both())
    assert ticks > 1
    assert answer == b"here"


def test_a_fault_is_raised_here_as_it_is() -> None:
    """What the work raises there is done again here, and the process goes on."""

    def again() -> bytes:
        raise ValueError("as it is")

    with Crew(1, fatal, None) as crew:
        with pytest.raises(ValueError, match="as it is"):
            crew.hand("by a fault", again).result()
        assert crew.hand("by a fault", lambda: b"well").result() == b"well"
        (process,) = multiprocessing.active_children()
        assert crew.hand("", lambda: b"here").result() == bytes(100_000)
        assert multiprocessing.active_children() == [process]


def test_processes_that_cannot_begin_are_not_tried_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """All is done here; the log says it once, not for every job."""
    with Crew(1, stillborn, None) as crew:
        assert [crew.hand(number, here).result() for number in range(20)] == [-1] * 20
    assert sum("crew.lost" in record.message for record in caplog.records) == 1


@pytest.mark.parametrize("waits", [False, True])
def test_no_process_outlives_its_crew(*, waits: bool) -> None:
    """Also those that nobody asks for their answers."""
    with Crew(2, whoever, None, waits=waits) as crew:
        jobs = [crew.hand(None, here) for _ in range(8)]
        jobs[0].result()
        assert multiprocessing.active_children()
    nobody_beside()


BEGUN = """
from digest.crew import Crew
from tests.test_crew import whoever
import time
if __name__ == "__main__":
    with Crew(1, whoever, None) as crew:
        print(crew.hand(None, int).result(), flush=True)
        time.sleep(60)
"""


def test_no_process_outlives_the_one_it_works_for() -> None:
    """Killed, that one can tell nobody to end."""
    first = subprocess.Popen([sys.executable, "-c", BEGUN], stdout=subprocess.PIPE, text=True)
    with first:
        assert first.stdout
        pid = int(first.stdout.readline())
        os.kill(pid, 0)  # it is there
        first.kill()
    wait_for("the process to end with its first", lambda: not _runs(pid))


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:  # noqa: PTH123
        return stat.read().rpartition(")")[2].split()[0] != "Z"
