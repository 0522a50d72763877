"""Rarer forms that feeds, pages and lists of feeds may rightly have."""

from __future__ import annotations

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


def test_atom_content_that_is_no_text_is_left_out() -> None:
    """The bytes of a picture are no abstract."""
    entry = '<entry><title>A</title><content type="image/png">iVBORw0KGgo=</content></entry>'
    assert read("feed", f"{_ATOM}{entry}</feed>").listings[0].abstract == ""


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
