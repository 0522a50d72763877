"""The promise on several hosts, in the short form; the long one is `make soak-cluster`."""

from __future__ import annotations

import pytest

from tests.postgres.servers import programs_of_debian
from tests.soak.cluster import KINDS, ClusterAccount, soak
from tests.soak.hosts import why_not

TIMES = 2

RECIPIENTS = 600
"""More than the first worker takes before the others are there."""


@pytest.fixture(scope="module")
def account() -> ClusterAccount:
    """Six hundred recipients, four workers on two hosts, two things of each kind."""
    if reason := why_not():
        pytest.skip(reason)
    if not programs_of_debian():
        pytest.skip("no PostgreSQL of Debian's is installed (Debian package postgresql)")
    return soak(RECIPIENTS, 4, TIMES)


def test_nothing_is_lost_and_only_what_was_in_flight_comes_twice(account: ClusterAccount) -> None:
    """Every reader has one row, which ends; what came twice was begun by whom it befell."""
    assert not account.faults, account.table()


def test_all_of_it_befell_who_was_sending(account: ClusterAccount) -> None:
    """A test in which nothing is in flight would hold nothing."""
    assert account.kills == dict.fromkeys(KINDS, TIMES)
    assert account.excused > 0


def test_most_are_mailed(account: ClusterAccount) -> None:
    """Who does not exist is refused, who left meanwhile is not mailed."""
    assert account.states["sent"] > account.recipients * 0.9
    assert account.states["refused"] >= 1
