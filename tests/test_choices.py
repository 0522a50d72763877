"""Choices that a page offers for a paper: in words before, and the same change after."""

from __future__ import annotations

import tomllib

import pytest

from digest import choices
from digest.choices import Shown, about_term, change, offered, toml_lines
from digest.errors import KeywordError
from digest.matcher import Statistics
from digest.model import Reason
from tests.samples import listing, profile, subscriber

NONE = Statistics(0, {})
PAPER = Shown(
    listing(
        "Kernels", authors=("Emmy Noether", "Noether", "Emmy Noether"), organization="Bell Labs"
    ),
    (Reason("kernels", "title", 0.4), Reason("survey", "title", -0.1), Reason("all", "meaning", 1)),
)
WANTED = profile(keywords={"kernels": 2.0}, authors=("Emmy Noether",))


def test_terms_that_spoke_for_it_can_be_muted() -> None:
    """Each in two ways; what spoke against it, or is of meaning, is no such term."""
    found = offered("mute", WANTED, PAPER, NONE)
    assert [choice.value for choice in found] == ["mute kernels", "never kernels"]


def test_authors_and_lab_can_be_followed() -> None:
    """Each once; who is followed is said to be, and a bare family name cannot be."""
    found = offered("follow", WANTED, PAPER, NONE)
    assert [(choice.value, choice.changes) for choice in found] == [
        ("author Emmy Noether", False),
        ("organization Bell Labs", True),
    ]


def test_what_is_said_is_what_is_done() -> None:
    """Several choices make one change, told choice by choice."""
    values = ["weigh 1.5 graph kernels", "never survey", "organization Bell Labs"]
    made = change(WANTED, values)
    assert made.changes
    assert len(made.says) == 3
    assert ("graph kernels", 1.5) in [(k.term, k.weight) for k in made.profile.keywords]
    assert made.profile.exclude == ("survey",)
    assert made.profile.organizations == ("Bell Labs",)
    assert not change(made.profile, values).changes


@pytest.mark.parametrize(
    "value", ["", "erase", "weigh much kernels", "weigh 1 ", "mute +", "author X"]
)
def test_what_is_no_choice_is_refused(value: str) -> None:
    """Nothing is guessed."""
    with pytest.raises((KeywordError, ValueError)):
        change(WANTED, [value])


def test_a_word_that_can_be_no_keyword_offers_nothing() -> None:
    """The page says so instead."""
    assert about_term(WANTED, "+") == []
    assert len(about_term(WANTED, "softmax")) == 2


def test_the_lines_for_a_file_are_toml() -> None:
    """Only what changes; a keyword that goes is a comment."""
    one = subscriber(profile=profile(keywords={"kernels": 2.0, "old": 1.0}))
    made = change(one.profile, ["mute old", "weigh 3 kernels", "author Emmy Noether"])
    lines = toml_lines(one, made.profile)
    assert tomllib.loads(lines) == {
        "authors": ["Emmy Noether"],
        "subscribers": {"keywords": {"kernels": 3}},
    }
    assert "# take out: old = 1" in lines


def test_the_verbs_are_those_of_the_mail() -> None:
    """A mail links to nothing that no page answers."""
    from digest.renderer import entries  # noqa: PLC0415 - for this one comparison

    assert dict(entries._TUNING) == choices.VERBS
