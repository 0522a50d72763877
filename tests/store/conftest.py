"""A fresh store for each test: every case of the contract runs on each database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from digest.store.sqlite import SqliteStore
from tests.postgres.database import AnyStore, opened
from tests.postgres.servers import KINDS


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[SqliteStore]:
    """An empty store on a file of its own."""
    store = SqliteStore(tmp_path / "digest.db")
    yield store
    store.close_store()


@pytest.fixture(params=["sqlite", *KINDS])
def store(
    request: pytest.FixtureRequest, tmp_path: Path, databases: Callable[[str], str]
) -> Iterator[AnyStore]:
    """An empty store, on each."""
    kept: AnyStore
    if request.param == "sqlite":
        kept = SqliteStore(tmp_path / "digest.db")
    else:
        kept = opened(databases(request.param), tmp_path)
    yield kept
    kept.close_store()
