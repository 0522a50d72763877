"""The digest in other forms than a mail."""

from __future__ import annotations

import json
import re
from datetime import datetime
from xml.etree import ElementTree as ET

import feedparser
import markdown
import pytest
import rispy
from pybtex.database import parse_string

from digest.formats import ATOM, FORMATS
from digest.model import Receipt, SectionName
from digest.tex import readable
from tests.renderer.mails import (
    FRAME,
    HOSTILE,
    LINKS,
    MATCH,
    digest,
    hostile_digest,
    listing,
    match,
    parsed,
    render,
    shown_text,
    tree,
)
from tests.renderer.test_real_listings import mails

NS = {"a": ATOM}


def made(name: str, text: str = "") -> str:
    """The sample digest in that form, or one with `text` in every field."""
    return FORMATS[name](hostile_digest(text) if text else digest(), FRAME, LINKS)


def test_the_page_and_the_text_are_the_mail() -> None:
    """What is previewed is what would be mailed."""
    mail = render()
    assert made("html") == mail.html
    assert made("text") == mail.text


@pytest.mark.parametrize("name", list(FORMATS))
@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_breaks_a_form(name: str, text: str) -> None:
    """Every form takes every text, and can be written as UTF-8."""
    assert made(name, text).encode()


def test_atom_has_an_entry_a_listing() -> None:
    """Title, link, authors and reasons stand in the entry; ids are stable."""
    feed = ET.fromstring(made("atom"))  # noqa: S314 - our own
    entry = feed.find("a:entry", NS)
    assert entry is not None
    assert entry.findtext("a:title", "", NS) == "Draft Models for Speculative Decoding"
    assert entry.find("a:link", NS) is not None
    assert len(entry.findall("a:author", NS)) == 4
    assert "Because of “speculative decoding”" in entry.findtext("a:summary", "", NS)
    assert entry.findtext("a:updated", "", NS) == "2026-11-19T09:00:00+00:00"
    assert made("atom") == made("atom")


@pytest.mark.parametrize("text", HOSTILE)
def test_atom_and_json_stay_well_formed(text: str) -> None:
    """Whatever a field holds, a strict reader reads the feed."""
    feed = ET.fromstring(made("atom", text))  # noqa: S314 - our own
    assert len(feed.findall("a:entry", NS)) == 1
    assert len(json.loads(made("json", text))["items"]) == 1


def test_each_form_with_words_says_how_the_day_came_about() -> None:
    """The receipt's counts and sources stand in every form that has a place for them."""
    feed = ET.fromstring(made("atom"))  # noqa: S314 - our own
    told = feed.findtext("a:subtitle", "", NS)
    assert told.startswith(
        "412\xa0new listings considered, 1 fits you, 1 shown. arxiv announced 312"
    )
    assert json.loads(made("json"))["description"] == told
    assert made("markdown").endswith(
        "\n- arxiv announced 312; read 312, 240 of them new; 12 too old to send; 1 shown.\n"
    )


def test_an_empty_day_says_why_in_each_form() -> None:
    """A feed without entries still tells a weekend from a failure."""
    empty = digest(sections=(), empty_reason="Nothing new: it is Sunday.", receipt=Receipt())
    feed = json.loads(FORMATS["json"](empty, FRAME, LINKS))
    assert feed["description"] == "Nothing new: it is Sunday. No new listing to consider."


def test_a_listing_in_two_sections_is_one_entry() -> None:
    """A digest that shows a listing twice gives it once."""
    twice = digest(MATCH, MATCH, section=SectionName.TRENDING)
    assert FORMATS["atom"](twice, FRAME, LINKS).count("<entry>") == 1


def test_json_feed_holds_score_and_reason() -> None:
    """The item says what the mail says, in fields."""
    item = json.loads(made("json"))["items"][0]
    assert item["_digest"] == {"score": 0.53, "source": "arxiv"}
    assert item["summary"].startswith("Because of")
    assert item["authors"][0] == {"name": "Emmy Noether"}


def test_bibtex_keeps_tex_and_escapes_the_rest() -> None:
    """A whole TeX title stays TeX; signs of TeX in other fields are escaped."""
    shown = digest(
        match(title=r"Steps in $\mathcal{O}(k^{-3})$", organization="A & B"),
        match(key="doi:10.1/x_y", title="50% of C# & more", authors=("Research and Development",)),
    )
    text = FORMATS["bibtex"](shown, FRAME, LINKS)
    assert r"title = {{Steps in $\mathcal{O}(k^{-3})$}}," in text
    assert r"title = {{50\% of C\# \& more}}," in text
    assert "author = {{Research and Development}}," in text
    assert "@misc{noether2026steps," in text
    assert r"doi = {10.1/x\_y}," in text
    assert "eprint = {2611.00001}," in text


