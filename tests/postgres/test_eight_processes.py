"""Eight processes send at a time by one service's limits, and the mail server counts."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from digest.allowance import Limit
from digest.store.postgres.store import PostgresStore
from tests.e2e.service import beside
from tests.smtp_server import MailServer, Taken, mail_server

PROCESSES = 8
MAILS = 15  # of each process to either receiver
CONNECTIONS = 5
UNDER_WAY = 2
PER_MINUTE = 600
LEASE_S = 3


@contextmanager
def sending(database: str, server: MailServer) -> Iterator[list[subprocess.Popen[str]]]:
    """So many processes that have begun to send, each with people of its own."""
    google = {"name": "google", "connections": UNDER_WAY, "per_minute": PER_MINUTE}
    begun = []
    for process in range(PROCESSES):
        domains = ("gmail.com", "example.org")
        people = [f"{process}.{number}@{one}" for number in range(MAILS) for one in domains]
        task = {
            "port": server.port,
            "connections": CONNECTIONS,
            "providers": [google],
            "people": people,
            "lease_s": LEASE_S,
        }
        begun.append(
            subprocess.Popen(
                [sys.executable, "-m", "tests.postgres.sender", database, json.dumps(task)],
                stdout=subprocess.PIPE,
                text=True,
            )
        )
    try:
        yield begun
    finally:
        for process_begun in begun:
            process_begun.kill()
            process_begun.communicate()


def to_google(taken: Sequence[Taken]) -> list[Taken]:
    """The mails to google, in the order in which they began."""
    mails = [mail for mail in taken if mail.recipients[0].endswith("@gmail.com")]
    return sorted(mails, key=lambda mail: mail.begun_at)


def under_way(mails: Sequence[Taken]) -> int:
    """How many of these were under way at once, at most."""
    moments = [mail.begun_at for mail in mails]
    return max(sum(one.begun_at <= at < one.ended_at for one in mails) for at in moments)


def assert_spread(mails: Sequence[Taken], limit: Limit) -> None:
    """No stretch of time holds more than may begin at once and what follows at the rate.

    By that none of `limit.seconds` holds more than `limit.mails`; and a mail that has begun may
    wait for one of the connections.
    """
    begun = [mail.begun_at for mail in mails]
    for place, first in enumerate(begun):
        for number, at in enumerate(begun[place:], start=1):
            late = UNDER_WAY + (at - first + 1) / limit.every_s
            assert number <= limit.at_once + late


def test_q13_the_server_sees_the_limits_of_one_service(
    postgres: PostgresStore, database: str
) -> None:
    """Connections at once, mails under way to a receiver, mails in any stretch of time."""
    with beside(mail_server()) as server, sending(database, server) as processes:
        for process in processes:
            assert process.wait(200) == 0
    counts = Counter(mail.recipients[0] for mail in server.taken)
    assert set(counts.values()) == {1}
    assert len(counts) == 2 * MAILS * PROCESSES
    assert 1 < server.most_at_once <= CONNECTIONS
    google = to_google(server.taken)
    assert under_way(google) <= UNDER_WAY
    assert_spread(google, Limit(PER_MINUTE, 60.0))
    assert postgres.rows("SELECT count(*) FROM quotas") == [(0,)]


def test_q13_what_a_killed_process_had_comes_back(postgres: PostgresStore, database: str) -> None:
    """Seven of eight are killed in the midst of sending; the last one gets all connections."""
    with beside(mail_server()) as server, sending(database, server) as processes:
        for process in processes:
            assert process.stdout
            assert process.stdout.readline() == "sending\n"
        for process in processes[1:]:
            process.kill()
        assert processes[0].wait(200) == 0
    counts = Counter(mail.recipients[0] for mail in server.taken)
    assert sum(who.startswith("0.") for who in counts) == 2 * MAILS
    assert server.most_at_once <= CONNECTIONS
    left = postgres.rows("SELECT count(*) FROM quotas WHERE until > clock_timestamp()")
    assert left == [(0,)]
