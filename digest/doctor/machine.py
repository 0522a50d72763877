"""The machine: Python's patch level (D5), the age of its time zones, room on the disk."""

from __future__ import annotations

import re
import shutil
import sys
import zoneinfo
from collections.abc import Sequence
from datetime import date, datetime
from importlib import metadata
from pathlib import Path

from digest.doctor.finding import Finding, error, fine, warning

PATCHED = {(3, 11): 15, (3, 12): 13, (3, 13): 12, (3, 14): 3}
"""The first patch level of each Python that lets no text end a header field (X5).

Source: CVE-2024-6923, CVE-2026-1299.
"""

ENDS = {
    (3, 11): date(2027, 10, 31),
    (3, 12): date(2028, 10, 31),
    (3, 13): date(2029, 10, 31),
    (3, 14): date(2030, 10, 31),
}
"""Until when each gets security fixes. Source: https://devguide.python.org/versions/."""

LEAST_FREE, FEW_FREE = 50_000_000, 500_000_000
"""Octets that must be free on the disk of the database, and should be."""

VERSION = re.compile(r"\b((?:19|20)\d\d)[a-z]\b")


def python_finding(now: datetime, version: Sequence[int] | None = None) -> Finding:
    """Whether this Python has the fixes that mail needs (D5)."""
    version = version or sys.version_info[:3]
    branch, patch = (version[0], version[1]), version[2]
    told = ".".join(map(str, version[:3]))
    ends = ENDS.get(branch)
    if patch < PATCHED.get(branch, 0):
        wanted = f"{branch[0]}.{branch[1]}.{PATCHED[branch]}"
        return warning(
            "machine.python",
            f"Python {told} is older than {wanted}, which has fixes for mail headers",
            f"upgrade to {wanted} or newer; some systems mend older ones without a new number",
        )
    if ends and now.date() > ends:
        found = f"Python {told} gets no security fixes since {ends:%B %Y}"
        return warning("machine.python", found, "move to a newer Python")
    return fine("machine.python", f"Python {told}")


def zones_finding(now: datetime, version: str | None = None) -> Finding:
    """Whether the time zone rules are of this year or the last."""
    version = zones_version() if version is None else version
    do = "upgrade the system's package tzdata"
    if not version:
        return warning("clock.zones", "the version of the time zone rules is not known", do)
    if now.year - int(version[:4]) > 1:
        found = f"the time zone rules are those of {version}, more than a year old"
        return warning("clock.zones", found, do)
    return fine("clock.zones", f"time zone rules {version}")


def zones_version(paths: Sequence[str] | None = None) -> str:
    """The version of the rules in use, such as `2026b`; empty where it cannot be told.

    The system's come first, as Python looks for them; then those of the package tzdata.
    """
    for folder in zoneinfo.TZPATH if paths is None else paths:
        if not (Path(folder) / "UTC").is_file():
            continue
        for name in ("tzdata.zi", "+VERSION"):
            try:
                with (Path(folder) / name).open("rb") as opened:
                    found = VERSION.search(opened.read(200).decode("ascii", "replace"))
            except OSError:
                continue
            if found:
                return found[0]
        return ""
    try:
        year, number = metadata.version("tzdata").split(".")[:2]
    except (metadata.PackageNotFoundError, ValueError):
        return ""
    return f"{year}{chr(ord('a') + int(number) - 1)}"


def disk_finding(folder: Path, needed: int, free: int | None = None) -> Finding:
    """Whether there is room for what is recorded; `needed` are the octets of the database."""
    if free is None:
        try:
            free = shutil.disk_usage(folder).free
        except OSError as fault:
            found = f"{folder} cannot be used: {fault.strerror}"
            return error("machine.disk", found, "make the folder, or name another: [service] data")
    told = f"{free // 1_000_000:,} MB free beside the database"
    do = "make room; the oldest of what is kept goes by itself, but the file does not shrink"
    if free < LEAST_FREE:
        return error("machine.disk", f"only {told}", do)
    if free < max(FEW_FREE, needed):
        return warning("machine.disk", f"only {told}, which has {needed // 1_000_000:,} MB", do)
    return fine("machine.disk", told)
