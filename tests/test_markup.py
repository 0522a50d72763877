"""Markdown that is let through, and signs that are text."""

from __future__ import annotations

import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.markup import abstract_html, note_html, note_text, split

ABSTRACTS = [
    ("It is *fast* and **small**.", "<p>It is <em>fast</em> and <strong>small</strong>.</p>"),
    ("Run `a<b>*c*`.", "<p>Run <code>a&lt;b&gt;*c*</code>.</p>"),
    ("a*b*c, f* and g* (*) x (*)", "<p>a*b*c, f* and g* (*) x (*)</p>"),
    ("snake_case_name, x_1", "<p>snake_case_name, x_1</p>"),
    ("<swi> & &lt; <b>x</b>", "<p>&lt;swi&gt; &amp; &amp;lt; &lt;b&gt;x&lt;/b&gt;</p>"),
    ("[x](http://e.example) ![i](x)", "<p>[x](http://e.example) ![i](x)</p>"),
    ("# No heading", "<p># No heading</p>"),
    ("2024. The year", "<p>2024. The year</p>"),
    ("1. One\n2. Two", "<ol>\n<li>One</li>\n<li>Two</li>\n</ol>"),
    ("- one\n- two", "<ul>\n<li>one</li>\n<li>two</li>\n</ul>"),
    ("$a*b*c$ and \\(x_1_2\\)", "<p>$a*b*c$ and \\(x_1_2\\)</p>"),
    ("S\\*: x \\_ y", "<p>S\\*: x \\_ y</p>"),
    ("One.\n\nTwo.", "<p>One.</p>\n<p>Two.</p>"),
]


@pytest.mark.parametrize(("text", "expected"), ABSTRACTS)
def test_an_abstract_is_mostly_text(text: str, expected: str) -> None:
    """Emphasis, code, lists and paragraphs count; nothing else does."""
    assert abstract_html(text) == expected


def test_a_note_may_link() -> None:
    """The operator's note has links to the web and to mailboxes, and no other HTML."""
    made = note_html(
        "**Hi** [us](https://example.org/?a=b&c) <script>x</script> [no](javascript:x)"
    )
    assert made == (
        '<p><strong>Hi</strong> <a href="https://example.org/?a=b&amp;c">us</a>  <a>no</a></p>'
    )


def test_a_heading_of_a_note_is_bold() -> None:
    """It stands out, and is none of the mail's headings."""
    made = note_html("# Reading group\n\nTuesday\n\n<h2 id='x'>Room</h2>")
    assert made.split("\n") == [
        "<p><strong>Reading group</strong></p>",
        "<p>Tuesday</p>",
        "<p><strong>Room</strong></p>",
    ]


def test_a_note_reads_as_text() -> None:
    """In the text part the note has its links behind their words, and no marks."""
    made = note_text("**Hi** [us](https://example.org/?a=b&c)\n\n- 1 < 2\n- `two`")
    assert made == "Hi us <https://example.org/?a=b&c>\n\n- 1 < 2\n- two"


@given(st.text(st.characters(exclude_categories=("Cs", "Cc", "Co")), max_size=200))
def test_no_letter_of_an_abstract_is_lost(text: str) -> None:
    """What is shown has every letter and digit of the text, in order, and only our elements."""
    made = abstract_html(text)
    assert not re.search(r"<(?!/?(?:p|em|strong|code|ul|ol|li)>)", made)
    shown = html.unescape(re.sub(r"<[^>]*>", "", made))
    letters = [c for c in text if c.isalpha()]
    assert [c for c in shown if c.isalpha()] == letters


@given(st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=200))
def test_split_parts_tags_from_text(text: str) -> None:
    """The pieces of an abstract are its tags and its text, and nothing is lost."""
    made = abstract_html(text)
    pieces = split(made).pieces
    joined = "".join(piece if is_tag else html.escape(piece) for is_tag, piece in pieces)
    assert html.unescape(joined) == html.unescape(made)
