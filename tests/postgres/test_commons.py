"""What processes that send have in common: none goes beyond it, and who dies gives it back."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import chain, pairwise
from pathlib import Path
from typing import TypeVar

import psycopg
import pytest

from digest.allowance import Limit, Rest
from digest.mailer import Alone, Commons
from digest.store.postgres.commons import PostgresCommons
from digest.store.postgres.store import PostgresStore
from tests.postgres.database import opened
from tests.postgres.servers import KINDS

PROCESSES = 8
RELAY = "relay ours@smtp.example.org:587"
T = TypeVar("T")


def processes(store: PostgresStore, count: int = PROCESSES) -> list[PostgresCommons]:
    """The parts of so many processes; leases are short, so that nobody waits for long."""
    return [PostgresCommons(store, lease_s=1.5, probe_s=0.5) for _ in range(count)]


def at_once(all_of: list[PostgresCommons], does: Callable[[PostgresCommons], T]) -> list[T]:
    """What each comes to, all at the same time."""
    with ThreadPoolExecutor(len(all_of)) as threads:
        return list(threads.map(does, all_of))


@pytest.fixture(params=["alone", *KINDS])
def commons(
    request: pytest.FixtureRequest, tmp_path: Path, databases: Callable[[str], str]
) -> Iterator[Commons]:
    """Those of a process alone, and of one of many on a database of each kind."""
    if request.param == "alone":
        yield Alone()
        return
    store = opened(databases(request.param), tmp_path)
    yield PostgresCommons(store)
    store.close_store()


def test_one_process_has_all_of_either_kind(commons: Commons) -> None:
    """What is promised of a process alone holds for one of many when no other is about."""
    assert commons.quota(RELAY, 5, 0, 5) == 5
    limits = [Limit(50, 60.0)]
    got = sum(commons.book("receiver google", limits, 10).mails for _ in range(50))
    assert got == 5
    sent_away = commons.book("receiver google", limits, 10)
    assert not sent_away.mails
    assert sent_away.again_s[0] > 1
    assert commons.place(RELAY, 0.1, 2) < 0.1
    assert 10 < commons.place(RELAY, 0.1, 1) <= 20
    commons.leave()


def test_shares_never_come_to_more_than_there_is(postgres: PostgresStore) -> None:
    """Eight that want and hold by chance: in sum never over the limit, at no moment."""
    most, seen = 10, list[int]()

    def live(one: PostgresCommons) -> None:
        chance, size = random.Random(one._owner), 0  # noqa: S311 - of no consequence
        for _ in range(25):
            held = chance.randint(0, size)
            size = one.quota(RELAY, most, max(held, size), chance.choice((0, 3, most)))
            ((granted,),) = postgres.rows("SELECT coalesce(sum(granted), 0) FROM quotas")
            seen.append(granted)

    at_once(processes(postgres), live)
    assert max(seen) <= most
    assert max(seen) > most / 2


def test_the_share_of_who_dies_comes_back(postgres: PostgresStore) -> None:
    """When its lease has ended; who leaves in order gives it back at once."""
    dead, leaver, other = processes(postgres, 3)
    assert dead.quota(RELAY, 6, 0, 6) == 6
    assert leaver.quota(RELAY, 6, 0, 6) == 0
    while other.quota(RELAY, 6, 0, 6) == 0:
        leaver.quota(RELAY, 6, 0, 6)
        time.sleep(0.1)
    leaver.leave()
    assert other.quota(RELAY, 6, 3, 6) == 6
    other.leave()
    assert postgres.rows("SELECT granted FROM quotas WHERE until > clock_timestamp()") == []


def test_what_cannot_be_parted_evenly_goes_round(
    postgres: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of three that want the one connection each has it in its turn, for as long as the others."""
    monkeypatch.setattr("digest.store.postgres.commons.ROUND_S", 0.3)
    three = processes(postgres, 3)
    had: Counter[int] = Counter()
    for _ in range(1000):
        sizes = [one.quota(RELAY, 1, 0, 1) for one in three]
        assert sum(sizes) <= 1
        had.update(number for number, size in enumerate(sizes) if size)
        if len(had) == 3:
            return
        time.sleep(0.02)
    pytest.fail(f"only {set(had)} had it")