def test_bibtex_keys_are_unique() -> None:
    """Two listings of one author, year and word get two keys."""
    shown = digest(match(), match(key="b"))
    keys = re.findall(r"@misc\{([^,]+),", FORMATS["bibtex"](shown, FRAME, LINKS))
    assert keys == ["noether2026draft", "noether2026draft-2"]


@pytest.mark.parametrize("text", HOSTILE)
def test_bibtex_braces_are_balanced(text: str) -> None:
    """No field ends its entry early."""
    shown = made("bibtex", text)
    braces = re.sub(r"\\[{}]", "", shown)
    assert braces.count("{") == braces.count("}")
    assert len(re.findall(r"^@misc\{", shown, re.MULTILINE)) == 1


@pytest.mark.parametrize("text", HOSTILE)
def test_ris_lines_are_all_tagged(text: str) -> None:
    """Each line of a record is a tag and its value, and records end with ER."""
    lines = made("ris", text).split("\r\n")
    assert all(re.match(r"[A-Z]{2}  - |$", line) for line in lines)
    assert [line[:2] for line in lines].count("ER") == 1


def test_ris_names_every_author() -> None:
    """Authors, day and address stand in their fields."""
    text = made("ris")
    assert text.count("AU  - ") == 4
    assert "DA  - 2026/11/19\r\n" in text
    assert "UR  - https://example.org/abs/2611.00001\r\n" in text


@pytest.mark.parametrize("text", HOSTILE)
def test_markdown_shows_hostile_text_as_text(text: str) -> None:
    """A Markdown reader finds our headings and links in it, and nothing of the text's own."""
    html = markdown.markdown(made("markdown", text))
    assert not re.search(r"<(?:script|img|b|em|strong|code|swi)\b", html)
    assert not re.search(r'<a\b[^>]*href="(?!https://example\.org)', html)


@pytest.mark.parametrize(
    ("text", "shown"), [("0.17 below", "0.17 below"), ("2. Two", "2\\. Two"), ("3) X", "3\\) X")]
)
def test_markdown_keeps_a_number_at_the_start_of_a_line(text: str, shown: str) -> None:
    """A number is no list, and gets no backslash that would be shown."""
    made = FORMATS["markdown"](digest(match(abstract=text, url="")), FRAME, LINKS)
    assert shown in made.splitlines()


def test_markdown_links_the_title() -> None:
    """Sections, titles, reasons and counts stand in the document."""
    text = FORMATS["markdown"](digest(match(title="A_b *c*")), FRAME, LINKS)
    assert r"### [A\_b \*c\*](https://example.org/abs/2611.00001)" in text
    assert "## For you" in text
    assert listing().organization in text


# --- read by others -----------------------------------------------------------------------------


TEX = {
    r"$Δ$-DiT: Skipping Blocks": "Δ-DiT: Skipping Blocks",
    r"S$^4$C: A Scheme": "S⁴C: A Scheme",
    r"S^{2}FT Tunes": "S²FT Tunes",
    r"Steps in \mathcal{O}(k^{-3})": "Steps in 𝒪(k⁻³)",
    r"L\'evy Flights": "Lévy Flights",
    r"Norms of $\ell_p$ Kind": "Norms of ℓₚ Kind",
    "Models between $5 and $10": "Models between $5 and $10",
    r"Trained on \10,000 Words": r"Trained on \10,000 Words",
}
"""What titles hold, and how they read."""


@pytest.mark.parametrize(("title", "expected"), list(TEX.items()))
def test_r14_tex_reads_the_same_everywhere(title: str, expected: str) -> None:
    """Subject, HTML, text and every form but BibTeX, which keeps a title's own TeX, agree."""
    shown = digest(match(title=title))
    mail = render(shown)
    heading = tree(mail.html).find(".//h2")
    assert heading is not None
    assert shown_text(heading) == expected
    assert expected in mail.text
    assert str(parsed(mail)["Subject"]).startswith(expected)
    forms = {name: make(shown, FRAME, LINKS) for name, make in FORMATS.items()}
    assert ET.fromstring(forms["atom"]).findtext("a:entry/a:title", "", NS) == expected  # noqa: S314 - our own
    assert json.loads(forms["json"])["items"][0]["title"] == expected
    assert rispy.loads(forms["ris"])[0]["title"] == expected
    assert f'<h3><a href="https://example.org/abs/2611.00001">{expected}</a></h3>' in (
        markdown.markdown(forms["markdown"])
    )
    (entry,) = parse_string(forms["bibtex"], "bibtex").entries.values()
    assert (
        readable(entry.fields["title"].strip("{}").replace(r"\textbackslash{}", "\\")) == expected
    )


