"""What the operator is told: the figures of a day, what needs a look, and how it is kept."""

from __future__ import annotations

from dataclasses import replace
from datetime import time, timedelta
from email import message_from_bytes
from email.policy import SMTP
from html.parser import HTMLParser

import pytest

from digest.letters import Heading, Words, render_letter
from digest.model import DeliveryState, SubscriberState
from digest.notes import WORDS, Account, alert, daily, near_bulk
from digest.templates import letter_templates, packaged_templates
from tests.samples import FRAME, NOW

LOOK = replace(FRAME, templates=packaged_templates())
URL = "https://digest.example.org/admin"
QUIET = Account(
    since=NOW - timedelta(days=1),
    until=NOW,
    closed={DeliveryState.SENT: 1_200, DeliveryState.REFUSED: 3, DeliveryState.EMPTY: 7},
    deferred=17,
    bounced=4,
    complaints=1,
    oldest_waiting_at=NOW - timedelta(hours=5),
    receivers=[("google", 900), ("example.org", 290), *((f"d{n}.example", 1) for n in range(12))],
    sources=["arXiv announced 312 on Thursday; read 312."],
    subscribers={SubscriberState.ACTIVE: 1_210},
)


def told(words: Words) -> tuple[str, str, str]:
    """Subject, text and HTML of a note."""
    heading = Heading("operator@example.org", "letter.1@example.org", NOW)
    raw = render_letter(words, heading, LOOK, letter_templates(None))
    assert raw == render_letter(words, heading, LOOK, letter_templates(None))
    mail = message_from_bytes(raw, policy=SMTP)
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text
    assert html
    return mail["Subject"], text.get_content(), html.get_content()


def tags(html: str) -> set[str]:
    """The names of the elements in a page."""
    found = set[str]()
    reader = HTMLParser()
    reader.handle_starttag = lambda tag, attrs: found.add(tag)  # type: ignore[method-assign]  # one reader's own
    reader.feed(html)
    return found


def note(account: Account, url: str = URL) -> tuple[str, str, str]:
    """The daily note on an account."""
    return told(daily("Paper digest", account, "Europe/London", time(9), url))


def test_d8_a_day_is_told_in_figures() -> None:
    """Each figure beside its name, in both parts; nothing is made of a day that went well."""
    subject, text, html = note(QUIET)
    assert subject == "Paper digest: 1,200 digests sent, all is well · Friday 20 November"
    for name, figure in (
        ("Sent", "1,200"),
        ("Refused", "3"),
        ("Without a match", "7"),
        ("Put off, to be tried again", "17"),
        ("Bounced", "4"),
        ("Complaints", "1"),
        ("The oldest that waits", "Fri 20 Nov, 03:00 GMT"),
        ("Subscribers", "1,210 active"),
        ("Google", "900"),
        ("4 others", "4"),
    ):
        assert f"  {name:<30} {figure}\n" in text.replace("\r\n", "\n")
        assert f">{name}</td>" in html
        assert f">{figure}</td>" in html
    assert "arXiv announced 312 on Thursday; read 312." in text
    assert "To look at" not in text
    assert "a form" not in text
    assert URL in text


@pytest.mark.parametrize(
    ("count", "said"), [(1, "1 digest is held, as it may"), (2, "2 digests are held, as they may")]
)
def test_d4_digests_that_wait_for_a_word_are_to_be_looked_at(count: int, said: str) -> None:
    """After a restore, say: a day later they can no longer go out."""
    closed = {**QUIET.closed, DeliveryState.HELD: count}
    subject, text, _ = note(replace(QUIET, closed=closed))
    assert "1 thing to look at" in subject
    assert f"{said} have gone out already: `digest held list`" in " ".join(text.split())
    assert "Held" not in note(QUIET)[0]


def test_a_note_without_admin_pages_leads_nowhere() -> None:
    """No button, and no address that answers nobody."""
    for made in note(QUIET, ""), told(alert("Paper digest", "It rains.", "")):
        assert "admin" not in "".join(made)
        assert "href" not in made[2]


@pytest.mark.parametrize(
    ("name", "count", "warned"),
    [
        ("google", 4_000, "Google has taken 4,000 of your mails within a day."),
        ("microsoft", 4_001, "Microsoft has taken 4,001 of your mails"),
        ("google", 3_999, ""),
        ("example.org", 9_000, ""),
    ],
)
def test_a8_four_thousand_to_google_or_microsoft_are_warned_of(
    name: str, count: int, warned: str
) -> None:
    """Before the 5,000 that make a bulk sender for good; to others a count is no news."""
    said = near_bulk([("yahoo", 8_000), (name, count)])
    assert " ".join(said).startswith(warned)
    assert len(said) == bool(warned)
    text = note(replace(QUIET, receivers=[(name, count)]))[1]
    assert ("To look at" in text) == bool(warned)


@pytest.mark.parametrize(("complaints", "warned"), [(1, False), (2, True)])
def test_a9_complaints_from_one_in_a_thousand_on_are_warned_of(
    complaints: int, *, warned: bool
) -> None:
    """By all messages of the day."""
    account = replace(QUIET, complaints=complaints, receivers=[("example.org", 1_500)])
    assert ("0.13% of the mails brought a complaint" in note(account)[1]) == warned


def test_hostile_words_stay_words() -> None:
    """A server's reply or a source's name breaks no header and no markup."""
    nasty = "<b>x</b>\r\nBcc: eve@example.org"
    subject, _, html = told(alert("Paper digest", nasty, ""))
    assert "\n" not in subject
    assert "b" not in tags(html)
    subject, text, html = note(replace(QUIET, troubles=[nasty], sources=[nasty]))
    assert "1 thing to look at" in subject
    assert "b" not in tags(html)
    assert "p" in tags(html)
    assert "\nBcc" not in text


def test_q2_what_is_kept_of_a_note_says_the_same() -> None:
    """It is written once and sent as often as it takes."""
    words = daily("Paper digest", QUIET, "UTC", time(9), URL)
    assert WORDS.validate_json(WORDS.dump_json(words)) == words
