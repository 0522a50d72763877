"""What a share costs on PostgreSQL: as many rows are looked at as are leased, whatever waits."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from digest.share import BUCKETS
from digest.store.leases import LEASE
from digest.store.postgres.store import PostgresStore
from tests.samples import NOW, subscriber
from tests.store.test_ledger import queued

READERS = """
INSERT INTO subscribers (email, address_key, origin, state, timezone, send_at, days, name, profile,
    answered_on, created_at, updated_at)
SELECT 'reader' || n || '@example.org', 'reader' || n || '@example.org', origin, state, timezone,
    send_at, days, name, profile, answered_on, created_at, updated_at
FROM subscribers, generate_series(1, 20000) n
"""

DELIVERIES = """
INSERT INTO deliveries (id, subscriber_id, digest_on, state, message_id, recipient, frame_id,
    listing_ids, prepared_at, attempts, unknowns, next_attempt_at, owner, code, reply)
SELECT d.id + s.id, s.id, digest_on, d.state, s.id || d.message_id, s.email, frame_id,
    listing_ids, prepared_at, attempts, unknowns, next_attempt_at, owner, code, reply
FROM deliveries d, subscribers s WHERE s.id != d.subscriber_id
"""


@pytest.mark.parametrize(
    ("index", "among"),
    [
        ("deliveries_waiting", ""),
        ("deliveries_waiting_by_bucket", f" AND d.subscriber_id % {BUCKETS} = :bucket"),
    ],
)
def test_a_lease_looks_at_no_more_rows_than_it_takes(
    postgres: PostgresStore, index: str, among: str
) -> None:
    """Of 20,000 that wait since the same moment it reads the next 32, of all or of one bucket."""
    queued(postgres, postgres.put_subscriber(subscriber(), NOW))
    with postgres.writing() as db:
        db.execute(READERS)
        db.execute(DELIVERIES)
        db.execute("ANALYZE")
    later = NOW.replace(hour=23).isoformat(timespec="microseconds")
    asked = {"owner": "w", "tries": 2, "limit": 32, "bucket": 3, "waited_since": "", "after": 0}
    values = {"now": later, "until": later, **asked}
    sql = LEASE.format(skip_locked=postgres.skip_locked, among=among)
    with postgres.writing() as db:
        ((plan,),) = db.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}", values).fetchall()
    nodes = list(_nodes(plan[0]["Plan"]))
    (scan,) = (node for node in nodes if node.get("Index Name") == index)
    assert scan["Actual Rows"] == 32, json.dumps(plan)


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every node of a plan."""
    yield plan
    for below in plan.get("Plans", ()):
        yield from _nodes(below)
