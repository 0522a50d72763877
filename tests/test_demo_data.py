"""What ships with the demo: three sources of classic papers in three formats, and six readers."""

from __future__ import annotations

import json
import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from urllib.parse import urlsplit
from xml.etree import ElementTree
from zoneinfo import ZoneInfo

import pytest

from digest import demo_data
from digest.config import load_config
from digest.join import identities, join
from digest.matcher import Matcher, Statistics
from digest.model import Listing, Source, Subscriber, WhenEmpty
from digest.sources import read_batch
from digest.sources.ids import arxiv_id, doi, surname
from digest.text import title_key

FOLDER = Path(demo_data.__file__).parent
CLASSICS, PREPRINTS, GROUP = "classics.jsonl", "preprints.atom.xml", "reading-group.json"
ATOM = "http://www.w3.org/2005/Atom"
JSON_FEED = "https://jsonfeed.org/version/1.1"
BESIDES = {ATOM, JSON_FEED, "http://127.0.0.1:8025"}
"""Addresses that a format demands, and the demo's own pages."""
ADDRESS = re.compile(r"https?://[^\s\"'<>]+")
SENTENCE_END = re.compile(r"(?<![ (][A-Z])[.?!](?=\s|$)")
"""A full stop that is not that of `E. coli`."""


@dataclass(frozen=True)
class Paper:
    """An item as its file has it, before any parser of ours has seen it."""

    title: str
    abstract: str
    authors: tuple[str, ...]
    url: str
    published: str
    subjects: tuple[str, ...]

    @property
    def day(self) -> date:
        """The day on which it appeared."""
        return date.fromisoformat(self.published[:10])

    @property
    def identity(self) -> tuple[str, str]:
        """Normalised title and the family name of the first author."""
        return title_key(self.title), surname(self.authors[0]) if self.authors else ""


def read_classics() -> Iterator[Paper]:
    """The items of the JSONL file."""
    for line in (FOLDER / CLASSICS).read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        yield Paper(
            row["title"],
            row["abstract"],
            tuple(row["authors"]),
            row["url"],
            row["published"],
            tuple(row["categories"]),
        )


def read_preprints() -> Iterator[Paper]:
    """The entries of the Atom file."""
    names = {"a": ATOM}
    root = ElementTree.parse(FOLDER / PREPRINTS).getroot()  # noqa: S314  # our own file
    for entry in root.iterfind("a:entry", names):
        (link,) = entry.iterfind("a:link", names)
        yield Paper(
            entry.findtext("a:title", "", names),
            entry.findtext("a:summary", "", names),
            tuple(name.text or "" for name in entry.iterfind("a:author/a:name", names)),
            link.attrib["href"],
            entry.findtext("a:published", "", names),
            tuple(term.attrib["term"] for term in entry.iterfind("a:category", names)),
        )


def read_group() -> Iterator[Paper]:
    """The items of the JSON Feed."""
    for item in json.loads((FOLDER / GROUP).read_text(encoding="utf-8"))["items"]:
        yield Paper(
            item["title"],
            item.get("content_text") or item["content_html"],
            tuple(author["name"] for author in item.get("authors", [])),
            item["url"],
            item["date_published"],
            tuple(item["tags"]),
        )


SOURCES = {
    CLASSICS: tuple(read_classics()),
    PREPRINTS: tuple(read_preprints()),
    GROUP: tuple(read_group()),
}
PAPERS = [paper for papers in SOURCES.values() for paper in papers]
CONFIG = load_config(FOLDER / "config.toml")


def found(title: str) -> Paper:
    """The one paper whose title begins so."""
    (paper,) = [paper for paper in PAPERS if paper.title.startswith(title)]
    return paper


# --- the papers -----------------------------------------------------------------------------


def test_the_three_files_hold_enough() -> None:
    """Each source is long enough to look like one."""
    assert len(SOURCES[CLASSICS]) >= 35
    assert len(SOURCES[PREPRINTS]) >= 30
    assert len(SOURCES[GROUP]) >= 20


