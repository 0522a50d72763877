"""The commands for subscribers: list, show, add, edit, remove, import, export."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import tomli_w

from digest.app import App
from digest.cli.apikeys import api_key
from digest.cli.options import clock, config_option, json_option, opened, person
from digest.cli.returning import why
from digest.cli.saying import complain, counted, print_json, print_table, say
from digest.config import parse_subscribers, profile_toml
from digest.config.writing import subscriber_table
from digest.errors import ConfigError, DigestError, SuppressedError
from digest.model import Origin, Subscriber, SubscriberState
from digest.store.returned import Suppression


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
        text, place = _read(profile), str(profile)
    else:
        text, place = _new_table(email, **settings), "command line"
    with opened(config_path) as app:
        (one,) = _parsed(app, text, place, only=email)
        _check_new(app, email)
        _put(app, one)
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
        _check_ours(one, app)
        if one.state is SubscriberState.REMOVED:
            raise DigestError(f"{one.email} was removed; `digest subscribers add` brings them back")
        changed = _from_file(app, one, profile) if profile else _from_editor(app, one)
        if changed is None:
            say("nothing was changed")
            return
        _put(app, replace(changed, state=one.state))
    say(f"changed {changed.email}")


@subscribers.command()
@config_option
@click.argument("email")
def remove(config_path: Path, email: str) -> None:
    """Stop all mail to EMAIL; what waits to be sent is cancelled."""
    with opened(config_path) as app:
        one = person(app, email)
        _check_ours(one, app)
        if one.state is SubscriberState.UNSUBSCRIBED:  # their own word must not be forgotten
            raise DigestError(f"{one.email} has unsubscribed and gets no mail")
        app.store.set_state(one.id, SubscriberState.REMOVED, clock())
    say(f"removed {one.email}")


@subscribers.command("import")
@config_option
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def import_(config_path: Path, file: Path) -> None:
    """Add or change the subscribers of a TOML FILE, all or none of them."""
    with opened(config_path) as app:
        people = _parsed(app, _read(file), str(file))
        known = {one.email: app.store.subscriber(one.email) for one in people}
        owned = [k for k in known.values() if k and k.state is not SubscriberState.REMOVED]
        for one in owned:
            _check_ours(one, app)
        barred = [held for one in people if (held := _barred(app, one, known[one.email]))]
        left_out = {held.email for held in barred}
        for new in people:
            if new.email not in left_out:
                _put(app, new)
    say(f"imported {counted(len(people) - len(barred), 'subscriber')}")
    for held in barred:
        say(f"left out {held.email}: {why(held)}", err=True)
    for one in owned:
        if one.state is SubscriberState.UNSUBSCRIBED:
            say(f"{one.email} has unsubscribed and still gets no mail", err=True)
        if one.state is SubscriberState.SUPPRESSED:
            say(f"{one.email} is suppressed and still gets no mail", err=True)


EXPORTED = (SubscriberState.ACTIVE, SubscriberState.PAUSED)
"""Who may be mailed again when the file is imported elsewhere; the others never said yes, or no."""


@subscribers.command()
@config_option
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False), required=False)
def export(config_path: Path, file: Path | None) -> None:
    """Write the active and paused subscribers as TOML to FILE, or to standard output."""
    with opened(config_path) as app:
        people = app.store.subscribers()
    exported = [one for one in people if one.state in EXPORTED]
    text = "\n".join(profile_toml(one) for one in exported)
    if file:
        file.write_text(text, "utf-8")
        say(f"wrote {counted(len(exported), 'subscriber')} to {file}")
    else:
        click.echo(text, nl=False)
    if left := len(people) - len(exported):
        say(f"left out {left:,} who unsubscribed, bounced or have not confirmed", err=True)


subscribers.add_command(api_key, "key")


def _described(one: Subscriber) -> dict[str, object]:
    return {**subscriber_table(one), "state": one.state, "origin": one.origin}


def _days(days: Sequence[str]) -> str:
    return "every day" if len(days) == 7 else " ".join(days)


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise ConfigError([f"{path} cannot be read: {reason}"]) from error


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
    """The subscribers of a TOML text; `only` is the address that must stand in it alone.

    Raises: ConfigError with every fault.
    """
    people = parse_subscribers(text, place, app.config.service.timezone)
    if only and [one.email.lower() for one in people] != [only.lower()]:
        held = ", ".join(one.email for one in people[:3]) or "nobody"
        raise ConfigError([f"{place}: holds the settings of {held}; expected {only} alone"])
    return people


def _from_file(app: App, one: Subscriber, profile: Path) -> Subscriber:
    (changed,) = _parsed(app, _read(profile), str(profile), only=one.email)
    return changed


def _from_editor(app: App, one: Subscriber) -> Subscriber | None:
    """The settings as they leave the editor, None when they are as before; faults ask again."""
    before = text = profile_toml(one)
    while True:
        edited = click.edit(text, extension=".toml")
        if edited is None or edited == before:
            return None
        try:
            (changed,) = _parsed(app, edited, "edited settings", only=one.email)
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


def _barred(app: App, new: Subscriber, known: Subscriber | None) -> Suppression | None:
    """Why a subscriber cannot be made of an address, if so."""
    if known and known.state is not SubscriberState.REMOVED:
        return None
    return app.store.suppression(new.email)


def _check_ours(one: Subscriber, app: App) -> None:
    """Refuse to change whom the config file owns."""
    if one.origin is Origin.FILE and one.state is not SubscriberState.REMOVED:
        raise DigestError(f"{one.email} belongs to {app.config.place}; change it there")


def _put(app: App, one: Subscriber) -> None:
    app.store.put_subscriber(replace(one, origin=Origin.STORE), clock())
