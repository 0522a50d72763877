"""The parts of every mail: rules B1 to B12."""

from __future__ import annotations

import os
import quopri
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.model import Match, PersonalLinks, Receipt
from digest.renderer.wire import encode
from tests.renderer.mails import (
    FRAME,
    HOSTILE,
    LINKS,
    MATCH,
    REASONS,
    digest,
    hostile_digest,
    html_bytes,
    listing,
    match,
    parsed,
    part,
    render,
    shown_text,
    tree,
)
from tests.renderer.rules import ATTRIBUTES, ELEMENTS

JAPANESE = "拡散モデルの推論を高速化する手法を提案する。" * 140  # 3,080 characters


def many(number: int, abstract: str) -> list[Match]:
    """As many matches, each with that abstract."""
    return [
        Match(listing(key=f"k{n}", title=f"{n} 深層学習", abstract=abstract), 0.5, REASONS)
        for n in range(number)
    ]


def test_b1_two_parts_text_first() -> None:
    """The message is multipart/alternative of text/plain and text/html, and nothing else."""
    message = parsed(render())
    kinds = [one.get_content_type() for one in message.iter_parts()]
    assert message.get_content_type() == "multipart/alternative"
    assert kinds == ["text/plain", "text/html"]
    assert not list(message.iter_attachments())


@pytest.mark.parametrize("text", HOSTILE)
def test_b2_both_parts_are_clean_utf8(text: str) -> None:
    """Both parts declare UTF-8 and hold no BOM, NUL, control, surrogate or non-character."""
    mail = render(hostile_digest(text))
    for one in parsed(mail).iter_parts():
        assert one.get_content_charset() == "utf-8"
        content = str(one.get_content())
        assert not re.search(
            "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufeff\ufffe\uffff\ud800-\udfff\ufdd0-\ufdef]",
            content,
        )


@settings(max_examples=60, deadline=None)
@given(st.text(st.characters(codec=None), max_size=200))
def test_b2_any_text_becomes_a_mail(text: str) -> None:
    """No text, not even lone surrogates, keeps the mail from being made and read."""
    mail = render(hostile_digest(text))
    assert part(mail, "html").encode()
    assert part(mail, "plain").encode()


@pytest.mark.parametrize("title", ["é", "日本語" * 40, "plain"])
def test_b3_only_seven_bit_bytes(title: str) -> None:
    """Every part has a transfer encoding, and no byte is above 127."""
    mail = render(digest(match(title=title)))
    assert max(mail.raw) < 128
    encodings = {one["Content-Transfer-Encoding"] for one in parsed(mail).iter_parts()}
    assert encodings <= {"quoted-printable", "base64"}


@pytest.mark.parametrize("text", [*HOSTILE, "y" * 20_000, "漢" * 20_000])
def test_b4_lines_are_short_and_end_in_crlf(text: str) -> None:
    """No line is over 76 octets in the body, and no CR or LF stands alone."""
    raw = render(hostile_digest(text)).raw
    assert not re.search(rb"\r(?!\n)|(?<!\r)\n", raw)
    body = raw.partition(b"\r\n\r\n")[2]
    assert max(map(len, body.split(b"\r\n"))) <= 76


def test_b4_a_lone_dot_never_stands_on_a_line() -> None:
    """Text that would end the SMTP data is encoded."""
    assert b"\r\n.\r\n" not in render(hostile_digest("\n.\n")).raw


@given(
    st.text(
        st.characters(exclude_categories=("Cs", "Cc")) | st.sampled_from("\n\t=. "), max_size=500
    )
)
def test_b5_encoding_loses_nothing(text: str) -> None:
    """What a mail program decodes is what was encoded, dots and trailing blanks included."""
    made = encode("plain", text)
    if made.encoding == "quoted-printable":
        assert quopri.decodestring(made.data).replace(b"\r\n", b"\n").decode() == text


def test_b6_the_text_part_is_complete() -> None:
    """Both parts lead to the same addresses, and the way out stands alone on its line."""
    mail = render(digest(match(), match(key="b", title="Second", url="https://example.org/b")))
    linked = {a.get("href") for a in tree(mail.html).iter("a")}
    assert set(re.findall(r"https?://\S+", mail.text)) == linked
    assert LINKS.unsubscribe in mail.text.split("\n")
    for expected in (
        "Draft Models for Speculative Decoding",
        "Second",
        "of “speculative decoding”",
    ):
        assert expected in " ".join(mail.text.split())


def test_b7_format_flowed_is_not_declared() -> None:
    """No part promises that its lines may be joined."""
    assert b"flowed" not in render().raw


