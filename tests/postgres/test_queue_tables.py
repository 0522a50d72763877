"""The tables of the queue: in a schema of their own, made once, refused where they are newer."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import count

import psycopg
import pytest

from digest.cluster.schema import make_queue_tables
from digest.errors import StoreError
from tests.postgres.database import made

NAMES = (f"queue_{number}" for number in count())


@pytest.fixture
def fresh(server: str) -> str:
    """The address of a database with nothing in it."""
    return made(server, next(NAMES))


def asked(address: str, sql: str) -> list[tuple[object, ...]]:
    """The rows of a query, none of what gives none."""
    with psycopg.connect(address) as connection:
        found = connection.execute(sql.encode())
        return found.fetchall() if found.description else []


def test_several_first_starts_make_the_tables_once(fresh: str) -> None:
    """Beside ours, not among them; a later start changes nothing."""
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(make_queue_tables, [fresh] * 4))
    make_queue_tables(fresh)
    schemas = "SELECT DISTINCT schemaname FROM pg_tables WHERE tablename LIKE 'procrastinate%'"
    assert asked(fresh, schemas) == [("procrastinate",)]
    assert asked(fresh, "SELECT * FROM pg_tables WHERE schemaname = 'public'") == []
    steps = asked(fresh, "SELECT name FROM procrastinate.schema_steps")
    assert len(steps) == len(set(steps)) > 20


def test_older_tables_are_brought_up_to_date(fresh: str) -> None:
    """By the steps that they lack, in their order, each once."""
    make_queue_tables(fresh)
    asked(fresh, "DELETE FROM procrastinate.schema_steps WHERE name LIKE '03.03.00_01_%'")
    asked(fresh, "DROP FUNCTION procrastinate.procrastinate_fetch_job_v2")
    there = "SELECT count(*) FROM pg_proc WHERE proname = 'procrastinate_fetch_job_v2'"
    assert asked(fresh, there) == [(0,)]
    make_queue_tables(fresh)
    assert asked(fresh, there) == [(1,)]


def test_tables_of_a_newer_procrastinate_are_left_alone(fresh: str) -> None:
    """The program says that it is to be upgraded."""
    make_queue_tables(fresh)
    asked(fresh, "INSERT INTO procrastinate.schema_steps (name) VALUES ('99.00.00_01_pre_future')")
    with pytest.raises(StoreError, match=r"newer procrastinate.*99\.00\.00_01_pre_future.*upgrade"):
        make_queue_tables(fresh)


def test_who_may_make_no_schema_is_told_what_to_do(fresh: str) -> None:
    """With the statement that an administrator runs; no password is shown."""
    role = f"poor_{fresh.partition('queue_')[2].partition('?')[0]}"
    asked(fresh, f"CREATE ROLE {role} LOGIN PASSWORD 's3cret'")
    poor = psycopg.conninfo.make_conninfo(fresh, user=role, password="s3cret")
    with pytest.raises(
        StoreError, match=f'GRANT CREATE ON DATABASE "queue_.*" TO "{role}"'
    ) as told:
        make_queue_tables(poor)
    assert "s3cret" not in str(told.value)
    asked(fresh, f"DROP ROLE {role}")
