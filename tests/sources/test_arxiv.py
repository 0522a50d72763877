"""arXiv's doors: feeds, listing pages, OAI-PMH, searches."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from digest.errors import SourceError
from digest.model import Announce
from digest.sources import KINDS, Batch, read_batch
from tests.sources.shared import NOW, asked, query_of, read, source_of

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
    with pytest.raises(SourceError, match="a web page, where an arXiv feed was expected"):
        read("arxiv", "<html><p>Log in</p></html>")


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
    return read_batch(source_of("arxiv_api", query="engines"), body.encode(), NOW)


def test_a_search_goes_on_while_it_brings_what_is_young() -> None:
    """Slices follow until their oldest is past the age that is mailed, or all is read."""
    young = _hits("all:engines", 0, "2026-11-19")
    assert young.next is not None
    assert query_of(young.next.url)["start"] == "200"
    assert young.found == 900
    assert _hits("all:engines", 0, "2026-10-01").next is None
    assert _hits("submittedDate:[2026 TO 2027]", 0, "2026-10-01").next is not None
    assert _hits("submittedDate:[2026 TO 2027]", 700, "2026-10-01").next is None


def test_arxiv_asks_one_feed_for_all_categories() -> None:
    """The categories go together, so that no paper is announced twice."""
    assert asked("arxiv", categories=("cs.CL", "stat.ML")) == [
        "https://rss.arxiv.org/rss/cs.CL+stat.ML"
    ]
    (search,) = asked("arxiv_api", categories=("cs.CL",), query="looms")
    assert query_of(search)["search_query"] == "(cat:cs.CL) AND (all:looms)"
    (window,) = asked("arxiv_oai", categories=("cs.CL", "cs.LG"))
    assert query_of(window) == {
        "verb": "ListRecords",
        "metadataPrefix": "arXivRaw",
        "set": "cs",
        "from": "2026-11-17",
    }
    since = KINDS["arxiv"].backfill(
        source_of("arxiv", categories=("hep-th",)), date(2026, 11, 1), NOW
    )
    spans = [query_of(one.url)["search_query"].partition("submittedDate:")[2] for one in since]
    assert spans == [
        "[202611010000 TO 202611080000]",
        "[202611080000 TO 202611150000]",
        "[202611150000 TO 202611210000]",
    ]


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
    assert query_of(batch.next.url)["resumptionToken"] == "t|2"
    assert batch.notes == ("1 records were deleted or of another format",)


def test_oai_makes_up_for_a_gap_up_to_the_days_it_looks_back_over() -> None:
    """A day a request; for fourteen days at most."""
    missed = KINDS["arxiv_oai"].missed
    source = source_of("arxiv_oai", categories=("cs.CL",))
    windows = missed(source, date(2026, 11, 10), date(2026, 11, 16))
    days = [query_of(one.url)["from"] for one in windows]
    assert days == ["2026-11-10", "2026-11-11", "2026-11-12"]
    assert missed(source, date(2026, 11, 14), date(2026, 11, 16)) == []
    long = missed(source, date(2026, 1, 1), date(2026, 11, 16))
    assert query_of(long[0].url)["from"] == "2026-11-02"


def test_oai_records_of_other_categories_are_left_out() -> None:
    """The set is the whole archive; only the categories asked for count."""
    for wanted, count in ((("cs.LG",), 1), (("cs.RO",), 0), (("cs",), 1)):
        source = source_of("arxiv_oai", categories=wanted)
        assert len(read_batch(source, _OAI.encode(), NOW).listings) == count
