"""The floor that lets about so many items a day through."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def fit_floor(scores_by_day: Iterable[Sequence[float]], per_day: int) -> float:
    """The floor under which a usual day brings about `per_day` items, 0..1.

    The middle day counts, not the sum: one flood of 3,000 listings must not starve the others.
    Days with fewer items than `per_day` pull the floor down to 0 only if most days are so.
    """
    marks = sorted(
        sorted(day, reverse=True)[per_day - 1] if len(day) >= per_day else 0.0
        for day in scores_by_day
    )
    if not marks or per_day < 1:
        return 0.0
    middle = len(marks) // 2
    return marks[middle] if len(marks) % 2 else (marks[middle - 1] + marks[middle]) / 2
