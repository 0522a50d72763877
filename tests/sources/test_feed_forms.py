"""Rarer forms that feeds, pages and lists of feeds may rightly have."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from tests.sources.shared import read

_ATOM = "<feed xmlns='http://www.w3.org/2005/Atom' xml:base='/s/'><author><name>Ada</name></author>"


def test_atom_links_lead_to_the_page() -> None:
    """The first page in HTML before other forms; each is relative to the base of its entry."""
    links = """<link rel="self" href="self"/><link href="page"/><link href="later"/>
    <link rel="alternate" type="application/json" href="json"/>"""
    first = f"<entry><title>One</title>{links}</entry>"
    other = '<entry xml:base="https://b.example.org/"><title>Two</title><link href="two"/></entry>'
    listings = read("feed", f"{_ATOM}{first}{other}</feed>").listings
    assert [one.url for one in listings] == [
        "https://example.org/s/page",
        "https://b.example.org/two",
    ]


def test_atom_authors_are_inherited() -> None:
    """An entry without authors has those of the feed it came from, else those of this feed."""
    origin = "<source><author><name>Emmy</name></author></source>"
    entries = f"<entry><title>A</title></entry><entry><title>B</title>{origin}</entry>"
    listings = read("feed", f"{_ATOM}{entries}</feed>").listings
    assert [one.authors for one in listings] == [("Ada",), ("Emmy",)]


@pytest.mark.parametrize("how", ['type="image/png"', 'type="text/plain" mode="base64"'])
def test_atom_content_that_is_no_text_is_left_out(how: str) -> None:
    """The bytes of a picture are no abstract; nor is a text in base64, as Atom 0.3 may have it."""
    entry = f"<entry><title>A</title><content {how}>iVBORw0KGgo=</content></entry>"
    assert read("feed", f"{_ATOM}{entry}</feed>").listings[0].abstract == ""


def test_atom_03_may_only_say_when_an_entry_was_created() -> None:
    """Its day counts where there is none of issue or change."""
    created = "<created>2026-11-18T08:00:00Z</created>"
    issued = "<issued>2026-11-19T08:00:00Z</issued>"
    entries = f"<entry><title>A</title>{created}</entry><entry><title>B</title>{created}{issued}"
    feed = f"<feed version='0.3' xmlns='http://purl.org/atom/ns#'>{entries}</entry></feed>"
    days = [one.published_at.day for one in read("feed", feed).listings if one.published_at]
    assert days == [18, 19]


_PDF = "type='application/pdf'"
_ATTACHED = {
    "Atom": f"{_ATOM}<entry><title>A</title><link rel='enclosure' {_PDF} href='a.pdf'/>"
    "<link href='a'/></entry></feed>",
    "RSS": "<rss><channel><link>/s/</link><item><title>A</title><link>a</link>"
    f"<enclosure {_PDF} url='a.pdf'/><enclosure type='audio/mpeg' url='a.mp3'/></item></channel>"
    "</rss>",
    "RSS to repair": "<rss><channel><link>/s/</link><item><title>A&nbsp;</title><link>a</link>"
    f"<enclosure type='audio/mpeg' url='a.mp3'/><enclosure {_PDF} url='a.pdf'/></item></channel>"
    "</rss>",
    "JSON Feed": json.dumps(
        {
            "version": "https://jsonfeed.org/version/1.1",
            "home_page_url": "/s/",
            "items": [
                {
                    "id": "1",
                    "title": "A",
                    "url": "a",
                    "attachments": [
                        {"mime_type": "audio/mpeg", "url": "a.mp3"},
                        {"mime_type": "application/pdf", "url": "a.pdf"},
                    ],
                }
            ],
        }
    ),
}


@pytest.mark.parametrize("form", _ATTACHED)
def test_a_pdf_that_is_attached_is_the_paper(form: str) -> None:
    """It stands beside the page, both relative to the feed's own page; a recording does not."""
    (one,) = read("feed", _ATTACHED[form]).listings
    assert one.url == "https://example.org/s/a"
    assert [(link.kind, link.url) for link in one.links] == [("pdf", "https://example.org/s/a.pdf")]


