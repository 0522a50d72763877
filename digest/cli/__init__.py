"""The command line: `digest COMMAND`. Reads the clock, calls the story, prints what came of it.

Exits 0 on success, 1 when the work failed, 2 on bad usage or configuration. A fault is one line on
standard error for each thing that is wrong, never a traceback.
"""

from __future__ import annotations

import sys
from typing import Any

import click

from digest import __version__
from digest.cli.people import subscribers
from digest.cli.reasons import explain
from digest.cli.running import ingest, preview, send, serve, status
from digest.cli.setting_up import check, demo, init
from digest.errors import DigestError


class Commands(click.Group):
    """A group of commands that says a known fault in words."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; a `DigestError` becomes lines and an exit code."""
        try:
            return super().invoke(ctx)
        except DigestError as error:
            for line in str(error).splitlines():
                click.echo(f"error: {line}", err=True)
            ctx.exit(error.exit_code)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="digest")
def cli() -> None:
    """Mail each subscriber the day's new papers that fit their keywords, and say why."""


for command in (
    demo,
    init,
    check,
    ingest,
    preview,
    send,
    serve,
    subscribers,
    explain,
    status,
):  # in the order in which a newcomer meets them
    cli.add_command(command)


def main() -> None:
    """Run the command line; a closed pipe ends it quietly."""
    try:
        cli()
    except BrokenPipeError:
        sys.stderr.close()  # else the interpreter complains once more at exit
        sys.exit(1)
