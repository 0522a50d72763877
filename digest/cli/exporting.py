"""The command that takes everything out: export."""

from __future__ import annotations

from pathlib import Path

import click

from digest.cli.options import clock, config_option, json_option, opened
from digest.cli.progress import progress
from digest.cli.saying import print_json, print_table, say
from digest.exporting import export_all


@click.command()
@config_option
@json_option
@click.argument("directory", type=click.Path(path_type=Path))
def export(config_path: Path, directory: Path, *, as_json: bool) -> None:
    """Write all that is kept as open files into a new DIRECTORY.

    Also while the service runs. It holds addresses, and no key or password.
    """
    with opened(config_path) as app, progress("rows") as done:
        manifest = export_all(app, directory, clock(), done)
    if as_json:
        print_json(manifest)
        return
    print_table(
        ("file", "rows", "what is in it"),
        [(name, told["rows"], told["holds"]) for name, told in manifest["files"].items()],
    )
    say(f"wrote {directory}/, for you alone: it holds addresses")
