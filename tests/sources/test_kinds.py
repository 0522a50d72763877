"""Each kind on bodies written for it: fields, pages that follow, requests and faults."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from digest.errors import SourceError
from digest.model import Announce, Source
from digest.sources import KINDS, Batch, fault_in_kind, read_batch
from digest.sources.biorxiv import clean
from digest.sources.names import person, split_names
from tests.sources.shared import NOW, read


def _source(kind: str, **options: Any) -> Source:  # options of every type
    return Source("test", kind, **options)


def _asked(kind: str, **options: Any) -> list[str]:  # options of every type
    """The addresses that a source of that kind asks for."""
    source = _source(kind, **options)
    return [request.url for request in KINDS[kind].requests(source, NOW)]


def _query(url: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


# --- arXiv's listing page -------------------------------------------------------------------


def _entry(number: int, mark: str = "") -> str:
    return f"""<dt><a name='item{number}'>[{number}]</a>
 <a href ="/abs/2606.0000{number}" title="Abstract"> arXiv:2606.0000{number} </a> {mark}
 [<a href="/pdf/2606.0000{number}">pdf</a>]</dt>
<dd><div class='meta'>
 <div class='list-title mathjax'><span class='descriptor'>Title:</span>
  On <b>Engines</b> &amp; $x&lt;y$, part {number}</div>
 <div class='list-authors'><a href="#">Ada Lovelace</a>, <a href="#">Charles Babbage</a></div>
 <div class='list-comments mathjax'><span class='descriptor'>Comments:</span> withdrawn</div>
 <div class='list-subjects'><span class='descriptor'>Subjects:</span>
  <span class="primary-subject">Computation (cs.CL)</span>; Learning (cs.LG)</div>
 <p class='mathjax'> We describe engine {number}. </p></div></dd>"""


def _page(new: int = 2) -> str:
    return f"""<!DOCTYPE html><html><head><meta charset="utf-8"></head><body>
<div id='dlpage'><h1>Computation</h1><h3>Showing new listings for Friday, 12 June 2026</h3>
<dl id='articles'><h3>New submissions (showing {new} of {new} entries)</h3>{_entry(1)}{_entry(2)}
<h3>Cross submissions (showing 1 of 1 entries)</h3>{_entry(3, "(cross-list from cs.LG)")}
<h3>Replacement submissions (showing 2 of 5 entries)</h3>{_entry(4, "(replaced)")}
{_entry(5, "(replaced) (cross-list from cs.LG)")}</dl></div></body></html>"""


def test_a_listing_page_gives_its_sections() -> None:
    """Titles without labels, authors, subjects, day, and how each section announces."""
    batch = read("arxiv_listing", _page())
    assert batch.announced == 8
    assert batch.batch_on == date(2026, 6, 12)
    assert batch.notes == ("the page shows all but 3 of its entries",)
    first = batch.listings[0]
    assert first.title == "On Engines & $x<y$, part 1"
    assert (first.key, first.note) == ("arxiv:2606.00001", "withdrawn")
    assert first.authors == ("Ada Lovelace", "Charles Babbage")
    assert first.subjects == ("cs.CL", "cs.LG")
    assert first.abstract == "We describe engine 1."
    kinds = [listing.announce for listing in batch.listings]
    assert kinds == [
        Announce.NEW,
        Announce.NEW,
        Announce.CROSS,
        Announce.REPLACE,
        Announce.REPLACE_CROSS,
    ]


def test_a_listing_page_that_holds_less_than_it_states_is_cut_off() -> None:
    """The page's own counts hold."""
    with pytest.raises(SourceError, match="states 3 entries and holds 2"):
        read("arxiv_listing", _page(new=3))
    with pytest.raises(SourceError, match="no element with id='dlpage'"):
        read("arxiv_listing", "<html><p>Sorry</p></html>")


def test_the_arxiv_kind_reads_every_form() -> None:
    """One kind reads feed, listing page and OAI-PMH, so that backfill may ask for any."""
    assert len(read("arxiv", _page()).listings) == 5
    assert read("arxiv", '<OAI-PMH><error code="noRecordsMatch"/></OAI-PMH>').listings == ()


