"""The commands of the first hour: demo, init, check."""

from __future__ import annotations

import asyncio
import shlex
import sys
from pathlib import Path
from typing import Any

import click
import tomli_w

from digest.app import faults_of
from digest.cli.logs import log_warnings
from digest.cli.options import clock, config_option, json_option
from digest.cli.saying import complain, counted, print_json, print_table, say
from digest.config import example_config, load_config
from digest.demo import run_demo
from digest.errors import DigestError
from digest.tokens import read_keys


@click.command()
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for the mails and the demo's database.  [default: demo-mails, or"
    " demo-pages with --pages]",
)
@click.option(
    "--pages",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Run on the saved Daily Papers pages in this folder instead of the demo's own listings.",
)
@click.option("--fresh", is_flag=True, help="Forget earlier runs of the demo.")
def demo(output: Path | None, pages: Path | None, fresh: bool) -> None:
    """Run it all once on this machine, with readers and papers of ours.

    Needs no network and no config: six readers get their mail over real SMTP into a folder.
    """
    log_warnings()
    folder = output or Path("demo-pages" if pages else "demo-mails")
    told = asyncio.run(
        run_demo(folder, pages, clock(), fresh=fresh, step=lambda line: say(line, err=True))
    )
    say()
    print_table(("reader", "mail", "top item", "because"), told.rows)
    say()
    for line in told.lines:
        say(line)
    complain(*told.faults)
    if told.faults:
        sys.exit(1)


@click.command()
@click.argument(
    "path", type=click.Path(path_type=Path, dir_okay=False), default=Path("config.toml")
)
def init(path: Path) -> None:
    """Write a commented config and a secret key to start from.

    PATH is config.toml if you name no other.
    """
    if path.exists():
        raise DigestError(f"{path} exists already; nothing was changed")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(example_config(), "utf-8")
    secret = path.parent / "secret.key"
    read_keys(secret)
    option = "" if path == Path("config.toml") else f" --config {shlex.quote(str(path))}"
    say(f"wrote {path} and {secret}")
    say()
    say(f"Now edit {path}: your address under `from`, your mail server under [smtp],")
    say("the sources you read, and yourself as the first subscriber. Then:")
    say()
    for step in ("check", "ingest", "preview YOUR-ADDRESS --open", "send --now", "serve"):
        say(f"  digest {step}{option}")


@click.command()
@config_option
@json_option
def check(config_path: Path, as_json: bool) -> None:
    """Check the config, every profile and the templates.

    Prints the settings in force, those of the defaults too; secrets are hidden.
    """
    config = load_config(config_path)
    faults = faults_of(config)
    if as_json:
        print_json({"faults": faults, "settings": config.effective()})
    else:
        click.echo(tomli_w.dumps(_without_blanks(config.effective())), nl=False)
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
