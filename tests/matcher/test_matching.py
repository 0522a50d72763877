"""Scores, reasons and explanations of the matcher on cases that can be checked by hand."""

from __future__ import annotations

import re
from dataclasses import astuple, replace

import numpy as np
import pytest

from digest.errors import KeywordError
from digest.matcher import (
    BARRED,
    Explanation,
    Likes,
    Matcher,
    Statistics,
    fit_floor,
    learn,
    terms_of,
)
from digest.model import Keyword, Profile
from tests.matcher.listings import archive, listing, matcher, profile, score

STORED = archive(400)


def test_a_title_counts_more_than_an_abstract() -> None:
    """The same word says more in the title."""
    assert score("turbulence", listing("Turbulence")) > score(
        "turbulence", listing("", "Turbulence")
    )


def test_a_field_looks_nowhere_else() -> None:
    """`title:` finds the title, `abstract:` the abstract, and so on."""
    shown = listing(
        "Rings", "Ideals", authors=("Emmy Noether",), subjects=("math.RA", "Cell Biology"),
        organization="University of Göttingen",
    )  # fmt: skip
    good = ["title:rings", "abstract:ideals", "author:E. Noether", "category:math.RA",
            "category:math", "category:math.*", "category:cell biology", "org:gottingen",
            "source:test"]  # fmt: skip
    bad = ["title:ideals", "abstract:rings", "author:M. Noether", "category:math.R", "category:mat",
           "org:noether", "source:tes", "gottingen", "noether"]  # fmt: skip
    assert all(score(term, shown) > 0 for term in good)
    assert not any(score(term, shown) for term in bad)


def test_reasons_name_term_field_count_and_points() -> None:
    """A reason says which keyword, where, how often, and how much."""
    shown = listing("Heat transfer", "Heat in a plate. Transfer of heat. Noise.")
    match = matcher().match(profile("heat transfer", noise=-0.2), shown)
    first, last = match.reasons
    assert (first.term, first.field, first.count) == ("heat transfer", "title", 1)
    assert (last.term, last.points < 0) == ("noise", True)
    assert sum(r.points for r in match.reasons) == pytest.approx(match.score, abs=1e-6)


def test_a_word_of_a_phrase_counts_less_and_is_named() -> None:
    """Where a phrase is absent its words count, and the reason says which of them stand."""
    whole, part = score("heat transfer", "Heat transfer"), score("heat transfer", "Heat")
    assert 0 < part < whole / 2
    (reason,) = matcher().match(profile("heat transfer"), listing("Heat")).reasons
    assert (reason.part, reason.count) == ("heat", 0)


def test_no_part_of_a_phrase_counts_against() -> None:
    """A negative phrase pushes down only as a whole."""
    liked, mixed = profile("plate"), Profile((Keyword("plate"), Keyword("heat transfer", -1)))
    shown = listing("Heat on a plate")
    assert matcher().match(mixed, shown).score == pytest.approx(matcher().match(liked, shown).score)


@pytest.mark.parametrize("raised", ["membrane", "membrane growth"])
def test_raising_the_weakest_of_keywords_lowers_nothing(raised: str) -> None:
    """One mention in a long listing that is about another keyword: the nearest to a loss."""
    long = " ".join(f"word{number}" for number in range(400))
    shown = listing("Turbulence, turbulence, turbulence", f"Turbulence. {long}. Membrane growth.")
    scores = [
        matcher().match(Profile((Keyword("turbulence", 9.0), Keyword(raised, weight))), shown).score
        for weight in (0.1, 0.5, 1.0, 2.0, 3.0, 10.0, 100.0)
    ]
    assert scores == sorted(scores)
    assert scores[-1] > scores[0]


def test_one_mention_says_something_in_however_long_a_listing() -> None:
    """Beyond twice the usual length a listing is held down no further."""
    said = [
        score("membrane", listing("", f"Membrane. {' '.join(f'w{n}' for n in range(words))}"))
        for words in (0, 20, 200, 5000)
    ]
    assert said[0] > said[1] > said[2] == pytest.approx(said[3])
    assert said[3] > 0.2


def test_a_phrase_in_two_spellings_counts_once() -> None:
    """`time step` and `timestep` are one; a listing that has both is read by its words."""
    apart, joined = listing("Time step", "Plates."), listing("Time step", "Plates. Timestep.")
    assert score("time step", joined) == pytest.approx(score("time step", apart), rel=0.1)
    assert score("time step", listing("Timesteps", "Plates.")) == pytest.approx(
        score("time step", apart), rel=0.1
    )


def test_synonyms_count_once() -> None:
    """Of alternatives joined by `|` one alone says as much as all of them."""
    either = score("convection | turbulence", "Convection")
    both = score("convection | turbulence", "Convection and turbulence")
    assert both == pytest.approx(either, rel=0.2)


