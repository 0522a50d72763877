"""What one listing alone suggests: its topics, not its names, and quickly."""

from __future__ import annotations

from time import perf_counter

from digest.matcher import Statistics
from digest.matcher.proposals import STRONGEST, WEAKEST, Kind
from digest.matcher.single import suggest
from digest.model import Keyword, Profile
from tests.matcher.listings import archive, listing

STORED = archive(200)
KNOWN = Statistics.of(STORED)
HEAT = next(each for each in STORED if each.key.startswith("heat"))


def test_its_topics_are_proposed() -> None:
    """Words of its title with bounded weights; pairs before the words in them."""
    found = suggest(Profile(), HEAT, KNOWN, more=True)
    assert {each.kind for each in found} == {Kind.ADD}
    assert any(" " in each.term for each in found)
    assert all(WEAKEST <= each.weight <= STRONGEST for each in found)
    assert all((each.liked, each.of_liked) == (1, 1) for each in found)


def test_less_pushes_down_and_lowers() -> None:
    """New terms get a weight below nought, a keyword that it holds half of its own."""
    found = suggest(Profile((Keyword("heat", 2.0),)), HEAT, KNOWN, more=False)
    assert [(each.term, each.weight) for each in found if each.kind is Kind.LOWER] == [("heat", 1)]
    assert all(each.weight < 0 for each in found if each.kind is Kind.AGAINST)


def test_what_stands_in_nothing_else_is_no_keyword() -> None:
    """The name of a method would match nothing; neither does what is everywhere."""
    made = listing("Zyxomat heat study", "Zyxomat heat, Zyxomat heat. Study of a study.")
    terms = {each.term for each in suggest(Profile(), made, KNOWN, more=True)}
    assert not any("zyxomat" in term for term in terms)
    assert "study" not in terms


def test_what_the_profile_has_is_not_proposed_again() -> None:
    """Neither what it excludes."""
    wanted = Profile((Keyword("heat"),), exclude=("transfer",))
    added = {each.term for each in suggest(wanted, HEAT, KNOWN, more=True) if not each.before}
    assert not added & {"heat", "transfer", "heat transfer"}


def test_it_takes_no_time_that_a_page_would_feel() -> None:
    """Without an archive to compare with, however much is stored; a hundredth of a second here."""
    long = listing("Heat transfer", "heat transfer in laminar plates " * 400)
    begun = perf_counter()
    suggest(Profile((Keyword("heat"),)), long, KNOWN, more=True)
    assert perf_counter() - begun < 0.5
