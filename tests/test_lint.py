"""What in a profile cannot do what it seems to."""

from __future__ import annotations

import pytest

from digest.lint import lint
from digest.matcher import Matcher, Statistics
from digest.model import Keyword, Profile
from tests.matcher.listings import archive, matcher, profile

SHIPPED = Matcher(Statistics(0, {}).blended())


def weighted(**weights: float) -> Profile:
    """A profile of terms with weights; `_` stands for a blank."""
    return Profile(tuple(Keyword(term.replace("_", " "), w) for term, w in weights.items()))


@pytest.mark.parametrize(
    "good",
    [
        profile("speculative decoding", "diffusion + acceleration", "quantiz*", "title:survey"),
        profile("attention", "flash attention"),
        profile("survey", "title:survey", "quantization", "quantiz*"),
        profile("neural network", "深層学習", "author:Tri Dao", "category:cs.CL", "org:Google"),
        weighted(survey=2, agents=-1),
        Profile(authors=("Emmy Noether",)),
        Profile((Keyword("graphs"),), exclude=("medical imaging",), min_score=0.6),
    ],
)
def test_a_good_profile_has_no_word_said_of_it(good: Profile) -> None:
    """Broad beside narrow, a field beside none, a prefix beside a word: all of it may be meant."""
    assert lint(good, SHIPPED) == []


def test_a_profile_that_asks_for_nothing() -> None:
    """Nothing can ever be shown for it."""
    (told,) = lint(Profile(exclude=("survey",)), SHIPPED)
    assert told.startswith("asks for nothing")


@pytest.mark.parametrize(
    ("odd", "said"),
    [
        (
            profile("time step", "time-step"),
            "“time-step” and “time step” are one keyword; the stronger of the two counts",
        ),
        (
            weighted(survey=2, surveys=-2),
            "“surveys” and “survey” are one keyword; one counts for and one against",
        ),
        (
            weighted(flash_attention=3, attention=1),
            "“attention” never counts: “flash attention” is worth more wherever it stands",
        ),
        (
            Profile((Keyword("literature survey"), Keyword("agents")), exclude=("survey",)),
            "“literature survey” never counts: exclude “survey” keeps out what has it",
        ),
        (
            Profile((Keyword("a review | survey"),), exclude=("survey", "review")),
            "“a review | survey” never counts: exclude “review” keeps out what has it",
        ),
    ],
)
def test_terms_that_shadow_each_other(odd: Profile, said: str) -> None:
    """One keyword in two spellings, one inside of a stronger one, one that an exclusion removes."""
    assert lint(odd, SHIPPED) == [said]


def test_a_keyword_in_two_spellings_that_is_excluded_is_told_of() -> None:
    """Two slips in one keyword are two things to say."""
    one = Profile((Keyword("time step"), Keyword("time-step")), exclude=("timestep",))
    assert lint(one, SHIPPED) == [
        "“time-step” and “time step” are one keyword; the stronger of the two counts",
        "“time step” never counts: exclude “timestep” keeps out what has it",
    ]


def test_a_choice_that_still_counts_is_left_alone() -> None:
    """Where only one side of `|` is excluded the other works."""
    one = Profile((Keyword("review | kernels"),), exclude=("review",))
    assert lint(one, SHIPPED) == []


def test_a_term_so_common_that_it_decides_nothing() -> None:
    """By the shipped counts, or by those of the stored listings, which know the service better."""
    (told,) = lint(profile("the"), SHIPPED)
    assert told.startswith("“the” stands in about 9")
    assert lint(profile("report"), SHIPPED) == []
    (told,) = lint(profile("report"), matcher())
    assert told.startswith("“report” stands in about 100% of all listings")


def test_a_floor_that_nothing_can_pass() -> None:
    """Not even a listing of nothing but the keywords."""
    steep = Profile((Keyword("graph neural network"),), min_score=0.9)
    (told,) = lint(steep, SHIPPED)
    assert told.startswith("hardly a listing can pass the floor of 0.90: ")


def test_a_floor_that_no_stored_listing_passes() -> None:
    """Unless too few are stored to say so, or the floor is fitted or learned."""
    stored, floor = matcher().read(archive()), 0.55
    once = Profile((Keyword("strain merger"),), min_score=floor)
    (told,) = lint(once, matcher(), stored)
    assert told.startswith("none of the 300 newest listings passes the floor of 0.55; the best")
    assert lint(once, matcher(), matcher().read(archive(50))) == []
    fitted = Profile(once.keywords, min_score=floor, per_day=3)
    assert lint(fitted, matcher(), stored) == []
    low = Profile(once.keywords, min_score=0.1)
    assert lint(low, matcher(), stored) == []
    (told,) = lint(profile("graph + laminar"), matcher(), stored)
    assert told == "none of its keywords stands in any of the 300 newest listings"
