"""What README promises a newcomer: its config loads, its links and pictures are there."""

from __future__ import annotations

import re
from pathlib import Path

from digest.cli import cli
from digest.config import parse_config

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")


def test_the_config_of_the_readme_loads() -> None:
    """Copied as it stands, it is a config without a fault."""
    found = re.search(r"```toml\n(.*?)```", README, re.DOTALL)
    assert found
    config = parse_config(found[1], "README.md", Path("/nowhere"))
    assert [one.email for one in config.subscribers] == ["ada@example.org"]


def test_every_link_and_picture_is_there() -> None:
    """README and the guides lead nowhere that does not exist."""
    for page in (ROOT / "README.md", *(ROOT / "docs").glob("*.md")):
        for target in re.findall(r'(?:\]\(|src=")([^)#" ]+)', page.read_text("utf-8")):
            if "://" not in target and not target.startswith("mailto:"):
                assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_every_command_of_the_readme_exists() -> None:
    """What the five minutes call is there."""
    assert set(re.findall(r"^digest (\w+)", README, re.MULTILINE)) <= set(cli.commands) | set(
        cli.list_commands(None)  # type: ignore[arg-type]  # the group asks no context
    )
