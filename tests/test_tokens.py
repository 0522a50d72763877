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


MESSAGE_ID = "2026-11-20.0123456789abcdef0123@example.org"


def test_n1_a_bounce_token_names_the_mail_in_any_case(ours: Tokens) -> None:
    """32 letters and digits of one case; mail systems may turn them into the other."""
    token = ours.bounce("d", 2**40 - 1, MESSAGE_ID)
    assert len(token) == 32
    assert token.isalnum()
    assert token == token.lower() == ours.bounce("d", 2**40 - 1, MESSAGE_ID)
    for spelled in (token, token.upper(), token.title()):
        said = ours.read_bounce(spelled)
        assert said
        assert (said.kind, said.number) == ("d", 2**40 - 1)
        assert said.fits(MESSAGE_ID)
        assert not said.fits("another" + MESSAGE_ID)


def test_n1_a_bounce_token_outlives_a_new_key_and_no_other_service_makes_one() -> None:
    """The newest key signs, all verify, and those of others do not."""
    token = Tokens(["old"]).bounce("d", 7, MESSAGE_ID)
    assert Tokens(["new", "old"]).read_bounce(token) == Tokens(["old"]).read_bounce(token)
    assert Tokens(["new"]).read_bounce(token) is None


def test_n1_t1_no_change_of_a_bounce_token_is_valid(ours: Tokens) -> None:
    """Every letter put in the place of every other, cut and made longer; and what is no token."""
    token = ours.bounce("l", 7, MESSAGE_ID)
    for place in range(len(token)):
        for letter in "abcdefghijklmnopqrstuvwxyz234567":
            if letter != token[place]:
                assert ours.read_bounce(token[:place] + letter + token[place + 1 :]) is None
    for wrong in ("", token[:-1], token[:-8], token + "a", token + token, "ä" * 32, "=" * 32):
        assert ours.read_bounce(wrong) is None


def test_n8_an_address_is_known_under_its_older_hashes() -> None:
    """A hash that was kept before a key was added is among those that are looked for."""
    (before,) = Tokens(["old"]).fingerprints("ada@example.org")
    now = Tokens(["new", "old"]).fingerprints("ada@example.org")
    assert now[1] == before != now[0] == Tokens(["new", "old"]).fingerprint("ada@example.org")
