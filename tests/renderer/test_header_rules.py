"""The header of every mail: rules M1 to M18 and X5, X6."""

from __future__ import annotations

import email.utils
import re
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.errors import DigestError
from digest.model import PersonalLinks, Subscriber
from tests.renderer.mails import (
    FRAME,
    HOSTILE,
    ID,
    LINKS,
    NOW,
    digest,
    field_lines,
    field_names,
    hostile_digest,
    match,
    parsed,
    render,
    renderer,
)
from tests.renderer.rules import FIELDS

NO_LINKS = PersonalLinks("", "")
ANY_TEXT = st.text(st.characters(codec=None), max_size=300)  # lone surrogates included


def value(lines: list[str], name: str) -> str:
    """What the field of that name holds."""
    return next(line.partition(": ")[2] for line in lines if line.startswith(f"{name}: "))


@pytest.mark.parametrize("text", HOSTILE)
def test_m1_one_from_mailbox_set_by_the_operator(text: str) -> None:
    """From is the operator's mailbox, whatever titles and names say."""
    mail = render(hostile_digest(text))
    senders = email.utils.getaddresses(parsed(mail).get_all("From", []))
    assert senders == [("Paper digest", "digest@example.org")]


def test_m2_one_recipient_and_no_other_address() -> None:
    """To holds the subscriber alone, and there is no Cc or Bcc."""
    mail = render()
    assert parsed(mail)["To"] == "ada@example.org"
    assert not {"Cc", "Bcc"} & set(field_names(mail))


@pytest.mark.parametrize("text", HOSTILE)
def test_m3_no_field_twice(text: str) -> None:
    """Each field stands once, and only the fields that are meant."""
    assert field_names(render(hostile_digest(text))) == FIELDS


@pytest.mark.parametrize("title", [*HOSTILE, "", "🦆" * 3_000, "\x00\x01\x02", "?" * 400])
def test_m4_subject_is_one_clean_line_of_at_most_150_characters(title: str) -> None:
    """The subject is never empty, never long, and holds no control character."""
    subject = render(digest(match(title=title), match(key="b"))).subject
    assert 0 < len(subject) <= 150
    assert subject.strip() == subject
    assert not re.search(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e]", subject)


def test_m4_subject_survives_the_wire() -> None:
    """What a mail program decodes is the subject that was meant."""
    for title in ("Schrödinger cats in 𝒪(k⁻³) steps", "拡散モデル" * 12, "plain words " * 11):
        mail = render(digest(match(title=title)))
        assert parsed(mail)["Subject"] == mail.subject


def test_m5_date_is_the_given_moment_with_its_zone() -> None:
    """Date is the moment at which the message was frozen."""
    moment = datetime(2026, 11, 20, 8, 30, tzinfo=timezone(timedelta(hours=1)))
    lines = field_lines(render(date=moment))
    assert value(lines, "Date") == "Fri, 20 Nov 2026 08:30:00 +0100"


def test_m6_message_id_is_the_given_one() -> None:
    """Message-ID is what the ledger holds, the same on each rendering."""
    assert value(field_lines(render()), "Message-ID") == f"<{ID}>"


@pytest.mark.parametrize(
    "bad", ["a b@example.org", "a@example.org>\r\nBcc: x", "<a@example.org>", ""]
)
def test_m6_a_message_id_of_another_form_is_refused(bad: str) -> None:
    """A Message-ID that could break the header is an error, not a mail."""
    with pytest.raises(DigestError, match="Message-ID"):
        render(message_id=bad)


def test_m7_list_unsubscribe_holds_one_https_uri() -> None:
    """List-Unsubscribe is the bare link in angle brackets."""
    assert value(field_lines(render()), "List-Unsubscribe") == f"<{LINKS.unsubscribe}>"


def test_m8_list_unsubscribe_post_is_exact() -> None:
    """List-Unsubscribe-Post holds the one value that RFC 8058 knows."""
    assert b"\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" in render().raw


def test_m7_m8_without_a_link_there_is_neither_field() -> None:
    """Where nobody answers the link, one-click is not offered."""
    names = field_names(render(links=NO_LINKS))
    assert not [name for name in names if name.startswith("List-Unsubscribe")]


@settings(max_examples=40, deadline=None)
@given(st.integers(min_value=40, max_value=400), st.sampled_from("aZ9-_~%"))
def test_m9_url_fields_are_never_encoded(length: int, letter: str) -> None:
    """A URL of any usual length stands in its field as it is, on one line."""
    url = "https://example.org/u/" + letter * (length - 22)
    mail = render(links=PersonalLinks("", url))
    assert f"\r\nList-Unsubscribe: <{url}>\r\n".encode() in mail.raw
    for name in ("List-Id", "List-Owner", "List-Help", "Message-ID", "Feedback-ID"):
        assert "=?" not in value(field_lines(mail), name)