def test_an_exclusion_is_named() -> None:
    """The explanation of an excluded listing says by which exclusion."""
    wanted = Profile((Keyword("heat"),), exclude=("category:cs.CR", "plate"))
    explanation = matcher().explain(wanted, listing("Heat on a plate"))
    assert (explanation.excluded_by, explanation.match.score) == ("plate", 0.0)
    assert explanation.match.reasons == ()


def test_an_explanation_says_what_would_pass_the_floor() -> None:
    """Below the floor it names a floor, a weight and a keyword that would do."""
    wanted = Profile(
        (Keyword("laminar flow"), Keyword("convection"), Keyword("membrane")), min_score=0.6
    )
    explanation = matcher().explain(wanted, listing("A flow of convection", "We look at it."))
    assert explanation.absent == ("membrane",)
    assert explanation.near == ("laminar flow: only 'flow'",)
    assert "a floor of 0." in explanation.needed
    assert "'convection' with weight " in explanation.needed
    assert any("norm" in factor for factor in explanation.factors)
    high = matcher().explain(Profile((Keyword("convection"),)), listing("Convection"))
    assert high.needed == ""


def test_a_sum_of_nothing_has_no_sign() -> None:
    """A listing that nothing counts for is told as 0.000, never as less than that."""
    nothing = matcher().explain(Profile((Keyword("membrane"),)), listing("Convection"))
    assert any("sum 0.000 becomes the score 0.000" in factor for factor in nothing.factors)


def test_what_outweighs_the_rest_is_named() -> None:
    """A keyword against that leaves nothing did match; what is missing is counted from below 0."""
    wanted = (Keyword("membrane"), Keyword("plate", 0.2), Keyword("convection", -2))
    below = matcher().explain(Profile(wanted, min_score=0.2), listing("Convection on a plate"))
    assert below.match.score == 0
    assert below.absent == ("membrane",)
    assert "what counts against it outweighs the rest: convection" in below.factors
    assert any(factor.startswith("the sum -") for factor in below.factors)
    without = Profile(wanted[:2], min_score=0.2)
    above = matcher().explain(without, listing("Convection on a plate"))
    assert missing(below) > missing(above)


def missing(explained: Explanation) -> float:
    """How much more the sum must be."""
    return float(explained.needed.partition(" ")[0])


@pytest.mark.parametrize("weight", [0.3, 1.0, 2.0, 4.0])
def test_the_weight_that_would_pass_the_floor_passes_it(weight: float) -> None:
    """Set so the listing passes, and with a tenth less it does not; no weight is no advice."""
    shown = listing("On flows", "Convection and a plate, among many other things that we look at.")

    def explained(convection: float, floor: float) -> Explanation:
        keywords = Keyword("convection", convection), Keyword("membrane", 2), Keyword("parity")
        return matcher().explain(Profile(keywords, min_score=floor), shown)

    low = explained(weight, 0.0).match.score
    floor = low + 0.05
    told = explained(weight, floor).needed
    found = re.search(r"'convection' with weight ([\d.]+) instead of ([\d.]+)", told)
    assert found
    assert float(found[2]) == weight
    assert explained(float(found[1]), floor).match.score >= floor
    assert explained(float(found[1]) - 0.1, floor).match.score < floor
    assert "with weight" not in explained(weight, 0.999).needed


def test_likes_are_no_factor_where_there_are_none() -> None:
    """What keywords count beside likes is said where something was liked, and only there."""
    wide = Matcher(Statistics.of(STORED), STORED)
    wanted = Profile((Keyword("laminar flow", 3.0), Keyword("heat + plate"), Keyword("plat*", 0.7)))
    shown, liked = listing("Laminar flow on a plate", "Heat."), tuple(STORED[3:30:5])
    without, beside = (wide.explain(wanted, shown, each) for each in (None, Likes(liked)))
    assert not any("likes" in factor for factor in without.factors)
    assert any("keywords count 14%" in factor for factor in beside.factors)


@pytest.mark.parametrize(
    ("term", "title", "abstract", "where", "count"),
    [
        ("heat", "Heat", "", "title", 1),
        ("heat", "A plate", "Heat and heated heat.", "abstract", 3),
        ("heat", "Heat", "Heat and heat.", "title and abstract", 3),
        ("title:heat", "Heat", "Heat and heat.", "title", 1),
        ("abstract:heat", "Heat", "Heat and heat.", "abstract", 2),
        ("llm | large language model", "Large language models", "An LLM.", "title", 1),
        ("llm | large language model", "LLMs", "An LLM, a large language model.",
         "title and abstract", 2),
        ("heat + plate", "Heat", "A plate. Plates and heat.", "title and abstract", 2),
        ("heat + plate", "Hot", "A plate and heat.", "abstract", 1),
        ("heat + source:test", "Heat", "", "title", 1),
        ("source:test", "Heat", "", "source", 1),
        ("heat plate", "A plate", "Of heat.", "title and abstract", 0),
    ],
)  # fmt: skip
def test_a_reason_says_where_and_how_often(
    term: str, title: str, abstract: str, where: str, count: int
) -> None:
    """It names the title only for what stands there, and of several parts counts the rarest."""
    (reason,) = matcher().match(profile(term), listing(title, abstract)).reasons
    assert (reason.field, reason.count) == (where, count)


