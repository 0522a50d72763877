"""A digest as the ledger keeps it, and rows of versions that kept less."""

from __future__ import annotations

import json

from digest.model import Digest, Listing, Match, Reason, Section, SectionName
from digest.store.freeze import FrameSnapshot, freeze, thaw
from tests.samples import FRAME, NOW, listing, subscriber

SHOWN = listing("Tiles")
REASONS = (
    Reason("tiles", "title", 0.3),
    Reason("kernels", "abstract", 0.1, related=True),
    Reason("memory", "abstract", 0.1, 2, related=True, learned=True),
)


def thawed(body: str) -> tuple[Reason, ...]:
    """The reasons of the only listing in a ledger text."""

    def shown(number: int) -> Listing:
        assert number == 7
        return SHOWN

    kept = thaw(body, NOW.date(), mailed=True, frame=FrameSnapshot(FRAME, ()), listing=shown)
    return kept.sections[0].matches[0].reasons


def frozen() -> str:
    """The ledger text of a digest of one listing."""
    section = Section(SectionName.FOR_YOU, (Match(SHOWN, 0.5, REASONS),))
    return freeze(Digest(subscriber(), NOW.date(), (section,)), lambda listing: 7)


def test_every_mark_of_a_reason_is_kept() -> None:
    """A retry says of each word what the first try said: written, related, learned."""
    assert thawed(frozen()) == REASONS


def test_reasons_of_an_older_version_are_read() -> None:
    """Before anything was learned a reason had six parts."""
    kept = json.loads(frozen())
    for reason in kept["sections"][0][1][0][2]:
        del reason[6:]
    assert [reason.learned for reason in thawed(json.dumps(kept))] == [False] * 3
