"""The commands for subscribers: list, show, add, edit, remove, import, export."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import tomli_w

from digest.app import App
from digest.cli.options import (
    clock,
    config_option,
    json_option,
    opened,
    person,
    print_json,
    print_table,
)
from digest.config import parse_subscribers, profile_toml
from digest.config.writing import subscriber_table
from digest.errors import DigestError
from digest.model import Origin, Subscriber, SubscriberState


@click.group()
def subscribers() -> None:
    """List, show, add, edit, remove, import and export subscribers."""


@subscribers.command("list")
@config_option
@json_option
def list_(config_path: Path, as_json: bool) -> None:
    """List every subscriber."""
    with opened(config_path) as app:
        people = app.store.subscribers()
    if as_json:
        print_json([_described(one) for one in people])
        return
    print_table(
        ("address", "state", "kept in", "mail at", "keywords"),
        [
            (
                one.email,
                one.state,
                one.origin,
                f"{one.send_at:%H:%M} {one.timezone}, {_days(one.days)}",
                len(one.profile.keywords),
            )
            for one in people
        ],
    )


@subscribers.command()
@config_option
@json_option
@click.argument("email")
def show(config_path: Path, email: str, as_json: bool) -> None:
    """Show the settings of EMAIL as the TOML that gives them."""
    with opened(config_path) as app:
        one = person(app, email)
    if as_json:
        print_json(_described(one))
        return
    click.echo(
        f"# {one.state}, kept in the {'config file' if one.origin is Origin.FILE else 'store'}"
    )
    click.echo(profile_toml(one), nl=False)


@subscribers.command()
@config_option
@click.argument("email")
@click.option("--keyword", "-k", "keywords", multiple=True, help="TERM=WEIGHT; may be repeated.")
@click.option("--timezone", help="IANA name, such as Europe/London.")
@click.option("--send-at", help="Local time, such as 07:30.")
@click.option(
    "--profile",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Take the settings from this TOML file instead.",
)
def add(config_path: Path, email: str, profile: Path | None, **settings: Any) -> None:
    """Add EMAIL with keywords, or with the settings of a TOML file."""
    if profile:
        text, place = _read(profile), str(profile)
    else:
        text, place = _new_table(email, **settings), "command line"
    with opened(config_path) as app:
        (one,) = _parsed(app, text, place, only=email)
        if app.store.subscriber(email):
            raise DigestError(
                f"{email} is subscribed already; `digest subscribers edit {email}` changes it"
            )
        _put(app, one)
    click.echo(f"added {one.email}")


@subscribers.command()
@config_option
@click.argument("email")
@click.option(
    "--profile",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Take the settings from this TOML file; without it an editor opens.",
)
def edit(config_path: Path, email: str, profile: Path | None) -> None:
    """Change the settings of EMAIL."""
    with opened(config_path) as app:
        one = person(app, email)
        _stored(one, app)
        text = _read(profile) if profile else click.edit(profile_toml(one), extension=".toml")
        if not text:
            click.echo("nothing was changed")
            return
        (changed,) = _parsed(app, text, str(profile or "edited settings"), only=one.email)
        _put(app, replace(changed, state=one.state))
    click.echo(f"changed {changed.email}")


@subscribers.command()
@config_option
@click.argument("email")
def remove(config_path: Path, email: str) -> None:
    """Stop all mail to EMAIL; what waits to be sent is cancelled."""
    with opened(config_path) as app:
        one = person(app, email)
        _stored(one, app)
        app.store.set_state(one.id, SubscriberState.REMOVED, clock())
    click.echo(f"removed {one.email}")


@subscribers.command("import")
@config_option
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def import_(config_path: Path, file: Path) -> None:
    """Add or change the subscribers of a TOML FILE, all or none of them."""
    with opened(config_path) as app:
        people = _parsed(app, _read(file), str(file))
        for one in people:
            if (
                known := app.store.subscriber(one.email)
            ) and known.state is not SubscriberState.REMOVED:
                _stored(known, app)
        for one in people:
            _put(app, one)
    click.echo(f"imported {len(people)} subscribers")


@subscribers.command()
@config_option
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False), required=False)
def export(config_path: Path, file: Path | None) -> None:
    """Write every subscriber as TOML to FILE, or to standard output."""
    with opened(config_path) as app:
        text = "\n".join(profile_toml(one) for one in app.store.subscribers())
    if file:
        file.write_text(text, "utf-8")
        click.echo(f"wrote {file}")
    else:
        click.echo(text, nl=False)


def _described(one: Subscriber) -> dict[str, object]:
    return {**subscriber_table(one), "state": one.state, "origin": one.origin}


def _days(days: Sequence[str]) -> str:
    return "every day" if len(days) == 7 else " ".join(days)


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DigestError(f"{path} cannot be read: {error}") from error


def _new_table(
    email: str, keywords: Sequence[str], timezone: str | None, send_at: str | None
) -> str:
    """The TOML of a new subscriber from the words of the command line."""
    named = {"email": email, "timezone": timezone, "send_at": send_at}
    table: dict[str, object] = {key: value for key, value in named.items() if value}
    table["keywords"] = dict(_term_and_weight(keyword) for keyword in keywords)
    return tomli_w.dumps({"subscribers": [table]})


def _term_and_weight(keyword: str) -> tuple[str, object]:
    term, separator, weight = keyword.rpartition("=")
    if not separator:
        return keyword, 1
    try:
        number = float(weight)
    except ValueError:
        return term, weight  # the config says what is wrong with it
    return term, int(number) if number.is_integer() else number


def _parsed(app: App, text: str, place: str, only: str = "") -> tuple[Subscriber, ...]:
    """The subscribers of a TOML text; `only` is the address that must stand in it alone."""
    people = parse_subscribers(text, place, app.config.service.timezone)
    if only and [one.email.lower() for one in people] != [only.lower()]:
        raise DigestError(f"{place}: holds {len(people)} subscribers; expected {only} alone")
    return people


def _stored(one: Subscriber, app: App) -> None:
    """Refuse to change whom the config file owns."""
    if one.origin is Origin.FILE:
        raise DigestError(f"{one.email} belongs to {app.config.place}; change it there")


def _put(app: App, one: Subscriber) -> None:
    app.store.put_subscriber(replace(one, origin=Origin.STORE), clock())
