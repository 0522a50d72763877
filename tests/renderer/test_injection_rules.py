"""What text from outside cannot do: rules X1 to X4 and X7."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from digest.errors import TemplateError
from digest.model import Link, Reason
from digest.renderer import Renderer, check_templates
from tests.renderer.mails import (
    FRAME,
    HOSTILE,
    LINKS,
    MATCH,
    NOW,
    digest,
    hostile_digest,
    match,
    render,
    shown_text,
    tree,
)

UNSAFE = [
    "javascript:alert(1)", "JaVaScRiPt:alert(1)", "java\nscript:alert(1)", " javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>", "//evil.example/x", "\\\\evil.example\\x",
    "https:evil.example", "http://", "ftp://example.org/x", "mailto:a@b.example", "/relative",
    "https://user:word@evil.example/", "https://evil.example/\x00",
    "https://e.example/" + "x" * 3000,
    "vbscript:x", "about:blank", "https://[::1", "file:///etc/passwd",
]  # fmt: skip


def with_template(name: str, source: str) -> tuple[tuple[str, str], ...]:
    """The packaged templates with one of them replaced, as `load_templates` gives them."""
    packaged = dict(FRAME.templates)
    return tuple({**packaged, name: source, f"packaged/{name}": packaged[name]}.items())


@pytest.mark.parametrize(
    "text", ["<swi>", "a < b > c & d", "&lt;b&gt;", "<script>alert(1)</script>", "**a** _b_ `c`"]
)
def test_x1_text_comes_out_as_text(text: str) -> None:
    """Whatever looks like markup in a title is shown as it stands."""
    mail = render(digest(match(title=text, abstract=f"The token {text} counts.")))
    heading = tree(mail.html).find(".//h2")
    assert heading is not None
    assert shown_text(heading) == text
    assert text in mail.text


def test_x1_an_abstract_keeps_its_literal_tag() -> None:
    """The token `<swi>` of a real abstract is text in both parts."""
    mail = render(digest(match(abstract="We emit <swi> & stop when a_b*c*d < 3.")))
    assert "We emit &lt;swi&gt; &amp; stop when a_b*c*d &lt; 3." in mail.html
    assert "We emit <swi> & stop when a_b*c*d < 3." in mail.text


@pytest.mark.parametrize("text", HOSTILE)
def test_x2_templates_escape_all_data(text: str) -> None:
    """No text from outside opens an element: the elements are those of harmless text."""
    made, plain = (render(hostile_digest(one)) for one in (text, "harmless"))
    allowed = {one.tag for one in tree(plain.html).iter()} | {
        "em",
        "strong",
        "code",
        "ol",
        "ul",
        "li",
    }
    assert {one.tag for one in tree(made.html).iter()} <= allowed


def test_x2_no_template_marks_data_as_safe() -> None:
    """The packaged templates hold no `safe` filter and switch no escaping off."""
    for name, source in FRAME.templates:
        assert not re.search(r"\|\s*safe|autoescape", source), name


@pytest.mark.parametrize("url", UNSAFE)
def test_x3_an_unsafe_address_is_no_link(url: str) -> None:
    """A title with such an address is plain, and no link leads there."""
    mail = render(digest(match(url=url, links=(Link("pdf", url), Link("code", url)))))
    links = {str(one.get("href")) for one in tree(mail.html).iter("a")}
    assert links == {LINKS.manage, LINKS.unsubscribe}
    assert tree(mail.html).find(".//h2/a") is None


def test_x3_blanks_in_an_address_are_encoded() -> None:
    """An address with blanks and letters outside ASCII is written as URLs are."""
    mail = render(digest(match(url="https://example.org/a b/ü?q=ä")))
    assert 'href="https://example.org/a%20b/%C3%BC?q=%C3%A4"' in mail.html


@pytest.mark.parametrize("text", HOSTILE)
def test_x4_no_data_in_style_class_id_or_comments(text: str) -> None:
    """Style, class and comments are the same for any text, and there is no id."""
    made, plain = (render(hostile_digest(one[:40])) for one in (text, "harmless"))
    for pattern in (r"<!--.*?-->", r"<style>.*?</style>"):
        found, expected = (re.findall(pattern, one.html, re.DOTALL) for one in (made, plain))
        assert found == expected
    for name in ("style", "class"):
        found_values = {one.get(name) for one in tree(made.html).iter()}
        assert found_values - {one.get(name) for one in tree(plain.html).iter()} <= prose_styles()
    assert " id=" not in made.html


def prose_styles() -> set[str | None]:
    """The styles of running text, which appear where an abstract has lists or code."""
    mail = render(digest(match(abstract="`a` *b*\n\n1. c\n2. d\n\n- e\n- f")))
    return {one.get("style") for one in tree(mail.html).iter()}


@pytest.mark.parametrize(
    "expression",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ item.__class__ }}",
        "{{ digest.subscriber.__class__.__init__.__globals__ }}",
        "{{ lipsum.__globals__ }}",
        "{{ '%s' | format(cycler.__init__) | attr('__globals__') }}",
        "{% include '../../etc/passwd' %}",
        "{% include '/etc/passwd' %}",
        "{% extends '../digest.html' %}",
    ],
)
def test_x7_a_template_cannot_leave_its_sandbox(expression: str) -> None:
    """A template that reaches for Python or for another file is refused."""
    frame = replace(FRAME, templates=with_template("digest.txt", expression))
    with pytest.raises(TemplateError, match=r"digest\.txt"):
        check_templates(frame)


@pytest.mark.parametrize(
    ("name", "source", "expected"),
    [
        ("digest.txt", "a\nb {{ subjct }}", "template digest.txt, line 2: 'subjct' is undefined"),
        (
            "item.html",
            "<p>\n\n{{ item.titel }}</p>",
            "template item.html, line 3: there is no 'titel'; did you mean 'title'",
        ),
        ("item.txt", "{{ item.qqq }}", "line 1: there is no 'qqq'; there are title, url, meta"),
        ("item.txt", "{% if item.title %}\n", "template item.txt, line 1: "),
        (
            "digest.html",
            "<html>\n<body>\n{% for x in %}</body></html>",
            "template digest.html, line 3: ",
        ),
        ("subject.txt", "{{ titles[99].x }}", "template subject.txt, line 1: "),
        ("subject.txt", "{{ 1 / 0 }}", "template subject.txt, line 1: ZeroDivisionError"),
        ("digest.html", "{% extends 'other.html' %}", "template digest.html.*other.html"),
        (
            "item.html",
            "<p {{ item.title }}>x</p>",
            "template item.html, line 1: .*stands inside a tag",
        ),
        (
            "item.html",
            '<p dir="{{ item.title }}" dir="{{ item.url }}">x</p>',
            "template item.html: .*not well-formed",
        ),
    ],
)
def test_a_fault_names_template_line_and_variable(name: str, source: str, expected: str) -> None:
    """An operator reads where the fault stands and what is missing."""
    with pytest.raises(TemplateError, match=expected):
        check_templates(replace(FRAME, templates=with_template(name, source)))


def test_a_block_of_ones_own() -> None:
    """An operator's template replaces one block of ours and gets its styles."""
    source = (
        '{% extends "packaged/digest.html" %}\n'
        '{% block foot %}<p class="foot-line">Ask {{ service }} in room 3.</p>'
        "{{ super() }}{% endblock %}"
    )
    frame = replace(FRAME, templates=with_template("digest.html", source))
    check_templates(frame)
    html = Renderer(frame).render(digest(MATCH), "a@example.org", NOW, LINKS).html
    assert re.search(r'<p class="foot-line" style="[^"]+">Ask Paper digest in room 3.</p>', html)
    assert LINKS.unsubscribe in html


def test_a_missing_template_is_named() -> None:
    """A frame without one of the templates says which."""
    with pytest.raises(TemplateError, match=r"item\.txt"):
        Renderer(replace(FRAME, templates=tuple(t for t in FRAME.templates if t[0] != "item.txt")))


def test_a_hostile_term_is_shown_and_highlights_nothing_else() -> None:
    """A keyword with markup in it is text in the reasons."""
    made = replace(MATCH, reasons=(Reason("<b>x</b> {{ 1 }}", "title", 0.53),))
    assert "&lt;b&gt;x&lt;/b&gt; {{ 1 }}" in render(digest(made)).html
