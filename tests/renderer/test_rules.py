"""Every rule for the mail over real listings, over hostile text in every field, over any text.

The cases that each rule names stand in the tests of its own; here it is held wherever a mail is.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.model import Digest
from digest.renderer import Renderer
from tests.renderer.mails import FRAME, HOSTILE, ID, LINKS, NOW, digest, hostile_digest, render
from tests.renderer.rules import CHECKS, ELSEWHERE, Seen
from tests.renderer.test_real_listings import mails

TESTS = Path(__file__).parents[1]
RULES = [
    f"{letter}{number}"
    for letter, last in (("M", 18), ("B", 12), ("R", 16), ("X", 7))
    for number in range(1, last + 1)
]
NAME = re.compile(r"def (test_(?:[a-z]\d+_)+)")


@cache
def other() -> Renderer:
    """A renderer that shares nothing with the others but its frame."""
    return Renderer(FRAME)


def seen(made: Digest) -> Seen:
    """The mail of a digest, made twice."""
    return Seen(made, render(made), other().render(made, ID, NOW, LINKS))


@cache
def real() -> tuple[Seen, ...]:
    """Mails of all recorded listings, twelve by twelve; skips where there are none."""
    matches = mails()
    return tuple(seen(digest(*matches[n : n + 12])) for n in range(0, len(matches), 12))


@cache
def hostile() -> tuple[Seen, ...]:
    """A mail for each hostile text, which stands in every field."""
    return tuple(seen(hostile_digest(text)) for text in HOSTILE)


@pytest.mark.parametrize("rule", CHECKS)
def test_each_rule_over_real_listings(rule: str) -> None:
    """The rule holds in a mail of twelve listings that were really announced."""
    for one in real():
        CHECKS[rule](one)


@pytest.mark.parametrize("rule", CHECKS)
def test_each_rule_over_hostile_text(rule: str) -> None:
    """The rule holds whatever outsiders write into the fields that are theirs."""
    for one in hostile():
        CHECKS[rule](one)


@settings(max_examples=40, deadline=None)
@given(st.text(st.characters(codec=None), max_size=200))
def test_every_rule_over_any_text(text: str) -> None:
    """No text, lone surrogates included, breaks any of the rules."""
    one = seen(hostile_digest(text))
    for rule, check in CHECKS.items():
        try:
            check(one)
        except AssertionError as error:
            error.add_note(f"rule {rule}")
            raise


@cache
def named() -> frozenset[str]:
    """The rules that a test is named after, somewhere under `tests/`."""
    return frozenset(
        rule.upper()
        for path in TESTS.rglob("test_*.py")
        for name in NAME.findall(path.read_text("utf-8"))
        for rule in re.findall(r"[a-z]\d+(?=_)", name)
    )


@pytest.mark.parametrize("rule", RULES)
def test_each_rule_has_a_test_named_after_it(rule: str) -> None:
    """A rule without a test of its own is a gap; here it is held, or it is said why not."""
    assert rule in named()
    assert (rule in CHECKS) != (rule in ELSEWHERE)
