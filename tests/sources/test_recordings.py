"""Every recording that is described in `expected.json` gives the counts, titles, ids and dates."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import pytest

from digest.errors import SourceError
from digest.join import join
from digest.sources import Batch
from digest.sources.ids import arxiv_id, guid
from tests.sources.shared import SHARED, Shelf, query_of, read, recording

_TABLE = SHARED / "payloads" / "expected.json"
_ALL: dict[str, dict[str, Any]] = json.loads(_TABLE.read_text()) if _TABLE.exists() else {}
_KINDS = {
    "arxiv_api": "arxiv",
    "arxiv_oai": "arxiv_oai",
    "arxiv_rss": "arxiv",
    "biorxiv": "biorxiv",
    "crossref": "crossref",
    "feeds": "feed",
    "huggingface": "huggingface",
    "jsonfeed": "feed",
    "opml": "opml",
    "pages": "feed",
    "pubmed": "pubmed",
    "semanticscholar": "semantic_scholar",
}
_REFUSED = {
    "feeds/rss_2.0_invalid_1.xml",
    "jsonfeed/ScriptingNews.json",
}
_OURS = sorted(name for name in _ALL if not name.startswith("bounces/"))


def _body(name: str) -> list[bytes]:
    """The bodies that a recording holds: a file may wrap one, and a cassette several."""
    raw = recording(f"payloads/{name}")
    if name.startswith("arxiv_api/") and name.endswith(".json"):
        return [json.loads(raw)["body"].encode()]
    if name.endswith(".yaml"):
        return [_cassette(raw.decode())]
    return [raw]


def _cassette(text: str) -> bytes:
    """The one JSON body of a cassette: a quoted YAML text, wrapped over lines."""
    start = min(i for i in (text.find("content: '"), text.find("string: '")) if i > 0)
    quoted = text[text.index("'", start) + 1 :]
    return " ".join(quoted[: quoted.index("\n\n")].split()).encode()


def _kind(name: str) -> str:
    return (
        "feed"
        if name.endswith(".rss.xml") and "takara" in name
        else _KINDS[name.split("/", maxsplit=1)[0]]
    )


def _read(name: str) -> Batch:
    (body,) = _body(name)
    return read(_kind(name), body)


def _refused(name: str, wanted: dict[str, Any]) -> bool:
    """True for recordings of errors and of what is cut or another format."""
    return (
        wanted.get("refuse", False)
        or wanted.get("http_status", 200) >= 400
        or wanted.get("error") == "badResumptionToken"
        or any(one.get("code") == 400 for one in wanted.get("interactions", []))
        or name in _REFUSED
    )


def _date(text: str) -> datetime | None:
    """The moment in a date of the table."""
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except ValueError:
        pass
    try:
        return parsedate_to_datetime(text).astimezone(UTC)
    except ValueError:
        return datetime.strptime(text, "%Y/%m/%d %H:%M:%S").replace(tzinfo=UTC)


def _normal(title: str) -> str:
    return " ".join(title.split())


def _own_ids(batch: Batch) -> list[str]:
    """What each listing is known by in its source."""
    return [listing.ids[0] for listing in batch.listings]


def _without_title(batch: Batch) -> int:
    """How many listings bear what may be a stand-in: the opening of their text, or none at all."""
    stands = (one.abstract.startswith(one.title.rstrip("…")) for one in batch.listings)
    named = (one.title == "Untitled" for one in batch.listings)
    return sum(opens or none for opens, none in zip(stands, named, strict=True))


def _is_link(batch: Batch, link: str | None) -> bool:
    """Whether the first listing leads there; a paper of arXiv leads to its abstract's page."""
    url = batch.listings[0].url
    return url == (link or "") or (arxiv_id(url) != "" and arxiv_id(url) == arxiv_id(link or ""))


def _token(batch: Batch) -> str | None:
    """The token that the next request carries."""
    return query_of(batch.next.url).get("resumptionToken") if batch.next else None


def _has_ids(batch: Batch, names: list[str]) -> bool:
    """Whether the listings, or what is fetched next, bear these ids in this order."""
    if batch.listings:
        rows = zip(names, batch.listings, strict=True)
        return all(any(name in one for one in listing.ids) for name, listing in rows)
    return query_of(batch.next.url)["id"].split(",") == names if batch.next else not names


