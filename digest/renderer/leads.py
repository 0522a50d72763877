"""What the mail and its sections are called, and the words that they begin with."""

from __future__ import annotations

from digest.model import Digest, SectionName
from digest.renderer.clean import line

TITLES = {
    SectionName.FOR_YOU: "For you",
    SectionName.FOLLOWED: "From people and labs you follow",
    SectionName.TRENDING: "Trending",
    SectionName.RISING: "Rising",
    SectionName.WAITING: "Still waiting",
    SectionName.SHORT: "Short",
    SectionName.NEAREST: "Nearest misses",
}
LEADS = {
    SectionName.TRENDING: "The day’s most voted, whatever your keywords.",
    SectionName.RISING: "Passed over on their day, and gathering votes since.",
    SectionName.WAITING: "From the days before: they fit you and found no room.",
    SectionName.SHORT: "These fit you as well. They do not come again.",
    SectionName.NEAREST: "They came closest to your floor.",
}


def lead(digest: Digest) -> list[str]:
    """The first lines of the mail: how much there is, or why there is nothing."""
    if digest.empty_reason:
        said = (line(digest.empty_reason, 300), line(digest.hint, 600))
        return [_sentence(text) for text in said if text]
    receipt, lengths = digest.receipt, {s.name: len(s.matches) for s in digest.sections}
    if not receipt.matched:
        return [_none_fits(receipt.considered)]
    counts = f"{receipt.matched:,} of {receipt.considered:,} new listings fit you"
    counts = counts if receipt.matched > 1 else counts.replace(" fit ", " fits ")
    counts = counts if receipt.considered > 1 else "The one new listing fits you"
    first, titles = lengths.get(SectionName.FOR_YOU, 0), lengths.get(SectionName.SHORT, 0)
    if first < receipt.matched:
        counts += f"; the best {first:,} come first" if first > 1 else "; the best comes first"
        counts += f", {titles:,} more as {'titles' if titles > 1 else 'a title'}" if titles else ""
    return [counts + "."]


def _none_fits(considered: int) -> str:
    """That nothing of so many new listings fits."""
    match considered:
        case 0:
            return "Nothing was announced that is new to you."
        case 1:
            return "The one new listing does not fit your keywords today."
    return f"None of the {considered:,} new listings fits your keywords today."


def _sentence(text: str) -> str:
    """The text with a capital at its start and a stop at its end."""
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?", "…")) else ".")
