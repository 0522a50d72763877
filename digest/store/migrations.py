"""The schema of the SQLite store, step by step; a released step is never changed."""

from __future__ import annotations

from datetime import datetime

from sqlite_utils import Database, Migrations

from digest.store.first_schema import LEDGER
from digest.store.freeze import LISTING
from digest.store.shelving import keep_in_fts, shelf_day, shelve

migrations = Migrations("paper_digest")


@migrations()
def m001_ledger(db: Database) -> None:
    """Listings, sources, subscribers, snapshots and deliveries."""
    db.executescript(LEDGER)


SIGNUPS = """
CREATE TABLE signups (
    id INTEGER PRIMARY KEY AUTOINCREMENT,  -- links name it: a number is never used again
    address_key TEXT NOT NULL UNIQUE,
    body TEXT NOT NULL,           -- the Subscriber that was asked for, as JSON
    form TEXT NOT NULL,           -- the version of the form
    client TEXT NOT NULL,         -- the client's network, masked
    asked_at TEXT NOT NULL,
    confirmed_at TEXT
);

CREATE TABLE consents (           -- what proves that a subscriber asked for the mail
    id INTEGER PRIMARY KEY,
    subscriber_id INTEGER NOT NULL REFERENCES subscribers (id),
    form TEXT NOT NULL,
    client TEXT NOT NULL,
    asked_at TEXT NOT NULL,
    confirmed_at TEXT NOT NULL
);
CREATE INDEX consents_by_subscriber ON consents (subscriber_id);

CREATE TABLE letters (            -- mails that are no digest: a link to confirm, a link to manage
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,           -- signup: asked for by anyone; link: by the holder of a link
    recipient TEXT NOT NULL,      -- '' when it need no longer be known
    address TEXT NOT NULL,        -- a keyed hash of it, which the limits count
    signup_id INTEGER,
    message_id TEXT NOT NULL UNIQUE,
    state TEXT NOT NULL,
    created_at TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    unknowns INTEGER NOT NULL,
    next_attempt_at TEXT,
    lease_until TEXT,
    owner TEXT NOT NULL,
    code INTEGER NOT NULL,
    reply TEXT NOT NULL,
    closed_at TEXT
);
CREATE INDEX letters_waiting ON letters (next_attempt_at)
    WHERE state IN ('queued', 'deferred', 'unknown');
CREATE INDEX letters_leased ON letters (lease_until) WHERE state = 'sending';
CREATE INDEX letters_by_address ON letters (address, created_at);

CREATE TABLE tries (              -- sign-ups that were let through, for the limits
    id INTEGER PRIMARY KEY,
    network TEXT NOT NULL,        -- a keyed hash of the client's network
    tried_at TEXT NOT NULL
);
CREATE INDEX tries_by_network ON tries (network, tried_at);
CREATE INDEX tries_by_time ON tries (tried_at);

CREATE TABLE used_links (
    link TEXT PRIMARY KEY,        -- a keyed hash of a link that works once
    used_at TEXT NOT NULL
) WITHOUT ROWID;

ALTER TABLE subscribers ADD COLUMN paused_until TEXT NOT NULL DEFAULT '';
"""


@migrations()
def m002_signups(db: Database) -> None:
    """Sign-ups, their letters, their limits and their proof; links that work once; pauses."""
    db.executescript(SIGNUPS)


USE = """
ALTER TABLE snapshots ADD COLUMN used_at TEXT NOT NULL DEFAULT '';  -- last opened in a digest
UPDATE snapshots SET used_at = strftime('%Y-%m-%dT%H:%M:%S.000000+00:00', 'now');
CREATE INDEX snapshots_by_use ON snapshots (used_at);
"""


@migrations()
def m003_snapshot_use(db: Database) -> None:
    """When each snapshot was last used, so that tidying need not read every digest."""
    db.executescript(USE)


LIKES = """
CREATE TABLE likes (              -- what subscribers said of listings
    subscriber_id INTEGER NOT NULL REFERENCES subscribers (id),
    listing_key TEXT NOT NULL,
    value INTEGER NOT NULL CHECK (value IN (1, -1)),
    origin TEXT NOT NULL,         -- where it was said: cli, web
    liked_at TEXT NOT NULL,
    body TEXT NOT NULL,           -- the Listing as it was then, as JSON
    PRIMARY KEY (subscriber_id, listing_key)
);
"""


@migrations()
def m004_likes(db: Database) -> None:
    """What subscribers liked and disliked."""
    db.executescript(LIKES)