@pytest.mark.parametrize("abstract", [JAPANESE, "x" * 3_000, "Some words. " * 250, "<&>\"'" * 600])
def test_b8_the_html_part_stays_under_90_000_bytes(abstract: str) -> None:
    """However much matched, the HTML fits, says how much was left out, and keeps its footer."""
    matches = many(500, abstract)
    mail = render(digest(*matches, receipt=Receipt((), 900, 500, 500, 0)))
    assert html_bytes(mail) <= 90_000
    assert "more listings would have made this mail too long" in mail.html
    assert LINKS.unsubscribe in mail.html
    shown = mail.html.count("<h2")
    assert 5 < shown < 500
    assert f"{500 - shown} more listings" in mail.text


def test_b8_as_much_as_fits_is_shown() -> None:
    """The mail is cut no shorter than it must be: at least five sixths of the room is used."""
    mail = render(digest(*many(500, "Some words. " * 250)))
    assert html_bytes(mail) > 75_000


@pytest.mark.parametrize("text", ["長" * 5_000, "y" * 5_000])
def test_b8_nothing_else_makes_the_html_long(text: str) -> None:
    """Note, address, sources and errors of any length leave room for items and footer."""
    frame = replace(FRAME, note=text, postal_address=text, service_name=text)
    made = hostile_digest(text)
    runs = made.receipt.sources * 40
    mail = render(replace(made, receipt=replace(made.receipt, sources=runs)), frame=frame)
    assert html_bytes(mail) <= 90_000
    assert LINKS.unsubscribe in mail.html


@pytest.mark.parametrize("text", HOSTILE)
def test_b9_only_harmless_elements_and_attributes(text: str) -> None:
    """Elements and attributes come from a short list; nothing is loaded and nothing runs."""
    mail = render(hostile_digest(text), frame=replace(FRAME, note=text))
    for element in tree(mail.html).iter():
        if isinstance(element.tag, str):
            assert element.tag in ELEMENTS
            assert set(element.attrib) <= ATTRIBUTES
            assert element.get("http-equiv") is None
    assert "url(" not in mail.html
    assert "@import" not in mail.html


def test_b10_the_footer_says_who_and_why() -> None:
    """Sender, reason, list, postal address and both links stand in both parts."""
    mail = render()
    for shown in (mail.html, mail.text):
        flat = " ".join(shown.split())
        assert "Sent by Paper digest (digest@example.org) to ada@example.org" in flat
        assert "subscribed to Paper digest (list papers.example.org)" in flat
        assert "Library, 1 College Street, Example" in flat
        assert LINKS.manage in shown
        assert LINKS.unsubscribe in shown


def test_u7_both_parts_show_the_way_out() -> None:
    """In the HTML a link of words that are seen, in the text a line of its own."""
    mail = render()
    (link,) = (a for a in tree(mail.html).iter("a") if a.get("href") == LINKS.unsubscribe)
    assert "unsubscribe" in shown_text(link).lower()
    assert LINKS.unsubscribe in mail.text.splitlines()


def test_b10_without_links_the_footer_says_to_reply() -> None:
    """Where there is no page, the sender's own mailbox is the way out."""
    mail = render(links=PersonalLinks("", ""))
    for shown in (mail.html, mail.text):
        assert "To change your keywords or to stop this mail, reply to it." in shown


def test_b11_the_same_digest_gives_the_same_bytes() -> None:
    """Two renderers, in one process, make one message."""
    assert render().raw == render(frame=replace(FRAME)).raw


@pytest.mark.parametrize("seed", ["0", "1", "77"])
def test_b11_bytes_do_not_depend_on_the_process(seed: str) -> None:
    """Hash order, time zone and locale of a process leave no trace."""
    program = (
        "import sys; from tests.renderer.mails import render; sys.stdout.buffer.write(render().raw)"
    )
    environment = {
        **os.environ, "PYTHONHASHSEED": seed, "TZ": "Asia/Kathmandu", "LC_ALL": "C",
    }  # fmt: skip
    root = Path(__file__).parents[2]
    made = subprocess.run(
        [sys.executable, "-c", program], cwd=root, env=environment, capture_output=True, check=True
    )
    assert made.stdout == render().raw


def test_b12_nothing_is_loaded_from_afar() -> None:
    """The packaged templates hold no image and no other remote thing."""
    html = render().html
    assert not re.search(r"<img|\bsrc=|\bbackground=", html)


def test_the_score_is_shown_and_its_points_add_up() -> None:
    """The number in front of the reasons is the sum of their points."""
    assert sum(reason.points for reason in REASONS) == pytest.approx(MATCH.score)
    assert "0.53: because of" in render().text