_HOLDS: dict[str, Callable[[Batch, Any], bool]] = {
    "entries": lambda batch, count: len(batch.listings) == count,
    "total_results": lambda batch, count: (batch.found or 0) == count,
    "total": lambda batch, count: batch.found == count,
    "count": lambda batch, count: batch.found == count,
    "interactions": lambda batch, rows: (
        (batch.found, len(batch.listings)) == (rows[0]["total"], rows[0]["items"] or 0)
    ),
    "error": lambda batch, code: not (code and batch.listings),
    "token": lambda batch, token: _token(batch) == token,
    "ids": _has_ids,
    "titles": lambda batch, titles: [one.title for one in batch.listings] == titles,
    "title": lambda batch, title: batch.listings[0].title == _normal(title),
    "first_title": lambda batch, title: not title or batch.listings[0].title == _normal(title),
    "last_title": lambda batch, title: not title or batch.listings[-1].title == _normal(title),
    "first_id": lambda batch, own: (
        not own
        or guid("test", own) in batch.listings[0].ids
        or batch.listings[0].key == f"arxiv:{arxiv_id(own)}"
    ),
    "last_id": lambda batch, own: guid("test", own) in batch.listings[-1].ids,
    "first_link": _is_link,
    "first_date": lambda batch, day: not day or batch.listings[0].published_at == _date(day),
    "without_date": lambda batch, count: (
        sum(not one.published_at for one in batch.listings) == count
    ),
    "without_title": lambda batch, count: _without_title(batch) >= count,
    "without_url": lambda batch, count: sum(not one.url for one in batch.listings) == count,
    # One without an id goes by its link.
    "without_id": lambda batch, count: (
        sum(guid("test", one.url) in one.ids or not one.url for one in batch.listings) >= count
    ),
    "repeated_ids": lambda batch, count: len(batch.listings) - len(set(_own_ids(batch))) == count,
    "authors": lambda batch, count: len(batch.listings[0].authors) == count,
    "doi": lambda batch, name: batch.listings[0].key == f"doi:{name}",
    "upvotes_sum": lambda batch, votes: sum(one.votes or 0 for one in batch.listings) == votes,
    "feeds": lambda batch, count: len({source.url for source in batch.sources}) == count,
    "feed_links": lambda batch, links: [batch.next.url if batch.next else ""] == links,
}
"""For each figure of the table whether a batch has it."""


def test_the_table_has_a_kind_for_every_folder() -> None:
    """No recording of the table is passed over."""
    if not _ALL:
        pytest.skip("the real recordings in ../shared are not present")
    assert {name.split("/")[0] for name in _OURS} == set(_KINDS)
    assert len(_OURS) > 50


@pytest.mark.parametrize("name", _OURS)
def test_s10_recordings_give_what_is_expected(name: str) -> None:
    """Every figure that the table states of a recording holds, or the recording is refused."""
    wanted = _ALL[name]
    raw = recording(f"payloads/{name}")
    assert (len(raw), hashlib.sha256(raw).hexdigest()) == (wanted["bytes"], wanted["sha256"])
    if _refused(name, wanted):
        with pytest.raises(SourceError, match=r"^source 'test': "):
            _read(name)
        return
    batch = _read(name)
    for field in wanted.keys() & _HOLDS.keys():
        assert _HOLDS[field](batch, wanted[field]), f"{field} is not {wanted[field]!r}"


def test_every_figure_of_the_table_is_held() -> None:
    """No field of the table is passed over, and few recordings are refused."""
    if not _ALL:
        pytest.skip("the real recordings in ../shared are not present")
    fields = {field for name in _OURS for field in _ALL[name]}
    assert fields - _HOLDS.keys() == {"bytes", "sha256", "http_status", "refuse", "note"}
    assert sum(_refused(name, _ALL[name]) for name in _OURS) == 6


@pytest.mark.parametrize("name", [n for n in _OURS if not _refused(n, _ALL[n])])
def test_recordings_read_twice_add_nothing(name: str) -> None:
    """The second time nothing is new, nothing changes, all of it joins."""
    shelf = Shelf()
    batch = _read(name)
    first = join(batch.listings, shelf.known)
    shelf.keep(first.new, first.changed)
    again = join(batch.listings, shelf.known)
    assert (again.new, again.changed, again.joined) == ([], [], len(batch.listings))


def test_huggingface_keeps_votes_and_days() -> None:
    """Votes sum up, the list's day is the inner one, absent fields stay absent, `<swi>` stays."""
    listings = read("huggingface", _body("huggingface/daily_papers_2026-06-12.json")[0]).listings
    assert sum(listing.votes or 0 for listing in listings) == 453
    assert {str(listing.listed_on) for listing in listings} == {"2026-06-12"}
    assert {str(one.published_at)[:10] for one in listings} <= {
        *(f"2026-05-{day}" for day in range(30, 32)),
        *(f"2026-06-{day:02}" for day in range(1, 12)),
    }
    assert sum(bool(listing.organization) for listing in listings) == 16
    assert sum(any(link.kind == "code" for link in one.links) for one in listings) == 16
    sizes = [len(listing.authors) for listing in listings]
    assert (min(sizes), max(sizes)) == (1, 14)
    assert sum("<swi>" in listing.abstract for listing in listings) == 1
    assert sum("\n\n" in listing.abstract for listing in listings) >= 1