VOTES = """
CREATE TABLE votes (              -- how many votes a listing had, at first sight on each day
    listing_id INTEGER NOT NULL REFERENCES listings (id),
    seen_on TEXT NOT NULL,
    votes INTEGER NOT NULL,
    PRIMARY KEY (listing_id, seen_on)
) WITHOUT ROWID;
CREATE INDEX votes_by_day ON votes (seen_on);
"""


@migrations()
def m005_votes(db: Database) -> None:
    """The votes of each day, so that it can be seen which listings gather them."""
    db.executescript(VOTES)


LEASES = """
CREATE TABLE bodies (             -- apart, so that a change of state rewrites no page of text
    delivery_id INTEGER PRIMARY KEY REFERENCES deliveries (id) ON DELETE CASCADE,
    body TEXT NOT NULL            -- sections, scores, reasons, receipt as JSON
);
INSERT INTO bodies SELECT id, body FROM deliveries;
ALTER TABLE deliveries DROP COLUMN body;
DROP INDEX deliveries_leased;
CREATE INDEX deliveries_leased ON deliveries (lease_until) WHERE lease_until IS NOT NULL;
"""


@migrations()
def m006_leases(db: Database) -> None:
    """A waiting row may be leased while its mail is made; the text of a digest stands apart."""
    db.executescript(LEASES)


IMPRINTS = """
-- What the bytes that went out came to, to tell whether a replay gives the same.
ALTER TABLE deliveries ADD COLUMN imprint TEXT NOT NULL DEFAULT '';
"""


@migrations()
def m007_imprints(db: Database) -> None:
    """What tells a sent mail's bytes from others."""
    db.executescript(IMPRINTS)


API_KEYS = """
CREATE TABLE api_keys (           -- by which programs act for a subscriber
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    subscriber_id INTEGER NOT NULL REFERENCES subscribers (id),
    name TEXT NOT NULL,           -- the subscriber's own word for it
    fingerprint TEXT NOT NULL UNIQUE,  -- a keyed hash of the key
    created_at TEXT NOT NULL,
    used_on TEXT NOT NULL         -- the last day of use, or ''
);
CREATE INDEX api_keys_by_subscriber ON api_keys (subscriber_id);
CREATE INDEX deliveries_by_digest_day ON deliveries (digest_on);
"""


@migrations()
def m008_api_keys(db: Database) -> None:
    """Keys of programs; the ledger by day."""
    db.executescript(API_KEYS)


HISTORY = """
CREATE TABLE profile_history (    -- what settings were before each change, for a week
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    subscriber_id INTEGER NOT NULL REFERENCES subscribers (id),
    changed_at TEXT NOT NULL,
    origin TEXT NOT NULL,         -- by what: form, toml, mail, cli, api, undo
    says TEXT NOT NULL,           -- what changed, a list of sentences as JSON
    before TEXT NOT NULL,         -- the Subscriber as it was, as JSON
    listing_key TEXT NOT NULL     -- what was liked or disliked by it, or empty
);
CREATE INDEX profile_history_by_subscriber ON profile_history (subscriber_id, id);
"""


@migrations()
def m009_profile_history(db: Database) -> None:
    """How settings were before each change, so that it can be undone."""
    db.executescript(HISTORY)


RETURNS = """
CREATE TABLE suppressed (         -- whom nobody may mail; outlives the subscriber's row
    address TEXT PRIMARY KEY,     -- a keyed hash of the address in small letters
    reason TEXT NOT NULL,         -- failing, bounced, blocked, left, complained
    note TEXT NOT NULL,           -- without an address
    since TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE returns (            -- what came back for our mails
    message_id TEXT NOT NULL,     -- of our mail: one that is reported twice counts once
    what TEXT NOT NULL,           -- hard, soft, complaint, opt-out
    subscriber_id INTEGER,        -- NULL for a letter
    domain TEXT NOT NULL,         -- of the recipient
    failed_on TEXT NOT NULL,      -- the day of our mail
    returned_at TEXT NOT NULL,
    note TEXT NOT NULL,           -- without an address
    counts INTEGER NOT NULL,      -- 0 once the suppression that it led to was lifted
    PRIMARY KEY (message_id, what)
) WITHOUT ROWID;
CREATE INDEX returns_by_subscriber ON returns (subscriber_id);
CREATE INDEX returns_by_time ON returns (returned_at);
"""


@migrations()
def m010_returns(db: Database) -> None:
    """What came back for mails, and the suppression list."""
    db.executescript(RETURNS)


