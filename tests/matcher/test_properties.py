"""What holds for any profile and any listing."""

from __future__ import annotations

import time
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.errors import KeywordError
from digest.language import check_term, find_spans
from digest.matcher import Likes, Matcher, Statistics
from digest.matcher.lexicon import Lexicon
from digest.matcher.profiles import make_row, make_rows
from digest.matcher.reading import read
from digest.matcher.scoring import count_units, evidence
from digest.model import Keyword, Listing, Profile
from tests.matcher.listings import archive

settings.register_profile("matcher", deadline=None, max_examples=40)  # the machine is shared
settings.load_profile("matcher")

STORED = archive(400)
STATISTICS = Statistics.of(STORED)
ALONE = Matcher(STATISTICS)
WIDE = Matcher(STATISTICS, STORED)

WORDS = sorted({w for each in STORED[:40] for w in f"{each.title} {each.abstract}".lower().split()})
word = st.sampled_from(WORDS)
phrase = st.lists(word, min_size=1, max_size=3).map(" ".join)
term = st.one_of(
    phrase,
    phrase.map(lambda text: f'"{text}"'),
    word.filter(lambda text: len(text) > 3).map(lambda text: text[:4] + "*"),
    st.tuples(word, word).map(" + ".join),
    st.tuples(word, phrase).map(" | ".join),
    word.map(lambda text: "title:" + text),
)
weight = st.floats(0.1, 100).map(lambda value: round(value, 2))
keyword = st.builds(Keyword, term, weight)
signed = st.builds(Keyword, term, st.one_of(weight, weight.map(lambda value: -value)))
profiles = st.builds(
    Profile,
    keywords=st.lists(signed, max_size=8).map(tuple),
    exclude=st.lists(word, max_size=1).map(tuple),
)
sentence = st.lists(word, max_size=25).map(" ".join)
listings = st.builds(Listing, st.uuids().map(str), st.just("test"), sentence, sentence)
batches = st.lists(listings, min_size=1, max_size=8, unique_by=lambda each: each.key)


def scores(matcher: Matcher, profile: Profile, batch: list[Listing]) -> dict[str, float]:
    """The score of each listing that has one."""
    return {batch[at].key: score for at, score in matcher.rank([profile], batch, len(batch))[0]}


@given(profiles, batches)
def test_points_add_up_to_the_score_of_the_ranking(profile: Profile, batch: list[Listing]) -> None:
    """The reasons sum to the score, and the score is the one by which it was ranked."""
    for matcher in (ALONE, WIDE):
        ranked = scores(matcher, profile, batch)
        for each in batch:
            match = matcher.match(profile, each)
            assert sum(r.points for r in match.reasons) == pytest.approx(match.score, abs=1e-6)
            assert match.score == pytest.approx(ranked.get(each.key, 0.0), abs=1e-5)
            assert 0 <= match.score <= 1


@given(profiles, batches)
def test_order_changes_nothing(profile: Profile, batch: list[Listing]) -> None:
    """Neither the order of the listings nor that of the keywords changes a score or a place."""
    turned = Profile(profile.keywords[::-1], profile.exclude)
    for matcher in (ALONE, WIDE):
        first = [batch[at].key for at, _ in matcher.rank([profile], batch, 8)[0]]
        other = [batch[::-1][at].key for at, _ in matcher.rank([turned], batch[::-1], 8)[0]]
        assert scores(matcher, turned, batch[::-1]) == pytest.approx(
            scores(matcher, profile, batch), abs=1e-5
        )
        assert set(first) == set(other)


@given(st.lists(signed, min_size=1, max_size=8), listings, st.floats(1.0, 20.0))
def test_a_raised_weight_never_lowers_a_score(
    keywords: list[Keyword], each: Listing, factor: float
) -> None:
    """A listing that has a keyword does not lose by that keyword's weighing more."""
    first, *others = keywords
    first = Keyword(first.term, abs(first.weight))
    others = [k for k in others if k.term != first.term]
    raised = Keyword(first.term, min(100.0, first.weight * factor))
    if not _has(first.term, each):
        return
    before = ALONE.match(Profile((first, *others)), each).score
    after = ALONE.match(Profile((raised, *others)), each).score
    assert after >= before - 1e-6


def _has(wanted: str, each: Listing) -> bool:
    lexicon = Lexicon(STATISTICS)
    unit, batch = lexicon.recipe(wanted).unit, read([each])
    return bool(evidence(lexicon, batch, count_units(lexicon, batch))[unit].sum() > 0)


@given(profiles, batches, word)
def test_an_excluded_term_always_excludes(
    profile: Profile, batch: list[Listing], unwanted: str
) -> None:
    """No listing with an excluded word has a score, whatever else it has."""
    strict = Profile(profile.keywords, (unwanted,))
    for matcher in (ALONE, WIDE):
        ranked = scores(matcher, strict, batch)
        for each in batch:
            if _has(unwanted, each):
                assert each.key not in ranked
                assert matcher.match(strict, each).score == 0
                assert matcher.excluded_by(strict, each) == unwanted


