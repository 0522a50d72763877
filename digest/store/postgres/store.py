"""The store on a PostgreSQL database."""

from __future__ import annotations

from pathlib import Path

from digest.errors import StoreError
from digest.store.postgres.beside import MachineJournal, MachineMark
from digest.store.postgres.connection import PostgresConnections
from digest.store.postgres.searching import PostgresSearch
from digest.store.suppression import Hashes, unkeyed
from digest.store.verbs import Verbs


class PostgresStore(PostgresSearch, MachineJournal, MachineMark, Verbs, PostgresConnections):
    """Every verb of `Store` on PostgreSQL, for any number of processes and machines.

    `address` is a `postgresql://` address. `path` names the files of this machine beside the
    database: who left (`.suppressed`) and how far sending had come (`.sent`). `hashes` makes the
    keyed hashes under which suppressed addresses are known.
    Raises: StoreError when the database cannot be used or was written by a newer version.
    """

    def __init__(self, address: str, path: Path, hashes: Hashes = unkeyed) -> None:
        super().__init__(address, path)
        self.hashes = hashes
        self.catch_up()

    def back_up(self, file: Path, *, replace: bool = False) -> int:
        """Copies of a PostgreSQL are made by its own programs. Raises: StoreError always."""
        raise StoreError(f"{file}: {self.place} is copied by PostgreSQL's own pg_dump")
