"""What the commands print: lines, tables, JSON. Text from outside is made harmless here.

Imports nothing heavy, since every run of the command line begins with it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import click


def harmless(text: object) -> str:
    """The text without anything that could steer a terminal or forge a line."""
    return "".join(c if c.isprintable() else " " for c in str(text))


def say(text: object = "", *, err: bool = False) -> None:
    """Print one harmless line."""
    click.echo(harmless(text), err=err)


def complain(*faults: object) -> None:
    """Print each fault as a line on standard error."""
    for fault in faults:
        click.echo(click.style("Error: ", fg="red") + harmless(fault), err=True)


def print_json(value: Any) -> None:
    """Print a value as indented JSON."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2, default=_as_text))


def _as_text(value: object) -> str:
    """What JSON has no form for: times in ISO 8601, the rest as it calls itself."""
    return value.isoformat() if isinstance(value, date) else str(value)


def print_table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print rows under columns; on a terminal as wide as it is, elsewhere a row a line."""
    from rich.console import Console  # noqa: PLC0415 - 0.1 s that only tables are worth
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    console = Console(highlight=False)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = sum(len(str(cell)) + 2 for row in (columns, *rows) for cell in row)
    table = Table(box=None, pad_edge=False)
    for column, cell in zip(columns, rows[0] if rows else columns, strict=True):
        number = isinstance(cell, (int, float))
        table.add_column(column, overflow="fold", justify="right" if number else "left")
    for row in rows:
        table.add_row(*(Text(_cell(cell)) for cell in row))  # Text: markup in titles stays text
    with console.capture() as capture:
        console.print(table)
    for line in capture.get().splitlines():
        click.echo(line.rstrip())


def _cell(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else harmless(value)


def minute(moment: datetime | None) -> str:
    """A UTC time to the minute, or a dash."""
    return f"{moment:%Y-%m-%d %H:%M} UTC" if moment else "–"


def counted(number: int, noun: str, plural: str = "") -> str:
    """A number with its noun: `1 mail`, `1,200 mails`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def pointed(points: float) -> str:
    """Points with their sign, as `+0.120`; what rounds to nothing has none."""
    return f"{points:+.3f}" if abs(points) >= 0.0005 else "0.000"