# --- arXiv's other doors --------------------------------------------------------------------

_SEARCH = """<feed xmlns="http://www.w3.org/2005/Atom" xmlns:o="http://a9.com/-/spec/opensearch/1.1/">
<link rel="self" href="https://arxiv.org/api/query?search_query={terms}&amp;start={start}&amp;max_results=200"/>
<o:totalResults>900</o:totalResults>{entries}</feed>"""


def _hits(terms: str, start: int, day: str, count: int = 200) -> Batch:
    entries = "".join(
        f"<entry><id>http://arxiv.org/abs/2611.{n:05}v1</id><title>t{n}</title>"
        f"<published>{day}T00:00:00Z</published></entry>"
        for n in range(count)
    )
    body = _SEARCH.format(terms=terms, start=start, entries=entries)
    return read_batch(_source("arxiv_api", query="engines"), body.encode(), NOW)


def test_a_search_goes_on_while_it_brings_what_is_young() -> None:
    """Slices follow until their oldest is past the age that is mailed, or all is read."""
    young = _hits("all:engines", 0, "2026-11-19")
    assert young.next is not None
    assert _query(young.next.url)["start"] == "200"
    assert young.found == 900
    assert _hits("all:engines", 0, "2026-10-01").next is None
    assert _hits("submittedDate:[2026 TO 2027]", 0, "2026-10-01").next is not None
    assert _hits("submittedDate:[2026 TO 2027]", 700, "2026-10-01").next is None


def test_arxiv_asks_one_feed_for_all_categories() -> None:
    """The categories go together, so that no paper is announced twice."""
    assert _asked("arxiv", categories=("cs.CL", "stat.ML")) == [
        "https://rss.arxiv.org/rss/cs.CL+stat.ML"
    ]
    (search,) = _asked("arxiv_api", categories=("cs.CL",), query="looms")
    assert _query(search)["search_query"] == "(cat:cs.CL) AND (all:looms)"
    (window,) = _asked("arxiv_oai", categories=("cs.CL", "cs.LG"))
    assert _query(window) == {
        "verb": "ListRecords",
        "metadataPrefix": "arXivRaw",
        "set": "cs",
        "from": "2026-11-17",
    }
    since = KINDS["arxiv"].backfill(
        _source("arxiv", categories=("hep-th",)), date(2026, 11, 1), NOW
    )
    assert "submittedDate:[202611010000 TO 202611210000]" in _query(since[0].url)["search_query"]


_OAI = """<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/"><ListRecords>
<record><header><datestamp>2026-06-12</datestamp></header><metadata>
<arXivRaw xmlns="http://arxiv.org/OAI/arXivRaw/"><id>2606.00001</id>
<version version="v1"><date>Tue, 2 Jun 2026 22:04:11 GMT</date></version>
<version version="v2"><date>Thu, 11 Jun 2026 22:04:11 GMT</date></version>
<title>On
  Engines</title><authors>Ada Lovelace (Royal Society), Charles Babbage and Emmy Noether</authors>
<categories>cs.CL cs.LG</categories><comments>This paper has been withdrawn</comments>
<doi>10.1103/X.1 10.1103/X.2</doi><abstract>  We describe
the engine.</abstract></arXivRaw></metadata></record>
<record><header status="deleted"><datestamp>2026-06-12</datestamp></header></record>
<resumptionToken cursor="0" completeListSize="5">t|2</resumptionToken></ListRecords></OAI-PMH>"""


