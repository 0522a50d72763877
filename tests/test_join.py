"""One paper, one listing: what joins, what never does, and what a join keeps."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.backlog import MAX_UNDATED, Held, held_back, released
from digest.join import identities, join, likeness, merge
from digest.model import Announce, Link, Listing
from digest.sources.ids import arxiv_id, doi, strong_ids, surname
from tests.join_pairs import ABSTRACT, OTHER, alike, joined, listing, unlike
from tests.sources.shared import NOW, Shelf

# --- identities -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("2606.00467", "2606.00467"),
        ("2606.00467v2", "2606.00467"),
        ("arXiv:2606.00467v1", "2606.00467"),
        ("oai:arXiv.org:2504.17830v1", "2504.17830"),
        ("http://arxiv.org/abs/quant-ph/0201082v1", "quant-ph/0201082"),
        ("math.GT/0309136", "math/0309136"),
        ("https://arxiv.org/pdf/0704.0001.pdf", "0704.0001"),
        ("https://www.arxiv.org/html/2606.00467v3#S1", "2606.00467"),
        ("10.48550/arXiv.2606.00467", "2606.00467"),
        ("https://doi.org/10.48550/arXiv.2606.00467", "2606.00467"),
        ("https://huggingface.co/papers/2606.00467", "2606.00467"),
        ("https://tldr.example.org/p/2604.26238", "2604.26238"),
        ("https://example.org/2013.99999", ""),
        ("2613.00467", ""),
        ("https://example.org/price/1234.56", ""),
        ("10.1101/2026.07.13.738145", ""),
        ("", ""),
    ],
)
def test_arxiv_ids_are_read_in_any_form(text: str, wanted: str) -> None:
    """Addresses, old ids, DOIs and versions all give the one id; numbers alike do not."""
    assert arxiv_id(text) == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("doi:10.1101/743294", "10.1101/743294"),
        ("https://doi.org/10.1103/PhysRevD.93.016005", "10.1103/physrevd.93.016005"),
        (
            "https://www.biorxiv.org/content/10.64898/2026.07.13.738145v2.full.pdf+html",
            "10.64898/2026.07.13.738145",
        ),
        ("https://www.biorxiv.org/content/10.1101/743294v1?rss=1", "10.1101/743294"),
        ("10.1016/S0165-4896(01)00083-X.", "10.1016/s0165-4896(01)00083-x"),
        ("no DOI", ""),
    ],
)
def test_dois_are_read_in_any_form(text: str, wanted: str) -> None:
    """Prefixes, addresses, versions and case do not part a DOI from itself."""
    assert doi(text) == wanted


def test_several_dois_are_all_kept() -> None:
    """A field of two or three DOIs, however parted, gives each."""
    text = "10.1103/PhysRevD.93.016005, 10.1103/PhysRevD.98.079901;10.1103/PhysRevD.98.079903"
    assert len(strong_ids(text)) == 3


@pytest.mark.parametrize("name", ["Ada Lovelace", "Lovelace, A.", "A. Lovelace", "A Lovelace"])
def test_surnames_agree(name: str) -> None:
    """The family name is the same in every form of a name."""
    assert surname(name) == "lovelace"


# --- what joins -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"ids": ["arxiv:1"]}, {"ids": ["arxiv:1"], "title": "Another title", "abstract": OTHER}),
        ({"ids": ["doi:10.1/x"]}, {"ids": ["arxiv:1", "doi:10.1/x"], "title": "Retitled"}),
        ({"ids": ["arxiv:1"]}, {"title": "NOTES on the analytical-engine"}),
        ({"ids": ["arxiv:1"], "authors": ["Ada Lovelace"]}, {"abstract": ABSTRACT[:90] + "…"}),
        ({"authors": ["Ada Lovelace"], "abstract": ""}, {"authors": ["Lovelace, A."]}),
        ({"ids": ["doi:10.1101/x"]}, {"ids": ["doi:10.1038/y"]}),
        ({"guid": "1"}, {"guid": "2"}),
        (
            {"title": "News", "abstract": "", "url": "http://www.example.org/1/", "guid": "1"},
            {"title": "News", "abstract": "", "url": "https://example.org/1", "guid": "2"},
        ),
    ],
)
def test_one_paper_of_two_sources_joins(one: dict[str, object], other: dict[str, object]) -> None:
    """By an id, or by the title with the first author or a near-equal abstract."""
    assert len(joined(listing("a", **one), listing("b", **other))) == 1
    assert len(joined(listing("b", **other), listing("a", **one))) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"ids": ["arxiv:1"]}, {"ids": ["arxiv:2"]}),
        ({"ids": ["doi:10.1038/x"]}, {"ids": ["doi:10.1126/y"]}),
        ({"abstract": ABSTRACT}, {"abstract": OTHER}),
        (
            {"title": "Introduction", "authors": ["Ada Lovelace"], "abstract": ABSTRACT},
            {"title": "Introduction", "authors": ["Emmy Noether"], "abstract": OTHER},
        ),
        (
            {"title": "Introduction", "authors": ["Ada Lovelace"], "abstract": ""},
            {"title": "Introduction", "authors": ["Ada Lovelace"], "abstract": OTHER},
        ),
        (
            {"title": "Machine learning in medicine", "authors": ["A. Wang", "E. Noether"]},
            {"title": "Machine learning in medicine", "authors": ["B. Li", "C. Wang"]}
            | {"abstract": OTHER},
        ),
        ({"title": "Engines, part I"}, {"title": "Engines, part II"}),
        ({"title": "News", "abstract": ""}, {"title": "News", "abstract": "", "url": "http://x/"}),
        (
            {"title": "News", "abstract": "", "url": "http://example.org/", "guid": "1"},
            {"title": "News", "abstract": "", "url": "https://example.org", "guid": "2"},
        ),
        (
            {"title": "News", "abstract": "", "url": "https://example.org/?p=1"},
            {"title": "News", "abstract": "", "url": "https://example.org/?p=2"},
        ),
    ],
)
def test_two_papers_stay_two(one: dict[str, object], other: dict[str, object]) -> None:
    """Different ids, other words under one title, and short titles never join two papers."""
    assert len(joined(listing("a", **one), listing("b", **other))) == 2
    assert len(joined(listing("b", **other), listing("a", **one))) == 2


def test_namesakes_find_their_own_later() -> None:
    """Two papers of one title are kept under keys of their own, and each joins its own again."""
    shelf = Shelf()
    both = [
        listing("a", title="Introduction", authors=["Ada Lovelace"], abstract=ABSTRACT),
        listing("b", title="Introduction", authors=["Emmy Noether"], abstract=OTHER),
    ]
    first = join(both, shelf.known)
    shelf.keep(first.new, first.changed)
    assert len({one.key for one in first.new}) == 2
    again = join([replace(one, source="c") for one in both], shelf.known)
    assert again.new == []
    assert [one.title for one in again.changed] == ["Introduction"] * 2


def test_one_source_repeats_itself_only_on_one_day() -> None:
    """Equal posts of two days are two; a feed whose ids all changed repeats its old ones."""
    monday = datetime(2026, 11, 16, tzinfo=UTC)
    old = listing("a", guid="1", published_at=monday)
    assert len(joined(old, listing("a", guid="new-1", published_at=monday))) == 1
    assert len(joined(old, listing("a", guid="2", published_at=monday + timedelta(7)))) == 2


def test_a_bridge_joins_what_it_connects() -> None:
    """A listing with both ids makes one of two that came apart before it in the same batch."""
    one = listing("a", ids=["arxiv:1"], title="First words", abstract="")
    two = listing("b", ids=["doi:10.1/x"], title="Other words", abstract="", votes=4)
    three = listing("c", ids=["arxiv:1", "doi:10.1/x"], title="First words", abstract="")
    (only,) = joined(one, two, three)
    assert (only.also_in, only.votes) == (("b", "c"), 4)


def test_a_bridge_leaves_stored_listings_their_ids() -> None:
    """Two stored listings stay two rows: an identity never moves from one to the other."""
    shelf = Shelf()
    for ids in (["arxiv:1"], ["doi:10.1/x"]):
        stored = join([listing("a", ids=ids, title=f"On {ids[0]}", abstract="")], shelf.known)
        shelf.keep(stored.new, stored.changed)
    bridge = listing("b", ids=["arxiv:1", "doi:10.1/x"], title="Third", abstract="")
    outcome = join([bridge], shelf.known)
    assert outcome.new == []
    (changed,) = outcome.changed
    assert "doi:10.1/x" not in changed.ids


# --- what a join keeps ----------------------------------------------------------------------


def test_a_join_keeps_the_richest_of_both() -> None:
    """Provenance, strongest announcement, most votes, earliest day, later version, all links."""
    mine = replace(
        listing("arxiv", ids=["arxiv:1"], authors=["A. Lovelace"], note="version 2"),
        id=7,
        announce=Announce.CROSS,
        links=(Link("pdf", "https://example.org/pdf"),),
        published_at=datetime(2026, 6, 3, tzinfo=UTC),
    )
    theirs = replace(
        listing("hf", ids=["arxiv:1"], authors=["A. Lovelace", "C. Babbage"], note="version 3"),
        votes=9,
        comments=0,
        organization="Royal Society",
        listed_on=date(2026, 6, 4),
        links=(Link("code", "https://example.org/code"),),
        published_at=datetime(2026, 6, 1, tzinfo=UTC),
    )
    both = merge(mine, theirs)
    assert (both.id, both.source, both.also_in) == (7, "arxiv", ("hf",))
    assert (both.votes, both.comments, both.organization) == (9, 0, "Royal Society")
    assert (both.announce, both.note) == (Announce.NEW, "version 3")
    assert (both.published_at, both.listed_on) == (theirs.published_at, date(2026, 6, 4))
    assert [link.kind for link in both.links] == ["pdf", "code"]
    assert both.authors == theirs.authors
    assert merge(both, theirs) == both
    assert merge(both, mine) == both


def test_of_two_versions_on_one_site_the_later_is_led_to() -> None:
    """In whichever order they come, and again; another site's page stays where it was first."""
    first, second, tenth = (
        replace(
            listing("server", ids=["doi:10.1101/x"], note=f"version {n}" if n > 1 else ""),
            url=f"https://example.org/x.v{n}",
            links=(Link("pdf", f"https://example.org/x.v{n}.pdf"),),
        )
        for n in (1, 2, 10)
    )
    code = Link("code", "https://example.org/code")
    for papers in ([first, second, tenth], [tenth, second, first], [first, tenth, first, second]):
        (only,) = joined(*(replace(one, links=(*one.links, code)) for one in papers))
        assert (only.note, only.url) == ("version 10", tenth.url)
        assert set(only.links) == {*tenth.links, code}
    index = replace(listing("index", ids=["doi:10.1101/x"]), url="https://index.example.org/x")
    (only,) = joined(index, second)
    assert (only.note, only.url, only.links) == ("version 2", index.url, second.links)


