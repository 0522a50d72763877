"""How bytes come in: polite, guarded HTTP and the operator's own files.

Never parses, never stores. Every fault is a `SourceError`; one of HTTP is a `FetchError`, which
carries what to remember, so that the next run waits as long as it was asked to.
"""

from __future__ import annotations

from digest.fetcher.client import Fetched, Fetcher, FetchError, Limits, no_connection
from digest.fetcher.files import read_files
from digest.fetcher.guard import is_public
from digest.fetcher.memory import Remembered
from digest.fetcher.pace import Pace
from digest.fetcher.patience import patience
from digest.fetcher.turns import LocalTurns, Turns

__all__ = [
    "FetchError",
    "Fetched",
    "Fetcher",
    "Limits",
    "LocalTurns",
    "Pace",
    "Remembered",
    "Turns",
    "is_public",
    "no_connection",
    "patience",
    "read_files",
]
