"""The command for the keys of a subscriber's programs: make one, list them, revoke one."""

from __future__ import annotations

from pathlib import Path

import click

from digest.app import App
from digest.cli.options import clock, config_option, json_option, opened, person
from digest.cli.saying import print_json, print_table, say
from digest.config.text import check_line
from digest.errors import DigestError
from digest.model import Subscriber, SubscriberState
from digest.store.operating import MOST_KEYS
from digest.tokens import new_api_key


@click.command()
@config_option
@json_option
@click.argument("email")
@click.option("--name", default="command line", show_default=True, help="What the key is for.")
@click.option("--list", "as_list", is_flag=True, help="Show the keys there are; make none.")
@click.option("--revoke", type=int, metavar="NUMBER", help="Make this key worthless; make none.")
def api_key(  # noqa: PLR0913 - one for each option
    config_path: Path, email: str, *, as_json: bool, name: str, as_list: bool, revoke: int | None
) -> None:
    """Make a key by which programs act for EMAIL; it is shown once."""
    with opened(config_path) as app:
        one = person(app, email)
        if revoke is not None:
            if not app.store.revoke_api_key(one.id, revoke):
                raise DigestError(f"{one.email} has no key {revoke}; --list shows which there are")
            say(f"revoked key {revoke} of {one.email}")
        elif as_list:
            _list(app, one, as_json=as_json)
        else:
            _make(app, one, name, as_json=as_json)


def _list(app: App, one: Subscriber, *, as_json: bool) -> None:
    keys = app.store.api_keys(one.id)
    rows = [(key.id, key.name, key.created_at.date(), key.used_on or "never") for key in keys]
    if as_json:
        names = ("number", "name", "made_on", "used_on")
        print_json([dict(zip(names, row, strict=True)) for row in rows])
    elif rows:
        print_table(("number", "name", "made", "last used"), rows)
    else:
        say(f"{one.email} has no key yet", err=True)


def _make(app: App, one: Subscriber, name: str, *, as_json: bool) -> None:
    try:
        check_line(name)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--name") from error
    key = new_api_key()
    made = None
    if one.state is not SubscriberState.REMOVED:
        fingerprint = app.tokens.api_key_names(key)[0]
        made = app.store.add_api_key(one.id, name, fingerprint, clock())
    if made is None:
        reason = "was removed" if one.state is SubscriberState.REMOVED else "has too many keys"
        raise DigestError(f"{one.email} {reason} ({MOST_KEYS} at most); --revoke ends one")
    if as_json:
        print_json({"number": made.id, "name": made.name, "key": key})
        return
    say(f"key {made.id} of {one.email}; it is shown this once:", err=True)
    click.echo(key)
