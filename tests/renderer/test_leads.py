"""The words that a mail begins with."""

from __future__ import annotations

import pytest

from digest.model import Match, Receipt, Section, SectionName
from digest.renderer.leads import lead
from tests.renderer.mails import digest, listing

FOR_YOU, SHORT, FOLLOWED = SectionName.FOR_YOU, SectionName.SHORT, SectionName.FOLLOWED


@pytest.mark.parametrize(
    ("considered", "matched", "sections", "said"),
    [
        (412, 2, {FOR_YOU: 2}, "2 of 412 new listings fit you."),
        (412, 1, {FOR_YOU: 1}, "1 of 412 new listings fits you."),
        (
            1412,
            30,
            {FOR_YOU: 12, SHORT: 12},
            "30 of 1,412 new listings fit you; the best 12 come first, 12 more as titles.",
        ),
        (
            9,
            2,
            {FOR_YOU: 1, SHORT: 1},
            "2 of 9 new listings fit you; the best comes first, 1 more as a title.",
        ),
        (
            9,
            3,
            {FOR_YOU: 2, FOLLOWED: 1},
            "3 of 9 new listings fit you; the best 2 come first.",
        ),
        (9, 0, {FOLLOWED: 1}, "None of the 9 new listings fits your keywords today."),
        (1, 0, {FOLLOWED: 1}, "The one new listing does not fit your keywords today."),
        (1, 1, {FOR_YOU: 1}, "The one new listing fits you."),
        (0, 0, {SectionName.WAITING: 1}, "Nothing was announced that is new to you."),
    ],
)
def test_the_lead_says_how_much_there_is(
    considered: int, matched: int, sections: dict[SectionName, int], said: str
) -> None:
    """What fits, and where it stands; what comes for other reasons is not counted in."""
    made = digest(
        sections=tuple(
            Section(name, tuple(Match(listing(key=f"{name}{n}"), 0.4) for n in range(items)))
            for name, items in sections.items()
        ),
        receipt=Receipt((), considered, matched, sum(sections.values()), 0),
    )
    assert lead(made) == [said]


def test_an_empty_day_says_why_and_gives_its_hint() -> None:
    """Each on a line of its own, as sentences."""
    made = digest(sections=(), empty_reason="nothing was announced", hint="shorter ones find more")
    assert lead(made) == ["Nothing was announced.", "Shorter ones find more."]
