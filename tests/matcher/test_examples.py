"""Listings made for a keyword have it."""

from __future__ import annotations

import pytest

from digest.matcher import all_in_one, examples, sense, share_of
from tests.matcher.listings import matcher, profile

TERMS = [
    "speculative decoding", '"Flash Attention"', "quantiz*", "diffusion + acceleration",
    "LLM | large language model", "title:survey", "abstract:proof", "org:Google DeepMind",
    "category:cs.CL", "category:cs.*", "source:arXiv", "author:Tri Dao", "GPT-4.5", "time-step",
    "深層学習", "C++", "title:graph + author:E. Noether",
]  # fmt: skip


@pytest.mark.parametrize("term", TERMS)
def test_each_example_has_its_keyword(term: str) -> None:
    """One for each choice, found by the matcher itself."""
    made = examples(term)
    assert len(made) == 1 + term.count(" | ")
    for one in made:
        reasons = matcher().match(profile(term), one).reasons
        assert [reason.term for reason in reasons] == [term]


def test_one_listing_has_them_all() -> None:
    """But for sources, of which a listing has one."""
    listing = all_in_one(TERMS)
    found = {one.term for one in matcher().match(profile(*TERMS), listing).reasons}
    assert len(found) > len(TERMS) - 3  # a word that two keywords name counts once


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("time step", "time-step", True),
        ("time step", "timestep", False),
        ("survey", "Surveys", True),
        ("survey", '"survey"', False),
        ("survey", "title:survey", False),
        ("a + b", "b + a", True),
        ("a + b", "a | b", False),
        ("author:Tri Dao", "author:tri dao", True),
        ("author:Tri Dao", "author:Emmy Noether", False),
    ],
)
def test_what_is_one_keyword(one: str, other: str, same: bool) -> None:
    """Other words, the same to the matcher."""
    assert (sense(one) == sense(other)) is same


@pytest.mark.parametrize(
    ("term", "share"),
    [
        ("report", 1.0),
        ("Reports", 1.0),
        ("heat", 0.2),
        ("hea*", 0.2),
        ("heat + laminar", 0),
        ("we report", 0),
        ("zebrafish", 0),
    ],
)
def test_how_common_a_word_is(term: str, share: float) -> None:
    """By the counts of the listings; of several words together they say nothing."""
    assert share_of(matcher().statistics, term) == pytest.approx(share, abs=0.01)
