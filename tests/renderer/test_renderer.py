"""What a mail shows."""

from __future__ import annotations

from digest.model import Match, Reason, SectionName
from tests.renderer.mails import LISTING, digest, match, part, render


def test_the_subject_is_the_best_title_and_the_day() -> None:
    """The subject names the best item, how many more there are, and the day."""
    mail = render(digest(match(), match(key="b", title="Another"), match(key="c", title="Third")))
    assert mail.subject == "Draft Models for Speculative Decoding, and 2 more · Fri 20 Nov"


def test_the_reasons_stand_in_words() -> None:
    """Each part says why the listing is there, with places, counts and points."""
    mail = render()
    expected = (
        "of “speculative decoding” in the title (+0.42), “draft model” in the abstract, twice "
        "(+0.11)"
    )
    assert expected in " ".join(mail.text.split())
    assert expected in mail.html


def test_matched_terms_are_highlighted() -> None:
    """The terms that counted are bold in the title and in the abstract, and nothing else is."""
    html = render().html
    assert ">Speculative Decoding</b>" in html
    assert ">draft model</b>" in html
    assert ">large</b>" not in html


def test_the_first_sentences_are_shown() -> None:
    """Three sentences of the abstract are shown, and an ellipsis where there are more."""
    text = part(render(), "plain")
    assert "The bound is tight.\u00a0…" in text
    assert "Nothing else" not in text


def test_a_near_miss_says_how_far_it_was() -> None:
    """A near miss names the distance to the floor."""
    near = Match(LISTING, 0.18, (Reason("decoding", "title", 0.18),))
    mail = render(digest(near, section=SectionName.NEAREST, empty_reason="nothing reached 0.25"))
    assert "0.07 below your floor of 0.25: “decoding” in the title (+0.18)" in mail.html
    assert mail.subject == "Nothing new for you · Fri 20 Nov"
    assert "Nothing reached 0.25." in mail.text
