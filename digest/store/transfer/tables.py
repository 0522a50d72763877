"""Which tables are moved, in which order, and what is not.

A table of a later step of the schema belongs into one of the two lists; a test holds that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

MOVED: Mapping[str, Sequence[str]] = MappingProxyType(
    {
        "listings": ("id",),
        "identities": ("identity",),
        "facets": ("kind", "name", "day", "listing_id"),
        "votes": ("listing_id", "seen_on"),
        "terms": ("term",),
        "counters": ("name",),
        "source_runs": ("id",),
        "remembered": ("source", "url"),
        "subscribers": ("id",),
        "suppressed": ("address",),
        "returns": ("message_id", "what"),
        "signups": ("id",),
        "consents": ("id",),
        "tries": ("id",),
        "used_links": ("link",),
        "likes": ("rowid",),  # their order, which SQLite keeps of itself
        "profile_history": ("id",),
        "feed_links": ("subscriber_id",),
        "api_keys": ("id",),
        "snapshots": ("id",),
        "deliveries": ("id",),
        "bodies": ("delivery_id",),
        "letters": ("id",),
        "notes": ("topic", "noted_at"),
        "service_states": ("topic",),
    }
)
"""Table -> the columns that tell its rows apart and order them; who is pointed at comes first."""

LEFT_OUT: Mapping[str, str] = MappingProxyType(
    {
        "search": "made anew from the listings, as each database searches in its own way",
        "sends": "the count of sends, which each database keeps in its own way; set apart",
        "beats": "what the workers of a service did last; there they are others",
        "turns": "who asks which host at this moment",
        "quotas": "who may hold which connections at this moment",
        "rates": "how far the limits of minutes and hours have been used",
        "rests": "which mail servers are in trouble now; that is found out again",
        "schema_steps": "how far the schema of this database has come",
        "_sqlite_migrations": "the same",
        "sqlite_sequence": "SQLite's own; the numbers in it are set apart",
    }
)
"""Tables that are not copied row by row, and why."""

NUMBERED: Mapping[str, str] = MappingProxyType(
    {table: key[0] for table, key in MOVED.items() if key in {("id",), ("rowid",)}}
)
"""Table -> its column of numbers that the database gives."""

NEVER_AGAIN = ("signups", "profile_history", "api_keys", "snapshots")
"""Tables whose numbers are given once for all time: links and rows elsewhere may name them."""
