"""Programs as a user without rights: whom Python's own folder may be closed to."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import digest

NEEDED = tuple(
    dict.fromkeys(
        Path(folder).resolve()
        for folder in (sys.base_prefix, sys.prefix, Path(digest.__file__).parents[1])
    )
)
"""Folders that somebody has to reach to run `digest`: Python's, the environment's, ours."""

NOBODY = "nobody"


def reaching() -> list[str]:
    """Words before a command that let every user reach what `digest` is run from.

    Where a folder above is closed (such as root's home), the command gets a view of the files of
    its own, in which that folder holds what is needed and nothing else. Root may do so.
    """
    closed = sorted({folder for needed in NEEDED for folder in _closed_above(needed)})
    if not closed:
        return []
    hidden = [one for one in NEEDED if any(one.is_relative_to(folder) for folder in closed)]
    lines = ["set -e", "mount -t tmpfs tmpfs /mnt"]
    for number, folder in enumerate(hidden):
        lines += [f"mkdir /mnt/{number}", f"mount --rbind '{folder}' /mnt/{number}"]
    lines += [f"mount -t tmpfs -o mode=755 tmpfs '{folder}'" for folder in closed]
    for number, folder in enumerate(hidden):
        lines += [f"mkdir -p '{folder}'", f"mount --rbind /mnt/{number} '{folder}'"]
    lines += ['exec "$@"']
    return [_found("unshare"), "--mount", "sh", "-c", "\n".join(lines), "sh"]


def _closed_above(path: Path) -> Iterator[Path]:
    """The topmost folder above a path that others may not enter, if any."""
    for folder in reversed(path.parents):
        if not folder.stat().st_mode & 0o001:
            yield folder
            return


def _found(program: str) -> str:
    path = shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    assert path, program
    return path
