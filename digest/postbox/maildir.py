"""Mail out of a Maildir: what was handed over moves from `new` to `cur`, as seen.

Source: https://cr.yp.to/proto/maildir.html.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from digest.errors import DigestError
from digest.postbox.taking import MAX_BYTES, MOST, PostboxError, Taker

logger = logging.getLogger("digest")

SEEN, FLAGGED = ":2,S", ":2,F"


def empty_maildir(folder: Path, take: Taker) -> int:
    """Hand over what is new in a Maildir, the oldest first; returns how many mails.

    One that breaks the taker is put aside with a flag, for a person to look at. Two processes may
    do it at a time: whoever moves a mail first has taken it, and a report counts once.
    Raises: PostboxError; DigestError of the taker, and the rest stays.
    """
    try:
        waiting = sorted(_dated(folder / "new"))[:MOST]
        for _, path in waiting:
            try:
                _hand_over(folder, path, take)
            except FileNotFoundError:
                if path.exists():  # so what is not there is where it goes
                    raise
    except FileNotFoundError as error:
        missing = error.filename2 or error.filename
        raise PostboxError(f"{folder}: {missing} is not there; is it a Maildir?") from error
    except OSError as error:
        raise PostboxError(f"{error.filename or folder}: {error.strerror}") from error
    return len(waiting)


def _dated(folder: Path) -> Iterator[tuple[float, Path]]:
    """(time, path) of each file of a folder."""
    for path in folder.iterdir():
        with suppress(FileNotFoundError):
            if path.is_file():
                yield path.stat().st_mtime, path


def _hand_over(folder: Path, path: Path, take: Taker) -> None:
    with path.open("rb") as file:
        raw = file.read(MAX_BYTES)
    flag = SEEN
    try:
        take(raw, "")
    except DigestError:
        raise
    except Exception:
        logger.exception("postbox.broke %s", json.dumps({"mail": path.name}))
        flag = FLAGGED
    path.rename(folder / "cur" / (path.name.partition(":")[0] + flag))
