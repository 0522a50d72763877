"""The commands for copies of the database and what they cannot tell: backup, restore, held."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import click

from digest.app import App
from digest.cli.options import config_option, json_option, opened, person, service_clock
from digest.cli.saying import counted, minute, print_json, print_table, say
from digest.config import load_config
from digest.errors import DigestError
from digest.model import DeliveryState
from digest.schedule import STALE_AFTER
from digest.store.backups import put_back
from digest.store.operating import LedgerRow

MOST = 1_000_000
"""Held rows that are looked at: all of them."""


@click.command()
@config_option
@click.option("--force", is_flag=True, help="Replace FILE where it is there already.")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def backup(config_path: Path, file: Path, force: bool) -> None:
    """Write a whole, checked copy of the database to FILE, also while the service runs."""
    with opened(config_path) as app:
        size = app.store.back_up(file, replace=force)
    say(f"wrote {file} ({size / 1e6:,.1f} MB)")


@click.command()
@config_option
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def restore(config_path: Path, file: Path) -> None:
    """Put the copy in FILE in the place of the database; the service must be stopped.

    What the lost ledger may have sent is held; see `digest held`.
    """
    config = load_config(config_path)
    if config.service.data.startswith("postgresql:"):
        raise DigestError("a PostgreSQL database is restored by its own tools")
    aside = put_back(file, config.folder / config.service.data)
    if aside:
        say(f"kept the database as it was as {aside}")
    with opened(config_path) as app:
        number = len(_held(app))
    say(f"restored {file}")
    if number:
        say(f"{counted(number, 'mail is', 'mails are')} held: `digest held list`", err=True)


@click.group()
def held() -> None:
    """List, release and cancel digests that wait for your word."""


@held.command("list")
@config_option
@json_option
def list_(config_path: Path, as_json: bool) -> None:
    """List the digests that are held, the newest first."""
    with opened(config_path) as app:
        rows, now = _held(app), service_clock(app)()
        named = [(row, _email(app, row)) for row in rows]
    if as_json:
        print_json([_described(row, email) for row, email in named])
        return
    if not named:
        say("no digest is held", err=True)
        return
    print_table(
        ("address", "day", "prepared", "can go out until", "why"),
        [
            (
                email,
                row.digest_on,
                minute(row.prepared_at),
                minute(end) if (end := row.prepared_at + STALE_AFTER) > now else "too late",
                row.reply,
            )
            for row, email in named
        ],
    )


all_option = click.option("--all", "everyone", is_flag=True, help="Every digest that is held.")


@held.command()
@config_option
@all_option
@click.argument("email", required=False)
def release(config_path: Path, email: str | None, everyone: bool) -> None:
    """Let the held digests of EMAIL go out; whoever got one already gets it twice."""
    with opened(config_path) as app:
        rows, now = _chosen(app, email, everyone), service_clock(app)()
        done = _each(rows, lambda row: app.store.retry_delivery(row.id, now))
    say(f"released {counted(done, 'digest')}; `digest send` or `digest serve` sends them")
    if left := len(rows) - done:
        why = "a day old, replaced by a newer one, or its reader gets no mail any more"
        say(f"left {counted(left, 'digest')} held: {why}; cancel what is left", err=True)


@held.command()
@config_option
@all_option
@click.argument("email", required=False)
def cancel(config_path: Path, email: str | None, everyone: bool) -> None:
    """Never send the held digests of EMAIL; their papers may come in a later one."""
    with opened(config_path) as app:
        rows, now = _chosen(app, email, everyone), service_clock(app)()
        done = _each(rows, lambda row: app.store.cancel_delivery(row.id, now))
    say(f"cancelled {counted(done, 'digest')}")


def _held(app: App, subscriber_id: int | None = None) -> Sequence[LedgerRow]:
    return app.store.ledger_rows(MOST, state=DeliveryState.HELD, subscriber_id=subscriber_id)


def _chosen(app: App, email: str | None, everyone: bool) -> Sequence[LedgerRow]:
    """The rows that were named. Raises: DigestError, UsageError where none was."""
    if everyone == bool(email):
        raise click.UsageError("name one EMAIL, or --all")
    rows = _held(app, person(app, email).id if email else None)
    if not rows:
        raise DigestError(f"no digest of {email} is held" if email else "no digest is held")
    return rows


def _each(rows: Sequence[LedgerRow], do: Callable[[LedgerRow], bool]) -> int:
    return sum(do(row) for row in rows)


def _email(app: App, row: LedgerRow) -> str:
    one = app.store.subscriber_by_id(row.subscriber_id)
    return one.email if one else "–"


def _described(row: LedgerRow, email: str) -> dict[str, object]:
    return {
        "email": email,
        "digest_on": row.digest_on,
        "prepared_at": row.prepared_at,
        "why": row.reply,
    }