def test_distinct_papers_and_duplicates() -> None:
    """There are 72 papers or more; 6 or more stand in two sources, and none twice in one."""
    places = Counter(paper.identity for paper in PAPERS)
    assert len(places) >= 72
    assert sum(count == 2 for count in places.values()) >= 6
    assert max(places.values()) == 2
    for papers in SOURCES.values():
        assert len({paper.identity for paper in papers}) == len(papers)


def test_duplicates_differ_as_they_stand() -> None:
    """Joining has work to do: most duplicates differ in case, hyphens, accents or TeX."""
    spelt: dict[tuple[str, str], set[tuple[str, ...]]] = {}
    for paper in PAPERS:
        spelt.setdefault(paper.identity, set()).add((paper.title, *paper.authors))
    assert sum(len(spellings) > 1 for spellings in spelt.values()) >= 6


def test_every_address_is_used_once() -> None:
    """No two items share a page, so that only title and author can join them."""
    assert len({paper.url for paper in PAPERS}) == len(PAPERS)


def test_three_fields_of_science() -> None:
    """Mathematics and computing, physics, and biology each have 15 papers or more by category."""
    fields = Counter[str]()
    for paper in (*SOURCES[CLASSICS], *SOURCES[PREPRINTS]):
        archive = paper.subjects[0].partition(".")[0]
        exact = archive in {"math", "cs", "stat"}
        fields["exact" if exact else "life" if archive == "q-bio" else "physics"] += 1
    assert min(fields["exact"], fields["life"], fields["physics"]) >= 15


@pytest.mark.parametrize("name", SOURCES)
def test_dates_are_days_of_the_past(name: str) -> None:
    """Each paper has the year in which it appeared; only the advertisement is of today."""
    for paper in SOURCES[name]:
        assert 1850 < paper.day.year < 2015 or paper.title.startswith("Advertisement")


def test_abstracts_have_six_sentences_at_most() -> None:
    """Abstracts are short; exactly one paper has none."""
    assert sum(not paper.abstract for paper in PAPERS) == 1
    for paper in PAPERS:
        assert len(SENTENCE_END.findall(paper.abstract)) <= 6, paper.title


def test_votes_and_organizations() -> None:
    """The JSONL file gives votes from 0 to 180, comments and an organization for each paper."""
    rows = [json.loads(line) for line in (FOLDER / CLASSICS).read_text("utf-8").splitlines()]
    assert all(0 <= row["votes"] <= 180 and row["comments"] >= 0 for row in rows)
    assert all(row["organization"] for row in rows)
    assert len({row["votes"] for row in rows}) > 30
    assert {link["kind"] for row in rows for link in row["links"]} == {"pdf", "code", "project"}


# --- the spice ------------------------------------------------------------------------------


def test_tex_in_titles_names_and_abstracts() -> None:
    """There is TeX wherever real sources have it, and no dollar sign is left open."""
    texts = [(p.title, p.abstract, " ".join(p.authors)) for p in PAPERS]
    assert sum("$" in title or "\\" in title for title, _, _ in texts) >= 6
    assert sum("$" in abstract for _, abstract, _ in texts) >= 30
    assert sum("\\" in names for _, _, names in texts) >= 3
    assert all(part.count("$") % 2 == 0 for text in texts for part in text)


@pytest.mark.parametrize(
    "piece",
    [
        r"$\ell_p$",
        r"$\mathcal{O}(n \log n)$",
        "S$^3$",
        r"L\'evy",
        r"Erd\H{o}s",
        "$E = mc^2$",
        "$k^{-3}$",
        r"\alpha-helix",
        "Erdős",
        "Poincaré",
        "Колмогоров",
        "(p < .05)",
        "<digit>",
    ],
)
def test_a_hard_piece_of_text_is_there(piece: str) -> None:
    """Each of these asks something of a parser, a renderer or a mail program."""
    assert any(piece in text for p in PAPERS for text in (p.title, p.abstract, *p.authors))


