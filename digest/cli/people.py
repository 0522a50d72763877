"""The commands for subscribers: list, show, add, edit, remove; import and export stand apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import tomli_w

from digest.app import App
from digest.cli.apikeys import api_key
from digest.cli.moving import export, import_
from digest.cli.options import (
    check_ours,
    clock,
    config_option,
    json_option,
    opened,
    parsed,
    person,
    put,
    read_text,
)
from digest.cli.returning import why
from digest.cli.saying import complain, print_json, print_table, say
from digest.config import profile_toml
from digest.config.writing import subscriber_table
from digest.errors import ConfigError, DigestError, SuppressedError
from digest.model import Origin, Subscriber, SubscriberState
from digest.roster import term_and_weight


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
    if not people:
        say("no subscriber yet; `digest subscribers add` or the config file names one", err=True)
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
        held = app.store.suppression(email)
        if held and app.store.subscriber(email) is None:
            raise DigestError(f"{email} is no subscriber; {why(held)}")
        one = person(app, email)
    if as_json:
        print_json({**_described(one), "suppressed": why(held) if held else None})
        return
    if held:
        say(f"# {why(held)}")
    say(f"# {one.state}, kept in the {'config file' if one.origin is Origin.FILE else 'store'}")
    click.echo(profile_toml(one), nl=False)


@subscribers.command()
@config_option
@click.argument("email")
@click.option(
    "--keyword", "-k", "keywords", multiple=True, help="TERM or TERM=WEIGHT; may be repeated."
)
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
        text, place = read_text(profile), str(profile)
    else:
        text, place = _new_table(email, **settings), "command line"
    with opened(config_path) as app:
        one = _parsed(app, text, place, only=email)
        _check_new(app, email)
        put(app, one)
    say(f"added {one.email}")
    if one.profile.asks_for_nothing:
        say(f"nothing will match yet: `digest subscribers edit {email}` adds keywords", err=True)


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
        check_ours(one, app)
        if one.state is SubscriberState.REMOVED:
            raise DigestError(f"{one.email} was removed; `digest subscribers add` brings them back")
        changed = _from_file(app, one, profile) if profile else _from_editor(app, one)
        if changed is None:
            say("nothing was changed")
            return
        put(app, replace(changed, state=one.state))
    say(f"changed {changed.email}")


@subscribers.command()
@config_option
@click.argument("email")
def remove(config_path: Path, email: str) -> None:
    """Stop all mail to EMAIL; what waits to be sent is cancelled."""
    with opened(config_path) as app:
        one = person(app, email)
        check_ours(one, app)
        if one.state is SubscriberState.UNSUBSCRIBED:  # their own word must not be forgotten
            raise DigestError(f"{one.email} has unsubscribed and gets no mail")
        app.store.set_state(one.id, SubscriberState.REMOVED, clock())
    say(f"removed {one.email}")


subscribers.add_command(import_, "import")
subscribers.add_command(export)
subscribers.add_command(api_key, "key")


def _described(one: Subscriber) -> dict[str, object]:
    return {**subscriber_table(one), "state": one.state, "origin": one.origin}


def _days(days: Sequence[str]) -> str:
    return "every day" if len(days) == 7 else " ".join(days)


def _new_table(
    email: str, keywords: Sequence[str], timezone: str | None, send_at: str | None
) -> str:
    """The TOML of a new subscriber from the words of the command line."""
    named = {"email": email, "timezone": timezone, "send_at": send_at}
    table: dict[str, object] = {key: value for key, value in named.items() if value}
    table["keywords"] = dict(term_and_weight(keyword) for keyword in keywords)
    return tomli_w.dumps({"subscribers": [table]})


def _parsed(app: App, text: str, place: str, only: str) -> Subscriber:
    """The subscriber of a TOML text that holds the settings of the address `only` alone.

    Raises: ConfigError with every fault.
    """
    people = parsed(app, text, place)
    if [one.email.lower() for one in people] != [only.lower()]:
        held = ", ".join(one.email for one in people[:3]) or "nobody"
        raise ConfigError([f"{place}: holds the settings of {held}; expected {only} alone"])
    return people[0]


def _from_file(app: App, one: Subscriber, profile: Path) -> Subscriber:
    return _parsed(app, read_text(profile), str(profile), only=one.email)


def _from_editor(app: App, one: Subscriber) -> Subscriber | None:
    """The settings as they leave the editor, None when they are as before; faults ask again."""
    before = text = profile_toml(one)
    while True:
        edited = click.edit(text, extension=".toml")
        if edited is None or edited == before:
            return None
        try:
            changed = _parsed(app, edited, "edited settings", only=one.email)
        except DigestError as error:
            complain(*str(error).splitlines())
            if not click.confirm("Edit again?", default=True, err=True):
                raise ConfigError(["nothing was changed"]) from error
            text = edited
        else:
            return changed


def _check_new(app: App, email: str) -> None:
    """Refuse to add whom we have, or who has unsubscribed: only they can take that back."""
    known = app.store.subscriber(email)
    held = app.store.suppression(email)
    if held and (known is None or known.state in HELD):
        raise SuppressedError(email, held.reason, held.note)
    if known is None or known.state is SubscriberState.REMOVED:
        return
    if known.state is SubscriberState.UNSUBSCRIBED:
        raise DigestError(f"{email} has unsubscribed, and only they can take that back")
    raise DigestError(
        f"{email} is subscribed already; `digest subscribers edit {email}` changes it"
    )


HELD = (SubscriberState.REMOVED, SubscriberState.SUPPRESSED)
"""Who would be mailed again, were it not for the suppression list."""
