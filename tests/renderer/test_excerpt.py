"""Where an abstract is cut."""

from __future__ import annotations

import pytest

from digest.renderer.excerpt import LONGEST, first_sentences

CASES = [
    ("One. Two. Three.", "One. Two. Three."),
    ("One. Two. Three. Four.", "One. Two. Three.\u00a0…"),
    (
        "We use SGD, e.g. Adam, cf. Fig. 3. It works. Well. Very.",
        "We use SGD, e.g. Adam, cf. Fig. 3. It works. Well.\u00a0…",
    ),
    (
        "By Hopf et al. In 1931. B. Riemann knew. So did we. Not all.",
        "By Hopf et al. In 1931. B. Riemann knew. So did we.\u00a0…",
    ),
    ("Is it 3.5 times faster? Yes! Really. No.", "Is it 3.5 times faster? Yes! Really.\u00a0…"),
    ("一つ。二つ。三つ。四つ。", "一つ。二つ。三つ。\u00a0…"),
    ("no end at all", "no end at all"),
    ("", ""),
]


@pytest.mark.parametrize(("text", "shown"), CASES)
def test_first_sentences(text: str, shown: str) -> None:
    """Three sentences, and an ellipsis where there are more."""
    assert first_sentences(text) == shown


def test_a_long_sentence_is_cut_after_a_word() -> None:
    """A text without an end of sentence is cut, and never inside a formula."""
    made = first_sentences("word " * 200)
    assert len(made) <= LONGEST
    assert made.endswith("word…")
    formula = first_sentences("x " * 235 + "$N_c + M_c + K_c$ " + "y " * 200)
    assert formula.count("$") % 2 == 0


def test_a_second_long_sentence_is_left_out() -> None:
    """Where the next sentence would not fit, the excerpt ends before it."""
    assert first_sentences("Short. " + "L" + "ong " * 200 + ".") == "Short.\u00a0…"
