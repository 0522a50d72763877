"""One press as a change of a profile: what it says, and that it never does more."""

from __future__ import annotations

import pytest

from digest import tuning
from digest.config.terms import MAX_KEYWORDS
from digest.errors import KeywordError
from digest.matcher import Likes, Matcher, Statistics
from digest.matcher.proposals import propose
from digest.model import Keyword, Profile
from tests.matcher.listings import archive, listing
from tests.samples import profile

STORED = archive(200)
MATCHER = Matcher(Statistics.of(STORED), STORED)
WANTED = profile(keywords={"flash attention": 2.0, "survey": -1.0}, exclude=("category:cs.CR",))


def weights(changed: Profile) -> dict[str, float]:
    """The keywords of a profile."""
    return {keyword.term: keyword.weight for keyword in changed.keywords}


def test_muting_a_keyword_takes_it_out() -> None:
    """In any spelling of the same words; its listings may still come for something else."""
    for term in ("flash attention", "Flash-Attention"):
        change = tuning.mute(WANTED, term)
        assert weights(change.profile) == {"survey": -1.0}
        assert change.says == ("“flash attention” is taken out (it had weight 2).",)
        assert change.profile.exclude == WANTED.exclude


def test_muting_another_term_pushes_it_down() -> None:
    """As strongly as an ordinary keyword pulls."""
    change = tuning.mute(WANTED, "kernels")
    assert weights(change.profile)["kernels"] == -1
    assert change.says == ("“kernels” pushes down from now on, with weight -1.",)


@pytest.mark.parametrize("term", ["survey", "surveys", "category:cs.CR"])
def test_muting_what_is_unwanted_already_changes_nothing(term: str) -> None:
    """It says why."""
    change = tuning.mute(WANTED, term)
    assert change.profile == WANTED
    assert not change.changes
    assert "already" in change.says[0]


def test_an_operator_is_no_plain_word() -> None:
    """`title:survey` is another keyword than `survey`, and an exact one than a folded one."""
    assert weights(tuning.mute(WANTED, "title:survey").profile)["title:survey"] == -1
    assert weights(tuning.mute(WANTED, '"survey"').profile)["survey"] == -1


def test_what_is_never_shown_is_excluded() -> None:
    """Once; a keyword of that name goes."""
    change = tuning.never_show(WANTED, "Flash Attention")
    assert change.profile.exclude == ("category:cs.CR", "Flash Attention")
    assert weights(change.profile) == {"survey": -1.0}
    assert len(change.says) == 2
    assert not tuning.never_show(change.profile, "flash attention").changes


def test_an_author_is_followed_once() -> None:
    """Another spelling of the name is the same person; so is who is let go again."""
    change = tuning.follow(WANTED, "Tri Dao")
    assert change.profile.authors == ("Tri Dao",)
    assert change.says == ("What Tri Dao writes comes whatever its score.",)
    again = tuning.follow(change.profile, "Dao, Tri")
    assert (again.profile, again.changes) == (change.profile, False)
    assert tuning.unfollow(change.profile, "Tri Dao").profile == WANTED
    assert not tuning.unfollow(WANTED, "Tri Dao").changes


@pytest.mark.parametrize("press", [tuning.mute, tuning.never_show, tuning.follow])
def test_what_cannot_be_a_term_is_refused(press: object) -> None:
    """With the nearest form that can, and nothing is changed."""
    assert callable(press)
    with pytest.raises(KeywordError):
        press(WANTED, "")


def test_more_like_this_adds_what_the_listing_suggests() -> None:
    """At most three terms, said one by one."""
    liked = next(each for each in STORED if each.key.startswith("heat"))
    change = tuning.more_like_this(WANTED, liked, MATCHER.statistics)
    added = {t: w for t, w in weights(change.profile).items() if t not in weights(WANTED)}
    assert 0 < len(added) <= tuning.FROM_ONE
    assert all(0.5 <= weight <= 3 for weight in added.values())
    assert len(change.says) == len(added)


def test_less_like_this_pushes_down() -> None:
    """What was wanted before is lowered, what is new gets a weight below nought."""
    unwanted = next(each for each in STORED if each.key.startswith("heat"))
    wanted = Profile((Keyword("heat transfer", 2.0),))
    change = tuning.less_like_this(wanted, unwanted, MATCHER.statistics)
    assert weights(change.profile)["heat transfer"] == 1
    assert all(w < 0 for t, w in weights(change.profile).items() if t != "heat transfer")


def test_a_listing_without_a_word_of_its_own_changes_nothing() -> None:
    """There is nothing that sets it apart."""
    assert not tuning.more_like_this(WANTED, listing("We report on"), MATCHER.statistics).changes


def test_proposals_are_taken_as_they_are() -> None:
    """Each weight is the one that was shown; taken twice, nothing changes any more."""
    liked = tuple(each for each in STORED if each.key.startswith("heat"))[:5]
    wanted = Profile((Keyword("laminar"),))
    found = propose(wanted, Likes(liked), STORED, MATCHER.statistics)
    change = tuning.accept(wanted, found)
    assert weights(change.profile) == {each.term: each.weight for each in found}
    assert not tuning.accept(change.profile, found).changes
    assert not tuning.accept(wanted, []).changes


def test_a_full_profile_takes_no_more() -> None:
    """The bounds are those of the config, so that what is written can be read again."""
    assert tuning.MOST_TERMS == MAX_KEYWORDS
    full = Profile(
        tuple(Keyword(f"term number {n}") for n in range(MAX_KEYWORDS)),
        exclude=tuple(f"out {n}" for n in range(MAX_KEYWORDS)),
        authors=tuple(f"Author Q. Number{n}" for n in range(MAX_KEYWORDS)),
    )
    for change in (
        tuning.mute(full, "kernels"),
        tuning.never_show(full, "kernels"),
        tuning.follow(full, "Emmy Noether"),
    ):
        assert change.profile == full
        assert "no room" in change.says[0]
