"""How failures add up, on a calendar of the test's own; what a refusal says of an address."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from digest.bounces import LIMIT, Severity, is_flood, of_refusal, points

DAY = date(2026, 11, 20)


def days(*ago: int) -> list[date]:
    """The days so many days ago."""
    return [DAY - timedelta(days=number) for number in ago]


@pytest.mark.parametrize(
    ("ago", "expected"),
    [
        ((), 0),
        ((0,), 1),
        ((0, 0, 0), 1),
        ((0, 1, 2, 3), 4),
        ((0, 1, 2, 3, 4), 5),
        ((0, 7, 14, 21, 28), 5),
        ((0, 8, 9, 10, 11), 1),
        ((0, 1, 9, 10, 11), 2),
    ],
)
def test_n3_points_are_one_a_day_and_fade(ago: tuple[int, ...], expected: int) -> None:
    """Twice on a day counts once; a gap of more than seven days begins anew."""
    assert points(days(*ago)) == expected


def test_n3_five_points_are_the_limit() -> None:
    """The number that the guide tells operators."""
    assert LIMIT == 5


@pytest.mark.parametrize(
    ("code", "reply", "severity"),
    [
        (550, "550 5.1.1 no such user", Severity.HARD),
        (553, "553 5.1.3 bad address", Severity.HARD),
        (550, "550 no such user here", Severity.SOFT),
        (550, "550 5.2.1 mailbox disabled", Severity.SOFT),
        (550, "550 5.4.1 no answer", Severity.SOFT),
        (550, "550 this looks like spam", Severity.POLICY),
        (554, "554 transaction failed", Severity.POLICY),
        (552, "552 5.3.4 message too big", Severity.POLICY),
        (554, "554 5.6.0 cannot convert", Severity.POLICY),
        (0, "not written: the domain takes no mail", Severity.POLICY),
    ],
)
def test_q11_a_refusal_blames_an_address_only_by_its_codes(
    code: int, reply: str, severity: Severity
) -> None:
    """5.1.1 and its like are hard, other words about the mailbox soft, the rest blames nobody."""
    assert of_refusal(code, reply) is severity


@pytest.mark.parametrize(
    ("failed", "mailed", "flood"),
    [(9, 9, False), (10, 20, True), (10, 21, False), (500, 800, True), (1, 1, False)],
)
def test_n3_a_flood_is_the_receivers(failed: int, mailed: int, flood: bool) -> None:
    """Ten addresses and half of those mailed: then it is no address's fault."""
    assert is_flood(failed, mailed) is flood
