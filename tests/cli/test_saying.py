"""What the commands print: numbers as a reader expects them."""

from __future__ import annotations

import pytest

from digest.cli.reasons import verdict
from digest.cli.saying import pointed


@pytest.mark.parametrize(
    ("points", "shown"),
    [(0.12, "+0.120"), (-0.12, "-0.120"), (0.0005, "+0.001"), (-0.0004, "0.000"), (0.0, "0.000"),
     (-0.0, "0.000")],
)  # fmt: skip
def test_points_have_a_sign_only_where_it_says_something(points: float, shown: str) -> None:
    """What rounds to nothing neither gains nor loses."""
    assert pointed(points) == shown


@pytest.mark.parametrize(
    ("score", "said"),
    [
        (0.25, "passes"),
        (0.2499, "just short of"),
        (0.246, "just short of"),
        (0.24, "0.01 short of"),
    ],
)
def test_a_score_is_never_0_00_short_of_the_floor(score: float, said: str) -> None:
    """What is missing is told in hundredths, or as hardly anything."""
    assert verdict(score, 0.25) == said
