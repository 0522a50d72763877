"""Saved Daily Papers pages."""

from __future__ import annotations

import html
import json
from datetime import UTC, date, datetime

import pytest

from digest.errors import SourceError
from digest.join import join
from tests.sources.shared import Shelf, read, recording

BLOCKS = """new

Get trending papers in your email inbox!

Subscribe

Daily Papers

byAK and the research community

Apr 20

On the Electrodynamics of Moving Bodies

It is known that electrodynamics leads to asymmetries. We take another way.

BernPatentOffice Bern Patent Office
·
Oct 8, 2025 2

Radioactive Substances

We describe the rays.

A second paragraph of the abstract.

  • 12 authors
·
Feb 3
"""

DENSE = """Get trending papers in your email inbox once a day!
Get trending papers in your email inbox!
SubscribeNotes on the Analytical Engine
{0}
A Mathematical Theory of Communication
{0}""".format("The engine weaves patterns. " * 20)


def test_blocks_give_every_field() -> None:
    """Title, abstract, organization, count of authors, dates and comments are read."""
    first, second = read("page", BLOCKS).listings
    assert first.title == "On the Electrodynamics of Moving Bodies"
    assert first.organization == "Bern Patent Office"
    assert (first.comments, first.author_count) == (2, None)
    assert first.published_at == datetime(2025, 10, 8, tzinfo=UTC)
    assert first.listed_on == date(2026, 4, 20)
    assert second.abstract == "We describe the rays.\n\nA second paragraph of the abstract."
    assert (second.comments, second.author_count, second.organization) == (None, 12, "")
    assert second.published_at == datetime(2026, 2, 3, tzinfo=UTC)
    assert first.key.startswith("title:")


def test_a_day_without_a_year_is_the_latest_not_after_today() -> None:
    """A page of April read in March is of last year, and so are the days in it."""
    batch = read("page", BLOCKS, now=datetime(2026, 3, 1, tzinfo=UTC))
    assert batch.batch_on == date(2025, 4, 20)
    assert batch.listings[1].published_at == datetime(2025, 2, 3, tzinfo=UTC)


LONG = "The engine weaves algebraic patterns, as the loom weaves flowers and leaves. " * 5


def _page_of(*blocks: str) -> str:
    return "\n\n".join(("Get trending papers in your email inbox!", "Subscribe", "Mar 14", *blocks))


@pytest.mark.parametrize(
    ("blocks", "titles"),
    [
        (["One", LONG, "Two", LONG], ["One", "Two"]),
        (["One", LONG, LONG, "Two", LONG], ["One", "Two"]),
        (["One", LONG, "Code: https://example.org/x", "Two", LONG], ["One", "Two"]),
        (["One", "Two", LONG], ["One", "Two"]),
        (["One", "It is short.", "Two", LONG], ["One", "Two"]),
        (["One", "It is short.", "Two", "So is this."], ["One", "Two"]),
        (["One", LONG, "  • 3 authors\n·\nFeb 3", "Two", LONG, "·\nMar 1"], ["One", "Two"]),
        (["One", LONG, "• 3 authors", "·", "Feb 3", "Two", LONG, "·\nMar 1"], ["One", "Two"]),
        (["One", LONG, "Two", LONG, "ai2 Allen Institute\n·\nMar 1"], ["One", "Two"]),
        (["One", LONG, "A short last paragraph.", "•  1 author\n·\nMar 1"], ["One"]),
    ],
)
def test_blocks_are_told_apart(blocks: list[str], titles: list[str]) -> None:
    """Paragraphs, missing parts and lines on who and when never become listings."""
    batch = read("page", _page_of(*blocks))
    assert [listing.title for listing in batch.listings] == titles
    assert batch.batch_on == date(2026, 3, 14)


def test_dense_pages_alternate() -> None:
    """Without blank lines title and abstract alternate; the button's word falls off."""
    titles = [listing.title for listing in read("page", DENSE).listings]
    assert titles == ["Notes on the Analytical Engine", "A Mathematical Theory of Communication"]


