"""What holds for whatever was liked: bounded, shown as learned, and never above an exclusion."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.matcher import Likes, Matcher, Statistics
from digest.matcher.learned import LEAST_KEPT, Learner, kept
from digest.matcher.likes import Teacher
from digest.matcher.reading import read
from digest.matcher.ridge import RIDGE, Ridge
from digest.matcher.space import LATENT_SHARE, Space
from digest.model import Keyword, Listing, Match, Profile
from tests.matcher.listings import archive, listing
from tests.matcher.test_properties import STATISTICS, STORED, batches, listings, profiles, word

SMALL = Matcher(STATISTICS, STORED[:60])
examples = st.lists(st.one_of(st.sampled_from(STORED), listings), max_size=6).map(tuple)
likes = st.builds(Likes, examples, examples, st.just(True))
WRITTEN = Profile((Keyword("spectral embedding", 2.0),), learn=True)


def heat(count: int, start: int = 0) -> tuple[Listing, ...]:
    """So many stored listings about heat."""
    return tuple([each for each in STORED if each.key.startswith("heat")][start : start + count])


def learned(match: Match) -> float:
    """The points of a match that were learned."""
    return sum(reason.points for reason in match.reasons if reason.learned)


@given(profiles, batches, likes, word)
def test_likes_never_lift_what_is_excluded(
    wanted: Profile, batch: list[Listing], said: Likes, out: str
) -> None:
    """Whatever was liked, a listing with an excluded word scores nothing; others stay in 0..1."""
    barred = replace(wanted, exclude=(out,))
    pairs = SMALL.pairs([barred], batch, [said])
    ranked = dict(pairs.rank(len(batch))[0])
    for at in range(len(batch)):
        match = pairs.match(0, at)
        if pairs.excluded_by(0, at):
            assert match.score == 0 == ranked.get(at, 0)
        assert 0 <= match.score <= 1
        assert match.score == pytest.approx(ranked.get(at, 0.0), abs=1e-5)
        assert sum(r.points for r in match.reasons) == pytest.approx(match.score, abs=1e-6)


@given(profiles, likes)
def test_what_was_learned_never_outweighs_what_was_written(wanted: Profile, said: Likes) -> None:
    """The learned row is no longer than what the keywords, at half their worth or more, sum to."""
    compiled = SMALL.compile([replace(wanted, related=False)], [said])
    plain = SMALL.compile([replace(wanted, related=False)])
    weak, own = compiled.row(0)
    written = sum(value for _, value in own if value > 0)
    before = sum(value for _, value in plain.row(0)[1] if value > 0)
    assert written >= before * LEAST_KEPT - 1e-5
    assert np.linalg.norm([value for _, value in weak]) <= written + 1e-4


def test_a_like_lifts_what_is_like_it_and_says_so() -> None:
    """The points are marked as learned, and none is given to a keyword."""
    said = Likes(heat(6), bounded=True)
    (similar,) = heat(1, start=10)
    match = SMALL.match(WRITTEN, similar, said)
    assert match.score > SMALL.match(WRITTEN, similar).score
    assert learned(match) == pytest.approx(match.score)
    assert all(reason.related for reason in match.reasons if reason.learned)


def test_a_learned_word_that_is_a_keyword_is_shown_beside_it() -> None:
    """The keyword gets its own points only."""
    wanted = Profile((Keyword("laminar"),), learn=True)
    match = SMALL.match(wanted, heat(1, start=10)[0], Likes(heat(6), bounded=True))
    marks = {reason.learned for reason in match.reasons if reason.term == "laminar"}
    assert marks == {True, False}


def test_a_dislike_pushes_down_what_is_like_it() -> None:
    """Also where nothing was liked; a keyword that stands whole still counts."""
    wanted = Profile((Keyword("turbulence"), Keyword("laminar")), related=False, learn=True)
    (similar,) = heat(1, start=10)
    before = SMALL.match(wanted, similar)
    match = SMALL.match(wanted, similar, Likes((), heat(6), bounded=True))
    assert 0 <= match.score < before.score
    assert any(reason.learned and reason.points < 0 for reason in match.reasons)


def test_the_keywords_keep_half() -> None:
    """With one like both count alike, and no number of likes changes that further."""
    said = [None, Likes(heat(1), bounded=True), *(Likes(heat(n), bounded=True) for n in (2, 9))]
    assert kept(said).tolist() == pytest.approx([1, 0.5, 0.5, 0.5])
    assert kept([Likes(heat(9))]).tolist() == pytest.approx([0.1])


def test_related_terms_fade_with_each_like() -> None:
    """With two likes they count half of their share beside the keywords, with six a quarter."""
    wide = Matcher(STATISTICS, archive(1000))
    related = wide.related
    assert related
    width = len(related.space.words)

    def drawn(likes: int) -> float:
        said = Likes(heat(likes), bounded=True) if likes else None
        weak, _ = wide.compile([Profile((Keyword("laminar"),))], [said]).row(0)
        return sum(value for column, value in weak if column < width)

    assert drawn(0) > 0
    shares = [drawn(likes) / drawn(0) for likes in (1, 2, 6)]
    assert shares == pytest.approx([0.5 * 2 / 3, 0.5 / 2, 0.5 / 4], rel=1e-4)


def test_what_is_learned_does_not_hang_on_others() -> None:
    """A score is the same whoever else has liked what."""
    said, other = Likes(heat(4), bounded=True), Likes(heat(4, start=4), bounded=True)
    batch = list(heat(3, start=12))
    alone = SMALL.pairs([WRITTEN], batch, [said]).match(0, 0)
    beside = SMALL.pairs([WRITTEN, WRITTEN], batch, [said, other]).match(0, 0)
    assert alone.score == pytest.approx(beside.score, abs=1e-6)


def test_likes_teach_nothing_without_an_archive() -> None:
    """There is nothing to compare them with, so the score is that of the keywords."""
    bare = Matcher(Statistics.of(archive(50)))
    text = listing("Spectral embedding")
    said = Likes(heat(4), bounded=True)
    assert bare.match(WRITTEN, text, said).score == bare.match(WRITTEN, text).score


def test_a_disliked_listing_need_not_be_stored() -> None:
    """What was mailed this week is in no archive yet, and is what people press the button on."""
    zebra = Listing("new:1", "test", "Laminar flow of zebras", "Zebras and laminar flow.")
    wanted = Profile((Keyword("laminar"), Keyword("flow")), related=False, learn=True)
    (similar,) = heat(1, start=10)
    liked = Likes(heat(4), bounded=True)
    before = SMALL.match(wanted, similar, liked)
    match = SMALL.match(wanted, similar, replace(liked, disliked=(zebra,)))
    assert learned(match) < learned(before)


@pytest.mark.parametrize("most", [20, 60])
def test_examples_are_solved_for_beside_the_archive(most: int) -> None:
    """The equations in two parts have the solution of all of them at once."""
    related = SMALL.related
    assert related
    space, vectors = related.space, related.space.vectors(related.batch)
    first, rest = vectors[:most], vectors[most:]
    wished = np.random.default_rng(1).standard_normal((vectors.shape[0], 3))
    along = space.along(vectors)
    alike = (vectors @ vectors.T).toarray() + LATENT_SHARE * along @ along.T
    alike[np.diag_indices_from(alike)] += RIDGE
    found = np.linalg.solve(alike, wished - wished.mean(axis=0))
    expected = space.spread(np.asarray(vectors.T @ found))
    assert Ridge(space, first).weights(rest, wished) == pytest.approx(expected, abs=1e-6)


def test_what_was_learned_is_kept_by_what_was_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same likes, read anew, teach at once; those asked for longest ago are let go."""
    monkeypatch.setattr("digest.matcher.learned.REMEMBERED", 2)
    space = Space(read(STORED[:60]), STATISTICS)
    learner = Learner(space, read(STORED[:60]))
    said = [Likes(heat(n), heat(1, start=9), bounded=True) for n in (1, 2, 3)]
    first, second = learner.learned(said[0]), learner.learned(said[1])
    copied = replace(said[0], liked=tuple(map(replace, said[0].liked)))
    assert learner.learned(copied) is first
    turned = learner.learned(Likes(said[0].disliked, said[0].liked, bounded=True))
    assert abs(turned + first).max() < abs(first).max()
    assert learner.learned(said[0]) is first
    assert learner.learned(said[1]) is not second


def test_liked_listings_gain_one_on_average() -> None:
    """Few likes or many, alike or not: what is learned has the same scale."""
    space = Space(read(STORED[:60]), STATISTICS)
    teacher = Teacher(space, read(STORED[:60]))
    for said in (heat(2), heat(9), (*heat(2), *STORED[4:8]), heat(1, start=30)):
        gained = space.vectors(read(said)) @ teacher.learn([Likes(said)]).T
        assert gained.mean() == pytest.approx(1.0)


def test_older_listings_teach_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond those that all are compared with, the ones that somebody judged still count."""
    full = Space(read(STORED[:60]), STATISTICS)
    monkeypatch.setattr("digest.matcher.likes.MOST_STORED", 20)
    teacher = Teacher(full, read(STORED[:60]))
    old = tuple(each for each in STORED[:20] if each.key.startswith("heat"))
    (liked,) = (full.vectors(read(heat(1, start=10))) @ teacher.learn([Likes(old)]).T).data
    (both,) = teacher.learn([Likes(old[:2], old[2:])]).sum(axis=1).ravel().tolist()[0][:1]
    assert liked > 0.2
    assert both != pytest.approx(teacher.learn([Likes(old[:2])]).sum())
