"""The schema of what machines settle between them; it holds nothing that is worth a backup."""

TURNS = """
CREATE TABLE turns (              -- hosts that are asked by one at a time
    name plain PRIMARY KEY,
    owner plain NOT NULL,         -- the process that asks now, or ''
    free_at timestamptz NOT NULL  -- from when on the turn may be taken
);
"""

COMMONS = """
CREATE TABLE quotas (             -- connections to a relay, messages to a receiver
    name plain NOT NULL,
    owner plain NOT NULL,         -- the process that may hold them
    granted bigint NOT NULL,
    wanted bigint NOT NULL,
    until timestamptz NOT NULL,
    PRIMARY KEY (name, owner)
);

CREATE TABLE rates (              -- how far the limits in time have been used
    name plain NOT NULL,
    window_s double precision NOT NULL,  -- 0: where the line of those who wait ends
    at double precision NOT NULL,  -- seconds since 1970
    PRIMARY KEY (name, window_s)
);

CREATE TABLE rests (              -- relays and receivers in trouble
    name plain PRIMARY KEY,
    rests bigint NOT NULL,        -- since it last went well
    until timestamptz NOT NULL,
    reply plain NOT NULL,
    prober plain NOT NULL,        -- the process that tries it, or ''
    probe_until timestamptz NOT NULL
);
"""
