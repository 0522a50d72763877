"""Letters as finished bytes: look, header, and nothing of a visitor's in them."""

from __future__ import annotations

from dataclasses import replace
from email import message_from_bytes
from email.policy import SMTP
from html.parser import HTMLParser

import pytest

from digest.errors import TemplateError
from digest.letters import Heading, Words, confirmation, render_letter, way_in
from digest.templates import letter_templates, packaged_templates
from tests.samples import FRAME, NOW

URL = "https://digest.example.org/confirm/" + "x" * 120
HEADING = Heading("ada@example.org", "letter.1@example.org", NOW)
LOOK = replace(FRAME, templates=packaged_templates())


@pytest.fixture(params=[confirmation, way_in])
def words(request: pytest.FixtureRequest) -> Words:
    """The words of each kind of letter."""
    made: Words = request.param("Paper digest", URL)
    return made


def test_q2_the_same_letter_has_the_same_bytes(words: Words) -> None:
    """A second try sends what the first one sent."""
    made = {render_letter(words, HEADING, LOOK, letter_templates(None)) for _ in range(2)}
    assert len(made) == 1


def test_b1_b3_b4_a_letter_is_fit_for_any_relay(words: Words) -> None:
    """7-bit, CRLF, lines of at most 998 octets, text before HTML, each with the one link."""
    raw = render_letter(words, HEADING, LOOK, letter_templates(None))
    assert raw.isascii()
    lines = raw.split(b"\r\n")
    assert max(map(len, lines)) <= 998
    assert b"\n" not in b"".join(lines)
    letter = message_from_bytes(raw, policy=SMTP)
    kinds = [part.get_content_type() for part in letter.iter_parts()]
    assert kinds == ["text/plain", "text/html"]
    for part in letter.iter_parts():
        assert URL in part.get_content()


def test_m1_m3_the_header_has_each_field_once(words: Words) -> None:
    """One From of ours, one recipient, and no field of a list."""
    letter = message_from_bytes(
        render_letter(words, HEADING, LOOK, letter_templates(None)), policy=SMTP
    )
    names = [name.lower() for name in letter.keys()]  # noqa: SIM118 - a message is no mapping
    assert len(names) == len(set(names))
    assert letter["From"] == "Paper digest <digest@example.org>"
    assert letter["To"] == "ada@example.org"
    assert letter["Message-ID"] == "<letter.1@example.org>"
    assert not {"precedence", "list-id", "list-unsubscribe", "bcc"} & set(names)


def test_r7_a_letter_has_its_style_in_its_elements(words: Words) -> None:
    """The button is one without a style block as well."""
    letter = message_from_bytes(
        render_letter(words, HEADING, LOOK, letter_templates(None)), policy=SMTP
    )
    body = letter.get_body(("html",))
    assert body
    styles: list[str] = []

    class Reader(HTMLParser):
        """Collects the styles of links."""

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            styles.extend(value or "" for name, value in attrs if tag == "a" and name == "style")

    Reader().feed(body.get_content())
    assert len(styles) == 2
    assert "color" in styles[0]


def test_a_broken_template_is_named(words: Words) -> None:
    """A slip of the operator is an error in words."""
    broken = (("letter.html", "{{ nothing }}"), ("letter.txt", "x"))
    with pytest.raises(TemplateError, match="nothing"):
        render_letter(words, HEADING, LOOK, broken)
