"""What examples suggest: each kind of change, with evidence that is true."""

from __future__ import annotations

import pytest

from digest.language import check_term
from digest.matcher import Likes, Proposal, Statistics
from digest.matcher.proposals import MOST, Kind, propose
from digest.model import Keyword, Listing, Profile
from tests.matcher.listings import archive, listing

STORED = archive(200)
STATISTICS = Statistics.of(STORED)


def about(topic: str, count: int = 6) -> tuple[Listing, ...]:
    """So many stored listings of a topic."""
    return tuple([each for each in STORED if each.key.startswith(topic)][:count])


def proposals(
    liked: tuple[Listing, ...] = (), disliked: tuple[Listing, ...] = (), **keywords: float
) -> list[Proposal]:
    """What is proposed for these keywords; `_` stands for a space."""
    wanted = Profile(tuple(Keyword(t.replace("_", " "), w) for t, w in keywords.items()))
    return propose(wanted, Likes(liked, disliked), STORED, STATISTICS)


def kinds(found: list[Proposal]) -> dict[str, tuple[Kind, float]]:
    """Kind and weight by term."""
    return {each.term: (each.kind, each.weight) for each in found}


def test_terms_of_liked_listings_are_added() -> None:
    """At most eight, for their topic, within the bounds, each a keyword that can be written."""
    found = proposals(about("heat"))
    assert 0 < len(found) <= MOST
    words = "heat transfer boundary layer laminar flow plate temperature turbulence convection"
    for each in found:
        check_term(each.term)
        assert each.kind is Kind.ADD
        assert 0.5 <= each.weight <= 3
        assert set(each.term.split()) <= {*words.split(), "study"}


def test_terms_of_disliked_listings_push_down() -> None:
    """A dislike weighs half as much as a like, and never touches what is liked as well."""
    found = proposals(about("heat"), about("codes"))
    against = [each for each in found if each.kind is Kind.AGAINST]
    assert against
    assert all(-1.5 <= each.weight <= -0.5 for each in against)
    assert not {w for e in against for w in e.term.split()} & {"heat", "flow", "laminar"}


@pytest.mark.parametrize(
    ("keywords", "side", "change"),
    [
        ({"laminar": 1.0}, "liked", (Kind.RAISE, 1.5)),
        ({"laminar": 2.5}, "liked", (Kind.RAISE, 3.0)),
        ({"laminar_flow": 0.2}, "liked", (Kind.RAISE, 0.5)),
        ({"laminar": -2.0}, "liked", (Kind.RAISE, -1.0)),
        ({"laminar": 2.0}, "disliked", (Kind.LOWER, 1.0)),
        ({"laminar": 0.1}, "disliked", (Kind.LOWER, 0.1)),
    ],
)
def test_keywords_are_raised_and_lowered(
    keywords: dict[str, float], side: str, change: tuple[Kind, float]
) -> None:
    """By what the examples hold, and one that is unwanted already is let off a little."""
    liked, disliked = ((), about("heat")) if side == "disliked" else (about("heat"), ())
    found = proposals(liked, disliked, **keywords)
    (term,) = (key.replace("_", " ") for key in keywords)
    assert kinds(found)[term] == change


@pytest.mark.parametrize("weight", [3.0, 5.0])
def test_no_proposal_outweighs_a_strong_wish(weight: float) -> None:
    """What is very important already is not raised further, and is not proposed again."""
    assert "laminar" not in kinds(proposals(about("heat"), laminar=weight))


def test_keywords_that_the_examples_do_not_hold_are_left_alone() -> None:
    """Nor those that liked and disliked listings hold alike."""
    found = kinds(proposals(about("heat", 4), about("heat", 8)[4:], laminar=1, parity=1))
    assert not {"laminar", "parity"} & set(found)


def test_the_evidence_is_counted() -> None:
    """It says in how many examples of each side a term stands, and in how many of all."""
    zebras = (listing("Zebra stripes", "One"), listing("Zebra herds", "Two"))
    (found,) = (e for e in proposals(zebras, about("codes", 3)) if e.term == "zebra")
    assert found.evidence == "in 2 of 2 liked listings, in 0 of 3 disliked ones, in 0.0% of all"
    assert found.held_by == zebras
    (lowered,) = (e for e in proposals((), about("heat"), laminar=1) if e.kind is Kind.LOWER)
    assert lowered.evidence.startswith("in 6 of 6 disliked listings, in ")


def test_one_example_is_enough_and_none_says_nothing() -> None:
    """`more like this` has one; a listing need not be stored."""
    assert proposals((listing("Zebra stripes on the savannah"),))
    assert proposals() == []
    bare = Likes((listing("Zebra stripes"),))
    assert propose(Profile(), bare, [], Statistics(0, {})) == []


def test_words_that_link_sentences_are_not_proposed() -> None:
    """However rare they are where the examples come from."""
    liked = tuple(listing(f"Zebra herds {n}", "Besides, zebras; during rain.") for n in range(3))
    found = kinds(proposals(liked))
    assert any("zebra" in term for term in found)
    assert not {word for term in found for word in term.split()} & {"besides", "during"}


def test_what_every_listing_has_is_not_proposed() -> None:
    """A word of a fifth of all listings tells nothing, nor does what the profile has already."""
    found = proposals(about("heat"), heat_transfer=3)
    assert not {"report", "study", "heat", "transfer", "heat transfer"} & set(kinds(found))