def test_arxiv_keeps_announce_types_and_journals() -> None:
    """40 new, 10 cross, 22 replaced, 9 replaced crosses; the prefix is off the abstract."""
    listings = read("arxiv", _body("arxiv_rss/quant-ph_2025-04-28.rss.xml")[0]).listings
    kinds = [listing.announce.value for listing in listings]
    counts = [kinds.count(kind) for kind in ("new", "cross", "replace", "replace-cross")]
    assert counts == [40, 10, 22, 9]
    assert not any("Announce Type" in listing.abstract for listing in listings)
    assert max(len(listing.authors) for listing in listings) == 71
    assert sum(any(name.startswith("doi:") for name in one.ids) for one in listings) == 10
    assert sum("published in" in listing.note for listing in listings) == 9


def test_scripting_news_repeats_two_ids() -> None:
    """Fifty items with two repeated ids are forty-eight listings."""
    batch = read("feed", _body("feeds/scriptingNews.rss")[0])
    assert len(join(batch.listings, lambda ids: {}).new) == 48


def test_pubmed_abstracts_keep_their_parts() -> None:
    """The labelled parts become paragraphs behind their labels."""
    batch = read("pubmed", _body("pubmed/efetch_ai_radiology_2026-06.xml")[0])
    parts = [listing.abstract.count("\n\n") + 1 for listing in batch.listings]
    assert parts == [3, 4, 1, 1, 5]
    assert batch.listings[0].abstract.startswith("BACKGROUND: Cardiac transthyretin")


def test_semantic_scholar_years_are_no_days() -> None:
    """A paper of a past year without a day is at least as old as the end of that year."""
    batch = read("semantic_scholar", _body("semanticscholar/search_transformer.json")[0])
    days = [str(listing.published_at)[:10] for listing in batch.listings]
    assert days == ["2021-12-31", "2020-12-14", "2020-04-10", "2021-11-18", "2021-08-23"]
    assert batch.found == 360715


def test_a_cassette_of_bare_years_goes_by_ids() -> None:
    """Twenty-one hits that hold nothing but a year and an id are read, none of them as another."""
    batch = read("semantic_scholar", _body("semanticscholar/cassette_search_year.yaml")[0])
    assert len(batch.listings) == len({one.title for one in batch.listings}) == 21
    assert batch.listings[0].title == (
        "Semantic Scholar paper 0f34fcab599aabf0ab46d91c21703a9a86b5f048"
    )


def test_biorxiv_versions_are_notes() -> None:
    """A third version is a replaced listing with a note, and counts as announced."""
    batch = read("biorxiv", _body("biorxiv/details_biorxiv_2026-07-15.json")[0])
    last = batch.listings[-1]
    assert (batch.announced, str(batch.batch_on)) == (3, "2026-07-15")
    assert (last.note, last.announce.value) == ("version 3", "replace")


def test_two_pages_of_one_search_share_no_paper() -> None:
    """The second page goes on where the first ended."""
    pages = [_read(f"arxiv_api/q_testing_s{start}_m10.json").listings for start in (0, 10)]
    keys = [{listing.key for listing in page} for page in pages]
    assert [len(page) for page in keys] == [10, 10]
    assert not keys[0] & keys[1]


def test_oai_keeps_every_doi_and_version() -> None:
    """A field of two or three DOIs gives each; twelve versions stand in six records."""
    (three,) = _read("arxiv_oai/GetRecord_arXiv_no_namespace.xml").listings
    assert sum(name.startswith("doi:") for name in three.ids) == 3
    raw = _read("arxiv_oai/ListRecords_arXivRaw_token_2015-01-06.xml")
    later = [one.note.partition("version ")[2].partition(";")[0] for one in raw.listings]
    assert sum(int(number or 1) for number in later) == 12
    assert raw.found == 58011
    dois = [sum(name.startswith("doi:") for name in one.ids) for one in raw.listings]
    assert sorted(dois) == [0, 0, 1, 1, 2, 2]


def test_links_are_whole_and_front_pages_are_no_ids() -> None:
    """A relative address is made absolute; an item that links to a site's front page has its id."""
    for listing in _read("feeds/rss_2.0_relurl_1.xml").listings:
        assert listing.url.startswith("https://insanity.industries/")
    (release,) = _read("feeds/rss_2.0_kdist.xml").listings
    assert guid("test", "kernel.org,mainline,5.7-rc4,2020-05-03") in release.ids


def test_crossref_abstracts_and_days_are_as_stated() -> None:
    """One abstract of JATS without its tags, one work without any; full days and bare years."""
    (jats,), (bare,) = (
        _read(f"crossref/{name}.json").listings for name in ("work_2018.3804742", "work_prd_2018")
    )
    assert jats.abstract
    assert "<" not in jats.abstract
    assert bare.abstract == ""
    assert jats.published_at
    assert jats.published_at.year == 2018


def test_all_papers_of_arxiv_lose_their_prefix_and_keep_their_tex() -> None:
    """19 of 81 come from another category first; three titles hold TeX, one text a bracket."""
    listings = _read("arxiv_rss/quant-ph_2025-04-28.rss.xml").listings
    assert sum(one.subjects[0] != "quant-ph" for one in listings) == 19
    assert sum("$" in one.title or "\\" in one.title for one in listings) == 3
    assert sum("<" in one.abstract for one in listings) >= 1