def test_the_odd_ones() -> None:
    """A very long title, fourteen authors, and the kinds that readers want to keep out."""
    assert max(len(paper.title) for paper in PAPERS) > 150
    assert len(found("Experimental Observation of a Heavy Particle").authors) == 14
    assert "obituary" in found("Dr. Rosalind E. Franklin").subjects
    assert found("Advertisement:").authors == ()
    assert any(paper.title.endswith("A Correction") for paper in PAPERS)
    assert found("Reinforcement Learning: A Survey")


# --- through the real parsers ---------------------------------------------------------------

NOW = datetime(2025, 1, 8, 14, tzinfo=UTC)


def read(source: Source) -> dict[str, Listing]:
    """What our own parser makes of a file, by the address of the item."""
    batch = read_batch(source, Path(source.path).read_bytes(), NOW)
    assert batch.notes == ()
    return {listing.url: listing for listing in batch.listings}


LISTINGS = {address: one for source in CONFIG.sources for address, one in read(source).items()}


@pytest.mark.parametrize("paper", PAPERS, ids=lambda paper: urlsplit(paper.url).path)
def test_a_paper_comes_through_its_parser(paper: Paper) -> None:
    """Title, authors, subjects and day arrive as the file has them."""
    listing = LISTINGS[paper.url]
    assert title_key(listing.title) == title_key(paper.title)
    assert [surname(name) for name in listing.authors] == [surname(n) for n in paper.authors]
    assert listing.subjects == paper.subjects
    assert bool(listing.abstract) == bool(paper.abstract)
    # A source may name a day that a parser finds too old to believe; it never invents another.
    assert listing.published_at is None or listing.published_at.date() == paper.day


def test_duplicates_share_an_identity() -> None:
    """A paper of two sources has one identity in both, which is what joining goes by."""
    known: dict[tuple[str, str], list[set[str]]] = {}
    for paper in PAPERS:
        known.setdefault(paper.identity, []).append(set(LISTINGS[paper.url].ids))
    pairs = [both for both in known.values() if len(both) == 2]
    assert len(pairs) >= 6
    assert all(one & other for one, other in pairs)


def test_every_duplicate_joins() -> None:
    """Taken in source by source, each paper is one listing in the end."""
    stored: dict[str, Listing] = {}
    new = 0
    for source in CONFIG.sources:
        joined = join(
            list(read(source).values()),
            lambda wanted: {name: stored[name] for name in wanted if name in stored},
        )
        stored.update({name: one for one in joined.new for name in identities(one)})
        new += len(joined.new)
    assert new == len({paper.identity for paper in PAPERS})


def test_text_that_looks_like_markup_survives() -> None:
    """What only looks like a tag stays; what is one goes."""
    grammar = LISTINGS[found("The Syntax and Semantics").url]
    assert "as in <digit> or <identifier>, and" in grammar.abstract
    assert LISTINGS[found("The Earth Is Round").url].title == "The Earth Is Round (p < .05)"
    fused = LISTINGS[found("Continuous Cultures").url].abstract
    assert "parent & the secretion" in fused
    assert "<" not in fused


def test_votes_links_and_organizations_come_through() -> None:
    """The JSONL file brings what feeds do not have."""
    listing = LISTINGS[found("A Mathematical Theory of").url]
    assert (listing.votes, listing.comments, listing.organization) == (164, 41, "Bell Labs")
    assert [link.kind for link in listing.links] == ["pdf", "code"]


# --- who gets what --------------------------------------------------------------------------


def best_scores(reader: Subscriber) -> list[float]:
    """The reader's scores over all listings, best first."""
    listings = list(LISTINGS.values())
    ranking = Matcher(Statistics.of(listings).blended()).rank([reader.profile], listings, 100)
    return [score for _, score in ranking[0]]