def test_oai_records_tell_their_history() -> None:
    """First version's day, later version and withdrawal as notes, all DOIs, the next token."""
    batch = read("arxiv_oai", _OAI)
    (paper,) = batch.listings
    assert paper.published_at == datetime(2026, 6, 2, 22, 4, 11, tzinfo=UTC)
    assert paper.announce is Announce.REPLACE
    assert paper.note == "version 2; withdrawn; published as doi:10.1103/x.1"
    assert paper.authors == ("Ada Lovelace", "Charles Babbage", "Emmy Noether")
    assert {"arxiv:2606.00001", "doi:10.1103/x.1", "doi:10.1103/x.2"} <= set(paper.ids)
    assert (paper.title, paper.abstract) == ("On Engines", "We describe the engine.")
    assert batch.next is not None
    assert (_query(batch.next.url)["resumptionToken"], batch.next.page) == ("t|2", 1)
    assert batch.notes == ("1 records were deleted or of another format",)


def test_oai_records_of_other_categories_are_left_out() -> None:
    """The set is the whole archive; only the categories asked for count."""
    for wanted, count in ((("cs.LG",), 1), (("cs.RO",), 0), (("cs",), 1)):
        source = _source("arxiv_oai", categories=wanted)
        assert len(read_batch(source, _OAI.encode(), NOW).listings) == count


# --- preprints ------------------------------------------------------------------------------


def _details(**message: object) -> bytes:
    record = {
        "title": "On Peas",
        "authors": "Mendel, G.; Nageli, C.",
        "doi": "10.1101/2026.11.18.1",
        "date": "2026-7-5",
        "version": "2",
        "category": "genetics",
        "abstract": "O_ST_ABSAimsC_ST_ABSWe cross. O_LIOne C_LI O_SCPLOWTwoC_SCPLOW",
        "published": "10.1038/X",
        "server": "medRxiv",
    }
    head = {"status": "ok", "interval": "2026-11-18:2026-11-20", "cursor": 0, "total": "70"}
    return json.dumps({"messages": [head | message], "collection": [record] * 30}).encode()


def test_biorxiv_pages_follow_to_the_end() -> None:
    """Thirty of seventy ask for the next thirty, the last page for nothing."""
    batch = read("medrxiv", _details())
    assert batch.announced == 70
    assert batch.next is not None
    assert batch.next.url.endswith("/details/medrxiv/2026-11-18/2026-11-20/30/json")
    assert read("medrxiv", _details(cursor=60)).next is None
    assert read("medrxiv", _details(cursor="30")).announced is None


def test_biorxiv_records_are_cleaned() -> None:
    """Unpadded dates, marks in the abstract, the journal's DOI and the version."""
    one = read("medrxiv", _details()).listings[0]
    assert one.abstract == "Aims: We cross. One Two"
    assert str(one.listed_on) == "2026-07-05"
    assert one.note == "version 2; published as doi:10.1038/x"
    assert one.url == "https://www.medrxiv.org/content/10.1101/2026.11.18.1v2"
    assert one.authors == ("Mendel, G.", "Nageli, C.")
    assert clean("Co_LIth O_LI") == "Co_LIth "


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (_details(status="Error : bad interval"), "answered with an error: error : bad interval"),
        (b'{"messages": [], "collection": []}', "messages and collection were expected"),
        (b"{}", "messages and collection were expected"),
        (b"", "empty"),
        (b'{"messages":[{"status":"ok"}],"collection":[{"doi":"?"}]}', "no record has a DOI"),
    ],
)
def test_s10_biorxiv_errors_come_with_200(body: bytes, reason: str) -> None:
    """An error in a 200 is a failure; nothing posted is an empty day."""
    with pytest.raises(SourceError) as fault:
        read("biorxiv", body)
    assert reason in str(fault.value)
    empty = b'{"messages":[{"status":"no posts found"}],"collection":[]}'
    assert read("biorxiv", empty).announced == 0


# --- indexes --------------------------------------------------------------------------------


