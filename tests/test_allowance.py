"""How mails are spread under limits, and connections among processes."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.allowance import HELD_S, Limit, Schedule, booked, parts

LIMITS = (Limit(1, 60), Limit(5, 3600), Limit(60, 60), Limit(600, 60), Limit(1000, 3600))


def fresh(*limits: Limit) -> Schedule:
    """A schedule by which nothing was sent."""
    return Schedule((0.0,) * len(limits), 0.0)


@pytest.mark.parametrize("limit", LIMITS, ids=str)
def test_q13_a_rate_is_kept_and_those_sent_away_come_back_one_by_one(limit: Limit) -> None:
    """All come at once; each returns when told to; no window holds more than it may."""
    schedule = fresh(limit)
    waiting = [(0.0, number) for number in range(3 * limit.mails)]
    sent: list[float] = []
    asked = 0
    while waiting:
        waiting.sort()
        now, number = waiting.pop(0)
        asked += 1
        schedule, got = booked([limit], schedule, now, 1, places=1)
        if got.mails:
            sent.append(now)
        else:
            waiting.append((now + got.again_s[0], number))
    assert len(sent) == 3 * limit.mails
    for first, last in zip(sent, sent[limit.mails :], strict=False):
        assert last - first > limit.seconds
    assert sent[-1] < 4 * limit.seconds
    assert asked <= 2 * len(sent)


@given(
    st.sampled_from(LIMITS),
    st.lists(st.tuples(st.floats(0, 200), st.integers(1, 40)), min_size=1, max_size=60),
)
def test_no_window_holds_more_whoever_asks_when_and_for_how_many(
    limit: Limit, asking: list[tuple[float, int]]
) -> None:
    """Even where the first permit is used at once and the others a second late."""
    schedule, now = fresh(limit), 0.0
    begun: list[float] = []
    for pause_s, mails in asking:
        now += pause_s * limit.seconds / 1000
        schedule, got = booked([limit], schedule, now, mails)
        assert got.mails <= mails
        begun += [now + HELD_S * 0.999 * (number % 2) for number in range(got.mails)]
    begun.sort()
    for first, last in zip(begun, begun[limit.mails :], strict=False):
        assert last - first > limit.seconds


def test_both_a_minute_and_an_hour_are_kept() -> None:
    """What the minute allows the hour may still refuse."""
    limits = [Limit(30, 60.0), Limit(60, 3600.0)]
    schedule = fresh(*limits)
    went = 0
    for second in range(3600):
        schedule, got = booked(limits, schedule, second)
        went += got.mails
    assert 54 <= went <= 60


def test_a_tenth_goes_at_once_and_the_rest_wait_in_line() -> None:
    """After a rest a hundred of a thousand; who is sent away gets a place of their own."""
    limit = Limit(1000, 3600)
    schedule, got = booked([limit], fresh(limit), 0, 500)
    assert got.mails == 100
    places: list[float] = []
    while len(places) < 100:
        schedule, got = booked([limit], schedule, 0, 1)
        assert not got.mails
        assert got.free_s == pytest.approx(limit.every_s)
        places += got.again_s
    assert places[0] == pytest.approx(limit.every_s)
    gaps = [later - earlier for earlier, later in pairwise(places)]
    assert gaps == pytest.approx([limit.every_s] * len(gaps))


@pytest.mark.parametrize(
    ("most", "wanted", "got"),
    [
        (10, [10], [10]),
        (10, [3], [3]),
        (10, [0, 10], [0, 10]),
        (10, [10, 10], [5, 5]),
        (10, [10, 2], [8, 2]),
        (10, [1, 10, 10], [1, 4, 5]),
        (5, [10, 10, 10], [1, 2, 2]),
        (2, [2, 2, 2], [0, 1, 1]),
        (2, [], []),
    ],
)
def test_each_gets_what_it_wants_or_as_much_as_the_others(
    most: int, wanted: list[int], got: list[int]
) -> None:
    """What some leave goes to those who want more, and nothing is left over."""
    assert parts(most, wanted) == got
