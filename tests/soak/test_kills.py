"""The promise under kills, in the short form; the long one is `make soak`."""

from __future__ import annotations

import pytest

from tests.soak.account import Account
from tests.soak.soak import POINTS, soak


@pytest.fixture(scope="module")
def account() -> Account:
    """Four hundred recipients, one kill at each point."""
    return soak(400, 1)


def test_q4_nothing_is_lost_and_only_what_was_in_flight_comes_twice(account: Account) -> None:
    """Every row ends, every sent mail arrived, a repeated one has the same id and bytes."""
    assert not account.faults


def test_q4_the_service_was_killed_at_every_point(account: Account) -> None:
    """A test of kills that killed nothing would hold nothing."""
    assert set(account.kills) == set(POINTS)


def test_q9_moods_of_the_server_end_as_they_should(account: Account) -> None:
    """Most are sent; who does not exist is refused; nobody else is."""
    assert account.states["sent"] > account.recipients * 0.9
    assert account.states["refused"] >= 1
