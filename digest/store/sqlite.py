"""The store on one SQLite file."""

from __future__ import annotations

from pathlib import Path

from digest.store.backups import BackupVerbs
from digest.store.fts import FtsVerbs
from digest.store.suppression import Hashes, unkeyed
from digest.store.verbs import Verbs


class SqliteStore(FtsVerbs, Verbs, BackupVerbs):
    """Every verb of `Store` on one SQLite file, made where it is missing.

    `hashes` makes the keyed hashes under which suppressed addresses are known.
    Raises: StoreError when the file cannot be used or was written by a newer version.
    """

    def __init__(self, path: Path, hashes: Hashes = unkeyed) -> None:
        super().__init__(path)
        self.hashes = hashes
        self.catch_up()
