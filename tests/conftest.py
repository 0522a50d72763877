"""The PostgreSQL that is started once, for the tests that need one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from digest.store.postgres.store import PostgresStore
from tests.postgres.database import emptied, made, running_server


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """The address of a running PostgreSQL."""
    with running_server() as address:
        yield address


@pytest.fixture(scope="session")
def database(server: str) -> str:
    """The address of a database with the schema in it, which each test finds empty."""
    return made(server, "contract")


@pytest.fixture
def postgres(tmp_path: Path, database: str) -> Iterator[PostgresStore]:
    """An empty store on a PostgreSQL."""
    store = PostgresStore(database, tmp_path / "digest")
    emptied(database)
    yield store
    store.close_store()
