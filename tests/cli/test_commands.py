"""The command line as a whole: its help, its start, its reference, its setting up."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from digest.cli import COMMANDS, cli
from tests.cli.desk import ADA, Desk
from tests.e2e.service import DIGEST

REFERENCE = Path(__file__).parents[2] / "docs" / "commands.md"


def all_commands() -> Iterator[tuple[str, click.Command]]:
    """Every command with its full name."""
    context = click.Context(cli, info_name="digest")
    for name in COMMANDS:
        command = cli.get_command(context, name)
        assert command
        yield f"digest {name}", command
        if isinstance(command, click.Group):
            yield from ((f"digest {name} {n}", c) for n, c in command.commands.items())


@pytest.mark.parametrize(("name", "command"), list(all_commands()))
def test_every_command_and_option_stands_in_the_reference(
    name: str, command: click.Command
) -> None:
    """Its section names each option and each argument."""
    text = REFERENCE.read_text("utf-8")
    assert f"`{name}" in text
    section = re.split(r"\n## ", text[text.index(f"`{name}") :])[0]
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, f"{name} {parameter.name} has no help"
            for option in parameter.opts:
                assert option in section or option in text.split("\n## ")[1], f"{name} {option}"
        else:
            assert str(parameter.name).upper() in section, f"{name} {parameter.name}"


def test_the_list_of_commands_says_what_each_says_itself() -> None:
    """The lines that the help shows without an import are those of the commands."""
    context = click.Context(cli, info_name="digest")
    for name, (_, line) in COMMANDS.items():
        command = cli.get_command(context, name)
        assert command
        assert command.get_short_help_str(100) == line


def test_the_help_needs_none_of_what_the_commands_need() -> None:
    """It shows every command, and neither numpy nor a template engine was imported for it."""
    script = (
        "import sys; from digest.cli import cli;"
        " cli(['--help'], standalone_mode=False);"
        " print('heavy:', *sorted({'numpy', 'jinja2', 'aiohttp', 'pydantic'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert all(re.search(rf"(?m)^  {name} ", done.stdout) for name in COMMANDS)
    assert done.stdout.endswith("heavy:\n")


def test_a_reader_that_leaves_early_is_no_fault() -> None:
    """The pipe is closed before the first line: nothing is said about it."""
    process = subprocess.Popen(
        [*DIGEST, "--help"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout
    process.stdout.close()
    assert process.stderr
    assert process.stderr.read() == ""
    process.stderr.close()
    assert process.wait(30) == 1


def test_init_writes_a_config_that_is_good_and_shows_the_way(desk: Desk) -> None:
    """The file passes `check`; the next commands are named; nothing is ever overwritten."""
    said = desk.run("init", "new/config.toml").stdout
    assert "wrote new/config.toml and new/secret.key" in said
    assert "digest check --config new/config.toml" in said
    assert (desk.folder / "new/secret.key").stat().st_mode & 0o077 == 0
    assert "is good: " in desk.run("check", "--config", "new/config.toml").stderr
    before = (desk.folder / "new/config.toml").read_bytes()
    assert "exists already" in desk.refused("init", "new/config.toml", code=1)
    assert (desk.folder / "new/config.toml").read_bytes() == before


def test_check_prints_what_is_in_force(desk: Desk) -> None:
    """Defaults too, as TOML or JSON."""
    assert "timeout_s = 300" in desk.run("check").stdout
    report = desk.json("check")
    assert report["faults"] == []
    assert report["settings"]["subscribers"][0]["email"] == "ada@example.org"


def test_check_names_each_missing_file(desk: Desk) -> None:
    """Key and file, exit 2."""
    desk.write_config(ADA, {"[mail]": '[mail]\nnote_file = "note.md"'})
    said = desk.refused("check", code=2)
    assert "config.toml: [mail] note_file: " in said
    assert "note.md does not exist" in said


def test_the_config_may_be_named_by_the_environment(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`DIGEST_CONFIG` stands for `--config`, which goes before it."""
    (desk.folder / "config.toml").rename(desk.folder / "other.toml")
    monkeypatch.setenv("DIGEST_CONFIG", "other.toml")
    assert len(desk.json("subscribers", "list")) == 2
    assert "none.toml" in desk.refused("status", "--config", "none.toml", code=2)
