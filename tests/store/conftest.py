"""A fresh store for each test: every case of the contract runs on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from digest.store.sqlite import SqliteStore
from tests.postgres.database import AnyStore


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[SqliteStore]:
    """An empty store on a file of its own."""
    store = SqliteStore(tmp_path / "digest.db")
    yield store
    store.close_store()


@pytest.fixture(params=["sqlite", "postgres"])
def store(request: pytest.FixtureRequest) -> AnyStore:
    """An empty store, on either."""
    kept: AnyStore = request.getfixturevalue(request.param)
    return kept
