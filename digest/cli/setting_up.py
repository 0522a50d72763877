"""The commands of the first hour: demo, init, check."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

import click
import tomli_w

from digest.app import make_frame
from digest.cli.options import config_option, json_option, print_json, print_table
from digest.config import check_files, example_config, load_config
from digest.demo import run_demo
from digest.errors import DigestError
from digest.renderer import check_templates
from digest.tokens import read_keys


@click.command()
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("demo-mails"),
    show_default=True,
    help="Folder for the mails and the demo's database.",
)
@click.option(
    "--pages",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Run on the saved Daily Papers pages in this folder instead of the demo's own listings.",
)
@click.option("--fresh", is_flag=True, help="Forget earlier runs of the demo.")
def demo(output: Path, pages: Path | None, fresh: bool) -> None:
    """Run the whole service once, on this machine alone: six readers get their digest."""
    told = asyncio.run(run_demo(output, pages, fresh=fresh))
    print_table(("reader", "mail", "top item", "because"), told.rows)
    click.echo("")
    for line in told.lines:
        click.echo(line)


@click.command()
@click.argument(
    "path", type=click.Path(path_type=Path, dir_okay=False), default=Path("config.toml")
)
def init(path: Path) -> None:
    """Write a commented config to PATH (config.toml) and make its secret key."""
    if path.exists():
        raise DigestError(f"{path} exists already; nothing was changed")
    path.write_text(example_config(), "utf-8")
    secret = path.parent / "secret.key"
    read_keys(secret)
    click.echo(f"wrote {path} and {secret}")
    click.echo(
        "Next: set base_url, from and [smtp]; name your sources and yourself as a subscriber;\n"
        f"then: digest check --config {path} && digest ingest --config {path}"
        f" && digest preview YOU --config {path} --open"
    )


@click.command()
@config_option
@json_option
def check(config_path: Path, as_json: bool) -> None:
    """Check the config, every profile and every template; print the settings in force."""
    config = load_config(config_path)
    faults = check_files(config)
    if not faults:
        check_templates(make_frame(config))
    if as_json:
        print_json({"faults": faults, "settings": config.effective()})
    else:
        click.echo(tomli_w.dumps(_without_blanks(config.effective())), nl=False)
        for fault in faults:
            click.echo(f"error: {fault}", err=True)
        if not faults:
            click.echo(
                f"\n{config_path}: ok; {len(config.sources)} sources,"
                f" {len(config.subscribers)} subscribers",
                err=True,
            )
    if faults:
        sys.exit(2)


def _without_blanks(table: dict[str, Any]) -> dict[str, Any]:
    """A table without its unset keys, which TOML cannot write."""
    return {
        key: _without_blanks(value) if isinstance(value, dict) else value
        for key, value in table.items()
        if value is not None
    }