def test_profiles_of_two_and_forty_keywords_score_alike() -> None:
    """All of a short profile and much of a long one are both good."""
    words = [w for each in STORED[:30] for w in each.title.split()[:3]]
    forty = Profile(tuple(Keyword(word) for word in sorted(set(words))[:40]))
    two = Profile((Keyword("turbulence"), Keyword("convection")))
    best = [max(s for _, s in matcher().rank([each], STORED, 400)[0]) for each in (two, forty)]
    assert all(0.25 < score < 0.95 for score in best)


def test_related_terms_are_weak_marked_and_switchable() -> None:
    """A word that stands with the profile's own adds a little, is marked, and can be left out."""
    wide = Matcher(Statistics.of(STORED), archive(1000))
    wanted = Profile((Keyword("laminar"),))
    shown, own = listing("Turbulence and convection"), listing("Laminar")
    match = wide.match(wanted, shown)
    assert match.reasons
    assert all(reason.related for reason in match.reasons)
    assert 0 < match.score < wide.match(wanted, own).score
    assert wide.match(Profile((Keyword("laminar"),), related=False), shown).score == 0


def test_a_small_archive_relates_nothing() -> None:
    """Three hundred listings are too few to say what stands together."""
    small = Matcher(Statistics.of(STORED), STORED[:300])
    assert small.match(Profile((Keyword("laminar"),)), listing("Turbulence")).score == 0


def test_limits_and_floors_cut_each_ranking() -> None:
    """Each profile has its own cap and its own floor."""
    both = [profile("heat"), profile("heat")]
    ranking = matcher().rank(both, STORED, [3, 5])
    assert [len(each) for each in ranking] == [3, 5]
    floor = ranking[0][1][1]
    cut = matcher().rank(both, STORED, 400, [floor, 0.99])
    assert cut[0] == [each for each in matcher().rank(both, STORED, 400)[0] if each[1] >= floor]
    assert floor in {score for _, score in cut[0]}
    assert cut[1] == []
    assert len(matcher().rank([], STORED, 5)) == 0
    assert matcher().rank(both, [], 5)[0] == []


def test_statistics_count_each_term_once_a_listing() -> None:
    """The terms of a listing are stems, joined pairs and categories, each once."""
    terms = terms_of(listing("Time-step networks", "A network", subjects=("cs.LG",)))
    assert {"time", "step", "timestep", "network", "category:cs.lg"} <= set(terms)
    assert Statistics.of(STORED).rarity("heat") < Statistics.of(STORED).rarity("zebra")


def test_a_listing_of_the_usual_length_is_neither_held_down_nor_lifted() -> None:
    """Where abstracts are ten times as long, a long one is as good as a short one elsewhere."""
    short, long = (
        [listing(f"Membrane {n}", " ".join(f"w{n}x{at}" for at in range(size))) for n in range(9)]
        for size in (20, 200)
    )
    scores = []
    for stored in (short, long):
        shown = Matcher(Statistics.of(stored)).match(profile("w3x7"), stored[3])
        scores.append(shown.score)
    assert Statistics.of(short).usual_length == 22
    assert scores[0] == pytest.approx(scores[1], rel=0.02)


def test_few_stored_listings_are_blended_with_the_shipped_table() -> None:
    """On the first day a common word is already known to be common."""
    blended = Statistics.of([listing("Quark")]).blended()
    assert blended.rarity("the") < blended.rarity("model") < blended.rarity("quark") < 8


@pytest.mark.parametrize(
    ("days", "per_day", "floor"),
    [([], 8, 0.0), ([[0.9, 0.5, 0.1]], 2, 0.5), ([[0.9], [0.8, 0.6], [0.7, 0.4]], 2, 0.4),
     ([[0.9] * 3000, [0.5, 0.4], [0.3, 0.2]], 2, 0.4), ([[0.5]], 0, 0.0)],
)  # fmt: skip
def test_a_fitted_floor_lets_about_so_many_through(
    days: list[list[float]], per_day: int, floor: float
) -> None:
    """The middle day decides, whatever a single flood brings."""
    assert fit_floor(days, per_day) == pytest.approx(floor)


