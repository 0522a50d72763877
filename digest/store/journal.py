"""The words that nobody may lose, in a file beside the database: who left, who is suppressed.

A backup that is restored knows nothing of the days since it was made. The file does, as keyed
hashes, and brings the database up to date when it is opened, so that nobody is mailed who had left
by then (N8, U4). A line is written before its transaction ends; one whose transaction failed is
applied at the next start. Without the file a new one is made from the database.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from digest.store.connection import Connections, Statements, moment, set_counter
from digest.store.returned import Reason

UNSUBSCRIBED = "unsubscribed"
"""A word that stands in the file only: the subscriber's row has it as well."""

WORDS = {"", UNSUBSCRIBED, *Reason}

Entry = tuple[str, str, str]
"""Reason, note, and since when; the reason is empty where the address was taken off the list."""


class Journal(Connections):
    """The file and how much of it is known."""

    read_counter = "suppressed_read"
    """The counter that says how many bytes of the file the database knows."""

    @property
    def journal(self) -> Path:
        """Where the file is."""
        return self.path.with_name(self.path.name + ".suppressed")

    def _note(self, db: Statements, address: str, entry: Entry) -> None:
        """Write down what becomes of an address, within a transaction. Raises: OSError."""
        self._append(db, {address: entry})

    def _is_behind(self) -> bool:
        """Whether the file and the database tell of different days."""
        return self._size() != self._known()

    def _news(self, db: Statements) -> dict[str, Entry]:
        """What the file says last of each address, where it says more than the database knows.

        Within a transaction. A file that knows less than the database is made anew.
        """
        size, known = self._size(), self._known()
        if size == known:  # another process was here first
            return {}
        if size < known:
            self.journal.unlink(missing_ok=True)
            rows = db.execute("SELECT address, reason, note, since FROM suppressed").fetchall()
            self._append(db, {address: (why, note, since) for address, why, note, since in rows})
            return {}
        self._append(db, {})
        return dict(self._lines())

    def _append(self, db: Statements, entries: Mapping[str, Entry]) -> None:
        lines = [json.dumps([address, *entry]) + "\n" for address, entry in entries.items()]
        self.journal.touch(mode=0o600)
        with self.journal.open("ab") as file:
            file.write("".join(lines).encode("ascii"))
            file.flush()
            os.fsync(file.fileno())
        set_counter(db, self.read_counter, self._size())

    def _lines(self) -> Iterator[tuple[str, Entry]]:
        """What stands in the file, the oldest first; a line that was cut off is passed over."""
        for line in self.journal.read_text("ascii", errors="replace").splitlines():
            try:
                address, reason, note, since = map(str, json.loads(line))
                moment(since)
            except (ValueError, TypeError):
                continue
            if reason in WORDS:
                yield address, (reason, note, since)

    def _size(self) -> int:
        try:
            return self.journal.stat().st_size
        except FileNotFoundError:
            return 0

    def _known(self) -> int:
        return self.counter(self.read_counter)
