"""Time zone data of the test's own: one zone, by the rules before and after a law."""

from __future__ import annotations

import struct
import zoneinfo
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from digest.schedule import zone

NAME = "Pacific/Dateline"
"""A zone on islands that cross the date line, as Samoa did in 2011."""

EAST, WEST = timedelta(hours=-11), timedelta(hours=13)
CROSSED_AT = datetime(2026, 6, 20, 11, tzinfo=UTC)
"""Midnight at the end of 19 June by the old rules, and the start of 21 June by the new ones."""


def compiled(*changes: tuple[datetime, timedelta], first: timedelta) -> bytes:
    """A compiled zone with that offset at first, and others from some moments on.

    Source: RFC 8536, version 2; the block of version 1 is empty, as zic writes it too.
    """
    offsets = [first, *(offset for _, offset in changes)]
    names = b"".join(_name(offset).encode() + b"\0" for offset in offsets)
    body = b"".join(struct.pack(">q", int(at.timestamp())) for at, _ in changes)
    body += bytes(range(1, len(offsets)))
    at = 0
    for offset in offsets:
        body += struct.pack(">lbb", int(offset.total_seconds()), 0, at)
        at += len(_name(offset)) + 1
    header = struct.pack(
        ">4sc15x6l", b"TZif", b"2", 0, 0, 0, len(changes), len(offsets), len(names)
    )
    v1 = struct.pack(">4sc15x6l", b"TZif", b"2", 0, 0, 0, 0, 1, 1) + struct.pack(">lbbx", 0, 0, 0)
    last = offsets[-1]
    hours = int(last.total_seconds()) // -3600  # POSIX counts westward
    return v1 + header + body + names + f"\n<{_name(last)}>{hours}\n".encode()


def _name(offset: timedelta) -> str:
    return f"{int(offset.total_seconds()) // 3600:+03d}"


BEFORE = compiled(first=EAST)
AFTER = compiled((CROSSED_AT, WEST), first=EAST)


def put_rules(folder: Path, rules: bytes) -> None:
    """Install these rules; only a process that starts afterwards knows them."""
    file = folder / NAME
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(rules)


def forget_rules() -> None:
    """What a new process does not know: the zones that the one before it had read."""
    zone.cache_clear()
    ZoneInfo.clear_cache()


@contextmanager
def zones_of(folder: Path) -> Iterator[None]:
    """The zones of a folder stand before those of the machine, as with PYTHONTZPATH."""
    before = zoneinfo.TZPATH
    zoneinfo.reset_tzpath([str(folder), *before])
    forget_rules()
    try:
        yield
    finally:
        zoneinfo.reset_tzpath(before)
        forget_rules()
