"""Copying a store into an empty one, batch after batch, so that a kill costs the last one at most.

Each batch is one transaction that also keeps how far the copy has come. Rows are read as they are
written: memory holds one batch, however large the store is.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from digest.errors import StoreError
from digest.store.backups import arriving, told
from digest.store.connection import set_counter
from digest.store.listings import listing_of
from digest.store.shelving import texts_of
from digest.store.transfer.end import End
from digest.store.transfer.tables import MOVED, NUMBERED
from digest.store.transfer.values import Column, Row, Value, named, why_not

BATCH = 2000
"""Rows of one transaction."""

WORDS = "search"
"""The stage after the tables: what listings are found by."""

Done = Callable[[int], None]
"""Called with how many more rows are written."""

T = TypeVar("T")


def steps_of(source: End) -> int:
    """How many rows are to be written, a listing once more for its words."""
    return sum(source.count(table) for table in MOVED) + source.count("listings")


def copy(source: End, target: End, now: datetime, done: Done) -> None:
    """Write everything that the source holds into the target, or what is still missing there.

    Raises: StoreError, also for a value that the target cannot hold, with its place.
    """
    check_beside(source, target)
    stages = [*MOVED, WORDS]
    at, last = target.reached() or (stages[0], [])
    for stage in stages[: stages.index(at) + 1]:
        done(target.count(stage))
    for stage in stages[stages.index(at) :]:
        after = last if stage == at else []
        if stage == WORDS:
            _copy_words(source, target, after, done)
        else:
            _copy_table(source, target, stage, after, done)
    with target.writing() as db:
        for table in NUMBERED:
            if number := source.last_number(table):
                target.give_on(db, table, number)
    _copy_beside(source, target, now)
    target.settle()


def _copy_table(source: End, target: End, table: str, after: Sequence[Any], done: Done) -> None:
    columns = target.columns(table)
    if set(columns) != set(source.columns(table)):
        raise StoreError(f"{source.name}, {target.name}: {table} has other columns in each")
    key = [list(columns).index(name) for name in MOVED[table]]
    for rows in batches(source.read(table, list(columns), after)):
        for row in rows:
            _check(table, columns, row, [row[at] for at in key], target)
        _write(target, table, columns, rows, key)
        done(len(rows))


def _check(
    table: str, columns: Mapping[str, Column], row: Row, key: list[Value], target: End
) -> None:
    for value, (name, column) in zip(row, columns.items(), strict=True):
        if reason := why_not(value, column, holds_nul=target.holds_nul):
            place = named(table, MOVED[table], key)
            raise StoreError(
                f"{place}: {name} cannot be moved: {reason}; mend it and run this once more"
            )


def _write(
    target: End, table: str, columns: Mapping[str, Column], rows: Sequence[Row], key: list[int]
) -> None:
    """Write rows together; where the database refuses, one by one, to say which it is."""
    last = [rows[-1][at] for at in key]
    try:
        with target.writing() as db:
            target.write(db, table, list(columns), rows)
            target.reach(db, (table, last))
    except StoreError as error:
        if len(rows) == 1:
            raise StoreError(f"{named(table, MOVED[table], last)}: {error}") from error
        for row in rows:
            _write(target, table, columns, [row], key)


def _copy_words(source: End, target: End, after: Sequence[Any], done: Done) -> None:
    """Let the listings be found in the target by the words that it makes of them itself."""
    for rows in batches(source.read("listings", ("id", "body", "first_seen_at"), after)):
        texts = {}
        for row in rows:
            try:
                texts[row[0]] = texts_of(listing_of(*row))
            except ValueError as error:
                raise StoreError(f"listings, id {row[0]}: body is no listing") from error
        with target.writing() as db:
            target.keep_texts(db, texts)
            target.reach(db, (WORDS, [rows[-1][0]]))
        done(len(rows))


def check_beside(source: End, target: End) -> None:
    """Nothing, if the files beside the target are of no other store. Raises: StoreError."""
    mark = target._mark()
    if mark and mark.number > source._sends():
        raise _of_another(target.watermark)
    if not _begins(target.journal, source.journal):
        raise _of_another(target.journal)


def _of_another(file: Path) -> StoreError:
    return StoreError(f"{file}: is the file of another store; move it away first")


def _begins(beginning: Path, whole: Path) -> bool:
    """Whether a file is the beginning of another; one that is not there is."""
    if not beginning.exists():
        return True
    if not whole.exists() or whole.stat().st_size < beginning.stat().st_size:
        return False
    with beginning.open("rb") as one, whole.open("rb") as other:
        return all(part == other.read(len(part)) for part in iter(lambda: one.read(1 << 20), b""))


def _copy_beside(source: End, target: End, now: datetime) -> None:
    """Who left and how far sending had come, in the files of this machine beside the target."""
    if source.journal.exists() and source.journal.resolve() != target.journal.resolve():
        with told(target.journal), arriving(target.journal, replace=True) as made:
            shutil.copyfile(source.journal, made)
    number, mark = source._sends(), source._mark()
    with target.writing() as db:
        if size := target._size():
            set_counter(db, target.read_counter, size)
        if number:
            target._set_sends(db, number)
    if number:
        exact = mark is not None and mark.number == number
        target._raise_mark(number, mark.at if mark and exact else now)


def batches(rows: Iterable[T]) -> Iterator[list[T]]:
    """The rows in lists of `BATCH`."""
    left = iter(rows)
    while batch := list(islice(left, BATCH)):
        yield batch
