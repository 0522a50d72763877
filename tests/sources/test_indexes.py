"""Preprint servers, indexes and reviews."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime

import pytest

from digest.backlog import Held, held_back
from digest.errors import SourceError
from digest.join import join
from digest.sources import KINDS, Request, read_batch
from digest.sources.biorxiv import clean
from tests.sources.shared import NOW, query_of, read, source_of

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


def test_biorxiv_states_no_count_of_some_categories() -> None:
    """Its total is that of one category, or of everything: never of two."""
    counts = []
    for categories in (("genetics",), ("genetics", "zoology")):
        batch = read_batch(source_of("biorxiv", categories=categories), _details(), NOW)
        counts.append((len(batch.listings), batch.announced))
    assert counts == [(30, 70), (30, None)]


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
        (
            b"<html><link rel='alternate' type='application/rss+xml' href='https://x.org/feed'>",
            "a web page, where a details answer was expected",
        ),
        (b'{"messages":[{"status":"ok"}],"collection":[{"doi":"?"}]}', "no record has a DOI"),
    ],
)
def test_s10_biorxiv_errors_come_with_200(body: bytes, reason: str) -> None:
    """An error in a 200 is a failure."""
    with pytest.raises(SourceError) as fault:
        read("biorxiv", body)
    assert reason in str(fault.value)


@pytest.mark.parametrize(
    "words", ["no posts found", "No papers found for interval", "no articles found"]
)
def test_biorxiv_says_an_empty_day_in_several_ways(words: str) -> None:
    """Each is an empty list and no fault."""
    empty = json.dumps({"messages": [{"status": words}], "collection": []})
    batch = read("biorxiv", empty)
    assert (batch.announced, batch.listings) == (0, ())


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


def _works(*works: Mapping[str, object]) -> str:
    return json.dumps({"status": "ok", "message": {"items": list(works)}})


def _parts(*parts: int) -> dict[str, object]:
    return {"date-parts": [list(parts)]}


@pytest.mark.parametrize(
    ("printed", "listed_on"),
    [
        ((2026, 11), date(2026, 11, 19)),  # an issue that is dated by its month
        ((2026,), date(2026, 11, 19)),
        ((2026, 3, 2), date(2026, 11, 19)),
        ((2025, 10, 1), None),  # back volumes are registered as well
        ((1926,), None),
    ],
)
def test_crossref_works_are_as_new_as_their_registration(
    printed: tuple[int, ...], listed_on: date | None
) -> None:
    """The day of registration announces a work, whatever its issue is dated; a back volume not."""
    work = {"DOI": "10.1000/x", "title": ["On Heat"], "published-print": _parts(*printed)}
    (one,) = read("crossref", _works(work | {"created": _parts(2026, 11, 19)})).listings
    assert one.listed_on == listed_on
    assert (one.key in held_back([one], 7, NOW)) == (listed_on is None)


def test_crossref_notices_are_notes_on_what_they_are_about() -> None:
    """A retraction becomes a note on the work, never a second entry, and alone it is not mailed."""
    work = {"DOI": "10.1000/heat", "title": ["On Heat"], "created": _parts(2026, 11, 18)}
    notice = {
        "DOI": "10.1000/notice",
        "title": ["Retraction: On Heat"],
        "created": _parts(2026, 11, 19),
        "update-to": [{"type": "retraction", "DOI": "10.1000/heat"}, {"type": "new_edition"}],
    }
    listings = read("crossref", _works(work, notice)).listings
    (one,) = join(listings, lambda ids: {}).new
    assert (one.title, one.note) == ("On Heat", "retracted")
    assert held_back(listings[1:], 7, NOW) == {"doi:10.1000/notice": Held.REVISED}


def test_crossref_keeps_works_and_leaves_their_parts_out() -> None:
    """Figures have DOIs but no title; an abstract's own heading goes; both forms of a work join."""
    jats = "<jats:title>Abstract</jats:title><jats:p>Cold is not.</jats:p>"
    relation = {"is-preprint-of": [{"id": "10.1000/journal"}], "has-review": [{"id": "10.1/no"}]}
    work = {"DOI": "10.1101/1", "title": ["On Heat"], "abstract": jats, "relation": relation}
    batch = read("crossref", _works({"DOI": "10.1000/x.g001", "title": []}, work))
    (one,) = batch.listings
    assert one.abstract == "Cold is not."
    assert {name for name in one.ids if name.startswith("doi:")} == {
        "doi:10.1101/1",
        "doi:10.1000/journal",
    }
    assert batch.notes == ("1 works without a title were left out",)


def test_a_paper_of_a_year_is_undated_and_one_without_a_title_goes_by_its_id() -> None:
    """What has only a year may be of today: it is mailed within the share of what has no date."""
    papers = [
        {"paperId": "a", "title": "On Looms", "year": 2026},
        {"paperId": "b", "title": "On Cards", "year": 2026, "publicationDate": "2026-11-18"},
        {"paperId": "c", "title": " ", "year": 2026},
        {"year": 2026},
    ]
    batch = read("semantic_scholar", json.dumps({"total": 4, "data": papers}))
    looms, _, nameless = batch.listings
    titles = [one.title for one in batch.listings]
    assert titles == ["On Looms", "On Cards", "Semantic Scholar paper c"]
    assert [str(one.published_at)[:10] for one in batch.listings] == ["None", "2026-11-18", "None"]
    assert held_back(batch.listings, 14, NOW) == {}
    undated = {looms.key: Held.UNDATED, nameless.key: Held.UNDATED}
    assert held_back(batch.listings, 14, NOW, undated=0) == undated
    assert batch.notes == ("1 papers without a title or an id were left out",)
    (old,) = read("semantic_scholar", '{"data": [{"title": "On Rods", "year": 2025}]}').listings
    assert held_back([old], 14, NOW) == {old.key: Held.TOO_OLD}
    new_year = datetime(2026, 1, 5, tzinfo=UTC)
    assert held_back([old], 14, new_year) == {}


