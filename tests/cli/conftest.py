"""A desk for each test."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.desk import NOW, Desk, at


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A folder with a config and listings, which is also where the commands run."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DIGEST_CONFIG", raising=False)
    at(monkeypatch, NOW)
    return Desk(tmp_path)