def test_openreview_fields_are_unwrapped() -> None:
    """API 2 wraps its fields, API 1 does not; replies are no submissions."""
    fields = {"title": "On Looms", "abstract": "We weave.", "authors": ["Ada Lovelace"]}
    wrapped = {name: {"value": value} for name, value in fields.items()}
    wrapped["pdf"] = {"value": "/pdf/x.pdf"}
    notes = [
        {"id": "a", "forum": "a", "cdate": 1_790_000_000_000, "content": wrapped},
        {"id": "b", "forum": "b", "content": fields},
        {"id": "c", "forum": "a", "content": {"title": "Review"}},
    ]
    batch = read("openreview", json.dumps({"notes": notes, "count": 3}))
    assert [one.title for one in batch.listings] == ["On Looms", "On Looms"]
    assert batch.listings[0].published_at == datetime(2026, 9, 21, 14, 13, 20, tzinfo=UTC)
    assert batch.listings[0].links[0].url == "https://openreview.net/pdf/x.pdf"
    assert batch.notes == ("1 notes are no submissions",)


def test_crossref_abstracts_lose_their_markup() -> None:
    """JATS becomes paragraphs; an empty date has no day; a preprint's id is kept."""
    jats = "<jats:title>Aims</jats:title><jats:p>H<jats:sub>2</jats:sub>O &amp; x.</jats:p>"
    work = {
        "DOI": "10.1000/X",
        "title": ["On Heat"],
        "issued": {"date-parts": [[]]},
        "abstract": jats,
        "relation": {"has-preprint": [{"id": "10.48550/arXiv.2606.00467"}]},
        "author": [{"name": "The Society"}],
    }
    (one,) = read("crossref", json.dumps({"status": "ok", "message": work})).listings
    assert one.abstract == "Aims\n\nH2O & x."
    assert one.published_at is None
    assert one.key == "arxiv:2606.00467"
    assert one.authors == ("The Society",)


def test_searches_without_a_date_or_a_hit_are_fine() -> None:
    """No hit is an empty batch; an error in the answer is a failure."""
    assert read("semantic_scholar", '{"total": 0, "offset": 0}').listings == ()
    with pytest.raises(SourceError, match="Unrecognized"):
        read("semantic_scholar", '{"error": "Unrecognized fields"}')
    with pytest.raises(SourceError, match="is not valid"):
        read("crossref", '{"status": "failed", "message": [{"message": "x is not valid"}]}')
    with pytest.raises(SourceError, match="Empty term"):
        read("pubmed", '{"esearchresult": {"ERROR": "Empty term"}}')


def test_pubmed_searches_lead_to_articles() -> None:
    """The ids of a search become one fetch; seasons and spans have a first day."""
    batch = read("pubmed", '{"esearchresult": {"count": "9", "idlist": ["1", "2"]}}')
    assert batch.next is not None
    assert batch.next.url.endswith("id=1,2")
    dates = {
        "<Year>2026</Year><Season>Spring</Season>": "2026-04-01",
        "<MedlineDate>2026 May-Jun</MedlineDate>": "2026-05-01",
        "<Year>2026</Year>": "2026-01-01",
        "<Year>2026</Year><Month>06</Month><Day>12</Day>": "2026-06-12",
    }
    for text, day in dates.items():
        body = (
            "<PubmedArticleSet><PubmedArticle><MedlineCitation><PMID>7</PMID><Article><Journal>"
            f"<JournalIssue><PubDate>{text}</PubDate></JournalIssue></Journal>"
            "<ArticleTitle>On <i>Heat</i>.</ArticleTitle></Article></MedlineCitation>"
            "</PubmedArticle></PubmedArticleSet>"
        )
        (one,) = read("pubmed", body).listings
        assert (one.title, one.key, f"{one.published_at:%Y-%m-%d}") == ("On Heat.", "pmid:7", day)


# --- feeds and files ------------------------------------------------------------------------


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


# --- what is asked, and what a config may get wrong -----------------------------------------


@pytest.mark.parametrize(
    ("query", "asked"),
    [
        ("week", "week=2026-W47"),
        ("2026-W24", "week=2026-W24"),
        ("month", "month=2026-11"),
        ("2026-06", "month=2026-06"),
        ("2026-06-12", "date=2026-06-12"),
        ("trending", "sort=trending"),
    ],
)
def test_huggingface_lists(query: str, asked: str) -> None:
    """Each list that a query names is asked by its own parameter."""
    (url,) = _asked("huggingface", query=query)
    assert asked in url