def test_r14_names_with_tex_read_as_well() -> None:
    """Accents that a source writes in TeX are letters in the mail and in every form."""
    shown = digest(
        match(authors=(r"Paul L\'evy", r"Erd\H{o}s, Paul"), organization=r"Universit\'e de Paris")
    )
    mail = render(shown)
    assert "Lévy, Erdős · Université de Paris" in " ".join(mail.text.split())
    assert "Lévy, Erdős · Université de Paris" in shown_text(tree(mail.html))
    for name in ("atom", "json", "ris", "bibtex"):
        made_form = FORMATS[name](shown, FRAME, LINKS)
        assert "Paul Lévy" in made_form
        assert "Erdős, Paul" in made_form


@pytest.mark.parametrize("text", ["", *HOSTILE])
def test_feedparser_reads_the_atom(text: str) -> None:
    """It finds nothing to complain about, and each entry with id, title, link and time."""
    read = feedparser.parse(made("atom", text).encode("utf-8"))
    assert not read.bozo, read.get("bozo_exception")
    assert read.version == "atom10"
    assert read.feed.id
    assert read.feed.title
    for entry in read.entries:
        assert {"id", "title", "updated_parsed", "summary"} <= entry.keys()


def json_feed_faults(feed: object) -> list[str]:
    """What the rules of JSON Feed 1.1 find wrong. Source: jsonfeed.org/version/1.1."""
    if not isinstance(feed, dict):
        return ["no object"]
    faults = [name for name in ("version", "title", "items") if name not in feed]
    faults += ["version"] * (feed.get("version") != "https://jsonfeed.org/version/1.1")
    seen = set()
    for item in feed.get("items", []):
        name = item.get("id")
        faults += ["id"] * (not isinstance(name, str) or not name or name in seen)
        seen.add(name)
        faults += ["content"] * (not ({"content_text", "content_html"} & item.keys()))
        faults += ["url"] * (not re.match(r"https?://", item.get("url", "https://")))
        faults += ["authors"] * (not all(author.get("name") for author in item.get("authors", [])))
        faults += ["tags"] * (not all(isinstance(tag, str) for tag in item.get("tags", [])))
        if "date_published" in item:
            faults += ["date"] * (datetime.fromisoformat(item["date_published"]).tzinfo is None)
        known = {
            "id", "url", "external_url", "title", "content_text", "content_html", "summary", "tags",
            "date_published", "date_modified", "authors", "language", "attachments", "image",
        }  # fmt: skip
        faults += [key for key in item if key not in known and not key.startswith("_")]
    return faults


@pytest.mark.parametrize("text", ["", *HOSTILE])
def test_the_json_feed_keeps_to_its_rules(text: str) -> None:
    """What is asked for is there, in its type, and what is our own begins with an underscore."""
    assert json_feed_faults(json.loads(made("json", text))) == []


def test_the_rules_of_json_feed_find_faults() -> None:
    """A feed without a version, and an item without id or content, are not passed over."""
    bad = {"title": "A", "items": [{"title": "B", "ours": 1}]}
    assert json_feed_faults(bad) == ["version", "version", "id", "content", "ours"]


@pytest.mark.parametrize("text", ["", *HOSTILE])
def test_others_read_bibtex_and_ris(text: str) -> None:
    """Two kept parsers find one entry with its title, and no fault."""
    entries = parse_string(made("bibtex", text), "bibtex").entries
    assert len(entries) == 1
    assert "title" in next(iter(entries.values())).fields
    (record,) = rispy.loads(made("ris", text))
    assert record["title"]
    assert record["type_of_reference"] == "GEN"
    assert "unknown_tag" not in record


def test_every_form_holds_every_real_listing_in_order() -> None:
    """Recorded listings come out of the parsers of others as many and in the order of the mail."""
    matches = mails()
    shown = digest(*matches)
    titles = [readable(" ".join(one.listing.title.split())) for one in matches]
    forms = {name: FORMATS[name](shown, FRAME, LINKS) for name in ("atom", "json", "bibtex", "ris")}
    read = feedparser.parse(forms["atom"].encode("utf-8"), sanitize_html=False)
    assert not read.bozo
    assert len(read.entries) == len(parse_string(forms["bibtex"], "bibtex").entries) == len(titles)
    assert [item["title"] for item in json.loads(forms["json"])["items"]] == titles
    assert [record["title"] for record in rispy.loads(forms["ris"])] == titles
