"""The database and the key beside it; how fresh the sources are."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from digest.doctor.finding import Finding, error, fine, warning
from digest.errors import StoreError
from digest.model import Source, SourceRun
from digest.schedule import zone
from digest.standing import overdue, state_of, stood
from digest.store.connection import UNFINISHED
from digest.store.inspecting import Inspection, Place, inspect, is_there, name_of

GRACE = timedelta(hours=6)
"""How long beyond its `every` a source may go unread before the service seems to stand still."""


def data_findings(place: Place) -> tuple[Inspection | None, list[Finding]]:
    """What the database is like; None where it is not there or cannot be read."""
    try:
        if not is_there(place):
            do = "nothing; `digest ingest` or `digest serve` makes it"
            told = f"there is no database yet at {name_of(place)}"
            return None, [warning("data.database", told, do)]
        seen, name = inspect(place), name_of(place)
    except StoreError as fault:
        do = "put a backup in its place, with the service stopped"
        if not isinstance(place, Path):
            do = "does the server run, and does it let this user in from here?"
        return None, [error("data.database", str(fault), do)]
    own = _rights(place) if isinstance(place, Path) else []
    return seen, [_whole(name, seen), *_settings(name, seen), *own]


def _whole(path: str, seen: Inspection) -> Finding:
    """Whether the file is sound and of this version."""
    if seen.faults:
        found = f"{path} is damaged: {' '.join(seen.faults[0].split())[:300]}"
        do = "stop the service and put a backup in its place; keep the damaged file"
        return error("data.database", found, do)
    if UNFINISHED in seen.newer:
        found = f"{path} is a copy that was begun and not finished"
        return error("data.database", found, "run `digest migrate-store` again, as before")
    if seen.newer:
        found = f"{path} was written by a newer version of this program"
        return error("data.database", found, "upgrade this program")
    if seen.stray:
        found = f"{path} has rows that point at others that are gone ({seen.stray:,})"
        return error("data.database", found, "put a backup in its place, with the service stopped")
    return fine("data.database", f"{path} is sound, {seen.size // 1_000_000:,} MB")


def _settings(path: str, seen: Inspection) -> list[Finding]:
    """Whether it is written safely, and of this version."""
    found = []
    if not seen.writes_ahead:
        told = f"{path} is not in write-ahead mode; readers and writers wait for each other"
        do = "start the service once, which sets it; network disks cannot have it"
        found.append(warning("data.database", told, do))
    if seen.pending:
        steps = "1 step" if len(seen.pending) == 1 else f"{len(seen.pending)} steps"
        told = f"{path} is of an older version, {steps} behind"
        do = "keep a copy of it; the next start brings it up to date"
        found.append(warning("data.database", told, do))
    return found


def _rights(path: Path) -> list[Finding]:
    """Whether it is read by nobody else."""
    mode = stat.S_IMODE(path.stat().st_mode)
    if os.name == "posix" and mode & 0o077:
        told = f"{path} can be read or changed by other people (mode {mode:03o})"
        return [warning("data.database", told, f"chmod 600 {path}")]
    return []


def secret_finding(path: Path) -> Finding:
    """Whether the key that signs links is there; `digest check` says whether it can be used."""
    if path.exists():
        return fine("data.secret", f"{path} is there; keep it with every backup")
    do = "nothing on a first start, which makes one; else put the old one back"
    return warning("data.secret", f"{path} is not there", do)


def source_findings(
    sources: Sequence[Source], runs: Mapping[str, SourceRun], now: datetime, timezone: str
) -> list[Finding]:
    """How fresh each source is."""
    today = now.astimezone(zone(timezone)).date()
    late = {run.source for run in overdue(runs.values(), now)}
    found = []
    for source in sources:
        run = runs.get(source.name)
        if run is None:
            told = f"{source.name} has never been read"
            found.append(warning("sources.fresh", told, "run `digest ingest`"))
            continue
        said = state_of(stood(run, now), today, timezone)
        if source.name in late:
            do = "look at its address in a browser; `digest ingest` asks it again"
            found.append(error("sources.fresh", f"{source.name} {said}", do))
        elif now - run.started_at > timedelta(seconds=source.every_s) + GRACE:
            told = f"{source.name} was last asked at {run.started_at:%Y-%m-%d %H:%M} UTC"
            do = "does `digest serve` run, or whatever calls `digest ingest`?"
            found.append(warning("sources.fresh", told, do))
        elif run.error:
            do = "nothing yet: it is asked again by itself"
            found.append(warning("sources.fresh", f"{source.name} {said}", do))
        else:
            found.append(fine("sources.fresh", f"{source.name} {said or 'is up to date'}"))
    return found
