"""The rules again, over listings that were really announced."""

from __future__ import annotations

import json
from datetime import datetime
from functools import cache
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from digest.model import Link, Listing, Match, Reason
from digest.renderer.excerpt import first_sentences
from digest.tex import readable
from tests.renderer.colours import painted
from tests.renderer.mails import digest, part, render, shown_text, tree

SHARED = Path(__file__).parents[2] / "../shared"
HF = SHARED / "payloads/huggingface/daily_papers_2026-06-12.json"
RSS = SHARED / "payloads/arxiv_rss/quant-ph_2025-04-28.rss.xml"
PAGE = SHARED / "seeds/000_09c95fd6e8298a25.txt"


@cache
def listings() -> tuple[Listing, ...]:
    """Recorded listings of three sources; skips where the recordings are not there."""
    if not HF.exists() or not RSS.exists() or not PAGE.exists():
        pytest.skip("the recorded listings are not beside this checkout")
    return (*_papers(), *_feed(), *_page())


def _papers() -> list[Listing]:
    found = [record["paper"] for record in json.loads(HF.read_bytes())]
    return [
        Listing(
            key=f"arxiv:{paper['id']}",
            source="huggingface",
            title=paper["title"],
            abstract=paper["summary"],
            authors=tuple(author["name"] for author in paper["authors"]),
            url=f"https://huggingface.co/papers/{paper['id']}",
            published_at=datetime.fromisoformat(paper["publishedAt"]),
            votes=paper["upvotes"],
            links=(Link("pdf", f"https://arxiv.org/pdf/{paper['id']}"),),
        )
        for paper in found
    ]


def _feed() -> list[Listing]:
    items = ET.fromstring(RSS.read_bytes()).iter("item")  # noqa: S314 - a recording
    return [
        Listing(
            key=item.findtext("link", ""),
            source="arxiv",
            title=item.findtext("title", ""),
            abstract=item.findtext("description", "").partition("Abstract:")[2].strip(),
            url=item.findtext("link", ""),
        )
        for item in items
    ]


def _page() -> list[Listing]:
    blocks = PAGE.read_text(encoding="utf-8").split("\n\n")
    return [
        Listing(key=f"title:{n}", source="page", title=block, abstract=blocks[n + 1])
        for n, block in enumerate(blocks[:-1])
        if len(blocks[n + 1]) > 300
    ]


def mails() -> list[Match]:
    """Every listing with a reason to highlight."""
    reasons = (Reason("model", "abstract", 0.2), Reason("quantum", "title", 0.1))
    return [Match(one, 0.3, reasons) for one in listings()]


def test_r15_b8_real_listings_make_conforming_mails() -> None:
    """Twelve by twelve, each mail is strict HTML, short enough, and has contrast."""
    matches = mails()
    assert len(matches) > 120
    for start in range(0, len(matches), 12):
        mail = render(digest(*matches[start : start + 12]))
        root = tree(mail.html)
        assert len(root.findall(".//h2")) == len(matches[start : start + 12])
        assert len(mail.raw) < 90_000
        assert min(one.contrast for one in painted(root)) >= 4.5


def test_x1_the_literal_tag_of_a_real_abstract_survives() -> None:
    """One recorded abstract holds `<swi>`; it is text in both parts, or past the excerpt."""
    holding = [match for match in mails() if "<swi>" in match.listing.abstract]
    assert holding
    for match in holding:
        mail = render(digest(match))
        is_shown = "<swi>" in first_sentences(readable(match.listing.abstract))
        assert ("<swi>" in " ".join(part(mail, "plain").split())) == is_shown
        assert ("<swi>" in shown_text(tree(mail.html))) == is_shown


def test_r14_no_real_title_is_left_with_a_broken_formula() -> None:
    """In every recorded title and abstract the dollars that are left go in pairs."""
    for one in listings():
        for text in (one.title, one.abstract):
            if text.count("$") % 2 == 0:
                assert readable(text).count("$") % 2 == 0


def test_r13_real_excerpts_end_well() -> None:
    """Each excerpt ends with a sentence or an ellipsis."""
    for one in listings():
        made = first_sentences(readable(one.abstract))
        assert made.rstrip()[-1] in "….!?)”\"'" or made == readable(one.abstract)
