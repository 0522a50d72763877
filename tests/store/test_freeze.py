"""A digest as the ledger keeps it, and rows of versions that kept less."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from digest.model import (
    Digest,
    Keyword,
    Listing,
    Match,
    Profile,
    Reason,
    Section,
    SectionName,
    Subscriber,
)
from digest.reason import FIELDS
from digest.store.freeze import FrameSnapshot, freeze, thaw
from tests.samples import FRAME, NOW, listing, subscriber

SHOWN = listing("Tiles")
REASONS = (
    Reason("tiles", "title", 0.5),
    Reason("kernels", "abstract", 0.25, related=True),
    Reason("memory", "abstract", 0.125, 2, related=True, learned=True),
)


def thawed(body: str) -> tuple[Reason, ...]:
    """The reasons of the only listing in a ledger text."""

    def shown(number: int) -> Listing:
        assert number == 7
        return SHOWN

    kept = thaw(body, NOW.date(), mailed=True, frame=FrameSnapshot(FRAME, ()), listing=shown)
    return tuple(kept.sections[0].matches[0].reasons)


def frozen(reader: Subscriber | None = None, reasons: tuple[Reason, ...] = REASONS) -> str:
    """The ledger text of a digest of one listing."""
    section = Section(SectionName.FOR_YOU, (Match(SHOWN, 0.5, reasons),))
    frozen = freeze(Digest(reader or subscriber(), NOW.date(), (section,)))
    return frozen.numbered([7])


def test_every_mark_of_a_reason_is_kept() -> None:
    """A retry says of each word what the first try said: written, related, learned."""
    assert thawed(frozen()) == REASONS


OLDER = {
    "whole": [
        ["tiles", "title", 0.5, 1, False, "", False],
        ["kernels", "abstract", 0.25, 1, True, ""],
    ],
    "short": [[0, 0, 0.5, 1], ["kernels", 1, 0.25, 1, True, "", False]],
}
"""Reasons as they once were: with all their parts (six before anything was learned), then with a
keyword and a field by their numbers."""


@pytest.mark.parametrize("form", list(OLDER))
def test_reasons_of_an_older_version_are_read(form: str) -> None:
    """A row that was opened before an upgrade gives the bytes that it gave."""
    reader = replace(subscriber(), profile=Profile((Keyword("tiles"),)))
    kept = json.loads(frozen(reader))
    for key in ("shown", "matches", "texts", "reasons"):
        del kept[key]
    kept["sections"] = [["for_you", [[7, 0.5, OLDER[form]]]]]
    assert thawed(json.dumps(kept)) == REASONS[:2]


def test_the_reasons_of_each_match_are_its_own() -> None:
    """Several sections, and matches without reasons between others, come back as they were."""
    sections = (
        Section(SectionName.FOR_YOU, (Match(SHOWN, 0.5, REASONS), Match(SHOWN, 0.3))),
        Section(SectionName.SHORT, (Match(SHOWN, 0.7, REASONS[1:]),)),
    )
    made = Digest(subscriber(), NOW.date(), sections)
    body = freeze(made).numbered([7, 7, 7])
    frame = FrameSnapshot(FRAME, ())
    assert thaw(body, NOW.date(), mailed=True, frame=frame, listing=lambda number: SHOWN) == made


def test_a_keyword_is_kept_once() -> None:
    """A reason names a keyword by its place in the profile, which is kept beside it."""
    reader = replace(subscriber(), profile=Profile((Keyword("kernels"), Keyword("tiles", 2.0))))
    body = frozen(reader)
    assert thawed(body) == REASONS
    assert body.count('"tiles"') == 1


@pytest.mark.parametrize("field", [*FIELDS, "meaning"])
def test_every_field_is_kept(field: str) -> None:
    """Fields have numbers in the ledger; one without a number keeps its name."""
    reasons = (Reason("7", field, 0.5, part="words of it", learned=False),)
    assert thawed(frozen(reasons=reasons)) == reasons
