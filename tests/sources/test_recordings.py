"""Every recording that is described in `expected.json` gives the counts, titles, ids and dates."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import pytest

from digest.errors import SourceError
from digest.join import join
from digest.sources import Batch
from digest.sources.ids import guid
from tests.sources.shared import SHARED, Shelf, read, recording

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
        or name in {"feeds/rss_2.0_invalid_1.xml", "jsonfeed/ScriptingNews.json"}
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


def test_the_table_has_a_kind_for_every_folder() -> None:
    """No recording of the table is passed over."""
    if not _ALL:
        pytest.skip("the real recordings in ../shared are not present")
    assert {name.split("/")[0] for name in _OURS} == set(_KINDS)
    assert len(_OURS) > 50


@pytest.mark.parametrize("name", _OURS)
def test_s10_recordings_give_what_is_expected(name: str) -> None:
    """Counts, first and last titles, ids, links and dates agree, or the recording is refused."""
    wanted = _ALL[name]
    if _refused(name, wanted):
        with pytest.raises(SourceError):
            _read(name)
        return
    batch = _read(name)
    listings = batch.listings
    if "entries" in wanted:
        assert len(listings) == wanted["entries"]
    titles = [listing.title for listing in listings]
    if wanted.get("first_title"):
        assert titles[0] == _normal(wanted["first_title"])
    if wanted.get("last_title"):
        assert titles[-1] == _normal(wanted["last_title"])
    if wanted.get("titles"):
        assert titles == wanted["titles"]
    for name_of_id in wanted.get("ids") or []:
        places = [listing.ids for listing in listings] or [(batch.next.url if batch.next else "",)]
        assert any(name_of_id in one for ids in places for one in ids)
    if wanted.get("first_date") and wanted["entries"]:
        assert listings[0].published_at == _date(wanted["first_date"])
    if "without_date" in wanted and "first_title" in wanted:
        assert sum(one.published_at is None for one in listings) == wanted["without_date"]


@pytest.mark.parametrize("name", [n for n in _OURS if not _refused(n, _ALL[n])])
def test_recordings_read_twice_add_nothing(name: str) -> None:
    """The second time nothing is new, nothing changes, all of it joins."""
    shelf = Shelf()
    batch = _read(name)
    first = join(batch.listings, shelf.known)
    shelf.keep(first.new, first.changed)
    again = join(batch.listings, shelf.known)
    assert (again.new, again.changed, again.joined) == ([], [], len(batch.listings))


_NAMED = [n for n in _OURS if _ALL[n].get("first_id") and not _refused(n, _ALL[n])]


@pytest.mark.parametrize("name", _NAMED)
def test_feeds_keep_their_own_ids(name: str) -> None:
    """The item's own id is among the identities of its listing."""
    first = _read(name).listings[0]
    own = guid("test", _ALL[name]["first_id"])
    assert own in first.ids or first.key.startswith("arxiv:")


def test_pages_name_their_feeds() -> None:
    """A saved page without items leads to the feed it names."""
    for name in ("pages/inessential.html", "pages/furbo.html"):
        batch = read("feed", recording(f"payloads/{name}"))
        assert batch.next is not None
        assert [batch.next.url] == _ALL[name]["feed_links"]


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


def test_semantic_scholar_dates_fall_back_on_the_year() -> None:
    """A paper without a day has the first day of its year."""
    batch = read("semantic_scholar", _body("semanticscholar/search_transformer.json")[0])
    days = [f"{listing.published_at:%Y-%m-%d}" for listing in batch.listings]
    assert days == ["2021-01-01", "2020-12-14", "2020-04-10", "2021-11-18", "2021-08-23"]
    assert batch.found == 360715


def test_a_cassette_of_bare_years_counts_its_items() -> None:
    """Twenty-one hits that hold nothing but a year are twenty-one listings of their own."""
    batch = read("semantic_scholar", _body("semanticscholar/cassette_search_year.yaml")[0])
    assert len(batch.listings) == 21
    assert len(join(batch.listings, lambda ids: {}).new) == 21


def test_biorxiv_versions_are_notes() -> None:
    """A third version is a replaced listing with a note, and counts as announced."""
    batch = read("biorxiv", _body("biorxiv/details_biorxiv_2026-07-15.json")[0])
    last = batch.listings[-1]
    assert (batch.announced, str(batch.batch_on)) == (3, "2026-07-15")
    assert (last.note, last.announce.value) == ("version 3", "replace")
