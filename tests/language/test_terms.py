"""What cannot be a keyword, and the nearest form that can."""

from __future__ import annotations

import time
from contextlib import suppress

import pytest

from digest.errors import KeywordError
from digest.language import check_author, check_exclusion, check_term

BAD = [
    ("", ""),
    ("   ", ""),
    ("\u200b", ""),
    ("***", ""),
    ("!?", ""),
    ("x" * 201, ""),
    ("a " * 90, ""),
    ("titel:survey", "title:survey"),
    ("cat:cs.CL", "category:cs.CL"),
    ("authors:T. Dao", "author:T. Dao"),
    ("re:zero", '"re:zero"'),
    ("title:", "title:survey"),
    ('"flash', '"flash"'),
    ("a*", ""),
    ("ab*", ""),
    ("quant *", "quant*"),
    ("neu*al", "neu*"),
    ("*formers", "formers*"),
    ("regex.*", "regex*"),
    ("(regex)*", "regex*"),
    ("..*deep-learning.*", "deep-learning*"),
    ("an.*", ""),
    ("a +", "a"),
    ("+ b", "b"),
    ("a + + b", "a + b"),
    ("a |", "a"),
    ("diffusion+acceleration", "diffusion + acceleration"),
    ("(a+)+$", "a"),
    ("-survey", "survey"),
    ("cats AND dogs", "cats + dogs"),
    ("cats OR dogs", "cats | dogs"),
    ("cats NOT dogs", ""),
    ("author:Dao", "A. Dao"),
    ("category:", "category:survey"),
    (" + ".join("abcdefghi"), ""),
    (" ".join(["word"] * 17), ""),
    ('"flash att*"', "flash*"),
]


@pytest.mark.parametrize(("text", "hint"), BAD)
def test_x9_a_bad_keyword_names_the_nearest_good_one(text: str, hint: str) -> None:
    """Each text that cannot be a keyword is refused, with the form that was meant."""
    with pytest.raises(KeywordError) as refused:
        check_term(text)
    assert refused.value.hint == hint


@pytest.mark.parametrize(("text", "hint"), [case for case in BAD if case[1] and case[1][0] != "A"])
def test_a_hint_is_itself_a_keyword(text: str, hint: str) -> None:
    """What is proposed instead is accepted."""
    check_term(hint)
    check_exclusion(hint)


@pytest.mark.parametrize(
    "text",
    ["(a+)+" * 30, "\\" * 150, "$" * 150, "[" * 199, "a" * 200, '"' * 180, ":" * 190, "+ " * 90],
)
def test_x9_patterns_are_plain_text(text: str) -> None:
    """Text that would be a costly pattern is parsed as words, or refused, at once."""
    begun = time.perf_counter()
    with suppress(KeywordError):
        check_term(text)
    assert time.perf_counter() - begun < 1


@pytest.mark.parametrize("name", ["", " ,", "Dao", "dao.", "x" * 201])
def test_an_author_needs_more_than_a_family_name(name: str) -> None:
    """A name that would fit every namesake is refused."""
    with pytest.raises(KeywordError):
        check_author(name)


@pytest.mark.parametrize("name", ["Tri Dao", "T. Dao", "Dao, Tri", "李小龙", "Émilie du Châtelet"])
def test_a_full_name_can_be_followed(name: str) -> None:
    """A family name with a given name or an initial is accepted."""
    check_author(name)