SHELVES = """
ALTER TABLE listings ADD COLUMN day TEXT NOT NULL DEFAULT '';  -- on whose page it stands
ALTER TABLE listings ADD COLUMN votes INTEGER;
CREATE INDEX listings_by_day ON listings (day);
CREATE INDEX listings_by_votes ON listings (day, votes);

CREATE TABLE facets (
    day TEXT NOT NULL,
    kind TEXT NOT NULL,           -- source, category
    name TEXT NOT NULL,
    listing_id INTEGER NOT NULL REFERENCES listings (id),
    PRIMARY KEY (kind, name, day, listing_id)
) WITHOUT ROWID;
CREATE INDEX facets_by_day ON facets (day, kind, name);

-- A short beginning stands in nearly every abstract: those of 3 and 4 letters have an index each.
CREATE VIRTUAL TABLE search USING fts5(
    title, abstract, author, category, org, source, id,
    tokenize = 'porter unicode61 remove_diacritics 2',
    prefix = '3 4'
);
"""


@migrations()
def m011_shelves(db: Database) -> None:
    """Listings by their day, source and category, and by the words in them."""
    db.executescript(SHELVES)
    rows = db.execute("SELECT id, body, first_seen_at FROM listings ORDER BY id")
    for row, body, first_seen_at in rows:  # not all at once: each has an abstract
        listing = LISTING.validate_json(body)
        day = shelf_day(listing, datetime.fromisoformat(first_seen_at))
        db.execute(
            "UPDATE listings SET day = ?, votes = ? WHERE id = ?",
            (day.isoformat(), listing.votes, row),
        )
        shelve(db.conn, keep_in_fts, {row: listing}, {row: day})


FEEDS = """
CREATE TABLE feed_links (         -- who reads their digests in a feed reader
    subscriber_id INTEGER PRIMARY KEY REFERENCES subscribers (id),
    made_at TEXT NOT NULL         -- the one link that works was made then
);
"""


@migrations()
def m012_feed_links(db: Database) -> None:
    """Private links to one's own digests, each until it is revoked."""
    db.executescript(FEEDS)


STATES = """
CREATE TABLE service_states (     -- what the running service has to say of itself
    topic TEXT PRIMARY KEY,       -- settings, relays
    says TEXT NOT NULL,           -- a list of sentences as JSON
    since TEXT NOT NULL
) WITHOUT ROWID;
"""


@migrations()
def m013_service_states(db: Database) -> None:
    """What is wrong with a running service, for commands that are other processes."""
    db.executescript(STATES)


NOTES = """
CREATE TABLE notes (              -- what the operator was told by mail, so that it is told once
    topic TEXT NOT NULL,          -- daily, source:NAME, relay:HOST
    noted_at TEXT NOT NULL,
    letter_id INTEGER NOT NULL,
    PRIMARY KEY (topic, noted_at)
) WITHOUT ROWID;
-- What a letter says as JSON, where that is settled when it is written: a note to the operator.
ALTER TABLE letters ADD COLUMN body TEXT NOT NULL DEFAULT '';
"""


@migrations()
def m014_notes(db: Database) -> None:
    """Notes to the operator, each once."""
    db.executescript(NOTES)


BEATS = """
CREATE TABLE beats (              -- what the processes of one service know of each other
    worker TEXT NOT NULL,         -- MACHINE:PID
    step TEXT NOT NULL,
    began_at TEXT NOT NULL,
    ended_at TEXT,                -- NULL while it runs for the first time
    failed INTEGER NOT NULL,      -- how many ends in a row
    PRIMARY KEY (worker, step)
) WITHOUT ROWID;
"""


@migrations()
def m015_beats(db: Database) -> None:
    """When each worker ran which step."""
    db.executescript(BEATS)


FEW_ROWS = """
-- What did not go out at once, among the many that did.
CREATE INDEX deliveries_in_trouble ON deliveries (state, prepared_at)
    WHERE state IN ('deferred', 'unknown');
-- Asked for each snapshot that is forgotten.
CREATE INDEX deliveries_by_frame ON deliveries (frame_id);
"""


@migrations()
def m016_few_rows(db: Database) -> None:
    """Ways to the few rows that a step is about."""
    db.executescript(FEW_ROWS)


@migrations()
def m017_of_the_file(db: Database) -> None:
    """Who stands in the config file, which is asked at every start."""
    db.executescript(
        "CREATE INDEX subscribers_of_file ON subscribers (address_key) WHERE origin = 'file'"
    )
