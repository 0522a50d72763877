"""Golden mails: the same digest comes to the same bytes.

`DIGEST_REGENERATE=1 pytest tests/renderer/test_corpus.py` writes them anew; read the difference
before it is committed.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.renderer.corpus.cases import CASES
from tests.renderer.mails import NOW, renderer

FOLDER = Path(__file__).parent / "corpus"


@pytest.mark.parametrize("name", list(CASES))
def test_the_mail_is_the_golden_one(name: str) -> None:
    """The bytes are those that were read and found good."""
    case = CASES[name]
    mail = renderer(case.frame).render(case.digest, f"{name}@example.org", NOW, case.links)
    path = FOLDER / f"{name}.eml"
    if os.environ.get("DIGEST_REGENERATE"):
        path.write_bytes(mail.raw)
    assert path.read_bytes().decode() == mail.raw.decode(), case.why


def test_no_golden_mail_is_left_over() -> None:
    """Each golden file belongs to a case, and there are twenty at least."""
    assert {path.stem for path in FOLDER.glob("*.eml")} == set(CASES)
    assert len(CASES) >= 20
