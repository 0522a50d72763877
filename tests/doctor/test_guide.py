"""The guide knows every check."""

from __future__ import annotations

import re
from pathlib import Path

from digest.doctor import WHY

GUIDE = (Path(__file__).parents[2] / "docs" / "doctor.md").read_text("utf-8")


def test_every_check_has_its_row() -> None:
    """In the order in which the command shows them, and none that is not there."""
    assert re.findall(r"^\| `([a-z._]+)` \|", GUIDE, re.MULTILINE) == list(WHY)


def test_every_reason_is_a_sentence() -> None:
    """It stands by itself under a finding."""
    assert all(why[0].isupper() and why.endswith(".") for why in WHY.values())
