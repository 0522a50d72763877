"""Digests in columns: the same digests, whole and cut, and each with its own reasons."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from digest.drafts import in_columns
from digest.model import Digest, Match, Reason, Receipt, Section, SectionName
from digest.reason import Packed
from tests.samples import NOW, listing, profile, subscriber

OWN = Reason("tiles", "title", 0.5, 2, part="tile")
WEAK = Reason("kernels", "abstract", 0.25, related=True)
TAUGHT = Reason("memory", "abstract", -0.125, 3, related=True, learned=True)


def match(title: str, *reasons: Reason, score: float = 0.5) -> Match:
    """A match with these reasons."""
    return Match(listing(title), score, reasons)


def digest(email: str, *sections: Section) -> Digest:
    """A digest with counts of its own."""
    shown = sum(len(section.matches) for section in sections)
    receipt = Receipt((), 9, shown + 1, shown, 1, (("test", shown + 1),))
    reason = "" if shown else "nothing came"
    return Digest(subscriber(email), NOW.date(), sections, receipt, reason, bool(shown), shown)


DIGESTS = [
    digest(
        "ada@example.org",
        Section(SectionName.FOR_YOU, (match("one", OWN, WEAK), match("two"))),
        Section(SectionName.SHORT, (match("three", TAUGHT, score=0.25),)),
    ),
    digest("emmy@example.org"),
    digest("lise@example.org", Section(SectionName.SHORT, (match("two", WEAK), match("one")))),
]


def test_columns_give_the_digests_back() -> None:
    """Sections, scores, reasons, counts and words, with and without items."""
    drafts = in_columns(DIGESTS)
    assert list(drafts.digests()) == DIGESTS
    assert drafts.first.tolist() == [0, 3, 3, 5]


def test_each_digest_is_cut_by_itself() -> None:
    """What is lost is no longer shown; of it what fits waits, a near miss never did."""
    near = digest("ibn@example.org", Section(SectionName.NEAREST, (match("a"), match("b"))))
    drafts = in_columns([*DIGESTS, near])
    ada, emmy, lise, ibn = drafts.cut_to(np.array([2, 5, 1, 1])).digests()
    assert [match.listing.title for match in ada.sections[0].matches] == ["one", "two"]
    assert ada.sections[0].matches[0].reasons == (OWN, WEAK)
    assert len(ada.sections) == len(lise.sections) == len(ibn.sections) == 1
    assert emmy == DIGESTS[1]
    receipts = [(each.receipt.shown, each.receipt.waiting) for each in (ada, lise, ibn)]
    assert receipts == [(2, 2), (1, 2), (near.receipt.shown, near.receipt.waiting)]


def test_what_is_below_the_floor_or_too_old_does_not_wait() -> None:
    """A followed author's paper is shown without a score, and does not come again by itself."""
    low = digest(
        "ada@example.org",
        Section(SectionName.FOLLOWED, (match("a"), match("low", score=0.1), match("old"))),
    )
    low = replace(low, subscriber=subscriber(profile=profile(min_score=0.25)))
    drafts = in_columns([low])
    drafts = replace(drafts, comes_again=np.array([True, True, False]))
    (cut,) = drafts.cut_to(np.array([0])).digests()
    assert (cut.sections, cut.receipt.shown, cut.receipt.waiting) == ((), 0, 2)


def test_further_reasons_stand_behind_those_of_their_match() -> None:
    """Several of one match and of one reader, in texts of their own; all others stay."""
    author, lab = Reason("Emmy Noether", "author", 0.0), Reason("Lab", "org", 0.0)
    packed = Packed.of([0, 0, 1], [(0.5, (OWN, WEAK)), (0.25, ()), (0.75, (TAUGHT,))])
    more = packed.followed_by([(0, author), (0, lab), (1, author), (2, lab)])
    assert more.each() == [(OWN, WEAK, author, lab), (author,), (TAUGHT, lab)]
    assert packed.each() == [(OWN, WEAK), (), (TAUGHT,)]
    assert more.those(np.array([False, True, True])).each() == [(author,), (TAUGHT, lab)]
