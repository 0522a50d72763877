"""How far long work has come: a bar on a terminal, now and then a plain line elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from digest.cli.saying import say

LINE_EVERY_S = 10.0
"""Seconds between two plain lines: short work prints none."""

Done = Callable[[int], None]
"""Called with how many more are done."""


@contextmanager
def progress(what: str, total: int | None = None) -> Iterator[Done]:
    """Show how much of `total` is done, on standard error, while the work goes on."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _lines(what, total)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn(), console=console, transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda more: bar.advance(task, more)


def _lines(what: str, total: int | None) -> Done:
    """A count that says a line every `LINE_EVERY_S` seconds."""
    count, said_at = 0, monotonic()

    def done(more: int) -> None:
        nonlocal count, said_at
        count += more
        if monotonic() - said_at >= LINE_EVERY_S:
            said_at = monotonic()
            say(f"{what}: {count:,}" + (f" of {total:,}" if total else ""), err=True)

    return done
