"""Cells of a table as values and back: lists, keywords, and what no spreadsheet may run."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

LIVE = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""How a cell begins that a spreadsheet takes for a formula, or may after a while.

Source: OWASP, CSV Injection (X11).
"""
APOSTROPHE = "'"
"""Before such a cell it makes text of it, in every spreadsheet."""


def neutral(cell: str) -> str:
    """A cell that no spreadsheet runs; `plain_cell` undoes it."""
    return APOSTROPHE + cell if cell.startswith(LIVE) or _is_marked(cell) else cell


def plain_cell(cell: str) -> str:
    """What stood in a cell before it was made neutral."""
    return cell[1:] if _is_marked(cell) else cell


def _is_marked(cell: str) -> bool:
    return cell.startswith(APOSTROPHE) and cell.lstrip(APOSTROPHE).startswith(LIVE)


def term_and_weight(keyword: str) -> tuple[str, object]:
    """A keyword written as `TERM` or `TERM=WEIGHT`; a weight that is no number stays as it is."""
    term, separator, weight = keyword.rpartition("=")
    if not separator:
        return keyword, 1
    try:
        number = float(weight)
    except ValueError:
        return term, weight  # the config says what is wrong with it
    return term, int(number) if number.is_integer() else number


def read_keywords(cell: str) -> object:
    """`flash attention=3; survey=-1` as a table of terms and weights, or the same as JSON."""
    if (given := _json(cell, "{", "[")) is not None:
        return dict.fromkeys(map(str, given), 1) if isinstance(given, list) else given
    return dict(term_and_weight(part) for part in _parts(cell))


def read_texts(cell: str) -> object:
    """Texts that semicolons part, or a JSON list."""
    given = _json(cell, "[")
    return _parts(cell) if given is None else given


def read_days(cell: str) -> list[str]:
    """Days that blanks or signs part."""
    return re.findall(r"\w+", cell.lower())


def read_truth(cell: str) -> object:
    """Yes or no; another word stays as it is, for the config to blame."""
    return {"true": True, "yes": True, "false": False, "no": False}.get(cell.lower(), cell)


def read_number(cell: str) -> object:
    """A number; what is none stays as it is."""
    try:
        number = float(cell)
    except ValueError:
        return cell
    return int(number) if number.is_integer() and "." not in cell else number


READERS: Mapping[str, Callable[[str], object]] = {
    "timezone": str,
    "send_at": str,
    "days": read_days,
    "min_score": read_number,
    "max_items": read_number,
    "per_day": read_number,
    "trending": read_number,
    "when_empty": str,
    "abstracts": str,
    "related": read_truth,
    "learn": read_truth,
    "authors": read_texts,
    "organizations": read_texts,
    "exclude": read_texts,
    "keywords": read_keywords,
}
"""How a cell of each setting is read; the names are the config's."""


def write_cell(name: str, value: Any) -> str:
    """A setting as a cell, in the plain form where that is read back as the same value."""
    match value:
        case bool():
            return "true" if value else "false"
        case dict():
            plain = "; ".join(f"{term}={weight}" for term, weight in value.items())
        case list():
            plain = (" " if name == "days" else "; ").join(map(str, value))
        case _:
            return str(value)
    try:
        same = READERS[name](plain) == value
    except ValueError:
        same = False
    return plain if same else json.dumps(value, ensure_ascii=False)


def _parts(cell: str) -> list[str]:
    return [part.strip() for part in re.split(r"[;\n\r]", cell) if part.strip()]


def _json(cell: str, *openings: str) -> Any:
    """What JSON says in a cell that begins like it; None for another, or for a torn one."""
    if not cell.startswith(openings):
        return None
    try:
        return json.loads(cell)
    except (ValueError, RecursionError):
        return None
