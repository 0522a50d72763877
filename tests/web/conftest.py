"""A running site for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.web.running import Running, running_site


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Running]:
    """A site with an empty store."""
    with running_site(tmp_path) as running:
        yield running
