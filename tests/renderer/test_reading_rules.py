"""How a mail reads, on every screen and to every reader: rules R1 to R16."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace
from xml.etree.ElementTree import Element

import html5lib
import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.model import Frame, Match, Message, Receipt, SectionName
from digest.renderer.excerpt import LONGEST, first_sentences
from digest.renderer.sample import sample_digest, sample_links, sample_time
from digest.tex import readable
from digest.text import cut
from tests.renderer.colours import dark_rules, painted
from tests.renderer.mails import (
    FRAME,
    HOSTILE,
    LINKS,
    MATCH,
    REASONS,
    digest,
    hostile_digest,
    listing,
    match,
    render,
    shown_text,
    styles,
    tree,
)
from tests.renderer.rules import PROPERTIES

NOTE = "**Today** see [our page](https://example.org/s) and\n\n- one\n- `two`"


def full() -> Message:
    """A mail with everything in it."""
    frame = replace(FRAME, note=NOTE)
    return render(sample_digest(), frame=frame, date=sample_time(), links=sample_links())


def elements(mail: Message, tag: str = "") -> list[Element]:
    """The elements of the HTML part in order."""
    return [
        one for one in tree(mail.html).iter() if isinstance(one.tag, str) and tag in ("", one.tag)
    ]


def test_r1_language_and_direction_stand_twice() -> None:
    """`lang` and `dir` are on html, and on the first element inside body as well."""
    root = tree(full().html)
    body = root.find("body")
    assert body is not None
    for one in (root, body[0]):
        assert (one.get("lang"), one.get("dir")) == ("en", "ltr")


def test_r2_layout_tables_say_that_they_are_no_data() -> None:
    """Every table is marked as presentation and holds no heading cell."""
    assert {one.get("role") for one in elements(full(), "table")} == {"presentation"}
    assert not elements(full(), "th")
    assert full().html.count('<table role="presentation"') >= 1  # the Word engine's own


def test_r3_one_h1_then_items_as_h2() -> None:
    """The outline is the day, then one heading for each item, and lists are lists."""
    mail = full()
    outline = [one.tag for one in elements(mail) if re.fullmatch(r"h\d", str(one.tag))]
    assert outline == ["h1"] + ["h2"] * 8
    assert len(elements(mail, "ul")) == 2


def test_r4_links_say_where_they_go() -> None:
    """No two links to different places have one name, and each is underlined."""
    mail = render(digest(match(), match(key="b", title="Second", url="https://example.org/2")))
    links = elements(mail, "a")
    names = [one.get("aria-label") or shown_text(one) for one in links]
    assert len(set(names)) == len(names)
    for one in links:
        assert shown_text(one) in (one.get("aria-label") or shown_text(one))
        assert styles(one)["text-decoration"] == "underline"


@pytest.mark.parametrize("scheme", ["light", "dark", "inverted"])
def test_r5_r10_text_has_contrast(scheme: str) -> None:
    """Each text has a contrast of at least 4.5, in both schemes and with colours turned round."""
    css = dict(FRAME.templates)["dark.css"]
    rules = dark_rules(css) if scheme == "dark" else {}
    seen = list(painted(tree(full().html), rules))
    assert len(seen) > 40
    for one in seen:
        assert (one.inverted if scheme == "inverted" else one.contrast) >= 4.5, one


def test_r6_nothing_depends_on_an_image() -> None:
    """The packaged templates have no image at all."""
    assert not elements(full(), "img")


def test_r7_style_is_inline_and_the_extras_are_short() -> None:
    """The style block is under 8 kB, and each text gets its colours from style attributes."""
    assert sum(len(block.text or "") for block in elements(full(), "style")) < 8_000
    bare = re.sub(r"<style>.*?</style>|\sclass=\"[^\"]*\"", "", full().html, flags=re.DOTALL)
    assert all(one.contrast >= 4.5 for one in painted(tree(bare)))


def test_r7_the_mail_reads_without_any_style() -> None:
    """Style off, each title, reason and link still stands in the order of the text part."""
    bare = re.sub(r"\s(?:style|class)=\"[^\"]*\"", "", full().html)
    text = shown_text(tree(bare)).partition("Friday 20 November")[2]
    places = [text.index(one) for one in ("Draft Models", "Because of", "Unsubscribe")]
    assert places == sorted(places)


def test_r8_one_column_of_600_px_that_shrinks() -> None:
    """No element but the Word engine's box is wider than 600 px, and none has a larger minimum."""
    for one in elements(full()):
        made = styles(one)
        for name in ("width", "min-width", "max-width"):
            number = re.fullmatch(r"(\d+)px", made.get(name, ""))
            assert not number or int(number[1]) <= (600 if name == "max-width" else 60)
        width = one.get("width", "")
        assert width.endswith("%") or not width or int(width) <= 60


def test_r8_text_is_at_least_14_px_and_targets_44() -> None:
    """No text is under 14 px; what is there to be tapped on its own is 44 px high and wide."""
    for one in elements(full()):
        size = styles(one).get("font-size")
        assert size is None or int(size.removesuffix("px")) >= 14
    lines = [one for one in elements(full(), "p") if one.get("class") == "actions"]
    actions = [(line, one) for line in lines for one in line]
    assert len(actions) == 4
    for line, one in actions:
        assert styles(line)["line-height"] == styles(one)["min-width"] == "44px"
        assert styles(one)["display"] == "inline-block"  # so that it is as high as its line


