"""Feeds and files on bodies written for them."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from digest.errors import SourceError
from digest.sources.names import person, split_names
from tests.sources.shared import read


def test_feeds_fall_back_on_what_items_have() -> None:
    """No id: the link, then title and date; no title: the text's beginning; links absolute."""
    body = """<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/"
     xmlns:media="http://search.yahoo.com/mrss/"><channel><link>https://example.org/</link>
    <item><link>/one</link><description>Only a text.</description><author>a@b.org (Ada)</author>
     <media:title>wrong</media:title></item>
    <item><title>Two</title><pubDate>2026/1/10 14:33:00</pubDate>
     <dc:creator>Kaur, M., Shukla, A.</dc:creator></item></channel></rss>"""
    one, two = read("feed", body).listings
    assert (one.title, one.url, one.authors) == (
        "Only a text.",
        "https://example.org/one",
        ("Ada",),
    )
    assert two.published_at == datetime(2026, 1, 10, 14, 33, tzinfo=UTC)
    assert two.authors == ("Kaur, M.", "Shukla, A.")
    assert two.key.startswith("guid:test:")


def test_atom_text_of_every_type_is_plain() -> None:
    """Text, HTML and XHTML give the same title; scripts inside give nothing."""
    entry = "<entry><id>{0}</id><title type='{0}'>{1}</title></entry>"
    xhtml = "<div xmlns='http://www.w3.org/1999/xhtml'>A <b>B</b><script>x</script> C</div>"
    body = (
        "<feed xmlns='http://www.w3.org/2005/Atom'>"
        + entry.format("text", "A B C")
        + entry.format("html", "A &lt;b>B&lt;/b> C")
        + entry.format("xhtml", xhtml)
        + "</feed>"
    )
    assert [one.title for one in read("feed", body).listings] == ["A B C"] * 3


def test_ill_formed_feeds_are_repaired_and_said_so() -> None:
    """An undefined entity is mended with a note; a feed cut off is refused."""
    body = "<rss><channel><item><title>A&nbsp;B</title></item></channel></rss>"
    batch = read("feed", body)
    assert batch.listings[0].title == "A B"
    assert "repaired" in batch.notes[0]
    with pytest.raises(SourceError, match="cut off"):
        read("feed", body[:-20])
    with pytest.raises(SourceError, match=r"without an item \(no element found\)"):
        read("feed", "<rss>\n<channel>")


def test_json_lines_tell_every_bad_line() -> None:
    """Lines at fault are named by number, three of them, and nothing of the file is taken."""
    rows = ['{"title": "Good"}', "", '{"titel": "x"}', "[]", "{", '{"title": "t", "announce": "x"}']
    with pytest.raises(SourceError) as fault:
        read("jsonl", "\n".join(rows))
    text = str(fault.value)
    assert """line 3: "title" is missing (is 'titel' a slip of it?)""" in text
    assert "line 4: a JSON object was expected" in text
    assert "line 5: not JSON" in text
    assert "and 1 more" in text


def test_json_lines_take_every_field() -> None:
    """Our own names, the common other names, and ids of every kind."""
    row = {
        "id": "d1",
        "title": "On Looms",
        "summary": "We weave.",
        "authors": "Ada Lovelace, Charles Babbage",
        "categories": "cs.CL cs.LG",
        "doi": "10.1000/X",
        "arxiv_id": "2606.00467v2",
        "date": "2026-06-12",
        "listed_on": "2026-06-13",
        "upvotes": 3,
        "links": [{"kind": "code", "url": "https://example.org/c"}, {"kind": "x"}],
    }
    (one,) = read("jsonl", json.dumps(row)).listings
    assert one.ids[:3] == ("arxiv:2606.00467", "doi:10.1000/x", one.ids[2])
    assert one.ids[2].startswith("guid:test:")
    assert one.authors == ("Ada Lovelace", "Charles Babbage")
    assert one.subjects == ("cs.CL", "cs.LG")
    assert (one.votes, one.abstract, str(one.listed_on)) == (3, "We weave.", "2026-06-13")
    assert [link.kind for link in one.links] == ["code"]


def test_lists_of_feeds_give_sources() -> None:
    """Outlines of every depth give feeds under names of their own, each address once."""
    body = """<opml><body><outline text="Group"><outline text="A" xmlUrl="https://a.example/f"/>
    <outline title="A" xmlUrl="https://b.example/f"/></outline>
    <outline xmlUrl="https://a.example/f"/><outline xmlUrl="javascript:x"/></body></opml>"""
    batch = read("opml", body)
    assert [(s.name, s.kind, s.url) for s in batch.sources] == [
        ("A", "feed", "https://a.example/f"),
        ("A 2", "feed", "https://b.example/f"),
    ]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Ada Lovelace, Charles Babbage and Emmy Noether", 3),
        ("Ada Lovelace (A, B (C)), Charles Babbage", 2),
        ("Kaur, M., Shukla, A., Kanwar, S.", 3),
        ("Ghafari, T.; Quinn, A. J.; Jensen, O.", 3),
        ("Martin Luther King, Jr., Emmy Noether", 2),
        ("Martin Luther King, Jr.", 1),
        ("Xin Wang, Li Wu", 2),
        ("Li Wu, Bo Li, Yi Xu, Jun Ma", 4),
        ("J. Doe, K. Li", 2),
        ("The Weaving Collaboration, J. Doe", 2),
        ("CERN, Ada Lovelace", 2),
        ("Petrov, Yu. A., de Souza, A.-B.", 2),
        ("Doe, Jane", 1),
        ("Plato and Socrates", 2),
        ("CERN and DESY", 2),
        ("Müller, Hans-Peter", 1),
        ("van der Berg, Jan and Doe, Jane", 2),
        ("", 0),
    ],
)
def test_names_are_taken_apart(text: str, wanted: int) -> None:
    """Commas, semicolons, brackets and suffixes part names where they should."""
    assert len(split_names(text)) == wanted


def test_mail_addresses_are_no_names() -> None:
    """The name stays, the address goes."""
    assert person("ada@example.org (Ada Lovelace)") == "Ada Lovelace"
    assert person("Ada Lovelace <ada@example.org>") == "Ada Lovelace"
    assert person("ada@example.org") == ""
