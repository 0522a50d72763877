"""What each kind asks for, and what a config may get wrong."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from digest.sources import KINDS, fault_in_kind
from tests.sources.shared import NOW, asked, query_of, source_of


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("week", "week=2026-W47"),
        ("2026-W24", "week=2026-W24"),
        ("month", "month=2026-11"),
        ("2026-06", "month=2026-06"),
        ("2026-06-12", "date=2026-06-12"),
        ("trending", "sort=trending"),
    ],
)
def test_huggingface_lists(query: str, parameter: str) -> None:
    """Each list that a query names is asked by its own parameter."""
    (url,) = asked("huggingface", query=query)
    assert parameter in url


def test_huggingface_refreshes_the_week_once_a_day() -> None:
    """The newest list comes each time; those of the seven days before rest for most of a day."""
    newest, *past = KINDS["huggingface"].requests(source_of("huggingface"), NOW)
    assert "date" not in newest.url
    assert newest.rest_s == 0
    days = [(NOW.date() - date.fromisoformat(query_of(one.url)["date"])).days for one in past]
    assert days == [1, 2, 3, 4, 5, 6, 7]
    assert {one.rest_s for one in past} == {20 * 3600}


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
    assert reason in KINDS[kind].fault(source_of(kind, **options))


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
def test_right_options_have_no_fault_and_areasked(kind: str, options: dict[str, Any]) -> None:
    """Each kind takes its options and asks only https addresses."""
    source = source_of(kind, **options)
    assert KINDS[kind].fault(source) == ""
    for request in KINDS[kind].requests(source, NOW):
        assert request.url.startswith("https://")
    for request in KINDS[kind].backfill(source, date(2026, 11, 18), NOW):
        assert request.url.startswith("https://")


def test_every_kind_is_known_by_its_name() -> None:
    """A name that is no kind gets the nearest, or all of them."""
    assert fault_in_kind("feed") == ""
    assert "did you mean 'huggingface'" in fault_in_kind("hugging_face")
    assert "it is one of" in fault_in_kind("zzz")
