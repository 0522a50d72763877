"""The service's log on standard error: one line an event, no address, no forged line."""

from __future__ import annotations

import logging
import re
import time
from contextlib import suppress

import click

from digest.cli.saying import harmless

LONGEST = 2_000
"""Characters of one line; a hostile title or reply must not fill the disk."""

ADDRESS = re.compile(r"""[^\s<>"'(),:;\\]+@(?=[\w-]+(?:\.[\w-]+)*)""")


class OneLine(logging.Formatter):
    """Formats an event as one line with its addresses masked; a traceback keeps its lines."""

    def format(self, record: logging.LogRecord) -> str:
        """The lines of a record, each harmless."""
        lines = ADDRESS.sub("***@", super().format(record)).splitlines()
        kept = lines if record.exc_info else [" ".join(lines)]
        return "\n".join(harmless(line)[:LONGEST] for line in kept)


class ToStderr(logging.Handler):
    """Prints records to what standard error is at that moment."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print one record; nobody may be left without a mail since nobody reads the log."""
        with suppress(OSError, ValueError):
            click.echo(self.format(record), err=True)


def log_events() -> None:
    """Send every event to standard error, with its time."""
    _log(logging.INFO, "%(asctime)sZ %(levelname)s %(message)s")
    logging.getLogger("apscheduler").setLevel(logging.WARNING)
    # What becomes of a job the steps tell themselves, and what befalls the queue its timetable.
    logging.getLogger("procrastinate").setLevel(logging.CRITICAL)


def log_warnings() -> None:
    """Send what went wrong to standard error, for commands that say the rest themselves."""
    _log(logging.WARNING, "Warning: %(message)s")


def _log(level: int, form: str) -> None:
    handler = ToStderr()
    formatter = OneLine(form, "%Y-%m-%dT%H:%M:%S")
    formatter.converter = time.gmtime  # UTC, as everywhere in the store
    handler.setFormatter(formatter)
    logging.basicConfig(handlers=[handler], level=level, force=True)
