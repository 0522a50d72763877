"""What changed between two settings, in words."""

from __future__ import annotations

from dataclasses import replace
from datetime import time

import pytest

from digest.model import Abstracts, Keyword, Profile, Subscriber
from digest.revisions import MOST_SAID, told
from tests.samples import profile, subscriber

ADA = subscriber(profile=profile(keywords={"kernels": 2.0}, authors=("Emmy Noether",)))


def other(**fields: object) -> Subscriber:
    """The same person with another profile."""
    return replace(ADA, profile=replace(ADA.profile, **fields))  # type: ignore[arg-type]  # any field


@pytest.mark.parametrize(
    ("after", "said"),
    [
        (other(keywords=(Keyword("kernels", 3.0),)), "“kernels” counts 3 instead of 2."),
        (other(keywords=()), "“kernels” is taken out (it had weight 2)."),
        (other(authors=()), "Emmy Noether is no longer followed."),
        (other(organizations=("Bell Labs",)), "What comes from Bell Labs is shown whatever"),
        (other(exclude=("survey",)), "Nothing with “survey” is shown any more."),
        (other(min_score=0.4), "The floor: 0.4 instead of 0.25."),
        (other(per_day=8), "About so many a day: 8 instead of none."),
        (other(abstracts=Abstracts.FULL), "full instead of short"),
        (other(learn=True), "What you say of papers counts at once: from now on."),
        (other(related=False), "no longer count"),
        (replace(ADA, send_at=time(9)), "Mail comes at 09:00 UTC instead of 07:30 UTC."),
        (replace(ADA, days=("mon",)), "Mail comes on Mon instead of every day."),
    ],
)
def test_each_change_is_said(after: Subscriber, said: str) -> None:
    """In one sentence, and nothing else is."""
    (sentence,) = told(ADA, after)
    assert said in sentence


def test_nothing_changed_is_nothing_said() -> None:
    """Who and in which state is no setting."""
    assert told(ADA, replace(ADA, id=7)) == ()


def test_a_whole_new_profile_is_cut_short() -> None:
    """The last sentence counts the rest."""
    many = replace(ADA, profile=Profile(tuple(Keyword(f"term {n}") for n in range(100))))
    said = told(ADA, many)
    assert len(said) == MOST_SAID
    assert said[-1] == f"And {102 - MOST_SAID + 1} more changes."
