"""Mails as files in a folder: what `--dry-run` and the tests send to."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from digest.mailer.envelope import WITHDRAWN, Envelope, Permit, Session
from digest.model import Outcome, Sent

OTHER = re.compile(r"[^A-Za-z0-9@._+-]")
LONGEST = 240
"""Characters of a name without its ending: file systems take 255 bytes."""


class EmlFolder:
    """Writes each mail as an `.eml` file instead of sending it; `written` lists the files.

    A second run writes over the files of the first; within one run each mail has its own.
    """

    workers = 1
    room = 1
    rest_s = 0.0

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.written: list[Path] = []
        self._taken: set[str] = set()

    @asynccontextmanager
    async def session(self) -> AsyncIterator[Session]:
        """A session that writes files."""
        yield self

    async def send(self, envelope: Envelope, permit: Permit) -> Outcome:
        """Write one file, named after its recipient."""
        if not permit():
            return WITHDRAWN
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / self._name(envelope.recipient)
        path.write_bytes(envelope.raw)
        self.written.append(path)
        return Sent(f"written to {path}")

    def _name(self, recipient: str) -> str:
        """A harmless name that no other mail of this run has, in whatever case."""
        stem = OTHER.sub("_", recipient)[:LONGEST]
        name, number = stem, 1
        while name.casefold() in self._taken:
            number += 1
            name = f"{stem}-{number}"
        self._taken.add(name.casefold())
        return f"{name}.eml"
