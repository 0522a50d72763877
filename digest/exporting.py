"""The story of leaving: everything of the service as files that need no program of ours.

One moment of the store, JSON Lines for each kind of rows, the subscribers as a table as well, and a
manifest that says what is in each, with counts and hashes. The folder appears when it is complete,
for its owner alone, and takes no other's place.
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from io import StringIO
from pathlib import Path
from typing import Any

from digest import __version__
from digest.app import App
from digest.errors import StoreError
from digest.roster import COLUMNS, row_of
from digest.store.backups import sync_folder, told
from digest.store.migrations import migrations
from digest.store.moved import Extract

FORMAT = 1
"""The version of the form; it grows when a name in it changes its meaning."""
MANIFEST = "manifest.json"
TABLE = "subscribers.csv"

Done = Callable[[int], None]


def export_all(
    app: App, folder: Path, now: datetime, done: Done = lambda more: None
) -> Mapping[str, Any]:
    """Write everything into a new folder; returns the manifest.

    Raises: StoreError where something has the folder's name, or it cannot be written.
    """
    if os.path.lexists(folder):
        raise StoreError(f"{folder}: is there already; name a folder that is not")
    with told(folder):
        made = Path(tempfile.mkdtemp(prefix=f"{folder.name}.", suffix=".part", dir=folder.parent))
        try:
            manifest = _filled(app, made, now, done)
            made.rename(folder)
        except BaseException:
            shutil.rmtree(made, ignore_errors=True)
            raise
        sync_folder(folder.parent)
    return manifest


def people_table(app: App) -> Iterator[str]:
    """The subscribers as lines of CSV, head first; no cell begins like a formula (X11).

    Source: RFC 4180.
    """
    yield _line(COLUMNS)
    for each in app.store.people():
        yield _line(row_of(each.one, each.proof, each.suppressed_for, each.paused_until))


def _filled(app: App, folder: Path, now: datetime, done: Done) -> Mapping[str, Any]:
    """Fill a folder from one moment of the store; returns what the manifest says."""
    files = {}
    with app.store.whole() as extracts:
        for extract in extracts:
            name = f"{extract.name}.jsonl"
            files[name] = _written(folder / name, _json_lines(extract, done), extract.holds)
        files[TABLE] = _written(
            folder / TABLE, people_table(app), "subscribers as a table, for `subscribers import`"
        )
        files[TABLE]["rows"] -= 1  # its head
    manifest = {
        "format": FORMAT,
        "program": f"paper-digest {__version__}",
        "schema": migrations._migrations[-1].name,  # there is no public list of them
        "service": app.frame.service_name,
        "exported_at": now.isoformat(),
        "files": files,
    }
    _written(folder / MANIFEST, [json.dumps(manifest, ensure_ascii=False, indent=2) + "\n"], "")
    sync_folder(folder)
    return manifest


def _json_lines(extract: Extract, done: Done) -> Iterator[str]:
    for row in extract.rows:
        yield json.dumps(row, ensure_ascii=False) + "\n"
        done(1)


def _written(path: Path, lines: Iterable[str], holds: str) -> dict[str, Any]:
    """Write a file to the disk, for its owner alone; what the manifest says of it."""
    rows, size, known = 0, 0, hashlib.sha256()
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        for line in lines:
            octets = line.encode("utf-8", "backslashreplace")  # a lone surrogate as JSON writes it
            file.write(octets)
            known.update(octets)
            rows, size = rows + 1, size + len(octets)
        file.flush()
        os.fsync(file.fileno())
    return {"holds": holds, "rows": rows, "bytes": size, "sha256": known.hexdigest()}


def _line(cells: Iterable[str]) -> str:
    line = StringIO()
    csv.writer(line).writerow(cells)
    return line.getvalue()
