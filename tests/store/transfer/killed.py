"""A store that is moved by processes that kill themselves: `killed.py FROM TO FOLDER WHERE WHEN`.

Each dies by SIGKILL `before` or `after` WHERE, which is a step of the end (the first process alone
dies there), or a number of transactions. Between two of them no store can be opened at TO. Prints
how many died before one came through.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from digest.errors import StoreError
from digest.store.connection import Part
from digest.store.inspecting import Place
from digest.store.postgres.end import ServerEnd
from digest.store.postgres.store import PostgresStore
from digest.store.sqlite import SqliteStore
from digest.store.transfer import copying
from digest.store.transfer.file import FileEnd
from tests.store.transfer.moves import move

MOST = 60
"""Processes after which a copy is taken for one that comes no further."""


def die_in(commits: int, when: str) -> None:
    """Let this process die in the transaction after so many others."""
    left = [commits]
    for end in (FileEnd, ServerEnd):

        @contextmanager
        def writing(self: Any, part: Part = Part.ALL, begin: Any = end.writing) -> Iterator[Any]:
            with begin(self, part) as db:
                yield db
                if not left[0] and when == "before":
                    die()
            if not left[0]:
                die()
            left[0] -= 1

        end.writing = writing  # type: ignore[method-assign]


def die_at(step: str, when: str) -> None:
    """Let this process die at a step of the end."""
    for owner in (copying, FileEnd, ServerEnd):
        if hasattr(owner, step):
            does = getattr(owner, step)

            def dies(*given: Any, does: Any = does, **named: Any) -> None:
                if when == "after":
                    does(*given, **named)
                die()

            setattr(owner, step, dies)


def die() -> None:
    """End at once, with nothing put in order."""
    os.kill(os.getpid(), signal.SIGKILL)


def is_open(place: Place, folder: Path) -> bool:
    """Whether a command can open the store."""
    try:
        if isinstance(place, Path):
            SqliteStore(place).close_store()
        else:
            PostgresStore(place, folder / "digest").close_store()
    except StoreError as error:
        if "was begun and not finished" not in str(error):
            raise
        return False
    return True


def one_process(source: Place, target: Place, folder: Path, where: str, when: str) -> bool:
    """Move, or die; whether it came through."""
    child = os.fork()
    if not child:
        if where.isdigit():
            die_in(int(where), when)
        elif where:
            die_at(where, when)
        move(source, target, folder)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert status in {0, signal.SIGKILL}
    return status == 0


def place(text: str) -> Place:
    """A database as a transfer names it."""
    return text if text.startswith("postgresql:") else Path(text)


def main() -> None:
    """Let one process after the other have its turn."""
    source, target, folder = place(sys.argv[1]), place(sys.argv[2]), Path(sys.argv[3])
    where, when = sys.argv[4:]
    copying.BATCH = 3
    died = 0
    while not one_process(
        source, target, folder, where if where.isdigit() or not died else "", when
    ):
        died += 1
        assert died < MOST, "it comes no further"
        if where == "make_schema":  # what is empty is nobody's
            continue
        child = os.fork()  # in a process of its own, as PostgreSQL's connections have threads
        if not child:
            os._exit(is_open(target, folder))
        assert os.waitpid(child, 0)[1] == 0, "an unfinished copy was opened"
    assert is_open(target, folder)
    print(died)  # noqa: T201 - its answer


if __name__ == "__main__":
    main()