def test_a_journals_doi_from_another_source_is_a_note() -> None:
    """An index knows where a preprint came out; a note that says so already is enough."""
    paper = listing("arxiv", ids=["arxiv:2611.1"], note="version 2")
    index = listing("index", ids=["arxiv:2611.1", "doi:10.5555/looms.1"])
    (only,) = joined(paper, index)
    assert only.note == "version 2; published as doi:10.5555/looms.1"
    assert joined(index)[0].note == "published as doi:10.5555/looms.1"
    told = listing("arxiv", ids=["arxiv:2611.1", "doi:10.5555/looms.1"], note="published in Looms")
    assert joined(told)[0].note == "published in Looms"
    server = listing("server", ids=["doi:10.1101/2026.11.1", "doi:10.5555/looms.1"])
    assert joined(server)[0].note == "published as doi:10.5555/looms.1"
    for ids in (["arxiv:2611.1", "doi:10.26434/chemrxiv-2026-1"], ["doi:10.5555/looms.1"]):
        assert joined(listing("server", ids=ids))[0].note == ""


def test_an_identified_title_replaces_one_of_a_page() -> None:
    """A page loses TeX; the source that knows the paper's id has the better title."""
    page = listing("page", title="3times faster engines of many wheels")
    paper = listing("arxiv", title=r"$3\times$ faster engines of many wheels", ids=["arxiv:1"])
    (only,) = joined(page, paper)
    assert only.title == paper.title
    assert only.key == "arxiv:1"


