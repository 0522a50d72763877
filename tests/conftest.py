"""The PostgreSQL servers that are started once, for the tests that need one."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path

import pytest

from digest.store.postgres.store import PostgresStore
from tests.postgres.database import made, new_database, opened
from tests.postgres.servers import KINDS, running_server

Started = Callable[[str], str]
"""The kind of a server, which is started when it is first asked for -> an address on it."""


def pytest_configure() -> None:
    """No table is as narrow as the terminal of who runs the tests."""
    os.environ.pop("COLUMNS", None)  # which readline sets, among others


@pytest.fixture(scope="session")
def servers() -> Iterator[Started]:
    """The addresses of running servers."""
    with ExitStack() as running:
        yield cache(lambda kind: running.enter_context(running_server(kind)))


@pytest.fixture(scope="session")
def databases(servers: Started) -> Started:
    """The addresses of databases with the schema in them, which each test finds empty."""
    return cache(lambda kind: made(servers(kind), "contract"))


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    """Each kind of PostgreSQL."""
    one: str = request.param
    return one


@pytest.fixture
def server(kind: str, servers: Started) -> str:
    """The address of a running PostgreSQL, of each kind."""
    return servers(kind)


@pytest.fixture
def address(server: str) -> str:
    """The address of a database with nothing in it."""
    return new_database(server)


@pytest.fixture
def database(kind: str, databases: Started) -> str:
    """The address of a database with the schema in it, on a server of each kind."""
    return databases(kind)


@pytest.fixture
def postgres(tmp_path: Path, database: str) -> Iterator[PostgresStore]:
    """An empty store on a PostgreSQL."""
    store = opened(database, tmp_path)
    yield store
    store.close_store()
