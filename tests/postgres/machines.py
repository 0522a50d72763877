"""Machines of one service: each with a folder of its own, all on one database."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.pages import twenty_subscribers, write_pages
from tests.e2e.service import Service


def machine(folder: Path, port: int, address: str, smtp: str = "") -> Service:
    """A service on that database, with its own folder; `smtp` are more lines of that table."""
    folder.mkdir()
    write_pages("ours", folder)
    service = Service(folder, port, twenty_subscribers("ours"))
    config = folder / "config.toml"
    text = config.read_text("utf-8").replace("[service]", f'[service]\ndata = "{address}"')
    config.write_text(text.replace("lease_s", f"{smtp}lease_s"), "utf-8")
    return service
