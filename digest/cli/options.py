"""What the commands share: the config option, the clock, the open parts, a person by address."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

import click

from digest.app import App, check_extra, open_app
from digest.cli.logs import log_warnings
from digest.clock import Clock
from digest.config import load_config, parse_subscribers
from digest.config.places import is_address
from digest.config.words import WrongValueError
from digest.errors import ConfigError, DigestError
from digest.machines import clock_of
from digest.model import Origin, Subscriber, SubscriberState
from digest.store.inspecting import Place

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


def calendar_day(text: str) -> date:
    """The day that an option or an argument names. Raises: BadParameter with the right form."""
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC).date()
    except ValueError:
        told = f"{text!r} is no day of the calendar; write one as 2026-10-01"
        raise click.BadParameter(told) from None


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


def service_clock(app: App) -> Clock:
    """The time that all processes of the service go by; one that is pretended is left alone."""
    return clock if os.environ.get("DIGEST_CLOCK") else clock_of(app.store, clock)


@contextmanager
def opened(config_path: Path, *, is_guest: bool = False) -> Iterator[App]:
    """The parts of the service for a config file; see `open_app`."""
    log_warnings()
    with open_app(load_config(config_path), clock(), is_guest=is_guest) as app:
        yield app


def place_named(option: str, text: str) -> Place:
    """The database that an option names, a file or the address of a PostgreSQL.

    Raises: BadParameter, which never shows a password; ConfigError where the extra is missing.
    """
    try:
        is_file = not is_address(text)
    except WrongValueError as error:
        raise click.BadParameter(str(error), param_hint=option) from None
    if text == ":memory:":
        raise click.BadParameter("must be a file, not this command's memory", param_hint=option)
    if is_file:
        return Path(text)
    check_extra(option)
    return text


def person(app: App, email: str) -> Subscriber:
    """The subscriber of an address. Raises: DigestError naming the nearest addresses."""
    found = app.store.subscriber(email)
    if found:
        return found
    known = [subscriber.email for subscriber in app.store.subscribers()]
    part = [address for address in known if email.lower() in address.lower()]
    near = (part or get_close_matches(email, known, n=1, cutoff=0.8))[:3]
    if near:
        hint = f"; did you mean {' or '.join(near)}?"
    elif known:
        hint = "; `digest subscribers list` shows who there is"
    else:
        hint = "; there is no subscriber yet"
    raise DigestError(f"no subscriber has the address {email!r}{hint}")


def wanted(app: App, text: str) -> Subscriber:
    """The subscriber in a TOML file, or that of an address. Raises: DigestError."""
    path = Path(text)
    if not text.endswith(".toml") and not path.is_file():
        return person(app, text)
    return one_in_file(app, path)


def one_in_file(app: App, path: Path) -> Subscriber:
    """The subscriber in a TOML file. Raises: ConfigError unless it holds one, and no fault."""
    people = parsed(app, read_text(path), str(path))
    if len(people) != 1:
        raise ConfigError([f"{path}: holds {len(people)} subscribers; expected one"])
    return people[0]


def read_text(path: Path) -> str:
    """The text of a file. Raises: ConfigError."""
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise ConfigError([f"{path} cannot be read: {reason}"]) from error


def parsed(app: App, text: str, place: str) -> tuple[Subscriber, ...]:
    """The subscribers of a TOML text. Raises: ConfigError with every fault."""
    return parse_subscribers(text, place, app.config.service.timezone)


def check_ours(one: Subscriber, app: App) -> None:
    """Refuse to change whom the config file owns."""
    if one.origin is Origin.FILE and one.state is not SubscriberState.REMOVED:
        raise DigestError(f"{one.email} belongs to {app.config.place}; change it there")


def put(app: App, one: Subscriber) -> None:
    """Keep settings in the store."""
    app.store.put_subscriber(replace(one, origin=Origin.STORE), clock())
