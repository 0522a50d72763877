"""What is asked in each run looks at the rows that it is about, however many stand beside them."""

from __future__ import annotations

from digest.store.connection import Parameters
from digest.store.leases import BEGIN, CLOSE, FIRST_TRIES, GIVE_BACK, LEASE, RENEW, SETTLED_BY_TIME
from digest.store.ledger import SLOTS
from digest.store.postgres.store import PostgresStore
from digest.store.sqlite import SqliteStore
from digest.store.subscribers import FILED, LISTED
from tests.samples import FRAME, NOW, digest_of
from tests.store.test_ledger import person

WAITING, TROUBLE = "deliveries_waiting", "deliveries_in_trouble"
LEASING = LEASE.format(skip_locked="", among="")
NUMBER, ADDRESS, SENDING = "the row's number", "the address", "what is being sent"

WAYS = [
    *zip(
        SETTLED_BY_TIME,
        (SENDING, TROUBLE, TROUBLE, WAITING, TROUBLE, WAITING, TROUBLE),
        strict=True,
    ),
    *zip(FIRST_TRIES, (WAITING, SENDING), strict=True),
    (LEASING, WAITING),
    (BEGIN, NUMBER),
    (CLOSE, NUMBER),
    (RENEW, NUMBER),
    (GIVE_BACK, NUMBER),
    (SLOTS, "subscribers_by_slot"),
    (FILED, "subscribers_of_file"),
    (LISTED, ADDRESS),
]
"""Statements, and the index by which each finds its rows."""

VALUES = {
    "now": NOW.isoformat(),
    "until": "",
    "owner": "w",
    "fresh": "2026-11-20T06:00:9",
    "tries": 2,
}
VALUES |= {
    "begun": "[1]",
    "held": "[1]",
    "tried": "[]",
    "limit": 32,
    "waited_since": "2026-11-20T06:00",
    "after": 5,
}

KEYS = {
    SqliteStore: {
        NUMBER: "INTEGER PRIMARY KEY",
        ADDRESS: "(address_key=?)",
        SENDING: "deliveries_leased",
    },
    PostgresStore: {
        NUMBER: "deliveries_pkey",
        ADDRESS: "subscribers_address_key_key",
        SENDING: "deliveries_sending",
    },
}
"""What each calls its index of a key."""

READS_ALL = ("SCAN deliveries\n", "SCAN d\n", "SCAN subscribers\n", "Seq Scan on", "Sort", "TEMP")
"""How SQLite and PostgreSQL say that they read a table as a whole, or sort what they found."""

MANY = """
INSERT INTO subscribers (id, email, address_key, origin, state, timezone, send_at, days, name,
    profile, answered_on, created_at, updated_at)
SELECT 100 + n, '', n, 'store', 'active', 'zone ' || n % 9, '07:00', 'mon', '', '{{}}', '', '', ''
FROM {numbers};
INSERT INTO deliveries (id, subscriber_id, digest_on, state, message_id, recipient, frame_id,
    listing_ids, prepared_at, attempts, unknowns, next_attempt_at, lease_until, owner, code, reply)
SELECT 100 + n, 100 + n, '2026-11-20', CASE n % 8 WHEN 0 THEN 'queued' ELSE 'sent' END, n, '',
    (SELECT frame_id FROM deliveries WHERE id = 1), '[]', '2026-11-20T06:00:' || n, 1, 0,
    CASE n % 8 WHEN 0 THEN '2026-11-20T06:00' END,
    CASE n % 80 WHEN 0 THEN '2026-11-20T07:00' END, '', 0, '' FROM {numbers};
ANALYZE
"""
NUMBERS = {
    SqliteStore: "(WITH RECURSIVE all_n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM all_n"
    " WHERE n < 4000) SELECT n FROM all_n) AS numbers",
    PostgresStore: "generate_series(1, 30000) AS numbers (n)",
}


def plan_of(store: SqliteStore | PostgresStore, sql: str) -> str:
    """How the database goes about a statement, where reading a table as a whole costs much."""
    values: Parameters = {name: value for name, value in VALUES.items() if f":{name}" in sql}
    if "?" in sql:
        values = ('["ada@example.org"]',)
    if isinstance(store, SqliteStore):
        return "\n".join(row[3] for row in store.rows("EXPLAIN QUERY PLAN " + sql, values))
    with store.at_one_moment() as db:
        for way in ("seqscan", "bitmapscan", "hashjoin", "mergejoin"):  # those of small tables
            db.execute(f"SET LOCAL enable_{way} = off")
        return "\n".join(row for (row,) in db.execute("EXPLAIN " + sql, values).fetchall())


def test_few_rows_are_found_by_their_index(store: SqliteStore | PostgresStore) -> None:
    """No run reads a table as a whole, and none sorts what waits."""
    store.open_deliveries(FRAME, [digest_of(person(store))], NOW)
    with store.writing() as db:
        for sql in MANY.format(numbers=NUMBERS[type(store)]).split(";"):
            db.execute(sql)
    for sql, index in WAYS:
        plan = plan_of(store, sql)
        assert KEYS[type(store)].get(index, index) in plan, plan
        assert not [word for word in READS_ALL if word in plan + "\n"], plan
