"""What a column can hold, and why it cannot hold a value.

Both databases have three kinds of values: texts, whole numbers of 64 bits, octets. SQLite lets a
column hold any of them and text that is no Unicode; PostgreSQL's text has no NUL.
Source: https://www.sqlite.org/datatype3.html,
https://www.postgresql.org/docs/current/datatype-character.html
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

Value = str | int | bytes | float | None
Row = tuple[Any, ...]
"""Values in the order of the columns that were asked for."""

_CALLED: dict[type, str] = {
    str: "a text",
    int: "a whole number",
    bytes: "octets",
    float: "a broken number, or one beyond 64 bits",
}


_LONGEST = 100
"""Characters of a value that are told: enough to find its row."""


@dataclass(frozen=True, slots=True)
class Column:
    """What a column is for: values of `kind`, and NULL where it is `nullable`."""

    kind: type
    nullable: bool


def why_not(value: Value, column: Column, *, holds_nul: bool) -> str:
    """Why a column cannot hold a value as it is; empty where it can."""
    if value is None:
        return "" if column.nullable else "it is NULL, where a value must stand"
    if type(value) is not column.kind:
        return f"it is {_CALLED[type(value)]}, where {_CALLED[column.kind]} belongs"
    if isinstance(value, str):
        if not value.isascii() and not _is_unicode(value):
            return "it is no UTF-8"
        if not holds_nul and "\x00" in value:
            return "it holds a NUL character, which PostgreSQL cannot"
    return ""


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def named(table: str, key: Sequence[str], values: Sequence[Value]) -> str:
    """A row as people find it again: its table, and the values of its key."""
    told = (f"{name} {_short(value)}" for name, value in zip(key, values, strict=True))
    return f"{table}, {', '.join(told)}"


def _short(value: Value) -> str:
    told = repr(value)
    return told if len(told) <= _LONGEST else f"{told[:_LONGEST]}…"
