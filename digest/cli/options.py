"""What the commands share: the config option, the clock, logging and printing."""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from digest.app import App, open_app
from digest.config import load_config
from digest.errors import ConfigError, DigestError
from digest.mailer import Mailer
from digest.model import Subscriber

Command = TypeVar("Command", bound=Callable[..., Any])

config_option = click.option(
    "--config",
    "config_path",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("config.toml"),
    envvar="DIGEST_CONFIG",
    show_default=True,
    show_envvar=True,
    help="The config file.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")

_STARTED = time.monotonic()


def clock() -> datetime:
    """The time now. `DIGEST_CLOCK` (an ISO time) sets where it starts, to rehearse a day."""
    pretended = os.environ.get("DIGEST_CLOCK")
    if not pretended:
        return datetime.now(UTC)
    try:
        start = datetime.fromisoformat(pretended)
    except ValueError as error:
        raise ConfigError(
            [f"DIGEST_CLOCK: {pretended!r} is no time like 2026-11-20T07:30:00+00:00"]
        ) from error
    start = start if start.tzinfo else start.replace(tzinfo=UTC)
    return start.astimezone(UTC) + timedelta(seconds=time.monotonic() - _STARTED)


@contextmanager
def opened(config_path: Path, mailer: Mailer | None = None) -> Iterator[App]:
    """The parts of the service for a config file; see `open_app`."""
    with open_app(load_config(config_path), clock(), mailer=mailer) as app:
        yield app


def log_to_stderr() -> None:
    """Send the service's events to standard error, one line each."""
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.INFO)
    logging.getLogger("apscheduler").setLevel(logging.WARNING)


def person(app: App, email: str) -> Subscriber:
    """The subscriber of an address. Raises: DigestError naming the nearest addresses."""
    found = app.store.subscriber(email)
    if found:
        return found
    known = [subscriber.email for subscriber in app.store.subscribers()]
    near = [address for address in known if email.lower() in address.lower()][:3] or known[:3]
    hint = f"; there are {', '.join(near)}" if near else "; there is no subscriber yet"
    raise DigestError(f"no subscriber has the address {email!r}{hint}")


def print_json(value: Any) -> None:
    """Print a value as indented JSON."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2, default=str))


def print_table(columns: Sequence[str], rows: Sequence[Sequence[object]], title: str = "") -> None:
    """Print rows under columns; on a terminal as wide as it is, elsewhere at full width."""
    console = Console(width=None if Console().is_terminal else 160, highlight=False)
    table = Table(title=title or None, title_justify="left", box=None, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text(str(cell)) for cell in row))  # Text: markup in titles stays text
    console.print(table)
