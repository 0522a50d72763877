"""The schema of what machines settle between them; it holds nothing that is worth a backup."""

TURNS = """
CREATE TABLE turns (              -- hosts that are asked by one at a time
    name plain PRIMARY KEY,
    owner plain NOT NULL,         -- the process that asks now, or ''
    free_at timestamptz NOT NULL  -- from when on the turn may be taken
);
"""
