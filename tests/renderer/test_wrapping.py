"""Lines of the text part."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from digest.renderer.wrapping import WIDTH, wrapped


def test_lines_end_between_words() -> None:
    """A paragraph is filled to the width, and indented as asked."""
    made = wrapped("one two three four", "- ", "  ", width=10)
    assert made == "- one two\n  three\n  four"


def test_the_items_of_a_list_stand_together() -> None:
    """An empty line parts paragraphs, and a list from what is around it."""
    made = wrapped("Bring\n- tea\n- cake for\n\nor both", width=8)
    assert made == "Bring\n\n- tea\n- cake\nfor\n\nor both"


def test_wide_letters_count_twice() -> None:
    """A line of Japanese holds half as many letters."""
    assert [len(line) for line in wrapped("漢" * 20, width=20).split("\n")] == [10, 10]


@pytest.mark.parametrize("word", ["https://example.org/" + "x" * 100, "y" * 90])
def test_no_word_of_letters_is_cut(word: str) -> None:
    """An address stays whole, however long."""
    assert word in wrapped(f"see {word} there").split("\n")


@given(st.lists(st.text("abcdefgh漢字é“”", min_size=1, max_size=30), max_size=60).map(" ".join))
def test_every_line_fits(text: str) -> None:
    """No line of words that fit is too long, and no letter is lost."""
    made = wrapped(text)
    assert made.replace("\n", "").replace(" ", "") == text.replace(" ", "")
    assert all(cell_len(line) <= WIDTH for line in made.split("\n"))
