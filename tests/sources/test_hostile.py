"""Whatever a body holds, a kind gives listings or one `SourceError`, within bounds."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from digest.errors import SourceError
from digest.model import Source
from digest.sources import KINDS, Batch, read_batch
from digest.sources.shape import MAX_ABSTRACT, MAX_ITEMS, MAX_TITLE
from tests.sources.shared import NOW, SHARED, read, recording

_FRAGMENTS = [
    b"<rss><channel><item><title>",
    b"</title></item></channel></rss>",
    b"<feed xmlns='http://www.w3.org/2005/Atom'><entry>",
    b"<id>http://arxiv.org/abs/2104.12255v1</id></entry></feed>",
    b"<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>",
    b"<OAI-PMH><ListRecords><record><metadata><arXiv><id>1</id>",
    b"<PubmedArticleSet><PubmedArticle><MedlineCitation><Article>",
    b"<!DOCTYPE html><html><body><div id='dlpage'><dl><dt><dd>",
    b"<div data-target='DailyPapers' data-props='",
    b'{"items": [',
    b'{"version": "https://jsonfeed.org/version/1.1", "items": [{"id": ',
    b'[{"paper": {"id": "2104.12255", "title": ',
    b'{"messages": [{"status": "ok", "total": "9"}], "collection": [{"doi": "10.1101/1", ',
    b'{"notes": [{"id": "x", "content": {"title": {"value": ',
    b'{"status": "ok", "message": {"DOI": "10.1/x", "title": ',
    b'{"total": 1, "data": [{"title": ',
    b'{"esearchresult": {"idlist": [',
    b"Get trending papers in your email inbox!\n\nApr 20\n\n",
    b"\n\n  \xe2\x80\xa2 5 authors\n\xc2\xb7\nFeb 30\n\n",
    b'<?xml version="1.0" encoding="utf-7"?>',
    b'"title": "\\ud800", "date": "9999-99-99"}',
    b"]}]}",
    b"&nbsp;&#0;&#xD800;",
    b"<![CDATA[",
    b"]]>",
    b"\xff\xfe\x00<",
    b"null",
    b"1e999",
    b'""',
]
_bodies = st.lists(st.one_of(st.sampled_from(_FRAGMENTS), st.binary(max_size=30)), max_size=8)


def _read_or_refuse(kind: str, body: bytes) -> Batch | None:
    """The batch, or None for a SourceError; anything else fails the test."""
    source = Source("test", kind, query="x", categories=("cs.CL",))
    try:
        return read_batch(source, body, NOW)
    except SourceError as error:
        told = str(error)
    assert told.startswith("source 'test': ")
    assert told.isprintable()
    return None


@pytest.mark.parametrize("kind", sorted(KINDS))
@settings(max_examples=60, deadline=5_000, suppress_health_check=[HealthCheck.too_slow])
@given(pieces=_bodies)
def test_s11_any_bytes_give_listings_or_one_error(kind: str, pieces: list[bytes]) -> None:
    """Pieces of every format in any order raise nothing but SourceError."""
    batch = _read_or_refuse(kind, b"".join(pieces))
    for listing in batch.listings if batch else ():
        assert listing.title
        assert listing.key in listing.ids


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)
_SHAPES: dict[str, Any] = {
    "huggingface": [{"paper": {"id": "2104.12255", "title": "t", "authors": [{}]}, "title": "t"}],
    "biorxiv": {"messages": [{"status": "ok", "cursor": 0}], "collection": [{"doi": "10.1101/1"}]},
    "semantic_scholar": {"total": 1, "next": 1, "data": [{"title": "t", "externalIds": {}}]},
    "crossref": {"status": "ok", "message": {"items": [{"DOI": "10.1000/x", "title": ["t"]}]}},
    "openreview": {"notes": [{"id": "x", "content": {"title": {"value": "t"}}}]},
    "pubmed": {"esearchresult": {"idlist": ["1"], "count": "1"}},
    "feed": {"version": "https://jsonfeed.org/version/1", "items": [{"id": "1", "title": "t"}]},
    "jsonl": {"id": "1", "title": "t", "authors": ["a"], "links": [{"kind": "pdf"}]},
}
_NAMES = (
    "title id authors abstract summary publishedAt submittedOnDailyAt organization upvotes doi"
    " date version category cursor total interval author name issued date-parts relation next"
    " token year publicationDate externalIds content cdate forum count url date_published tags"
    " message published_at votes links ids announce subjects"
)


def _spoil(value: Any, name: str, junk: object) -> Any:  # JSON of any form
    """The value with one more field of that name in every object."""
    if isinstance(value, list):
        return [_spoil(one, name, junk) for one in value]
    if isinstance(value, dict):
        return {key: _spoil(one, name, junk) for key, one in value.items()} | {name: junk}
    return value


@pytest.mark.parametrize("kind", sorted(_SHAPES))
@settings(max_examples=150, deadline=5_000)
@given(name=st.sampled_from(_NAMES.split()), junk=_json)
def test_s11_fields_of_a_wrong_type_are_survived(kind: str, name: str, junk: object) -> None:
    """A right answer with one field turned into anything raises nothing but SourceError."""
    _read_or_refuse(kind, json.dumps(_spoil(_SHAPES[kind], name, junk)).encode())


@pytest.mark.parametrize("kind", sorted(KINDS))
@pytest.mark.parametrize(
    "body",
    [
        b"[" * 200_000,
        b'{"a":' * 200_000,
        b"[" + b'{"paper":{"id":"2104.12255","title":"t"}},' * 50_000 + b"0]",
        b'{"version":"https://jsonfeed.org/version/1","items":[' + b"{}," * 9_000 + b"{}]}",
        b"<rss><channel>" + b"<item><title>t</title></item>" * 20_000 + b"</channel></rss>",
        b"<a>" * 300_000,
        b"<rss><channel><item><title>" + b"&lt;div&gt;" * 60_000 + b"</title></item>",
        b"<html>" + b"<div>" * 100_000,
        b"9" * 100_000,
        b"\0" * 1_000_000,
        b"<?xml version='1.0'?><rss><![CDATA[" * 10_000,
        b"<rss" + b" a='1'" * 50_000,
        b"Get trending papers in your email inbox!\n\n" + b"a\n\n" * 200_000,
        b"Get trending papers in your email inbox!\n\n" + "·\n\n".encode() * 100_000,
    ],
    ids=range(14),
)
def test_s11_large_and_deep_bodies_end_soon(kind: str, body: bytes) -> None:
    """Nesting, repetition and length never take more than a few seconds."""
    started = time.process_time()  # other work on the machine counts for nothing
    batch = _read_or_refuse(kind, body)
    assert time.process_time() - started < 8
    if batch and kind != "page":
        assert len(batch.listings) <= MAX_ITEMS


def test_s11_json_is_read_to_a_depth_of_sixty() -> None:
    """A depth that Python still reads is refused where no source nests so deep."""
    for depth, fits in ((50, True), (70, False)):
        nested = b"[" * depth + b"]" * depth
        body = b'[{"paper": {"id": "2104.12255", "title": "t", "x": ' + nested + b"}}]"
        assert bool(_read_or_refuse("huggingface", body)) is fits


_UNREASONABLE = ("9999-01-01", "0000-00-00", "1969-12-31")


def test_s11_fields_and_years_are_bounded() -> None:
    """Titles, abstracts and lists are cut; dates out of all reason are none."""
    rows = [
        {"title": "t" * 9_000, "abstract": "a " * 90_000, "authors": ["n"] * 9_000},
        *(
            {"title": "x", "published_at": day}
            for day in ("9999-01-01", "0000-00-00", "1969-12-31")
        ),
        {"title": "x", "published_at": "2026-11-24"},
        {"title": "x", "published_at": "2026-12-24"},
        {"title": "x", "votes": -1, "comments": 10**30},
    ]
    listings = read("jsonl", "\n".join(map(json.dumps, rows))).listings
    assert len(listings[0].title) <= MAX_TITLE
    assert len(listings[0].abstract) <= MAX_ABSTRACT
    assert [bool(listing.published_at) for listing in listings[1:6]] == [False] * 3 + [True, False]
    assert (listings[6].votes, listings[6].comments) == (None, None)


@pytest.mark.parametrize(
    "file", ["xmlbomb.xml", "quadratic.xml", "external.xml", "external_file.xml"]
)
@pytest.mark.parametrize("kind", ["feed", "arxiv", "arxiv_oai", "pubmed", "opml", "biorxiv"])
def test_s6_entity_attacks_are_refused(kind: str, file: str) -> None:
    """A body that declares entities is refused before any parser expands them."""
    with pytest.raises(SourceError, match="declares XML entities"):
        read(kind, recording(f"payloads/xml_attacks/{file}"))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-be", "utf-32"])
def test_s6_entities_are_seen_in_wide_encodings(encoding: str) -> None:
    """A declaration in UTF-16 or UTF-32 hides nothing."""
    attack = '<?xml version="1.0"?><!DOCTYPE r [<!entity a "b">]><rss>&a;</rss>'
    with pytest.raises(SourceError, match="declares XML entities"):
        read("feed", attack.encode(encoding))


@pytest.mark.parametrize("encoding", ["utf-7", "cp037", "cp500", "unicode_escape"])
def test_s6_encodings_that_hide_markup_are_refused(encoding: str) -> None:
    """An encoding in which `<` is another byte is not for the web."""
    head = f'<?xml version="1.0" encoding="{encoding}"?>'.encode()
    with pytest.raises(SourceError, match="is not one for the web"):
        read("feed", head + b"<rss>+ADw-+ACE-ENTITY</rss>")


def test_s6_a_plain_doctype_is_fine() -> None:
    """PubMed sends one, and a feed may."""
    body = (
        "<!DOCTYPE rss PUBLIC '-//Netscape//DTD RSS 0.91//EN' 'http://example.org/rss.dtd'>"
        "<rss version='0.91'><channel><item><title>On Heat</title></item></channel></rss>"
    )
    assert [listing.title for listing in read("feed", body).listings] == ["On Heat"]


@pytest.mark.parametrize("body", ["file:///etc/passwd", "http://127.0.0.1/", "/etc/passwd"])
def test_s7_a_body_that_looks_like_an_address_is_not_opened(body: str) -> None:
    """A text that names a file or a server stays a text."""
    with pytest.raises(SourceError, match="no feed"):
        read("feed", body)


def test_oversized_bodies_are_refused() -> None:
    """Nothing is parsed beyond the size that any source needs."""
    with pytest.raises(SourceError, match="at most 8,000,000"):
        read("feed", b" " * 8_000_001)


def test_unknown_kinds_name_the_nearest() -> None:
    """A slip in a kind gets the nearest that is one."""
    with pytest.raises(SourceError, match="did you mean 'arxiv'"):
        read("arxvi", b"")


_CORPUS = SHARED / "payloads" / "feedparser_corpus"
_NASTY = sorted(p.relative_to(_CORPUS) for p in _CORPUS.rglob("*") if p.is_file())


@pytest.mark.parametrize("file", _NASTY, ids=str)
def test_nasty_feeds_are_read_or_refused(file: Path) -> None:
    """Every small nasty feed ends, and no active content is left of it."""
    batch = _read_or_refuse("feed", recording(f"payloads/feedparser_corpus/{file}"))
    folder = file.parts[0]
    if folder in {"encoding", "amp", "sanitize"}:
        assert batch is not None
    for listing in batch.listings if batch else ():
        shown = f"{listing.title} {listing.abstract}".lower()
        for bad in ("<script", "<iframe", "<style", "onload=", "onclick=", "href=", "http-equiv"):
            assert bad not in shown
        assert listing.url.startswith(("", "http://", "https://"))
        if folder == "amp":
            assert listing.title == "&"
