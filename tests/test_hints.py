"""What is said to who has got nothing for long."""

from __future__ import annotations

import pytest

from digest.hints import absent_terms, hint, wants_hint
from digest.matcher import Matcher, Statistics
from digest.model import Profile
from tests.samples import listing, profile

RIVERS = [listing("On rivers", abstract="Water and stones."), listing("On flash floods")]


def said(keywords: dict[str, float], **fields: object) -> str:
    """The hint for these keywords over two listings."""
    one = profile(keywords=keywords, **fields)
    absent = absent_terms(Matcher(Statistics(0, {})), [one], RIVERS)
    return hint(one, absent, len(RIVERS))


@pytest.mark.parametrize(
    ("one", "empty_reason", "mailed", "wanted"),
    [
        (profile(), "nothing", True, True),
        (profile(), "nothing", False, False),
        (profile(), "", True, False),
        (profile(keywords={}), "nothing", True, False),
        (profile(keywords={"survey": -1.0}), "nothing", True, False),
    ],
    ids=["note", "wants no mail", "has items", "no keywords", "only against"],
)
def test_q17_a_hint_stands_in_a_note_only(
    one: Profile, empty_reason: str, mailed: bool, wanted: bool
) -> None:
    """Who asked for silence is left in peace, and who has no keywords needs none."""
    assert wants_hint(one, empty_reason, mailed=mailed) is wanted


def test_a_hint_names_what_never_matched() -> None:
    """The keywords that stand in nothing, without those that do and those that push down."""
    told = said({"quantum foam": 2.0, "rivers": 1.0, "survey": -1.0})
    assert told == (
        "Nothing has fit you for 14 days. In none of the 2 listings of that time: “quantum foam”."
        " Shorter keywords find more, and a floor below 0.25 lets more of the others through."
    )


def test_a_hint_says_when_nothing_matched_at_all() -> None:
    """All keywords are named, as many as a sentence can hold."""
    told = said({f"word{n} other{n}": 1.0 for n in range(7)})
    assert "None of your keywords stands in any of the 2 listings of that time" in told
    assert "“word4 other4” and 2 more" in told


def test_a_hint_blames_the_floor_where_each_keyword_was_found() -> None:
    """A part of a phrase counts as found: its score was too low."""
    told = said({"flash attention": 1.0, "rivers": 1.0}, min_score=0.9)
    assert "none reached your floor of 0.90: a lower one would let them through" in told


def test_without_listings_there_is_no_hint() -> None:
    """Sources that were silent say nothing of a profile."""
    one = profile()
    assert not absent_terms(Matcher(Statistics(0, {})), [one], [])
    assert hint(one, frozenset(), 0) == ""