def test_searches_without_a_date_or_a_hit_are_fine() -> None:
    """No hit is an empty batch; an error in the answer is a failure."""
    assert read("semantic_scholar", '{"total": 0, "offset": 0}').listings == ()
    with pytest.raises(SourceError, match="Unrecognized"):
        read("semantic_scholar", '{"error": "Unrecognized fields"}')
    with pytest.raises(SourceError, match="is not valid"):
        read("crossref", '{"status": "failed", "message": [{"message": "x is not valid"}]}')
    with pytest.raises(SourceError, match="Empty term"):
        read("pubmed", '{"esearchresult": {"ERROR": "Empty term"}}')
    with pytest.raises(SourceError, match="not found"):
        read("crossref", '{"status": "error", "message": "Resource not found."}')
    with pytest.raises(SourceError, match="rate limit"):
        read("pubmed", '{"error": "API rate limit exceeded", "count": "4"}')
    with pytest.raises(SourceError, match="Unable to obtain"):
        read("pubmed", "<eFetchResult><ERROR>Unable to obtain query #1</ERROR></eFetchResult>")


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


def _article(number: int, citation: str, entered: str) -> str:
    year, month, day = entered.split("-")
    return f"""<PubmedArticle><MedlineCitation><PMID>{number}</PMID><Article><Journal><JournalIssue>
    <PubDate><Year>2026</Year><Month>Mar</Month></PubDate></JournalIssue></Journal><ArticleTitle>
    Article {number}</ArticleTitle><Abstract><AbstractText Label="UNLABELLED">Of peas.
    </AbstractText></Abstract></Article>{citation}</MedlineCitation><PubmedData><History>
    <PubMedPubDate PubStatus="received"><Year>2024</Year></PubMedPubDate>
    <PubMedPubDate PubStatus="entrez"><Year>{year}</Year><Month>{month}</Month><Day>{day}</Day>
    </PubMedPubDate></History></PubmedData></PubmedArticle>"""


def test_pubmed_articles_are_as_new_as_their_entry() -> None:
    """The day of entry announces an article whose issue is older; a notice is a note on another."""
    about = """<CommentsCorrectionsList><CommentsCorrections RefType="RetractionOf"><PMID>1</PMID>
    </CommentsCorrections><CommentsCorrections RefType="Cites"><PMID>7</PMID>
    </CommentsCorrections></CommentsCorrectionsList>"""
    articles = _article(1, "", "2026-11-18") + _article(2, about, "2026-11-19")
    one, notice = read("pubmed", f"<PubmedArticleSet>{articles}</PubmedArticleSet>").listings
    assert (one.listed_on, one.published_at) == (
        date(2026, 11, 18),
        datetime(2026, 3, 1, tzinfo=UTC),
    )
    assert one.abstract == "Of peas."
    assert held_back([one], 7, NOW) == {}
    (joined,) = join([one, notice], lambda ids: {}).new
    assert (joined.title, joined.note) == ("Article 1", "retracted")


def test_pubmed_fetches_every_article_that_a_search_found() -> None:
    """Two hundred at a time, each once, and a thousand at most."""
    ids = [str(n) for n in range(1, 1_102)]
    answer = {"esearchresult": {"count": "1101", "idlist": ids}}
    batch = read("pubmed", json.dumps(answer))
    assert batch.next is not None
    fetches = [query_of(one.url)["id"].split(",") for one in (batch.next, *batch.also)]
    assert [len(one) for one in fetches] == [200] * 5
    assert [name for one in fetches for name in one] == ids[:1_000]


@pytest.mark.parametrize(("count", "goes_on"), [(100, True), (99, False)])
def test_crossref_goes_on_while_pages_are_full(count: int, goes_on: bool) -> None:
    """The service names a cursor on its last page, too."""
    works = [{"DOI": f"10.1038/{n}", "title": [f"Work {n}"]} for n in range(count)]
    answer = {"status": "ok", "message": {"items": works, "next-cursor": "abc"}}
    asked = Request("https://example.org/")
    batch = read_batch(source_of("crossref"), json.dumps(answer).encode(), NOW, asked)
    assert bool(batch.next) is goes_on


@pytest.mark.parametrize(("papers", "goes_on"), [([{"title": "On Heat"}], True), ([], False)])
def test_a_search_ends_with_a_page_of_no_hit(papers: list[object], goes_on: bool) -> None:
    """Whatever token comes with it."""
    answer = {"total": 9, "token": "abc", "data": papers}
    asked = Request("https://example.org/")
    batch = read_batch(source_of("semantic_scholar"), json.dumps(answer).encode(), NOW, asked)
    assert bool(batch.next) is goes_on


def test_pages_end_somewhere() -> None:
    """A source that names ever new pages is followed forty times and no further."""
    kind, asked, count = KINDS["medrxiv"], Request("https://example.org/"), 0
    while count < 100:
        batch = read_batch(source_of("medrxiv"), _details(total="999999"), NOW, asked)
        following = kind.follow(batch)
        if following is None:
            break
        asked, count = following, count + 1
    assert count == 39
