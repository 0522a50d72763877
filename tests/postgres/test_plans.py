"""How the planner goes about rows on their way out, whatever it was last told of the tables."""

from __future__ import annotations

from pathlib import Path

import pytest

from digest.share import BUCKETS
from digest.store.connection import Part
from digest.store.leases import BEGIN, CLOSE, GIVE_BACK, LEASE, RENEW
from digest.store.postgres.store import PostgresStore
from tests.samples import FRAME, NOW, digest_of
from tests.store.test_ledger import person
from tests.store.test_plans import MANY, VALUES

PEOPLE, DELIVERIES, ANALYZE = MANY.format(numbers="generate_series(1, 1500) AS numbers (n)").split(
    ";"
)

LEASING = LEASE.format(skip_locked=PostgresStore.skip_locked, among="{among}")


def told(store: PostgresStore, *statements: str) -> None:
    """Run these, each by itself."""
    store.open_deliveries(FRAME, [digest_of(person(store))], NOW)
    for sql in statements:
        with store.writing() as db:
            db.execute(sql)


def plan_of(store: PostgresStore, sql: str, part: Part = Part.SENDING) -> str:
    """How the database goes about a statement in a transaction of its kind."""
    values = VALUES | {"bucket": 1}
    with store.writing(part) as db:
        asked = {name: value for name, value in values.items() if f":{name}" in sql}
        return "\n".join(row for (row,) in db.execute("EXPLAIN " + sql, asked).fetchall())


@pytest.mark.parametrize("sql", [BEGIN, CLOSE, RENEW, GIVE_BACK])
def test_a_few_rows_of_a_small_ledger_are_looked_up(postgres: PostgresStore, sql: str) -> None:
    """By their numbers, though a table of a thousand rows is soon read as a whole."""
    told(postgres, PEOPLE, DELIVERIES, ANALYZE)
    plan = plan_of(postgres, sql)
    assert "Index Scan using deliveries_pkey" in plan, plan
    assert "Seq Scan" not in plan, plan


@pytest.mark.parametrize("among", ["", f" AND d.subscriber_id % {BUCKETS} = :bucket"])
def test_what_waits_in_new_tables_is_not_sorted(address: str, tmp_path: Path, among: str) -> None:
    """The first morning, before the server has looked at them: they are taken off an index."""
    store = PostgresStore(address, tmp_path / "digest")
    told(store, PEOPLE, DELIVERIES)
    plan = plan_of(store, LEASING.format(among=among), Part.LEASING)
    store.close_store()
    assert "Sort" not in plan, plan
    assert "Index Scan using deliveries_waiting" in plan, plan
