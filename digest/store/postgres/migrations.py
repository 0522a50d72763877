"""The steps of the schema on PostgreSQL; a released step is never changed."""

from __future__ import annotations

from psycopg import Connection

from digest.store.postgres.between import COMMONS, TURNS
from digest.store.postgres.first_schema import FUNCTIONS, LEDGER, PEOPLE, SHELVES

WORKERS = """
CREATE TABLE beats (              -- what the processes of one service know of each other
    worker plain NOT NULL,        -- MACHINE:PID
    step plain NOT NULL,
    began_at plain NOT NULL,
    ended_at plain,               -- NULL while it runs for the first time
    failed bigint NOT NULL,       -- how many ends in a row
    PRIMARY KEY (worker, step)
);

-- What waits of one bucket, by the time at which it is due: see `digest.share`.
CREATE INDEX deliveries_waiting_by_bucket ON deliveries ((subscriber_id % 32), next_attempt_at)
    WHERE state IN ('queued', 'deferred', 'unknown');
"""

WAITING = """
-- The digests of a morning all wait since the same moment: in the order of their numbers, or each
-- lease sorts all that wait.
DROP INDEX deliveries_waiting;
CREATE INDEX deliveries_waiting ON deliveries (next_attempt_at, id)
    WHERE state IN ('queued', 'deferred', 'unknown');
DROP INDEX deliveries_waiting_by_bucket;
CREATE INDEX deliveries_waiting_by_bucket ON deliveries ((subscriber_id % 32), next_attempt_at, id)
    WHERE state IN ('queued', 'deferred', 'unknown');
"""

BUCKETS_TOLD = """
-- The planner passes over the statistics of an index of some rows: it takes a bucket for a sixth of
-- what it is, and sorts all that waits of it.
CREATE STATISTICS deliveries_buckets ON (subscriber_id % 32) FROM deliveries;
"""

FEW_ROWS = """
-- What did not go out at once, among millions that did.
CREATE INDEX deliveries_in_trouble ON deliveries (state, prepared_at)
    WHERE state IN ('deferred', 'unknown');
-- With its numbers: who is due is read from the index alone, in order.
DROP INDEX subscribers_by_slot;
CREATE INDEX subscribers_by_slot
    ON subscribers (state, timezone, send_at, days, answered_on, id);
"""

OF_THE_FILE = """
-- Who stands in the config file, which is asked at every start.
CREATE INDEX subscribers_of_file ON subscribers (address_key) WHERE origin = 'file';

-- Where the server has it: the same room as its older way, in a fifth of the time.
DO $$
BEGIN ALTER TABLE bodies ALTER COLUMN body SET COMPRESSION lz4;
EXCEPTION WHEN feature_not_supported THEN NULL;
END $$;
"""

LEASED_IN_PLACE = """
-- A lease changes columns that no index has, on a page that has room: so the row stays where it is,
-- and eight indexes are left alone.
DROP INDEX deliveries_leased;
CREATE INDEX deliveries_sending ON deliveries (id) WHERE state = 'sending';
ALTER TABLE deliveries SET (fillfactor = 50);
"""

FEW_NAMED = """
-- The planner takes a list for ten rows and not for a hundred, as it is taken for an array: so it
-- looks them up by their numbers, and does not read a small table whole for each handful of mails.
CREATE OR REPLACE FUNCTION json_each(text) RETURNS TABLE (value text)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT unnest(ARRAY(SELECT json_array_elements_text($1::json))) $$;
"""

STEPS: dict[str, str] = {
    "p001_everything": FUNCTIONS + SHELVES + PEOPLE + LEDGER,
    "p002_turns": TURNS,
    "p003_workers": WORKERS,
    "p004_who_waits_in_order": WAITING,
    "p005_buckets_told": BUCKETS_TOLD,
    "p006_few_rows": FEW_ROWS,
    "p007_commons": COMMONS,
    "p008_of_the_file": OF_THE_FILE,
    "p009_leased_in_place": LEASED_IN_PLACE,
    "p010_few_named": FEW_NAMED,
}
"""Name -> statements, in their order."""

OURS = 0x70617065
"""Keeps our advisory locks apart from those of other programs."""

_ONE_AT_A_TIME = f"SELECT pg_advisory_xact_lock({OURS}, 0)"
_APPLIED = """
CREATE TABLE IF NOT EXISTS schema_steps (
    name text PRIMARY KEY,
    applied_at timestamptz NOT NULL DEFAULT now()
)
"""


def migrate(connection: Connection) -> set[str]:
    """Bring the schema up to date, all of it or nothing; returns the steps that are not known.

    Where there are any, nothing is changed. Of several programs that start at once each waits for
    the one before it.
    """
    with connection.transaction():
        connection.execute(_ONE_AT_A_TIME)
        connection.execute(_APPLIED)
        applied = {name for (name,) in connection.execute("SELECT name FROM schema_steps")}
        if newer := applied - set(STEPS):
            return newer
        for name, statements in STEPS.items():
            if name not in applied:
                connection.execute(statements.encode())
                connection.execute("INSERT INTO schema_steps (name) VALUES (%s)", (name,))
    return set()
