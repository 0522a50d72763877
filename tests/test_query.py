"""What a search asks for, what is told of its faults, and the profile it becomes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.query import LONGEST, Query, QueryError, Sought, parse_query


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("flash attention", [[Sought("flash")], [Sought("attention")]]),
        ("“Flash Attention” + x", [[Sought("Flash Attention")], [Sought("x")]]),
        ("quantiz*", [[Sought("quantiz", is_prefix=True)]]),
        ("Title:survey", [[Sought("survey", "title")]]),
        ('author:"Emmy Noether"', [[Sought("Emmy Noether", "author")]]),
        ("category:cs.*", [[Sought("cs.", "category", is_prefix=True)]]),
        ("LLM | language OR speech", [[Sought("LLM"), Sought("language"), Sought("speech")]]),
        ("a AND b", [[Sought("a")], [Sought("b")]]),
        ("arXiv:2606.00467v2", [[Sought("arxiv:2606.00467", "id")]]),
        ("https://arxiv.org/abs/2606.00467", [[Sought("arxiv:2606.00467", "id")]]),
        ("doi:10.1000/Xy", [[Sought("doi:10.1000/xy", "id")]]),
        ("Attention: all", [[Sought("Attention")], [Sought("all")]]),
        ("(deep) c++ ++", [[Sought("deep")], [Sought("c++")]]),
        ("x\x00y\ud800", [[Sought("x")], [Sought("y")]]),
        ("", []),
        ("   ", []),
    ],
)
def test_a_search_is_read(text: str, wanted: list[list[Sought]]) -> None:
    """Words, phrases, beginnings, fields, identities and alternatives."""
    assert parse_query(text).wanted == tuple(map(tuple, wanted))


@pytest.mark.parametrize(
    ("text", "unwanted"),
    [("a -b", ["b"]), ('a NOT "b c"', ["b c"]), ("a -title:b", ["b"]), ("a-b", []), ("a - b", [])],
)
def test_what_is_left_out_is_read(text: str, unwanted: list[str]) -> None:
    """A minus right before a word, or NOT."""
    assert [one.words for one in parse_query(text).unwanted] == unwanted


@pytest.mark.parametrize(
    ("text", "said", "hint"),
    [
        ('"flash', "quotation mark too few", '"flash"'),
        ("autor:dao", "no field “autor”", "author:dao"),
        ("cat:cs.CL", "no field “cat”", "category:cs.CL"),
        ("foo:bar x", "fields are title:", '"foo:bar" x'),
        ("title:", "needs a word", "title:survey"),
        ("co*l", "A * stands once", "col*"),
        ("ab*", "too short a beginning", ""),
        ("-x", "what to look for as well", ""),
        ("*", "no letter or digit", ""),
        ("');--", "no letter or digit", ""),
        ("a " * 17, "at most 16 words", ""),
        ("a" * 201, "at most 200 characters", ""),
    ],
)
def test_a_fault_is_told_with_the_nearest_search(text: str, said: str, hint: str) -> None:
    """In a sentence; and what is proposed can be made."""
    with pytest.raises(QueryError, match=said.replace("*", r"\*")) as told:
        parse_query(text)
    assert told.value.hint == hint
    if hint:
        assert parse_query(hint).wanted


@given(st.text(max_size=LONGEST + 5))
def test_x8_no_text_is_more_than_a_fault(text: str) -> None:
    """Whatever is typed is a search or a QueryError, and its keywords can be keywords."""
    try:
        query = parse_query(text)
    except QueryError:
        return
    assert isinstance(query, Query)
    assert all(keyword.term for keyword in query.keywords)


@pytest.mark.parametrize(
    ("text", "keywords", "exclude"),
    [
        ("flash", [("flash", 1.0)], []),
        ("flash attention", [("flash attention", 3.0), ("flash + attention", 1.0)], []),
        ('"flash attention" -survey', [("flash attention", 1.0)], ["survey"]),
        ("quantiz* title:llm", [("quantiz* + title:llm", 1.0)], []),
        ("a1 | b1 c1", [("a1 + c1 | b1 + c1", 1.0)], []),
        ("category:cs.* x1", [("category:cs.* + x1", 1.0)], []),
        ("author:Noether", [], []),  # a family name alone would match every namesake
        ("arXiv:2606.00467", [], []),
        (
            "a1 | b1 c1 | d1 e1 | f1 g1 | h1",  # more alternatives than one keyword takes
            [(f"{letter}1", 1.0) for letter in "abcdefgh"],
            [],
        ),
    ],
)
def test_a_search_becomes_a_profile(
    text: str, keywords: list[tuple[str, float]], exclude: list[str]
) -> None:
    """Keywords that ask for the same, and in their order as well where words are plain."""
    query = parse_query(text)
    assert [(one.term, one.weight) for one in query.keywords] == keywords
    assert list(query.exclude) == exclude
