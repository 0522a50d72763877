"""The command that moves a whole store into another database: migrate-store."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import click

from digest.cli.options import clock, config_option, json_option, place_named
from digest.cli.progress import progress
from digest.cli.saying import counted, print_json, print_table, say
from digest.config.settings import hide_password
from digest.errors import ConfigError, DigestError
from digest.store.inspecting import Place, name_of
from digest.store.transfer.comparing import Compared, compare
from digest.store.transfer.copying import copy, steps_of
from digest.store.transfer.end import End
from digest.store.transfer.opening import both

HASH = 12
"""Digits of a hash in the table, enough for two eyes; `--json` has them all."""


@click.command("migrate-store")
@config_option
@json_option
@click.option(
    "--from", "source", required=True, help="The database that is read: a file or an address."
)
@click.option("--to", "target", required=True, help="The new one: a file or an address.")
@click.option("--check", "only_compares", is_flag=True, help="Compare the two, and copy nothing.")
@click.option("--fresh", is_flag=True, help="Forget a copy that was begun, and begin anew.")
def migrate_store(  # noqa: PLR0913 - one for each option
    config_path: Path, source: str, target: str, *, only_compares: bool, fresh: bool, as_json: bool
) -> None:
    """Copy everything from one database into another, SQLite or PostgreSQL, and compare.

    The service must be stopped; what is read stays as it is. After an interruption the same command
    goes on where it was.
    """
    if only_compares and fresh:
        raise click.UsageError("--check copies nothing, so nothing can be begun anew")
    first, second = _place("--from", source, config_path), _place("--to", target, config_path)
    folder = config_path.parent
    with both(first, second, folder, makes=not only_compares, fresh=fresh) as (read, written):
        if not only_compares:
            with progress("copying", steps_of(read)) as done:
                copy(read, written, clock(), done)
        tables = _compared(read, written)
        differ = [one for one in tables if one.differs]
        if not only_compares and not differ:
            written.finish()
    if as_json:
        print_json({"same": not differ, "tables": [asdict(one) for one in tables]})
    else:
        _print_tables(tables)
    if differ:
        raise DigestError("\n".join(_told(one, name_of(second), only_compares) for one in differ))
    if not as_json:
        _print_end(tables, name_of(first), name_of(second))
    if not only_compares:
        _print_next(first, second, config_path)


def _place(option: str, text: str, config_path: Path) -> Place:
    """The database that an option names. Raises: BadParameter, ConfigError."""
    place = place_named(option, text)
    if not isinstance(place, Path) and not config_path.exists():
        raise ConfigError(
            [
                f"{config_path}: there is no such file; --config names the config of the service,"
                " in whose folder stand the files beside a PostgreSQL"
            ]
        )
    return place


def _compared(read: End, written: End) -> list[Compared]:
    rows = steps_of(read) - read.count("listings")
    with progress("comparing", rows) as done:
        return list(compare(read, written, done))


def _print_tables(tables: Sequence[Compared]) -> None:
    """The tables that hold anything, one a line."""
    print_table(
        ("table", "rows", "SHA-256", ""),
        [
            (one.table, one.rows[0], one.hashes[0][:HASH], "differs" if one.differs else "the same")
            for one in tables
            if any(one.rows)
        ],
    )


def _told(one: Compared, place: str, only_compares: bool) -> str:
    """One line on a table that is not the same."""
    rows = f"{one.rows[0]:,} and {one.rows[1]:,} rows; " if one.rows[0] != one.rows[1] else ""
    said = f"{one.table} differs: {rows}{one.differs}"
    if only_compares:
        return said
    return f"{said}; {place} stays unfinished: was it written meanwhile? --fresh begins anew"


def _print_end(tables: Sequence[Compared], first: str, second: str) -> None:
    rows = sum(one.rows[0] for one in tables if one.hashes[0])
    say(f"{counted(rows, 'row')} of {first} and {second} are the same")


def _print_next(first: Place, second: Place, config_path: Path) -> None:
    """What is to be done with the two databases."""
    if isinstance(second, Path):
        here = config_path.parent.resolve()
        path = second.resolve()
        data = str(path.relative_to(here) if path.is_relative_to(here) else path)
    else:
        data = hide_password(second)
    say(err=True)
    say("Now put this into the config under [service], and start the service:", err=True)
    say(f"  data = {json.dumps(data, ensure_ascii=False)}", err=True)
    if data != str(second) and not isinstance(second, Path):
        say("  (with the password in the place of ***)", err=True)
    say(
        f"{name_of(first)} stays as it was. Start no service on it again: it knows nothing of what"
        " goes out from now on.",
        err=True,
    )
