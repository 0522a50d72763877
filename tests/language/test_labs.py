"""When two writings name one organization."""

from __future__ import annotations

import pytest

from digest.errors import KeywordError
from digest.language import check_organization, labs_named


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("Google DeepMind", "google-deepmind"),
        ("University of Göttingen", "UNIVERSITY OF GOTTINGEN"),
        ("The Allen Institute", "Allen Institute"),
        ("Mistral AI", "Mistral AI, Inc."),
        ("東京大学", "東京大学"),
    ],
)
def test_one_lab_written_in_two_ways_is_found(wanted: str, found: str) -> None:
    """Case, accents, hyphens and a company's form do not matter; the name comes as it was asked."""
    assert labs_named(["Elsewhere", wanted], found) == [wanted]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("DeepMind", "Google DeepMind"),
        ("Google DeepMind", "Google"),
        ("MIT", "Summit"),
        ("MIT", ""),
        ("The", "The Allen Institute"),
    ],
)
def test_a_part_of_a_name_names_nobody(wanted: str, found: str) -> None:
    """A lab is followed by its whole name."""
    assert labs_named([wanted], found) == []


@pytest.mark.parametrize("text", ["", " .,- ", "x" * 201])
def test_what_names_no_organization_is_refused(text: str) -> None:
    """Nothing, only signs, or far too much."""
    with pytest.raises(KeywordError, match="name"):
        check_organization(text)