def test_r9_only_what_the_word_engine_knows() -> None:
    """Properties come from a short list, padding stands on cells only, the box is conditional."""
    for one in elements(full()):
        made = styles(one)
        assert set(made) <= PROPERTIES
        assert not re.search(r"rem\b|flex|grid|float|position|url\(", ";".join(made.values()))
        if "padding" in made and made["padding"] != "0":
            assert one.tag == "td"
    assert '<!--[if mso]><table role="presentation" align="center" width="600"' in full().html


def test_r10_the_dark_scheme_is_declared() -> None:
    """Both meta names stand in the head, and dark rules in the style block."""
    names = {one.get("name"): one.get("content") for one in elements(full(), "meta")}
    assert names["color-scheme"] == names["supported-color-schemes"] == "light dark"
    assert "prefers-color-scheme: dark" in full().html


@pytest.mark.parametrize(
    "matches",
    [
        (MATCH,),
        (MATCH, Match(listing(key="b", title="Second"), 0.4)),
        tuple(
            Match(listing(key=str(n), title="A title of some length " * 4), 0.4, REASONS)
            for n in range(5)
        ),
    ],
)
def test_r11_a_preheader_with_real_content(matches: tuple[Match, ...]) -> None:
    """The first text in body is hidden, 40 to 110 characters long, and not shown again."""
    mail = render(digest(*matches))
    body = tree(mail.html).find("body")
    assert body is not None
    first = body[0][0]
    assert styles(first)["display"] == "none"
    assert 40 <= len(shown_text(first)) <= 110
    assert shown_text(body).count(shown_text(first)) == 1


def test_r11_an_empty_day_has_a_preheader_too() -> None:
    """Where nothing is shown, the preheader gives the counts."""
    made = digest(sections=(), empty_reason="it is Sunday", receipt=Receipt((), 0, 0, 0, 0))
    body = tree(render(made).html).find("body")
    assert body is not None
    assert 40 <= len(shown_text(body[0][0])) <= 110


def test_r12_titles_keep_their_own_direction() -> None:
    """Each heading takes its direction from its text, and no bidi control is left."""
    title = "\u202eלמידה עמוקה\u202c \u2067English\u2069"
    mail = render(digest(match(title=title)))
    heading = elements(mail, "h2")[0]
    assert heading.get("dir") == "auto"
    assert shown_text(heading) == "למידה עמוקה English"
    assert not re.search("[\u200e\u200f\u202a-\u202e\u2066-\u2069]", mail.html + mail.text)


GRAPHEMES = st.sampled_from(
    ["a", "é", "e\u0301", "👩‍👩‍👧‍👦", "🇩🇪", "각", "&", "<b>", " ", ". ", "$x$", "長"]
)


@given(st.lists(GRAPHEMES, min_size=1, max_size=400).map("".join), st.integers(5, 120))
def test_r13_cuts_fall_on_whole_characters(text: str, limit: int) -> None:
    """A cut text is a beginning of the text and an ellipsis, and parts no character."""
    made = cut(text, limit)
    assert len(made) <= limit
    if made == text:
        return
    head, rest = made[:-1], text[len(made) - 1 :]
    assert made.endswith("…")
    assert text.startswith(head)
    assert not rest[:1] or not unicodedata.combining(rest[0])
    assert not head.endswith("\u200d")
    assert not rest.startswith("\u200d")


@given(st.lists(GRAPHEMES, max_size=900).map("".join))
def test_r13_excerpts_are_beginnings(text: str) -> None:
    """An excerpt is the text itself, or its beginning with an ellipsis."""
    made = first_sentences(text)
    assert made == text or (made.endswith("…") and text.startswith(made[:-2].rstrip("\u00a0")))
    assert len(made) <= LONGEST + 2 or made == text


@pytest.mark.parametrize(
    "title",
    [
        r"$^{11}$Be halo",
        r"A bound of $\frac{a}{b_{q}}$ on $N_c$",
        r"L\'evy $\alpha$-flights in $\mathcal{O}(k^{-3})$",
    ],
)
def test_r14_tex_is_the_same_in_subject_text_and_html(title: str) -> None:
    """A title with TeX reads the same in all three places."""
    mail = render(digest(match(title=title)))
    shown = readable(title)
    assert shown_text(elements(mail, "h2")[0]) == shown
    assert shown in mail.text
    assert mail.subject.startswith(shown)


@pytest.mark.parametrize("text", HOSTILE)
def test_r15_the_html_is_conforming_and_survives_a_round_trip(text: str) -> None:
    """A strict parser finds no error, and reads the same again from what it read."""
    root = tree(render(hostile_digest(text)).html)
    again = html5lib.serialize(
        root, tree="etree", omit_optional_tags=False, quote_attr_values="always"
    )
    assert shown_text(tree("<!DOCTYPE html>" + again)) == shown_text(root)


@pytest.mark.parametrize("text", HOSTILE)
def test_r16_the_title_element_is_the_subject(text: str) -> None:
    """What a browser's tab shows is the subject, and nothing turns numbers into links."""
    mail = render(hostile_digest(text))
    assert elements(mail, "title")[0].text == mail.subject
    names = {one.get("name"): one.get("content") for one in elements(mail, "meta")}
    assert "telephone=no" in str(names["format-detection"])


@pytest.mark.parametrize("name", list(SectionName))
def test_every_section_has_a_title(name: SectionName) -> None:
    """Each part of a digest that there can be is named in both parts of the mail."""
    frame: Frame = FRAME
    mail = render(digest(section=name), frame=frame, links=LINKS)
    assert "section-title" in mail.html
    assert "\n====" in mail.text