def test_m11_list_id_is_the_same_every_day() -> None:
    """List-Id does not depend on the day or the person."""
    other = digest(
        digest_on=NOW.date() + timedelta(days=1),
        subscriber=Subscriber("b@example.org", digest().subscriber.profile),
    )
    first, second = (value(field_lines(render(made)), "List-Id") for made in (digest(), other))
    assert first == second == "Paper digest <papers.example.org>"


def test_m12_replies_go_to_a_person() -> None:
    """List-Post says NO, owner and help name the operator's mailbox."""
    lines = field_lines(render())
    assert value(lines, "List-Post") == "NO"
    assert value(lines, "List-Owner") == "<mailto:library@example.org>"
    assert value(lines, "List-Help").startswith("<mailto:library@example.org")


def test_m13_the_mail_says_that_a_program_wrote_it() -> None:
    """Vacation programs are told to keep quiet."""
    lines = field_lines(render())
    assert value(lines, "Auto-Submitted") == "auto-generated"
    assert value(lines, "X-Auto-Response-Suppress") == "All"


def test_m14_no_precedence_field() -> None:
    """The field that is no standard is left out."""
    assert "Precedence" not in field_names(render())


def test_m15_feedback_id_has_four_parts_and_no_person() -> None:
    """Feedback-ID is the same for everyone on a day, its last part for good."""
    others = digest(subscriber=Subscriber("b@example.org", digest().subscriber.profile))
    first, second = (value(field_lines(render(made)), "Feedback-ID") for made in (digest(), others))
    assert first == second
    assert len(first.split(":")) == 4
    assert 5 <= len(first.split(":")[3]) <= 15
    later = value(
        field_lines(render(digest(digest_on=NOW.date() + timedelta(days=9)))), "Feedback-ID"
    )
    assert later.split(":")[3] == first.split(":")[3]


def test_m16_reply_to_is_the_mailbox_that_someone_reads() -> None:
    """Reply-To is the configured mailbox, else the sender's own."""
    assert value(field_lines(render()), "Reply-To") == "library@example.org"
    without = replace(FRAME, reply_to="")
    assert value(field_lines(render(frame=without)), "Reply-To") == "digest@example.org"


@pytest.mark.parametrize("text", HOSTILE)
def test_m17_field_lines_are_short(text: str) -> None:
    """No line of the header is over 998 octets; those that can be folded end at 78."""
    frame = replace(FRAME, service_name=text, sender=(text, "digest@example.org"))
    mail = renderer(frame).render(hostile_digest(text), ID, NOW, LINKS)
    head = mail.raw.partition(b"\r\n\r\n")[0].split(b"\r\n")
    assert max(map(len, head)) <= 998
    foldable = [line for line in head if b"=?utf-8?" in line]
    assert all(len(line) <= 78 for line in foldable)


def test_m18_domains_become_a_labels() -> None:
    """A domain outside ASCII is written in its ASCII form."""
    made = digest(subscriber=Subscriber("ada@bücher.example", digest().subscriber.profile))
    assert value(field_lines(render(made)), "To") == "ada@xn--bcher-kva.example"


def test_m18_a_local_part_outside_ascii_is_refused() -> None:
    """Such an address never gets as far as a header field."""
    made = digest(subscriber=Subscriber("ü@example.org", digest().subscriber.profile))
    with pytest.raises(DigestError, match="before the @"):
        render(made)


@settings(max_examples=60, deadline=None)
@given(ANY_TEXT)
def test_x5_field_names_and_their_count_are_what_was_meant(text: str) -> None:
    """No text from outside adds, removes or renames a field, as a parser sees it."""
    frame = replace(FRAME, service_name=text, sender=(text, "digest@example.org"))
    mail = renderer.__wrapped__(frame).render(hostile_digest(text), ID, NOW, LINKS)
    assert field_names(mail) == FIELDS
    assert parsed(mail).keys() == FIELDS


def test_x5_an_encoded_word_in_a_title_stays_text() -> None:
    """`=?UTF-8?Q?=0A?=` in a title is broken up, so that no parser decodes it."""
    mail = render(digest(match(title="x=?UTF-8?Q?=0A?=Bcc: a@b")))
    assert b"=?UTF-8?Q?=0A" not in mail.raw
    assert parsed(mail)["Subject"] == mail.subject


@pytest.mark.parametrize(
    "bad", ["a@b.example\r\nBcc: c@d.example", "a b@c.example", "<a@b.example>", "a@b@c.example"]
)
def test_x6_an_address_that_is_none_is_refused(bad: str) -> None:
    """A recipient that could become a command or a field is an error."""
    with pytest.raises(DigestError):
        render(digest(subscriber=Subscriber(bad, digest().subscriber.profile)))
