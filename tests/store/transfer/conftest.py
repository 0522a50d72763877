"""A filled store and empty databases."""

from __future__ import annotations

from pathlib import Path

import pytest

from digest.store.sqlite import SqliteStore
from tests.postgres.database import new_database
from tests.store.transfer.moves import fill, use_up_numbers


@pytest.fixture
def kind() -> str:
    """One server is enough for what happens here; `test_moving.py` has every kind."""
    return "wheel"


@pytest.fixture
def other_address(server: str) -> str:
    """The address of another one."""
    return new_database(server)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A store that has something of everything, as a service leaves it."""
    (tmp_path / "old").mkdir()
    store = SqliteStore(tmp_path / "old" / "digest.db")
    fill(store)
    use_up_numbers(store)
    store.close_store()
    return store.path