def test_what_is_learned_is_a_bounded_list_with_evidence() -> None:
    """Likes propose terms of their topic with bounded weights, none that the profile has."""
    stored = archive(400)
    liked = [each for each in stored if each.key.startswith("heat")][:6]
    wanted = Profile((Keyword("turbulence"),))
    proposals = learn(wanted, liked, stored[:2], Matcher(Statistics.of(stored), stored))
    assert 0 < len(proposals) <= 32
    assert all(0.5 <= abs(proposal.weight) <= 3 for proposal in proposals)
    assert all("liked" in proposal.evidence for proposal in proposals)
    added = {proposal.term for proposal in proposals if not proposal.before}
    assert added
    assert "turbulence" not in added
    assert learn(wanted, [], [], Matcher(Statistics.of(stored), stored)) == []


def test_likes_outside_the_archive_are_learned_from() -> None:
    """A liked listing need not be among the stored ones."""
    wide = Matcher(Statistics.of(STORED), STORED)
    likes = Likes((listing("Zebra stripes on savannah"), listing("Zebra herds")))
    assert wide.match(Profile(), listing("Heat"), likes).score == 0


def test_a_bad_keyword_is_refused_where_it_is_compiled() -> None:
    """Nothing is silently left out of a profile."""
    with pytest.raises(KeywordError):
        matcher().compile([profile("a*")])


def test_many_pairs_at_once_are_each_as_alone() -> None:
    """Scores and reasons do not hang on who else is asked for, in which order."""
    papers = archive(25)
    asked = [
        profile("heat transfer", "noise", flow=-2.0),
        Profile((Keyword("laminar", 3.0), Keyword("graph embedding")), exclude=("tissue",)),
        Profile((Keyword("noise|signal"), Keyword("codes", -1.0)), related=False),
        Profile((Keyword("turbulence"),), exclude=("flow",)),
        Profile(),
    ]
    likes = [None, Likes((STORED[0],), (STORED[3],)), None, None, None]
    wide = Matcher(Statistics.of(STORED), STORED)
    pairs = wide.pairs(asked, papers, likes)
    chosen = [(person, at) for at in range(25) for person in range(5) if (at + person) % 3]
    found = pairs.matches([person for person, _ in chosen], [at for _, at in chosen])
    for (person, at), match in zip(chosen, found, strict=True):
        alone = wide.match(asked[person], papers[at], likes[person])
        assert match.listing == papers[at]
        assert match.score == pytest.approx(alone.score, abs=1e-6)
        # Terms that stand together as often are even but for the last digits: in order of term.
        several, single = (
            {one.term: (*astuple(one)[1:2], *astuple(one)[3:]) for one in each.reasons}
            for each in (match, alone)
        )
        assert several == single
        points = [one.points for one in match.reasons]
        assert points == sorted(points, reverse=True)
        assert match.score == pytest.approx(sum(one.points for one in match.reasons), abs=1e-5)
    assert any(one.learned for match in found for one in match.reasons)
    assert any(one.part for match in found for one in match.reasons)
    assert pairs.matches([], []) == []


def test_days_of_very_many_listings_are_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where tables are too large to be filled up, sums, scores and reasons are the same."""
    papers = archive(25)
    asked = [
        profile("heat transfer", "noise", flow=-2.0),
        Profile((Keyword("laminar", 3.0), Keyword("graph embedding")), exclude=("tissue",)),
    ]
    pairs = Matcher(Statistics.of(STORED), STORED).pairs(asked, papers)
    chosen = [0] * 25 + [1] * 25, [*range(25), *range(25)]
    sums, matches = pairs.sums(0, 2), pairs.matches(*chosen)
    for module in ("sums", "pairs"):
        monkeypatch.setattr(f"digest.matcher.{module}.MOST_CELLS", 0)
    assert pairs.sums(0, 2).tolist() == sums.tolist()
    assert pairs.matches(*chosen) == matches
    assert sum(bool(match.reasons) for match in matches) > 9


def test_sums_are_those_of_the_ranking() -> None:
    """What is chosen from them is in the order of the ranking, and what is excluded far below."""
    papers, one = archive(25), profile("heat transfer", "noise")
    pairs = Matcher(Statistics.of(STORED)).pairs([one, replace(one, exclude=("noise",))], papers)
    batch = Matcher(Statistics.of(STORED)).read(papers)
    sums = pairs.sums(0, 2)
    best = np.argsort(-sums[0], kind="stable")
    ranked = [at for at, _ in pairs.rank(25)[0]]
    assert [at for at in batch.order[best].tolist() if at in ranked] == ranked
    out = {at for at in range(25) if pairs.excluded_by(1, at)}
    assert {
        at for at, each in zip(batch.order.tolist(), sums[1], strict=True) if each < BARRED
    } == out
    assert out
    assert set(range(25)) - out
