"""The command line: `digest COMMAND`. Reads the clock, calls the story, prints what came of it.

Exits 0 on success, 1 when the work failed, 2 on bad usage or configuration. A fault is one line on
standard error for each thing that is wrong, never a traceback.
"""

from __future__ import annotations

import os
import sys
from difflib import get_close_matches
from importlib import import_module
from typing import Any

import click

from digest import __version__
from digest.cli.saying import complain
from digest.errors import DigestError

# Before the first command loads numpy. On a machine that has other work the threads of its algebra
# wait for each other by spinning: learning from likes took 8.1 s of CPU with two, 3.1 s with one.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

COMMANDS = {
    "demo": ("setting_up", "Run it all once on this machine, with readers and papers of ours."),
    "init": ("setting_up", "Write a commented config and a secret key to start from."),
    "check": ("checking", "Check the config, every profile and the templates."),
    "doctor": ("examining", "Look at all that mail depends on, and say what to do."),
    "dkim-key": ("keys", "Make a key that signs mails, and show its DNS record."),
    "ingest": ("running", "Read the sources now and store what is new."),
    "preview": ("showing", "Write the digest that EMAIL would get now as a file, and name it."),
    "send": ("running", "Prepare the digests that are due and send what waits."),
    "serve": ("running", "Run the service: read sources, prepare and send, day after day."),
    "worker": ("running", "Work for a service on PostgreSQL, beside others, without web pages."),
    "subscribers": ("people", "List, show, add, edit, remove, import and export subscribers."),
    "suppressed": ("returning", "List, add and remove addresses that get no mail."),
    "bounce": ("returning", "Read a bounce or a complaint from standard input and act on it."),
    "explain": ("reasons", "Show why LISTING scores as it does for EMAIL."),
    "like": ("liking", "Keep that EMAIL wants more like LISTING."),
    "dislike": ("liking", "Keep that EMAIL wants less like LISTING."),
    "profile": ("liking", "Show what was liked, and what that suggests changing in a profile."),
    "forecast": (
        "forecasting",
        "Show what PROFILE (an address or a TOML file) would have brought.",
    ),
    "replay": ("showing", "Make the digest of a past DAY again, or try another profile on it."),
    "rank": (
        "rank",
        "Score LISTINGS for PROFILES from files: profile, listing, score; best first.",
    ),
    "backup": (
        "backing_up",
        "Write a whole, checked copy of the database to FILE, also while the service runs.",
    ),
    "restore": (
        "backing_up",
        "Put the copy in FILE in the place of the database; the service must be stopped.",
    ),
    "migrate-store": (
        "migrating",
        "Copy everything from one database into another, SQLite or PostgreSQL, and compare.",
    ),
    "export": ("exporting", "Write all that is kept as open files into a new DIRECTORY."),
    "held": ("backing_up", "List, release and cancel digests that wait for your word."),
    "status": ("state", "Show the sources, the subscribers by state and today's digests."),
}
"""Each command's module and its line in the help, in the order in which a newcomer meets them."""


class Commands(click.Group):
    """Commands that are imported when they are run: the help needs none of what they need."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in our order."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a name, from its module."""
        if cmd_name not in COMMANDS:
            if near := get_close_matches(cmd_name, COMMANDS, n=1):
                ctx.fail(f"No such command {cmd_name!r}. Did you mean {near[0]!r}?")
            return None
        module = import_module(f"digest.cli.{COMMANDS[cmd_name][0]}")
        command: click.Command = getattr(module, cmd_name.replace("-", "_"))
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands into the help without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; a fault that a person can mend becomes lines and an exit code."""
        try:
            return super().invoke(ctx)
        except DigestError as error:
            complain(*str(error).splitlines())
            ctx.exit(error.exit_code)
        except BrokenPipeError:
            raise  # whoever read our output has seen enough; click ends quietly
        except OSError as error:
            complain(f"{error.filename or 'this machine'}: {error.strerror or error}")
            ctx.exit(1)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="digest")
def cli() -> None:
    """Mail each subscriber the day's new papers that fit their keywords, and say why."""


def main() -> None:
    """Run the command line."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal without Unicode shows `?`
    cli()
