"""What a spam filter thinks of the mails, by SpamAssassin's local rules."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from digest.model import Match, Message
from tests.renderer.corpus.cases import CASES
from tests.renderer.mails import NOW, digest, render, renderer
from tests.renderer.test_real_listings import HF, mails

OURS = int(os.environ.get("DIGEST_SPAM_MAILS", "25"))
"""Digests of recorded listings that are scored; 200 take a minute, so that CI asks for them."""

_TOTAL = re.compile(r"^Content analysis details:\s+\((-?[\d.]+) points", re.MULTILINE)
_RULE = re.compile(r"^\s?(-?\d+\.\d) ([A-Z][A-Z0-9_]+)", re.MULTILINE)


def _scored(made: Iterator[Message], folder: Path) -> tuple[list[float], dict[str, float]]:
    """The total of each mail, and each rule that was met with its points."""
    program = shutil.which("spamassassin")
    if not program:
        pytest.skip("SpamAssassin is not installed (Debian package spamassassin)")
    box = folder / "mails.mbox"
    froms = b"From digest@example.org Fri Nov 20 07:30:00 2026\n"
    box.write_bytes(b"".join(froms + mail.raw.replace(b"\r\n", b"\n") + b"\n" for mail in made))
    run = [program, "-L", "-t", "--mbox", str(box)]
    report = subprocess.run(
        run, capture_output=True, check=False, text=True, errors="replace"
    ).stdout
    totals = [float(total) for total in _TOTAL.findall(report)]
    return totals, {rule: float(points) for points, rule in _RULE.findall(report)}


def _real() -> Iterator[Message]:
    matches: list[Match] = mails()
    for number in range(OURS):
        start = number * 7 % (len(matches) - 12)
        shown = matches[start : start + 1 + number % 12]
        yield render(digest(*shown), message_id=f"{number}.k3v9@example.org")


def test_digests_of_real_listings_are_no_spam(tmp_path: Path) -> None:
    """No rule gives more than 0.5 points, and no digest more than 1.0."""
    if not HF.exists():
        pytest.skip("the recorded listings are not beside this checkout")
    totals, rules = _scored(_real(), tmp_path)
    assert len(totals) == OURS
    assert max(totals) <= 1.0
    assert not {rule: points for rule, points in rules.items() if points > 0.5}


def test_golden_mails_are_no_spam(tmp_path: Path) -> None:
    """Even the hostile ones stay under one point; what a title says in capitals is its own."""
    golden = (
        renderer(case.frame).render(case.digest, f"{name}@example.org", NOW, case.links)
        for name, case in CASES.items()
        if not name.startswith("hostile")
    )
    totals, _ = _scored(golden, tmp_path)
    assert len(totals) >= 20
    assert max(totals) <= 1.0
