"""The two stores of a transfer, opened for it alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from digest.errors import StoreError
from digest.store.inspecting import Place, name_of
from digest.store.transfer.end import End
from digest.store.transfer.file import FileEnd

# What speaks to a PostgreSQL is an extra, read where it is needed.
# ruff: noqa: PLC0415


@contextmanager
def both(
    source: Place, target: Place, folder: Path, *, makes: bool, fresh: bool = False
) -> Iterator[tuple[End, End]]:
    """The store that is read, as it is at this moment, and the other one, which it `makes`.

    `folder` is where the files of this machine are that stand beside a PostgreSQL. `fresh` forgets
    a copy that was begun. Raises: StoreError.
    """
    if _same(source, target):
        raise StoreError(f"{name_of(source)}: is named as both stores")
    with _opened(source, folder, made=False) as first:
        first.check_ready()
        with _opened(target, folder, made=makes) as other:
            if fresh:
                other.forget()
            if makes:
                other.make_ready(first.identity())
            else:
                other.check_ready()
            with first.at_one_moment():
                yield first, other


def _same(source: Place, target: Place) -> bool:
    if isinstance(source, Path) and isinstance(target, Path):
        return source.resolve() == target.resolve()
    return name_of(source) == name_of(target)


@contextmanager
def _opened(place: Place, folder: Path, *, made: bool) -> Iterator[End]:
    if isinstance(place, Path):
        end: End = FileEnd(place, made=made)
    else:
        from digest.store.postgres.end import ServerEnd

        end = ServerEnd(place, folder / "digest")
    try:
        yield end
    finally:
        end.close_store()
