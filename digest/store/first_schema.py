"""The schema that the first step of the SQLite store makes; it is never changed."""

LEDGER = """
CREATE TABLE listings (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    title TEXT NOT NULL,
    body TEXT NOT NULL,           -- the Listing as JSON
    first_seen_at TEXT NOT NULL,
    sendable INTEGER NOT NULL     -- 0: older than its source's max_age_days
);
CREATE INDEX listings_first_seen ON listings (first_seen_at, sendable);

CREATE TABLE identities (
    identity TEXT PRIMARY KEY,    -- arxiv:…, doi:…, title:…
    listing_id INTEGER NOT NULL REFERENCES listings (id)
) WITHOUT ROWID;

CREATE TABLE terms (
    term TEXT PRIMARY KEY,
    listings INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE counters (
    name TEXT PRIMARY KEY,        -- listings_counted
    value INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE source_runs (
    id INTEGER PRIMARY KEY,
    source TEXT NOT NULL,
    started_at TEXT NOT NULL,
    succeeded INTEGER NOT NULL,
    body TEXT NOT NULL            -- the SourceRun as JSON
);
CREATE INDEX source_runs_by_source ON source_runs (source, started_at);

CREATE TABLE remembered (
    source TEXT NOT NULL,
    url TEXT NOT NULL,
    body TEXT NOT NULL,           -- validators, redirects, retry times as JSON
    PRIMARY KEY (source, url)
) WITHOUT ROWID;

CREATE TABLE subscribers (
    id INTEGER PRIMARY KEY,
    email TEXT NOT NULL,
    address_key TEXT NOT NULL UNIQUE,  -- the address with its domain in lower case
    origin TEXT NOT NULL,
    state TEXT NOT NULL,
    timezone TEXT NOT NULL,
    send_at TEXT NOT NULL,
    days TEXT NOT NULL,
    name TEXT NOT NULL,
    profile TEXT NOT NULL,        -- the Profile as JSON
    answered_on TEXT NOT NULL,    -- the last local day with a delivery row, or ''
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
);
CREATE INDEX subscribers_by_slot
    ON subscribers (state, timezone, send_at, days, answered_on);

CREATE TABLE snapshots (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    digest BLOB NOT NULL UNIQUE,  -- SHA-256 of the body
    body TEXT NOT NULL            -- a Listing or a Frame as it was when it was mailed
);

CREATE TABLE deliveries (
    id INTEGER PRIMARY KEY,
    subscriber_id INTEGER NOT NULL REFERENCES subscribers (id),
    digest_on TEXT NOT NULL,
    state TEXT NOT NULL,
    message_id TEXT NOT NULL UNIQUE,
    recipient TEXT NOT NULL,      -- the envelope, frozen
    frame_id INTEGER NOT NULL REFERENCES snapshots (id),
    body TEXT NOT NULL,           -- sections, scores, reasons, receipt as JSON
    listing_ids TEXT NOT NULL,    -- what it shows, as a JSON list
    prepared_at TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    unknowns INTEGER NOT NULL,    -- how often the reply was lost
    next_attempt_at TEXT,
    lease_until TEXT,
    owner TEXT NOT NULL,
    code INTEGER NOT NULL,
    reply TEXT NOT NULL,
    closed_at TEXT,
    UNIQUE (subscriber_id, digest_on)
);
CREATE INDEX deliveries_waiting ON deliveries (next_attempt_at)
    WHERE state IN ('queued', 'deferred', 'unknown');
CREATE INDEX deliveries_leased ON deliveries (lease_until) WHERE state = 'sending';
CREATE INDEX deliveries_by_day ON deliveries (prepared_at, state);
"""
