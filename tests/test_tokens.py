"""Tokens that can do one thing each."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from digest.tokens import MANAGE, TUNE, UNSUBSCRIBE, Tokens

AT = datetime(2026, 11, 20, 7, 30, tzinfo=UTC)
BASE = "https://example.org/"


@pytest.fixture
def ours() -> Tokens:
    """Tokens of one secret."""
    return Tokens(["a secret of ours"])


def test_one_token_serves_all_tuning_links(ours: Tokens) -> None:
    """It says whom and when, the same each time."""
    made = ours.links(BASE, 7, AT).tune
    assert made.startswith("https://example.org/tune/")
    assert made == ours.links(BASE, 7, AT).tune
    issued = ours.read(TUNE, made.rpartition("/")[2])
    assert issued is not None
    assert (issued.subject, issued.at) == (7, AT)


@pytest.mark.parametrize("purpose", [MANAGE, UNSUBSCRIBE, "confirm", "session", "form"])
def test_a_tuning_token_opens_nothing_else(ours: Tokens, purpose: str) -> None:
    """Whoever holds a mail's tuning link can neither manage nor leave by it."""
    token = ours.issue(TUNE, 7, AT)
    assert ours.read(purpose, token) is None
    assert ours.read_unsubscribe(token) is None
    assert ours.read(TUNE, ours.issue(purpose, 7, AT)) is None