def test_permits_of_all_are_within_the_limit(postgres: PostgresStore) -> None:
    """Eight that ask for as much as they can get: a window of a second and no more."""
    limit, got = Limit(40, 2.0), list[float]()

    def ask(one: PostgresCommons) -> None:
        until = time.monotonic() + 5
        while time.monotonic() < until:
            booked = one.book("receiver google", [limit], 7)
            got.extend([time.monotonic()] * booked.mails)
            time.sleep(min(0.2, booked.free_s))

    at_once(processes(postgres), ask)
    got.sort()
    for first, last in zip(got, got[limit.mails :], strict=False):
        assert last - first > limit.seconds
    assert len(got) > limit.mails


def test_places_follow_each_other_at_the_rate(postgres: PostgresStore) -> None:
    """Whoever asks, for however many."""
    begun = time.monotonic()

    def reserve(one: PostgresCommons) -> list[float]:
        first_s = one.place(RELAY, 10.0, 3) + time.monotonic() - begun
        return [first_s + 0.1 * number for number in range(3)]

    moments = sorted(chain.from_iterable(at_once(processes(postgres), reserve)))
    assert len(moments) == 3 * PROCESSES
    assert moments[-1] >= (3 * PROCESSES - 1) / 10
    assert min(later - earlier for earlier, later in pairwise(moments)) > -1e-6


def test_q14_who_rests_is_known_to_all_and_tried_by_one(postgres: PostgresStore) -> None:
    """While it rests by none, then by one; when that dies by another; when it goes well by all."""
    one, two, three = processes(postgres, 3)
    assert one.rests([(RELAY, Rest(1, 0.3, "421 away"))])[RELAY].rests == 1
    told = two.rests([])[RELAY]
    assert (told.rests, told.reply) == (1, "421 away")
    assert 0 < told.rest_s <= 0.3
    assert not two.probe(RELAY)
    time.sleep(0.3)
    assert two.rests([])[RELAY].rest_s == 0
    assert sum(at_once([one, two, three], lambda any_one: any_one.probe(RELAY))) == 1
    while not one.probe(RELAY):  # unless it is the one already, when the other's time is over
        time.sleep(0.1)
    assert one.probe(RELAY)
    assert not two.probe(RELAY)
    assert two.rests([(RELAY, None)]) == {}
    assert one.rests([]) == {}
    assert not one.probe(RELAY)


def test_troubles_of_several_at_the_same_moment_are_one_rest(postgres: PostgresStore) -> None:
    """They add nothing up: the longest counts. A failed probe makes the next rest."""
    all_of = processes(postgres)
    at_once(all_of, lambda one: one.rests([(RELAY, Rest(1, 20 + hash(one) % 5, "421"))]))
    first = all_of[0].rests([])[RELAY]
    assert first.rests == 1
    assert first.rest_s > 19
    assert all_of[1].rests([(RELAY, Rest(2, 60, "421 still"))])[RELAY].rests == 2
    assert all_of[2].rests([])[RELAY].rest_s > 55


def test_a_prober_that_leaves_lets_another_try(postgres: PostgresStore) -> None:
    """At once."""
    one, two = (PostgresCommons(postgres) for _ in range(2))
    one.rests([(RELAY, Rest(1, 0, "421"))])
    assert one.probe(RELAY)
    assert not two.probe(RELAY)
    one.leave()
    assert two.probe(RELAY)


def test_what_was_written_by_a_clock_ahead_holds_up_nobody(
    postgres: PostgresStore, database: str
) -> None:
    """A schedule that would go on in a year begins anew."""
    (one,) = processes(postgres, 1)
    limit = Limit(1, 60.0)
    assert one.book("receiver google", [limit], 1).mails == 1
    assert one.book("receiver google", [limit], 1).mails == 0
    with psycopg.connect(database) as connection:
        connection.execute("UPDATE rates SET at = at + 31536000 WHERE window_s > 0")
    assert one.book("receiver google", [limit], 1).mails == 1
