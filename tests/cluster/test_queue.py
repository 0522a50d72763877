"""The lines of cron that say how often a step comes."""

from __future__ import annotations

from itertools import pairwise

import pytest
from croniter import croniter

from digest.cluster.queue import cron

START = 1_795_000_000 // 86_400 * 86_400


@pytest.mark.parametrize(
    ("asked_s", "given_s"),
    [
        *[(5, 5), (7, 6), (30, 30), (59, 30), (60, 60), (90, 60), (300, 300), (420, 360)],
        *[(3_599, 1_800), (3_600, 3_600), (6 * 3_600, 6 * 3_600), (18_000, 14_400)],
        *[(86_399, 43_200), (86_400, 86_400)],
    ],
)
def test_a_step_comes_in_even_intervals(asked_s: int, given_s: int) -> None:
    """As often as asked for, or a little more often where that goes into no minute, hour, day."""
    line = croniter(cron(asked_s), START)
    times = [START, *(line.get_next(float) for _ in range(30))]
    assert {after - before for before, after in pairwise(times)} == {given_s}