def test_a_stored_key_never_changes() -> None:
    """The key under which a listing is stored stays, though a stronger id comes later."""
    shelf = Shelf()
    first = join([listing("page")], shelf.known)
    shelf.keep(first.new, first.changed)
    (changed,) = join([listing("arxiv", ids=["arxiv:1"])], shelf.known).changed
    assert changed.key == first.new[0].key
    assert "arxiv:1" in changed.ids


_IDS = ["arxiv:1", "arxiv:2", "doi:10.1/x", "pmid:3"]
_fields = st.fixed_dictionaries(
    {
        "source": st.sampled_from(["a", "b"]),
        "title": st.sampled_from(["News", "Notes on the Analytical Engine", "On Numbers"]),
        "abstract": st.sampled_from(["", ABSTRACT, OTHER, ABSTRACT[:80]]),
        "authors": st.sampled_from([[], ["Ada Lovelace"], ["Emmy Noether", "Ada Lovelace"]]),
        "ids": st.lists(st.sampled_from(_IDS), max_size=2),
        "guid": st.sampled_from(["", "1", "2"]),
        "votes": st.sampled_from([None, 0, 5]),
    }
)


@settings(max_examples=300, deadline=None)
@given(st.lists(_fields, max_size=7))
def test_the_same_input_twice_changes_nothing(rows: list[dict[str, object]]) -> None:
    """Whatever comes in, nothing is new the second time, keys are unique, counts agree."""
    incoming = [listing(**row) for row in rows]  # type: ignore[arg-type]  # fields of any type
    shelf = Shelf()
    first = join(incoming, shelf.known)
    shelf.keep(first.new, first.changed)
    assert len({one.key for one in first.new}) == len(first.new)
    again = join(incoming, shelf.known)
    assert again.new == []
    shelf.keep(again.new, again.changed)
    third = join(incoming, shelf.known)
    assert (third.new, third.changed, third.joined) == ([], [], len(incoming))


