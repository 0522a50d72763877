"""Likeness in meaning: one more reason, bounded, and nothing without a model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from digest.matcher import Matcher, Statistics
from digest.matcher.meaning import SHARE, TERM, Meaning
from digest.model import Keyword, Listing, Match, Profile
from tests.matcher.listings import archive, listing

TOPICS = (("river", "water", "lake", "rain"), ("star", "planet", "orbit", "telescope"))
STATISTICS = Statistics.of(archive(200))
RIVERS = Profile((Keyword("river", 1.0), Keyword("author:Ada Lovelace", 3.0)))


class TwoTopics:
    """A model that knows water from the sky; `asked` is how many texts it was given."""

    def __init__(self) -> None:
        self.asked = 0

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Texts x (water, sky, something that all texts share)."""
        self.asked += len(texts)
        rows = [
            [*(float(sum(word in text.lower() for word in topic)) for topic in TOPICS), 1.0]
            for text in texts
        ]
        return np.array(rows, dtype=np.float32)


MEANT = Matcher(STATISTICS, embedder=TwoTopics())
LAKE = listing("a", "Rain on a lake")
SKY = listing("b", "The orbit of a planet")


def points(match: Match) -> float:
    """The points of a match that come from its meaning."""
    return sum(reason.points for reason in match.reasons if reason.term == TERM)


def test_a_listing_is_found_without_any_of_the_words() -> None:
    """What means the same scores, the more so the nearer; the reason says what it is."""
    near, far = MEANT.match(RIVERS, LAKE), MEANT.match(RIVERS, SKY)
    assert near.score > far.score
    assert [(r.term, r.field, r.related) for r in near.reasons] == [(TERM, "meaning", True)]


def test_without_a_model_nothing_changes() -> None:
    """The same profile and listing without a model have no such reason, and no score."""
    assert Matcher(STATISTICS).match(RIVERS, LAKE).score == 0


@pytest.mark.parametrize("text", ["river", "river water rain lake", "star", "nothing"])
def test_meaning_alone_never_passes_the_default_floor(text: str) -> None:
    """However near, it adds at most its share to the sum, and takes away no more."""
    plain = Matcher(STATISTICS)
    shown = listing("c", text)
    with_it, without = (matcher.match(RIVERS, shown) for matcher in (MEANT, plain))
    sums = [-np.log(1 - match.score) for match in (with_it, without)]
    assert abs(sums[0] - sums[1]) <= SHARE + 1e-6
    assert MEANT.match(RIVERS, LAKE).score < Profile().min_score


def test_the_points_add_up() -> None:
    """Keywords and meaning together are the score, and the ranking has the same one."""
    shown = [listing("d", "The river and its lake"), SKY, LAKE]
    pairs = MEANT.pairs([RIVERS], shown)
    for at, score in pairs.rank(3)[0]:
        match = pairs.match(0, at)
        assert match.score == pytest.approx(score, abs=1e-6)
        assert sum(reason.points for reason in match.reasons) == pytest.approx(match.score)
    assert points(pairs.match(0, 0)) > 0


def test_what_is_excluded_stays_out() -> None:
    """No likeness in meaning brings back what is excluded."""
    barred = replace(RIVERS, exclude=("lake",))
    assert MEANT.pairs([barred], [LAKE]).rank(1)[0] == []


def test_meaning_stands_beside_related_terms() -> None:
    """With an archive both are there, and a row of a profile is parted as it was put together."""
    stored = archive(1000)
    both = Matcher(Statistics.of(stored), stored, embedder=TwoTopics())
    alone = Matcher(Statistics.of(stored), stored)
    wanted = Profile((Keyword("spectral embedding", 1.0), Keyword("river", 1.0)))
    shown = [replace(stored[0], key="new", title=f"{stored[0].title} by a river"), LAKE]
    terms = [{r.term for r in matcher.match(wanted, shown[0]).reasons} for matcher in (both, alone)]
    assert terms[0] - {TERM} == terms[1]
    pairs = both.pairs([wanted], shown)
    for at, score in pairs.rank(2)[0]:
        assert pairs.match(0, at).score == pytest.approx(score, abs=1e-6)


def test_a_text_is_read_by_the_model_once() -> None:
    """A keyword of many profiles, and a listing shown to many, cost one text each."""
    model = TwoTopics()
    matcher = Matcher(STATISTICS, embedder=model)
    pairs = matcher.pairs([RIVERS] * 50, [LAKE, SKY])
    pairs.rank(2)
    pairs.match(3, 1)
    assert model.asked == 4  # one for the width, one keyword, two listings


def test_meaning_is_seen_from_the_middle_of_the_archive() -> None:
    """What all stored listings share is no likeness: texts of different topics are apart."""
    stored = [listing(str(n), ("river lake", "star orbit")[n % 2]) for n in range(60)]
    meaning = Meaning(TwoTopics(), stored)
    rows = meaning.rows([RIVERS]).toarray()
    said = rows @ meaning.table(MEANT.read([LAKE, SKY])).toarray()
    assert said[0, 0] > 0.8 * SHARE
    assert said[0, 1] < -0.8 * SHARE


def test_a_profile_of_names_has_no_meaning() -> None:
    """Authors, categories and what counts against are not what a profile is about."""
    bare = Profile((Keyword("author:Ada Lovelace", 1.0), Keyword("river", -1.0)))
    assert Meaning(TwoTopics()).rows([bare]).nnz == 0


def test_an_empty_listing_has_no_meaning() -> None:
    """Nothing is divided by nothing where a text or a whole batch is empty."""
    empty = Listing(key="e", source="x", title="")
    assert MEANT.match(RIVERS, empty).score <= 1
    assert MEANT.pairs([RIVERS], []).rank(3)[0] == []