@pytest.mark.parametrize("reader", CONFIG.subscribers[:5], ids=lambda reader: reader.email)
def test_five_readers_have_a_full_day(reader: Subscriber) -> None:
    """Each finds enough for a digest, and is spared most of what the sources announced."""
    passed = [score for score in best_scores(reader) if score >= reader.profile.min_score]
    assert 5 <= len(passed) <= 25


def test_one_reader_has_an_empty_day() -> None:
    """Nothing comes near the floor of the last reader, who follows nobody and wants no trends."""
    reader = CONFIG.subscribers[5]
    assert max(best_scores(reader)) < reader.profile.min_score / 2
    assert not reader.profile.authors
    assert reader.profile.trending == 0


# --- nothing from the real web --------------------------------------------------------------


@pytest.mark.parametrize("name", [*SOURCES, "config.toml"])
def test_no_address_outside_example_org(name: str) -> None:
    """The files name no host but example.org, no arXiv id and no DOI."""
    text = (FOLDER / name).read_text(encoding="utf-8")
    for address in ADDRESS.findall(text):
        assert address in BESIDES or urlsplit(address).hostname == "example.org", address
    assert all(host == "example.org" for host in re.findall(r"[\w.]@([\w.-]+\w)", text))
    assert "arxiv" not in text.lower()
    assert not doi(text)


def test_no_identity_but_the_title() -> None:
    """Nothing in the addresses can be taken for an arXiv id."""
    assert not any(arxiv_id(paper.url) for paper in PAPERS)


# --- the readers ----------------------------------------------------------------------------


def test_the_config_names_the_three_files() -> None:
    """Each source of the config is one of the files, read by its kind and at any age."""
    assert [Path(source.path).name for source in CONFIG.sources] == list(SOURCES)
    assert [source.kind for source in CONFIG.sources] == ["jsonl", "feed", "feed"]
    assert all(source.max_age_days is None for source in CONFIG.sources)


def test_six_different_readers() -> None:
    """Six role addresses in six zones, each with another hour and another profile."""
    readers = CONFIG.subscribers
    assert len(readers) == 6
    assert all(reader.email.endswith("@example.org") for reader in readers)
    assert len({reader.timezone for reader in readers}) == 6
    assert len({reader.send_at for reader in readers}) == 6
    assert {reader.profile.when_empty for reader in readers} == set(WhenEmpty)
    assert len({len(reader.days) for reader in readers}) >= 3


def test_every_form_of_keyword_is_shown() -> None:
    """Between them the profiles use all that a keyword can be."""
    profiles = [reader.profile for reader in CONFIG.subscribers]
    terms = [keyword.term for profile in profiles for keyword in profile.keywords]
    for sign in (" + ", " | ", "*", '"', "title:", "category:", "org:"):
        assert any(sign in term for term in terms), sign
    assert any(keyword.weight < 0 for profile in profiles for keyword in profile.keywords)
    assert any(profile.authors for profile in profiles)
    assert any(profile.exclude for profile in profiles)
    assert any(profile.trending for profile in profiles)


@pytest.mark.parametrize("day", [date(2025, 1, 8), date(2025, 7, 9)])
@pytest.mark.parametrize("reader", CONFIG.subscribers, ids=lambda reader: reader.email)
def test_all_are_due_at_14_utc(reader: Subscriber, day: date) -> None:
    """On a working day at 14:00 UTC, winter and summer, everyone's hour has come on that day."""
    there = datetime(day.year, day.month, day.day, 14, tzinfo=UTC).astimezone(
        ZoneInfo(reader.timezone)
    )
    assert there.date() == day
    assert there.time() >= reader.send_at
    assert {"mon", "tue", "wed", "thu", "fri"} <= set(reader.days)


def test_the_config_is_plain_toml_with_a_local_mail_server() -> None:
    """Whatever else happens, the demo's config cannot mail anybody."""
    tables = tomllib.loads((FOLDER / "config.toml").read_text(encoding="utf-8"))
    assert tables["smtp"] == {"host": "127.0.0.1", "port": 2525, "tls": "none"}
    assert tables["mail"] == {"from": "Paper Digest Demo <digest@example.org>"}