def test_identities_are_those_of_the_title_too() -> None:
    """A listing made elsewhere, with its key alone, is found by its title as well."""
    bare = Listing(key="arxiv:1", source="a", title="On Numbers")
    assert set(identities(bare)) > {"arxiv:1"}
    assert identities(listing()) == listing().ids


def test_likeness_takes_a_teaser_for_its_text() -> None:
    """The shorter text counts, but a few words tell nothing."""
    assert likeness(ABSTRACT[:100], ABSTRACT) > 0.8
    assert likeness("Read the engine", ABSTRACT) < 0.2
    assert likeness(ABSTRACT, OTHER) < 0.5


# --- the backlog guard ----------------------------------------------------------------------


def test_old_undated_and_revised_items_are_held_back() -> None:
    """Older than the limit, one more undated than a run lets through, or met as a revision."""
    new = [listing(title=f"Old {n}", published_at=NOW - timedelta(days=8 * n)) for n in range(2)]
    assert held_back(new, 7, NOW) == {new[1].key: Held.TOO_OLD}
    assert held_back(new, None, NOW) == {}
    undated = [listing(title=f"Undated {n}") for n in range(MAX_UNDATED + 3)]
    assert list(held_back(undated, 7, NOW).values()) == [Held.UNDATED] * 3
    assert held_back(undated, None, NOW) == {}
    revised = replace(new[0], announce=Announce.REPLACE)
    assert held_back([revised], None, NOW) == {revised.key: Held.REVISED}
    older = replace(new[1], announce=Announce.REPLACE_CROSS)
    assert held_back([older], 7, NOW) == {older.key: Held.REVISED}
    listed = replace(new[1], listed_on=NOW.date())
    assert held_back([listed], 7, NOW) == {}


def test_what_was_held_back_is_let_in_by_a_fresh_announcement() -> None:
    """Not by a revision, an old day or none; where every age counts, by any announcement."""
    fresh, old = (listing(published_at=NOW - timedelta(days=days)) for days in (1, 9))
    revised = replace(fresh, announce=Announce.REPLACE)
    met = list(enumerate([fresh, old, revised, listing()]))
    assert released(met, 7, NOW) == {0}
    assert released(met, None, NOW) == {0, 1, 3}
    assert released([(4, replace(old, listed_on=NOW.date()))], 7, NOW) == {4}


def test_rows_that_were_met_are_named() -> None:
    """What joins a stored listing is told with its row, as it came."""
    shelf = Shelf()
    first = join([listing(ids=["arxiv:1"])], shelf.known)
    shelf.keep(first.new, first.changed)
    assert first.met == []
    again = listing("b", ids=["arxiv:1"], votes=4)
    assert join([again, listing("b", title="On Numbers")], shelf.known).met == [(1, again)]


# --- a set of pairs made from real listings -------------------------------------------------


def test_pairs_made_from_real_listings_are_told_apart() -> None:
    """Hundreds of pairs and more: not one false join, and at least 99 of 100 true ones."""
    same, other = alike(), unlike()
    assert len(same) > 200
    assert len(other) > 150
    assert [name for name, met in other if met] == []
    missed = [name for name, met in same if not met]
    assert len(missed) <= len(same) / 100, missed
