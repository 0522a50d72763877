"""Turns of one machine and of all machines: what is promised of the one holds for the other."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import psycopg
import pytest

from digest.fetcher import LocalTurns, Pace, Turns
from digest.fetcher.pace import TurnError
from digest.store.postgres.store import PostgresStore
from digest.store.postgres.turns import PostgresTurns
from tests.postgres.database import opened
from tests.postgres.servers import KINDS

MACHINES = 5
PAUSE_S = 0.2
ARXIV = "arxiv.org"

Another = Callable[[], Turns]
"""Makes the turns of one more process; all of them hang together."""

LOCAL = """
from pathlib import Path
from digest.fetcher import LocalTurns
turns = LocalTurns(stamp_file=Path({place!r}))
"""
SHARED = """
from pathlib import Path
from digest.store.postgres.store import PostgresStore
from digest.store.postgres.turns import PostgresTurns
turns = PostgresTurns(PostgresStore({place!r}, Path("digest")), lease_s=1)
"""
HOLD = """
import time
assert turns.take("arxiv.org", 0.2) == 0
print("held", flush=True)
time.sleep(60)
"""


@pytest.fixture(params=["local", *KINDS])
def another(
    request: pytest.FixtureRequest, tmp_path: Path, databases: Callable[[str], str]
) -> Iterator[Another]:
    """Turns of one machine's processes, and of processes on a database of each kind."""
    if request.param == "local":
        yield lambda: LocalTurns(stamp_file=tmp_path / "arxiv.stamp")
        return
    store = opened(databases(request.param), tmp_path)
    yield lambda: PostgresTurns(store, lease_s=20)
    store.close_store()


def wait_for(turns: Turns, name: str = ARXIV) -> None:
    """Have the turn in the end."""
    for _ in range(1000):
        if not (wait_s := turns.take(name, PAUSE_S)):
            return
        assert wait_s <= 1
        time.sleep(wait_s)
    pytest.fail("the turn was never free")


def test_s9_one_has_the_turn_and_others_wait_for_the_pause_as_well(another: Another) -> None:
    """They look again while it is held, and then wait for what is left of the pause."""
    one, two = another(), another()
    began = time.monotonic()
    wait_for(one)
    assert 0 < two.take(ARXIV, PAUSE_S) <= 1
    one.give_back(ARXIV)
    wait_for(two)
    assert time.monotonic() - began >= PAUSE_S
    assert one.take(ARXIV, PAUSE_S) > 0
    two.give_back(ARXIV)


def test_turns_of_other_names_are_free(another: Another) -> None:
    """One host that is slow holds up no other."""
    one = another()
    for name in (ARXIV, "a.example.org", "b.example.org"):
        assert one.take(name, 60) == 0
    for name in (ARXIV, "a.example.org", "b.example.org"):
        one.give_back(name)


def test_s9_of_many_at_once_one_asks_at_a_time(another: Another) -> None:
    """Never two requests in flight, and never two that begin within the pause."""
    spans: list[tuple[float, float]] = []

    def ask_thrice(turns: Turns) -> None:
        for _ in range(3):
            wait_for(turns)
            began = time.monotonic()
            time.sleep(0.05)
            spans.append((began, time.monotonic()))
            turns.give_back(ARXIV)

    with ThreadPoolExecutor(MACHINES) as threads:
        list(threads.map(ask_thrice, [another() for _ in range(MACHINES)]))
    spans.sort()
    assert len(spans) == 3 * MACHINES
    for (began, ended), (next_began, _) in pairwise(spans):
        assert ended <= next_began
        assert next_began - began >= PAUSE_S * 0.95  # between the clock read there and here


def test_s9_who_is_killed_on_one_machine_holds_nobody_up(tmp_path: Path) -> None:
    """The turn of a killed process is free at once."""
    stamp = tmp_path / "arxiv.stamp"
    killed_in_turn(LOCAL.format(place=str(stamp)), LocalTurns(stamp_file=stamp))


def test_s9_who_is_killed_on_another_machine_holds_nobody_up_for_long(
    postgres: PostgresStore, database: str
) -> None:
    """The turn of a killed process is free when its lease ends."""
    killed_in_turn(SHARED.format(place=database), PostgresTurns(postgres))


def killed_in_turn(code: str, turns: Turns) -> None:
    """A process that has the turn is killed, and then others have it."""
    held = subprocess.Popen([sys.executable, "-c", code + HOLD], stdout=subprocess.PIPE, text=True)
    with held:
        assert held.stdout
        assert held.stdout.readline() == "held\n"
        assert turns.take(ARXIV, PAUSE_S) > 0
        held.kill()
    wait_for(turns)
    turns.give_back(ARXIV)


def test_what_a_clock_ahead_has_written_holds_nobody_up(
    postgres: PostgresStore, database: str
) -> None:
    """A turn that would be free in a year was written before the server's clock was put right."""
    turns = PostgresTurns(postgres)
    wait_for(turns)
    with psycopg.connect(database) as connection:
        connection.execute("UPDATE turns SET free_at = free_at + interval '1 year'")
    assert PostgresTurns(postgres).take(ARXIV, PAUSE_S) == 0


def test_who_comes_back_too_late_gives_nobody_elses_turn_back(postgres: PostgresStore) -> None:
    """A process that was stopped for longer than its lease finds that another has the turn."""
    late, prompt = PostgresTurns(postgres, lease_s=0.1), PostgresTurns(postgres)
    wait_for(late)
    time.sleep(0.1)
    wait_for(prompt)
    late.give_back(ARXIV)
    assert late.take(ARXIV, PAUSE_S) > 0
    prompt.give_back(ARXIV)


def test_a_database_that_is_gone_costs_the_turn_and_not_what_was_fetched(
    database: str, tmp_path: Path
) -> None:
    """A request that is over is good; the next is put off, and says why."""

    async def run() -> None:
        store = PostgresStore(database, tmp_path / "gone")
        pace = Pace(PostgresTurns(store))
        async with pace.turn("feeds.example.org"):
            store.close_store()
        with pytest.raises(TurnError, match="no turn to ask feeds"):
            async with pace.turn("feeds.example.org"):
                pass

    asyncio.run(run())
