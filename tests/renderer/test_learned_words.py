"""What the mail says of learned terms: where they come from, never as a person's own."""

from __future__ import annotations

import pytest

from digest.model import Reason
from digest.renderer import words


def taught(term: str, points: float) -> Reason:
    """A reason that was learned."""
    return Reason(term, "title", points, related=True, learned=True)


OWN = Reason("tiles", "title", 0.4)
CASES = [
    ((OWN, taught("kernels", 0.1)), "likeness to papers you liked: “kernels” (+0.10)"),
    (
        (OWN, taught("a", 0.01), taught("b", 0.02), taught("c", 0.03), taught("d", 0.04)),
        "likeness to papers you liked: “d”, “c”, “b” (+0.10)",
    ),
    ((OWN, taught("a", -0.1)), "; held back by likeness to papers you disliked: “a” (−0.10)"),
    ((OWN, taught("a", 0.1), taught("b", -0.04)), "likeness to papers you liked: “a” (+0.06)"),
    ((OWN, taught("a", 0.01), taught("b", -0.03)), "papers you disliked: “b” (−0.02)"),
    ((taught("a", 0.2),), "likeness to papers you liked: “a” (+0.20)"),
]


@pytest.mark.parametrize(("reasons", "end"), CASES)
def test_what_was_learned_is_told_as_one(reasons: tuple[Reason, ...], end: str) -> None:
    """With what it comes to, likes and dislikes together, and the words that did most."""
    told = words.because(reasons)
    assert told.endswith(end)
    assert told.count("likeness") == 1


def test_too_little_to_be_seen_is_not_told() -> None:
    """A point of a hundredth that the score does not show would be noise."""
    assert words.because((OWN, taught("a", 0.002))) == words.because((OWN,))


def test_likeness_in_meaning_is_no_related_word() -> None:
    """What a model says stands apart, for or against, and is left out where it says too little."""
    for points, said in ((0.05, "(+0.05)"), (-0.05, "held back by likeness in meaning (−0.05)")):
        told = words.because((OWN, Reason("likeness in meaning", "meaning", points, related=True)))
        assert f"likeness in meaning {said[-7:]}" in told
        assert said in told
        assert "related word" not in told
    told = words.because((OWN, Reason("likeness in meaning", "meaning", 0.001, related=True)))
    assert "meaning" not in told


def test_a_learned_word_is_no_related_word() -> None:
    """Each kind of weak evidence is told under its own name."""
    told = words.because((OWN, Reason("x", "title", 0.02, related=True), taught("a", 0.1)))
    assert "the related word “x” (+0.02)" in told
    assert "you liked: “a” (+0.10)" in told
