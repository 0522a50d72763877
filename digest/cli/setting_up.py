"""The commands of the first hour: demo and init."""

from __future__ import annotations

import asyncio
import shlex
import sys
from pathlib import Path

import click

from digest.cli.logs import log_warnings
from digest.cli.options import clock, place_named
from digest.cli.saying import complain, print_table, say
from digest.config import example_config
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
@click.option(
    "--data", help="A new PostgreSQL database (postgresql://…) instead of a file of the demo's own."
)
def demo(output: Path | None, pages: Path | None, fresh: bool, data: str | None) -> None:
    """Run it all once on this machine, with readers and papers of ours.

    Needs no network and no config: six readers get their mail over real SMTP into a folder.
    """
    log_warnings()
    folder = output or Path("demo-pages" if pages else "demo-mails")
    address = place_named("--data", data) if data else ""
    if isinstance(address, Path):
        raise click.BadParameter("must be a postgresql:// address", param_hint="--data")
    if address and fresh:
        raise click.UsageError("--fresh empties no PostgreSQL; make a new database, and name it")

    def tell(line: str) -> None:
        say(line, err=True)

    told = asyncio.run(run_demo(folder, pages, clock(), fresh=fresh, data=address, step=tell))
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