@given(profiles, batches)
def test_other_listings_change_no_score(profile: Profile, batch: list[Listing]) -> None:
    """With the statistics fixed a score is the listing's own."""
    for matcher in (ALONE, WIDE):
        together = scores(matcher, profile, batch)
        for each in batch:
            assert scores(matcher, profile, [each]).get(each.key, 0.0) == pytest.approx(
                together.get(each.key, 0.0), abs=1e-5
            )


@given(st.lists(profiles, min_size=2, max_size=5), batches)
def test_other_profiles_change_no_score(many: list[Profile], batch: list[Listing]) -> None:
    """What others ask for changes nobody's ranking."""
    for matcher in (ALONE, WIDE):
        together = matcher.rank(many, batch, len(batch))
        for number, profile in enumerate(many):
            mine = {batch[at].key: score for at, score in together[number]}
            assert mine == pytest.approx(scores(matcher, profile, batch), abs=1e-5)


@given(st.lists(profiles, min_size=1, max_size=5))
def test_one_by_one_and_all_at_once_compile_alike(many: list[Profile]) -> None:
    """The fast way to compile gives the rows of the plain one."""
    lexicon = Lexicon(STATISTICS)
    single = [make_row(lexicon, profile).row for profile in many]
    rows = make_rows(lexicon, many).toarray()
    for row, (columns, values) in zip(rows, single, strict=True):
        plain = dict(zip(columns, values, strict=True))
        for column, value in enumerate(row.tolist()):
            expected = plain.get(column, 0.0)
            assert value == pytest.approx(expected, rel=1e-5) or min(value, expected) < -1e8


@given(profiles, profiles, batches)
def test_a_replaced_profile_is_as_if_it_had_been_there(
    old: Profile, new: Profile, batch: list[Listing]
) -> None:
    """Taking in a changed profile gives what compiling all anew would give."""
    for matcher in (ALONE, WIDE):
        compiled = matcher.compile([new, old, new])
        compiled.replace(1, new)
        compiled.append(old)
        ranking = matcher.rank(compiled, batch, len(batch))
        for number, profile in enumerate((new, new, new, old)):
            mine = {batch[at].key: score for at, score in ranking[number]}
            assert mine == pytest.approx(scores(matcher, profile, batch), abs=1e-5)


@given(st.text(max_size=220))
def test_any_text_is_a_keyword_or_a_clear_error(text: str) -> None:
    """No text breaks the parser; what it takes can be matched and shown."""
    with suppress(KeywordError):
        check_term(text)
        _use(text)


def _use(text: str) -> None:
    shown = Listing("x", "test", text, text)
    ALONE.match(Profile((Keyword(text),)), shown)
    assert all(0 <= a < b <= len(text) for a, b in find_spans([text], text))


@given(st.text(max_size=300), st.lists(term, max_size=4))
def test_spans_are_in_order_and_apart(text: str, terms: list[str]) -> None:
    """Ranges lie within the text, in order, none over another."""
    spans = find_spans(terms, text)
    edges = [edge for span in spans for edge in span]
    assert edges == sorted(edges)
    assert all(start < end for start, end in spans)


@pytest.mark.parametrize(
    "text",
    ["", " ", "a" * 1_000_000, "deep " * 200_000, "\\" * 500_000, "${" * 300_000, "-" * 900_000,
     "1." * 400_000, "\u0301" * 300_000, "机" * 200_000, "'s" * 300_000, "C++" * 200_000],
)  # fmt: skip
def test_huge_and_hostile_texts_take_bounded_time(text: str) -> None:
    """A text of a million characters is read to its limit and no further."""
    begun = time.perf_counter()
    profile = Profile((Keyword("deep learning"), Keyword("quantiz*"), Keyword('"a b"')), ("x y",))
    match = ALONE.match(profile, Listing("x", "test", text, text))
    find_spans(["deep learning", "quantiz*"], text)
    assert 0 <= match.score <= 1
    assert time.perf_counter() - begun < 5


def test_learned_terms_lift_what_is_like_the_liked() -> None:
    """After three likes a listing of their topic outranks one of another, and says why."""
    liked = [each for each in STORED if each.key.startswith("heat")][:3]
    likes = Likes(tuple(liked))
    profile = Profile((Keyword("detector"),))
    warm = Listing("new:1", "test", "Laminar flow over a heated plate", "Turbulence and convection")
    cold = Listing("new:2", "test", "Parity of block codes", "Channel capacity")
    match = WIDE.match(profile, warm, likes)
    assert match.score > WIDE.match(profile, cold, likes).score
    assert all(reason.related for reason in match.reasons)
    assert sum(r.points for r in match.reasons) == pytest.approx(match.score, abs=1e-6)