def test_json_feeds_say_what_is_text_and_what_is_html() -> None:
    """A tag in the text is shown as it stands, one in the HTML is markup."""
    said = {"content_text": "Use <b> &amp; not <strong>.\n\nReally.", "content_html": "<p>No.</p>"}
    items = [{"id": "1", **said}, {"id": "2", "content_html": "Use <b>bold</b> &amp; loud."}]
    feed = {"version": "https://jsonfeed.org/version/1.1", "items": items}
    first, second = read("feed", json.dumps(feed)).listings
    assert first.abstract == "Use <b> &amp; not <strong>.\n\nReally."
    assert second.abstract == "Use bold & loud."


def test_a_feed_to_repair_keeps_its_base() -> None:
    """That of the feed, and that of an entry."""
    entries = (
        "<entry><title>A</title><link rel='enclosure' type='application/pdf' href='a'/></entry>"
    )
    entries += (
        "<entry xml:base='https://b.example.org/'><title>B&nbsp;</title><link href='b'/></entry>"
    )
    first, second = read("feed", f"{_ATOM}{entries}</feed>").listings
    assert [link.url for link in first.links] == ["https://example.org/s/a"]
    assert second.url == "https://b.example.org/b"


def test_rss_items_in_other_vocabularies() -> None:
    """Atom links and the dates of journals stand in; an item that says nothing is left out."""
    body = """<rss xmlns:a="http://www.w3.org/2005/Atom" xmlns:p="http://prismstandard.org/">
    <channel><item><title>One</title><a:link href="https://example.org/1"/>
    <p:publicationDate>2026-11-19</p:publicationDate></item><item><title/></item></channel></rss>"""
    (one,) = read("feed", body).listings
    assert one.url == "https://example.org/1"
    assert one.published_at == datetime(2026, 11, 19, tzinfo=UTC)


def test_a_feed_that_speaks_of_html_is_no_page() -> None:
    """A comment or a text with <html> in it before the first item changes nothing."""
    body = "<!-- <html> --><rss><channel><description><![CDATA[<html>]]></description>"
    body += "<item><title>One</title></item></channel></rss>"
    assert [one.title for one in read("feed", body).listings] == ["One"]


@pytest.mark.parametrize(
    ("head", "address"),
    [
        ('<base href="/blog/"><link rel=alternate type=application/rss+xml href=f>', "blog/f"),
        ("<link rel=alternate type=text/xml href=/f.xml>", "f.xml"),
        ("<link rel=feed href=/f>", "f"),
        (
            "<link rel=alternate type=text/xml href=/x>"
            "<link rel=alternate type=application/atom+xml href=/a>",
            "a",
        ),
        (
            "<link rel=alternate type=application/json href=/wp-json/1>"
            "<link rel=alternate type=application/json href=/f.json>",
            "f.json",
        ),
    ],
)
def test_pages_name_their_feed_in_several_ways(head: str, address: str) -> None:
    """By a base, by a vague type, by its relation; a feed's own type goes first."""
    batch = read("feed", f"<html><head>{head}</head></html>")
    assert batch.next
    assert batch.next.url == f"https://example.org/{address}"


def test_lists_of_feeds_with_slips_are_read() -> None:
    """Bare ampersands, entities of HTML, small letters and feed: addresses are understood."""
    body = """<opml><body><outline text="A&T &eacute;" xmlurl="https://a.example/f?x=1&y=2"/>
    <outline text="B &amp; C" xmlUrl="feed://b.example/f"/><outline xmlUrl="mailto:x"/>
    </body></opml>"""
    batch = read("opml", body)
    assert [(one.name, one.url) for one in batch.sources] == [
        ("A&T é", "https://a.example/f?x=1&y=2"),
        ("B & C", "http://b.example/f"),
    ]
    assert batch.notes == ("1 outlines have an address that is none of the web",)
