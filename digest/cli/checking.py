"""The command that looks at the config and all that it names, without any network: check."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import suppress
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import click
import tomli_w

from digest.app import database_of, faults_of
from digest.cli.options import config_option, json_option
from digest.cli.saying import complain, counted, harmless, print_json, say
from digest.config import Config, load_config
from digest.errors import ConfigError, SourceError, StoreError
from digest.fetcher import read_files
from digest.lint import lint
from digest.matcher import Batch, Matcher, Statistics
from digest.model import Listing
from digest.store.inspecting import shelf
from digest.templates import LETTER_NAMES, NAMES

NEWEST = 2000
"""Stored listings that a floor is tried on: some weeks of most services."""


@click.command()
@config_option
@json_option
def check(config_path: Path, as_json: bool) -> None:
    """Check the config, every profile and the templates.

    Prints the settings in force, those of the defaults too; secrets are hidden. What is no fault
    but may not do what it seems to is noted.
    """
    config = load_config(config_path)
    faults = faults_of(config)
    notes = list(_notes(config))
    if as_json:
        print_json({"faults": faults, "notes": notes, "settings": config.effective()})
    else:
        click.echo(tomli_w.dumps(_without_blanks(config.effective())), nl=False)
        for note in notes:
            click.echo(click.style("Note: ", fg="yellow") + harmless(note), err=True)
    complain(*faults)
    if faults:
        sys.exit(2)
    if not as_json:
        sources = counted(len(config.sources), "source")
        people = counted(len(config.subscribers), "subscriber")
        say(f"{config_path} is good: {sources}, {people}", err=True)


def _without_blanks(table: dict[str, Any]) -> dict[str, Any]:
    """A table without its unset keys, which TOML cannot write."""
    return {
        key: _without_blanks(value) if isinstance(value, dict) else value
        for key, value in table.items()
        if value is not None
    }


# --- notes ------------------------------------------------------------------------------------


def _notes(config: Config) -> Iterator[str]:
    """What is no fault but may be a slip, each with its place."""
    for number, source in enumerate(config.sources, 1):
        if source.path and (told := _unread(config, number - 1)):
            yield f"{config.place}: [[sources]] #{number} ({source.name}) path: {told}"
    for told in _strangers(config.mail.templates):
        yield f"{config.place}: [mail] templates: {told}"
    if not config.subscribers:
        return
    matcher, stored = _at_hand(config)
    for number, one in enumerate(config.subscribers, 1):
        for told in lint(one.profile, matcher, stored):
            yield f"{config.place}: [[subscribers]] #{number} ({one.email}): {told}"


def _unread(config: Config, at: int) -> str:
    """Why the files of a source cannot be read now, or empty."""
    try:
        read_files(config.sources[at], config.folder)
    except SourceError as error:
        return error.reason
    return ""


def _strangers(folder: Path | None) -> Iterator[str]:
    """Files among the operator's templates that no template is called."""
    names = (*NAMES, *LETTER_NAMES)
    for path in sorted(folder.iterdir()) if folder and folder.is_dir() else ():
        if path.name not in names and not path.name.startswith("."):
            near = get_close_matches(path.name, names, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            if path.is_dir() and any((path / name).exists() for name in names):
                hint = f"; did you mean {path} for the folder?"
            yield f"{path.name} is no template and is never looked at{hint}"


def _at_hand(config: Config) -> tuple[Matcher, Batch]:
    """A matcher by what is stored, if anything is, and the newest of it; nothing is changed."""
    statistics, newest = Statistics(0, {}), list[Listing]()
    with suppress(ConfigError, StoreError):  # told elsewhere; words can be weighed without it
        number, counts, newest = shelf(database_of(config), NEWEST)
        statistics = Statistics(number, counts)
    matcher = Matcher(statistics.blended())
    return matcher, matcher.read(newest)
