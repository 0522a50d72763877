"""Files that the operator chose: saved pages, JSON lines, lists of feeds.

Only regular files under the folder of the config are read, after every link in their paths is
followed; a pipe or a device is refused without waiting for it.
"""

from __future__ import annotations

import glob
import os
import stat
from collections.abc import Sequence
from pathlib import Path

from digest.errors import SourceError
from digest.model import Source

MAX_FILE = 64_000_000  # bytes
MAX_FILES = 1_000


def read_files(source: Source, base: Path, allowed: Sequence[Path] = ()) -> list[tuple[str, bytes]]:
    """Name and bytes of each file that the source's path or glob names, sorted by name.

    The path begins at `base`; files lie under it or under one of the `allowed` folders.
    Raises: SourceError, naming the pattern or the file at fault.
    """
    pattern = str(Path(source.path).expanduser())
    # Path.glob takes no absolute pattern, and this one takes both.
    names = sorted(glob.glob(pattern, root_dir=base, recursive=True))  # noqa: PTH207
    files = [name for name in names if not (base / name).is_dir()]
    if not files:
        raise SourceError(source.name, f"no file matches {source.path!r} in {base}")
    if len(files) > MAX_FILES:
        raise SourceError(source.name, f"{source.path!r} matches more than {MAX_FILES} files")
    roots = [Path(root).resolve() for root in (base, *allowed)]
    return [(name, _read(source, base / name, roots)) for name in files]


def _read(source: Source, path: Path, roots: Sequence[Path]) -> bytes:
    """The bytes of one file. Raises: SourceError."""
    real = path.resolve()
    if not any(real.is_relative_to(root) for root in roots):
        raise SourceError(source.name, f"{path.name!r} lies outside {roots[0]}; put the file there")
    try:
        # Without waiting: a pipe would hold us until someone writes.
        handle = os.open(real, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as fault:
        raise SourceError(source.name, f"{path.name!r}: {fault.strerror}") from None
    with os.fdopen(handle, "rb") as file:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            raise SourceError(source.name, f"{path.name!r} is no regular file")
        body = file.read(MAX_FILE + 1)
    if len(body) > MAX_FILE:
        raise SourceError(source.name, f"{path.name!r} has more than {MAX_FILE:,} bytes")
    return body
