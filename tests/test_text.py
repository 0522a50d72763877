"""Text made plain, titles compared, cutting and addresses."""

from __future__ import annotations

import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.text import cut, one_line, plain, printable, title_key, web_url


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("emits <swi> to enter and </swi> to exit", "emits <swi> to enter and </swi> to exit"),
        ("a<b and c>d, x <b and y", "a<b and c>d, x <b and y"),
        ("if $a<p$ and $q>3$", "if $a<p$ and $q>3$"),
        ("AT&amp;T &lt;b&gt; &#233; &eacute;", "AT&T <b> é é"),
        ("?a=1&copy=2", "?a=1&copy=2"),
        ("&amp;lt;", "&lt;"),
        ("<p>one &amp;amp; two</p><p>three<br>four</p>", "one &amp; two\n\nthree four"),
        ("<p>the token <swi> stays</p>", "the token <swi> stays"),
        ("H<sub>2</sub>O is <b>wet</b>", "H2O is wet"),
        ("x<script>alert(1)</script><style>p{}</style>y", "xy"),
        ('<img src=x onerror="alert(1)">seen', "seen"),
        ("<svg onload=alert(1)>seen</svg>", "seen"),
        ("<!-- hidden -->seen", "seen"),
        ("one\n\n two\r\n\r\nthree\nfour", "one\n\ntwo\n\nthree four"),
        ("One ends.\n  In this paper\nwe go on", "One ends.\n\nIn this paper we go on"),
        ("a\x00b\x07c\ud800d\u200be\u202ef\ufeffg\uffff", "abcdefg"),
        ("cafe\u0301", "café"),
        ("", ""),
    ],
)
def test_x1_plain_gives_text_without_markup(text: str, wanted: str) -> None:
    """Tags go by a real parser, entities are decoded once, what is no HTML stays as text."""
    assert plain(text) == wanted


def test_one_line_joins_paragraphs() -> None:
    """A title is one line whatever its source wrapped."""
    assert one_line("<p>A  title</p>\n<p>in two</p>") == "A title in two"


@pytest.mark.parametrize(
    "bad",
    ["<div>", "<b>", "<", "<a href='", "&", "<table>", "<p><b><i>", "<a ", "\n ", ".\n  ", "&#"],
)
def test_s11_plain_is_bounded_in_time(bad: str) -> None:
    """Text of many open tags, the worst for an HTML parser, takes no more than a moment."""
    started = time.monotonic()
    plain(bad * 100_000)
    assert time.monotonic() - started < 1


@given(st.text())
def test_b2_plain_never_lets_unseen_characters_through(text: str) -> None:
    """No control, lone surrogate or non-character survives, and plain text stays as it is."""
    clean = plain(text)
    assert all(unicodedata.category(c) not in {"Cc", "Cs"} or c == "\n" for c in clean)
    assert "\uffff" not in clean
    clean.encode()


@pytest.mark.parametrize(
    "titles",
    [
        (r"$\Delta$-DiT: a Test", "Δ-DiT: A test", "Delta-DiT — a test"),
        ("S$^4$C", "S4C"),
        (r"Cram\'er-Rao Bounds", "Cramér–Rao bounds"),
        (r"Schr{\"o}dinger", r"Schr\"odinger", "Schrödinger", "SCHRÖDINGER"),
        (r"M{\o}lmer", "Mølmer"),
        ("time-step", "time step", "Timestep"),
        (r"3\times faster", "3times faster"),
        ("ﬁne\u00a0tuning", "fine tuning"),
    ],
)
def test_title_key_is_one_for_all_spellings(titles: tuple[str, ...]) -> None:
    """TeX, accents, case, hyphens and Greek letters do not part a title from itself."""
    assert len({title_key(title) for title in titles}) == 1


def test_title_key_parts_what_differs() -> None:
    """A title of one digit or of signs alone still has a key, and its own."""
    keys = [title_key(title) for title in ("0", "1", "★", "☆", "Part I", "Part II", "第一", "第二")]
    assert len(set(keys)) == len(keys)
    assert all(keys)


@pytest.mark.parametrize(
    ("text", "limit", "wanted"),
    [
        ("short", 5, "short"),
        ("hello wonderful world", 16, "hello wonderful…"),
        ("aaaaaaaaaaaa", 5, "aaaa…"),
        ("one, two three", 5, "one…"),
        ("e\u0301" * 9, 8, "e\u0301" * 3 + "…"),
        ("🇩🇪🇫🇷🇩🇪", 4, "🇩🇪…"),
        ("👨‍👩‍👧‍👦👨‍👩‍👧‍👦", 9, "👨‍👩‍👧‍👦…"),
        ("anything", 0, ""),
    ],
)
def test_cut_ends_at_words_and_whole_characters(text: str, limit: int, wanted: str) -> None:
    """A cut text ends after a word where one ends, never inside what is drawn as one."""
    assert cut(text, limit) == wanted


@given(st.text(), st.integers(1, 50))
def test_x10_printable_text_obeys_no_terminal(text: str, limit: int) -> None:
    """Messages hold no control of any kind and stay within their length."""
    shown = printable(f"\x1b[31m{text}\r\n", limit)
    assert shown.isprintable()
    assert len(shown) <= limit


@given(st.text(), st.integers(0, 50))
def test_cut_never_exceeds_its_limit(text: str, limit: int) -> None:
    """The ellipsis counts as well."""
    assert len(cut(text, limit)) <= limit


@pytest.mark.parametrize(
    ("address", "wanted"),
    [
        ("https://example.org/a", "https://example.org/a"),
        ("http://example.org/a b?é", "http://example.org/a%20b?%C3%A9"),
        ("javascript:alert(1)", ""),
        ("java\nscript:alert(1)", ""),
        ("//example.org/x", ""),
        ("\\\\example.org\\x", ""),
        ("data:text/html,x", ""),
        ("http://user:secret@example.org/", ""),
        ("http://[::1", ""),
        ("http://example.org:port/", ""),
        ("https://example.org/" + "a" * 3_000, ""),
        ("ftp://example.org/", ""),
        ("", ""),
    ],
)
def test_x3_web_url_lets_only_safe_links_through(address: str, wanted: str) -> None:
    """Links are http(s), without controls, encoded, of a bounded length; else there is none."""
    assert web_url(address) == wanted


def test_web_url_makes_relative_addresses_absolute() -> None:
    """A feed's relative link is read from the feed's own address."""
    assert web_url("/post/1", "https://example.org/feed") == "https://example.org/post/1"
    assert web_url("//example.com/x", "https://example.org/") == "https://example.com/x"