def test_the_html_of_the_page_is_read() -> None:
    """The page's own script data, escaped in an attribute, gives the listings."""
    paper = {"id": "1905.00001", "title": "On <swi>", "summary": "s", "upvotes": 7}
    paper["submittedOnDailyAt"] = "2026-04-20T00:00:00.000Z"
    props = html.escape(json.dumps({"dailyPapers": [{"paper": paper, "numComments": 3}]}))
    page = f'<!doctype html><div data-target="DailyPapers" data-props="{props}"></div>'
    (listing,) = read("page", page).listings
    assert (listing.key, listing.title, listing.votes) == ("arxiv:1905.00001", "On <swi>", 7)
    assert (listing.comments, listing.listed_on) == (3, date(2026, 4, 20))


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("", "the page is empty"),
        ("Some other page", "the line 'Get trending papers in your email inbox' is missing"),
        ('[{"paper": {}}]', "this is JSON"),
        ("<?xml version='1.0'?><rss/>", "kind = 'feed' may read it"),
        (BLOCKS[: BLOCKS.index("A second")], "has no line with a date"),
        (DENSE[:-12], "ends within a sentence"),
        ("Get trending papers in your email inbox!\n", "holds no listing"),
        (BLOCKS.encode()[:100] + b"\xe2\x82", "no UTF-8 text"),
        ('<div data-props="{}">', "no element with data-target='DailyPapers'"),
        ("<div data-target='DailyPapers' data-props='{\"dailyPapers\": [{'>", "cut off"),
    ],
)
def test_s10_other_pages_are_refused_with_what_was_expected(body: str | bytes, reason: str) -> None:
    """A cut-off, empty or foreign page is an error that names the source and the reason."""
    with pytest.raises(SourceError, match=r"source 'test'") as fault:
        read("page", body)
    assert reason in str(fault.value)


@pytest.mark.parametrize(
    ("file", "count", "first", "last"),
    [
        (
            "000_09c95fd6e8298a25.txt",
            44,
            "OBS-Diff: Accurate Pruning For Diffusion Models in One-Shot",
            "Constrained Optimization via Exact Augmented Lagrangian and Randomized Iterative"
            " Sketching",
        ),
        (
            "001_813d655bb04690b6.txt",
            237,
            "AsymRnR: Video Diffusion Transformers Acceleration with Asymmetric Reduction and"
            " Restoration",
            "Simplifying Momentum-based Positive-definite Submanifold Optimization with"
            " Applications to Deep Learning",
        ),
        (
            "003_a0ec8187f0642683.txt",
            71,
            "Transform Once: Efficient Operator Learning in Frequency Domain",
            "Any-Size-Diffusion: Toward Efficient Text-Driven Synthesis for Any-Size HD Images",
        ),
    ],
)
def test_saved_pages_give_their_counts(file: str, count: int, first: str, last: str) -> None:
    """The three real pages give the listings that their description states."""
    listings = read("page", recording(f"seeds/{file}")).listings
    assert (len(listings), listings[0].title, listings[-1].title) == (count, first, last)


def test_the_details_of_a_saved_page_are_complete() -> None:
    """42 author counts, 2 organizations and 4 comment counts stand on the first real page."""
    listings = read("page", recording("seeds/000_09c95fd6e8298a25.txt")).listings
    assert sum(listing.author_count is not None for listing in listings) == 42
    names = [listing.organization for listing in listings if listing.organization]
    assert names == ["Westlake University", "Lossfunk"]
    assert sum(listing.comments is not None for listing in listings) == 4
    assert all(listing.published_at for listing in listings)


def test_341_of_352_saved_listings_are_distinct() -> None:
    """The three pages join to 341 papers; read a second time they change nothing."""
    shelf = Shelf()
    files = ["000_09c95fd6e8298a25.txt", "001_813d655bb04690b6.txt", "003_a0ec8187f0642683.txt"]
    pages = [read("page", recording(f"seeds/{file}"), name=file).listings for file in files]
    for page in pages:
        outcome = join(page, shelf.known)
        shelf.keep(outcome.new, outcome.changed)
    assert len(shelf.rows) == 341
    for page in pages:
        again = join(page, shelf.known)
        assert (again.new, again.changed, again.joined) == ([], [], len(page))
