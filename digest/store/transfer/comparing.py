"""Comparing two stores: each row of each table, read from both in one order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import zip_longest

from digest.store.transfer.copying import WORDS, batches
from digest.store.transfer.end import End
from digest.store.transfer.tables import MOVED, NEVER_AGAIN
from digest.store.transfer.values import Row, named


@dataclass(frozen=True, slots=True)
class Compared:
    """What a table holds on both sides: rows, and a SHA-256 over all values in order.

    `differs` names the first row that differs; it is empty where all are the same.
    """

    table: str
    rows: tuple[int, int]
    hashes: tuple[str, str]
    differs: str = ""


def compare(source: End, target: End, done: Callable[[int], None]) -> Iterator[Compared]:
    """Compare every table; `done` is called with how many more rows of the source are compared."""
    for table in MOVED:
        yield compare_table(source, target, table, done)
    for name, numbers in (
        (WORDS, (source.count(WORDS), target.count(WORDS))),
        ("sends", (source._sends(), target._sends())),
    ):
        differs = "" if numbers[0] == numbers[1] else "not as many"
        yield Compared(name, numbers, ("", ""), differs)


def compare_table(source: End, target: End, table: str, done: Callable[[int], None]) -> Compared:
    """Compare one table, row by row in the order of its key."""
    columns = list(source.columns(table))
    hashes, counts, differs = (sha256(), sha256()), [0, 0], ""
    sides = [batches(end.read(table, columns)) for end in (source, target)]
    nothing: list[Row] = []
    for pair in zip_longest(*sides, fillvalue=nothing):
        for side, rows in enumerate(pair):
            counts[side] += len(rows)
            for row in rows:
                hashes[side].update(repr(row).encode("utf-8", "surrogatepass"))
        if not differs and pair[0] != pair[1]:
            differs = _first(table, columns, *pair)
        done(len(pair[0]))
    if (
        not differs
        and table in NEVER_AGAIN
        and target.last_number(table) < (last := source.last_number(table))
    ):
        differs = f"numbers up to {last:,} were given, and would be given again"
    told = hashes[0].hexdigest(), hashes[1].hexdigest()
    return Compared(table, (counts[0], counts[1]), told, differs)


def _first(table: str, columns: Sequence[str], ours: Sequence[Row], theirs: Sequence[Row]) -> str:
    """Where two batches part; both are in the order of their keys."""
    key = MOVED[table]
    places = [columns.index(name) for name in key]
    one, other = next(pair for pair in zip_longest(ours, theirs) if pair[0] != pair[1])
    here, there = (row and tuple(row[at] for at in places) for row in (one, other))
    if here and here == there:
        parted = [name for name, a, b in zip(columns, one, other, strict=True) if a != b]
        return f"{named(table, key, here)}: other {', '.join(parted)}"
    if here and (not there or here < there):
        return f"{named(table, key, here)}: only in the first"
    return f"{named(table, key, there)}: only in the second"
