"""The files of one machine beside a database that several machines use.

Each machine writes down who left by its own pages and commands, and how far sending had come when
it last sent itself; so each has a counter of its own for what the database knows of its file. A
machine without a file is a new one, and not the sign of an older copy.
"""

from __future__ import annotations

import socket

from digest.store.connection import Statements
from digest.store.journal import Journal
from digest.store.watermark import Mark, Watermark


class MachineJournal(Journal):
    """Who left by this machine, in its file."""

    read_counter = f"{Journal.read_counter} {socket.gethostname()}"


class MachineMark(Watermark):
    """How far this machine had come, in its file."""

    def _sends(self) -> int:
        ((number,),) = self.rows("SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM sends")
        return int(number)

    def _set_sends(self, db: Statements, number: int) -> None:
        db.execute("SELECT setval('sends', ?)", (number,))

    def _count_send(self, db: Statements) -> int:
        # A sequence, as nobody waits for another's transaction to raise it.
        return int(db.execute("SELECT nextval('sends')").fetchone()[0])

    def _is_behind_mark(self, mark: Mark | None) -> bool:
        return mark is not None and mark.number > self._sends()
