"""What is estimated to fit into a mail does fit, and little more would."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from digest.drafts import in_columns
from digest.model import (
    Abstracts,
    Digest,
    Link,
    Match,
    Profile,
    Reason,
    Section,
    SectionName,
    SourceRun,
    Subscriber,
)
from digest.renderer import LARGEST_HTML, Renderer
from digest.sizes import Measure
from tests.renderer.mails import FRAME, ID, LINKS, MATCH, NOW, RUNS, digest, listing

KINDS: dict[str, dict[str, Any]] = {
    "usual": {},
    "plain": {"links": (), "abstract": "Short."},
    "wide": {"title": "深層学習による拡散モデルの高速化", "abstract": "推論を高速化する、" * 60},
    "signs": {"title": "a = b & c < d " * 20, "abstract": "x = y & z > 1; " * 60},
    "dense": {"title": "Draft " * 20, "abstract": "draft model " * 100},
    "links": {
        "links": tuple(
            Link(kind, f"https://example.org/{kind}/" + "x" * 60)
            for kind in ("pdf", "code", "project", "comments")
        )
    },
}


def items_that_fit(whole: Digest, note: str, tune: str, most: int) -> int:
    """How many items of a digest fit."""
    return int(Measure(note, tune, most).items_that_fit(in_columns([whole]))[0])


def full_digest(kind: str, name: SectionName, abstracts: Abstracts) -> Digest:
    """Eighty listings of one kind in one section, and twenty short ones after them."""
    fields = KINDS[kind]
    dense = (Reason("draft model", "abstract", 0.5, 100), Reason("draft", "title", 0.1, 20))
    reasons = dense if kind == "dense" else MATCH.reasons
    made = [Match(listing(**{"key": f"k{n}", **fields}), 0.5, reasons) for n in range(100)]
    return digest(
        sections=(Section(name, tuple(made[:80])), Section(SectionName.SHORT, tuple(made[80:]))),
        subscriber=Subscriber("ada@example.org", Profile(abstracts=abstracts)),
    )


@pytest.mark.parametrize("abstracts", list(Abstracts))
@pytest.mark.parametrize("name", [SectionName.FOR_YOU, SectionName.WAITING, SectionName.SHORT])
@pytest.mark.parametrize("kind", list(KINDS))
@pytest.mark.parametrize("tune", ["", "https://digest.example.org/tune/" + "x" * 90])
def test_b8_what_is_estimated_to_fit_fits(
    tune: str, kind: str, name: SectionName, abstracts: Abstracts
) -> None:
    """No mail hides an item that the ledger takes for shown, and none is left half empty."""
    whole = full_digest(kind, name, abstracts)
    links = replace(LINKS, tune=tune)
    room = items_that_fit(whole, FRAME.note, links.tune, LARGEST_HTML)
    cut = next(in_columns([whole]).cut_to(np.array([room])).digests())
    mail = Renderer(FRAME).render(cut, ID, NOW, links)
    assert "too long for some mail programs" not in mail.text
    most = Renderer(FRAME).capacity(whole, links)
    assert most * 0.4 <= room <= most


def test_the_note_the_hint_and_the_sources_take_room() -> None:
    """Each of them leaves less for the items."""
    whole = full_digest("usual", SectionName.FOR_YOU, Abstracts.SHORT)
    run = SourceRun("a source with a long name", NOW, 9, 9, 9)
    runs = replace(whole.receipt, sources=(*RUNS, *(run for _ in range(30))))
    room = items_that_fit(whole, "", "", LARGEST_HTML)
    assert items_that_fit(whole, "A word. " * 2_000, "", LARGEST_HTML) < room
    assert items_that_fit(replace(whole, hint="Shorter ones. " * 800), "", "", LARGEST_HTML) < room
    assert items_that_fit(replace(whole, receipt=runs), "", "", LARGEST_HTML) < room
    assert items_that_fit(whole, "", "", 5_000) == 0


def test_a_small_digest_fits_whole() -> None:
    """Nothing is cut from the usual mail."""
    usual = digest(*(replace(MATCH, listing=listing(key=f"k{n}")) for n in range(12)))
    assert items_that_fit(usual, FRAME.note, LINKS.tune, LARGEST_HTML) == 12


def test_many_digests_are_measured_each_as_alone() -> None:
    """Reasons of one reader are not counted for another, with or without reasons, or items."""
    many = [full_digest(kind, SectionName.WAITING, Abstracts.FULL) for kind in KINDS]
    many[2:2] = [digest(sections=()), digest(replace(MATCH, reasons=()))]
    measure = Measure(FRAME.note, LINKS.tune, LARGEST_HTML)
    alone = [items_that_fit(one, FRAME.note, LINKS.tune, LARGEST_HTML) for one in many]
    assert measure.items_that_fit(in_columns(many)).tolist() == alone
    assert alone[2:4] == [0, 1]
    assert len(set(alone)) > 4
