"""Whether two writings name one person."""

from __future__ import annotations

import pytest

from digest.language.names import read_name, same_person
from digest.matcher import Matcher, Statistics
from digest.model import Profile
from tests.matcher.listings import listing

SAME = [
    ("Emmy Noether", "Noether, Emmy"),
    ("E. Noether", "Emmy Noether"),
    ("Noether, E.", "Emmy Noether"),
    ("Noether E", "Emmy Noether"),
    ("Emmy Noether", "E. Noether"),
    ("Erwin Schrödinger", "Erwin Schrodinger"),
    ("J.-P. Serre", "Jean-Pierre Serre"),
    ("Jean Pierre Serre", "Jean-Pierre Serre"),
    ("Ludwig van Beethoven", "L. van Beethoven"),
    ("Émilie du Châtelet", "Emilie du Chatelet"),
    ("John von Neumann", "von Neumann, John"),
    ("Paul Erdős", "Erdos, P."),
    ("Shiing-Shen Chern", "Chern Shiing-Shen"),
    ("A. M. Turing", "Alan Turing"),
    ("Martin Luther King Jr.", "Martin Luther King"),
    ("李小龙", "李小龙"),
]
OTHERS = [
    ("Emmy Noether", "Max Noether"),
    ("Noether", "Emmy Noether"),
    ("E. Noether", "Max Noether"),
    ("Alan Turing", "Alan Touring"),
    ("Marie Curie", "Pierre Curie"),
    ("M. Curie", "P. Curie"),
    ("", "Marie Curie"),
    ("Marie", "Marie Curie"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_writings_of_one_name_agree(one: str, other: str) -> None:
    """Initials, order, accents and particles do not part a person in two."""
    assert same_person(read_name(one), read_name(other))
    assert same_person(read_name(other), read_name(one))


@pytest.mark.parametrize(("one", "other"), OTHERS)
def test_namesakes_are_others(one: str, other: str) -> None:
    """A family name alone, or with another given name, is somebody else."""
    assert not same_person(read_name(one), read_name(other))


def test_followed_listings_leave_the_excluded_out() -> None:
    """Each profile gets what its authors wrote, without what it excludes."""
    shown = [
        listing("Rings", authors=("Emmy Noether", "Emil Artin")),
        listing("Cohomology of rings", authors=("Noether, E.",)),
        listing("Primes", authors=("Max Noether",)),
    ]
    matcher = Matcher(Statistics.of(shown))
    follows = Profile(authors=("E. Noether",))
    without = Profile(authors=("E. Noether",), exclude=("cohomology",))
    assert matcher.followed([follows, without, Profile()], shown) == [[0, 1], [0], []]