def test_huggingface_refreshes_the_week_in_turn() -> None:
    """The newest list comes each time; over a week of hourly or daily fetches each past day."""
    for hours in (1, 24):
        days = set()
        for step in range(7):
            now = datetime.fromtimestamp(NOW.timestamp() + step * hours * 3600, UTC)
            newest, past = KINDS["huggingface"].requests(_source("huggingface"), now)
            assert "date" not in newest.url
            days.add((now.date() - date.fromisoformat(_query(past.url)["date"])).days)
        assert days == set(range(1, 8))


_FAULTS: list[tuple[str, dict[str, Any], str]] = [
    ("arxiv", {}, "needs categories"),
    ("arxiv", {"categories": ("cs.cl",)}, "did you mean 'cs.CL'?"),
    ("arxiv_api", {}, "needs a query or categories"),
    ("arxiv_oai", {"categories": ("qant-ph",)}, "did you mean 'quant-ph'?"),
    ("arxiv_listing", {}, "needs categories"),
    ("huggingface", {"query": "yesterday"}, "is none of trending, week"),
    ("feed", {}, "needs a url or a path"),
    ("feed", {"url": "example.org/feed"}, "the nearest form is https://"),
    ("page", {"url": "https://x.org", "path": "x"}, "keep one of them"),
    ("jsonl", {}, "needs a url or a path"),
    ("opml", {}, "needs a url or a path"),
    ("pubmed", {}, "needs a query"),
    ("semantic_scholar", {}, "needs a query"),
    ("crossref", {}, "needs a query, or categories"),
    ("openreview", {}, "needs categories"),
]


@pytest.mark.parametrize(("kind", "options", "reason"), _FAULTS)
def test_faults_name_the_nearest_form(kind: str, options: dict[str, Any], reason: str) -> None:
    """Options that a kind cannot use are told with what it can."""
    assert reason in KINDS[kind].fault(_source(kind, **options))


_FINE: list[tuple[str, dict[str, Any]]] = [
    ("arxiv", {"categories": ("cs.CL", "hep-th", "astro-ph.GA", "math")}),
    ("arxiv", {"path": "saved/*.xml"}),
    ("arxiv_api", {"query": "ti:looms"}),
    ("arxiv_oai", {"categories": ("cs.CL",)}),
    ("arxiv_listing", {"categories": ("cs.CL",)}),
    ("huggingface", {}),
    ("biorxiv", {"categories": ("neuroscience",)}),
    ("medrxiv", {}),
    ("feed", {"url": "https://example.org/feed"}),
    ("pubmed", {"query": "looms"}),
    ("semantic_scholar", {"query": "looms"}),
    ("crossref", {"query": "looms"}),
    ("openreview", {"categories": ("ICLR.cc/2027/Conference",)}),
]


@pytest.mark.parametrize(("kind", "options"), _FINE)
def test_right_options_have_no_fault_and_are_asked(kind: str, options: dict[str, Any]) -> None:
    """Each kind takes its options and asks only https addresses."""
    source = _source(kind, **options)
    assert KINDS[kind].fault(source) == ""
    for request in KINDS[kind].requests(source, NOW):
        assert request.url.startswith("https://")
    for request in KINDS[kind].backfill(source, date(2026, 11, 18), NOW):
        assert request.url.startswith("https://")


def test_pages_end_somewhere() -> None:
    """A source that names ever new pages is followed forty times and no further."""
    kind, page, count = KINDS["medrxiv"], 0, 0
    while count < 100:
        batch = read_batch(_source("medrxiv"), _details(total="999999"), NOW, page)
        following = kind.follow(batch)
        if following is None:
            break
        page, count = following.page, count + 1
    assert count == 39


def test_every_kind_is_known_by_its_name() -> None:
    """A name that is no kind gets the nearest, or all of them."""
    assert fault_in_kind("feed") == ""
    assert "did you mean 'huggingface'" in fault_in_kind("hugging_face")
    assert "it is one of" in fault_in_kind("zzz")
