"""The guides' commands exist, and those of operating.md, moving.md and profiles.md are run."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
import pytest

from digest.app import open_app
from digest.cli import cli
from digest.config import load_config
from digest.model import Keyword, Profile
from tests.e2e.pages import HEADER
from tests.e2e.service import mail_server_thread

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^ *```(\w+)\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"^(?:`([\w.-]+)`[^\n]*:\n\n)?```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
"""A block of a page, with the name of the file that it shows, if it has one."""
START = datetime(2026, 11, 20, 14, tzinfo=UTC)
PAPER = "Speculative Decoding with Flash Attention\n\nFlash attention makes decoding fast.\n\n"


def commands(page: Path) -> list[str]:
    """Every line of a page's blocks that calls `digest`, without what a shell does around it."""
    lines = [
        line.strip().removeprefix("$ ")
        for kind, block in BLOCK.findall(page.read_text("utf-8"))
        for line in block.splitlines()
        if kind == "sh" or line.lstrip().startswith("$ ")
    ]
    return [re.split(r" [|<>&]", line)[0] for line in lines if line.startswith("digest ")]


def check_line(line: str) -> None:
    """A command line has a command, options that it takes, and no word too many."""
    words = shlex.split(line, comments=True)[1:]
    command: click.Command = cli
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        found = command.get_command(click.Context(command), words.pop(0))
        assert found, line
        command = found
    _, left, _ = command.make_parser(click.Context(command)).parse_args(words)
    assert not left, line


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_every_command_line_of_the_guides_exists(page: Path) -> None:
    """Its command is there and takes these options and words."""
    for line in commands(page):
        check_line(line)


@pytest.mark.parametrize("line", ["digest send --nwo", "digest check one two", "digest held lst"])
def test_a_line_that_is_wrong_is_found(line: str) -> None:
    """A slip in an option, a word or a command's name does not pass."""
    with pytest.raises((click.UsageError, AssertionError)):
        check_line(line)


def of_this_machine(config: str, port: int) -> str:
    """The guide's config with the test's mail server and saved pages in the place of its own."""
    config = re.sub(
        r"(?m)^\[smtp\]\n(.+\n)+",
        f'[smtp]\nhost = "127.0.0.1"\nport = {port}\ntls = "none"\n',
        config,
    )
    return re.sub(
        r"(?m)^\[\[sources\]\]\n(.+\n)+",
        '[[sources]]\nname = "Saved"\nkind = "page"\npath = "*.txt"\n',
        config,
    )


def run(script: str, folder: Path, minute: int = 0) -> str:
    """What the lines of a block print when a shell runs them, with `digest` as installed.

    They run so many minutes after two of a Friday, so that what is done later is later.
    """
    env = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    env.pop("COLUMNS", None)  # tables take the room that they need
    done = subprocess.run(
        ["/bin/sh", "-ec", script],
        cwd=folder,
        env=env | {"DIGEST_CLOCK": (START + timedelta(minutes=minute)).isoformat()},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, f"{script}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def test_the_operating_guide_leads_from_nothing_to_a_signed_mail(tmp_path: Path) -> None:
    """Each block works where it stands, and the mail that goes out is signed."""
    (tmp_path / "page.txt").write_text(HEADER + PAPER, "utf-8")
    text = (ROOT / "docs" / "operating.md").read_text("utf-8")
    with mail_server_thread() as server:
        for kind, block in BLOCK.findall(text):
            if kind == "sh":
                run(block, tmp_path)
            elif block.startswith("# config.toml"):
                config = of_this_machine(block, server.port)
                (tmp_path / "config.toml").write_text(config, "utf-8")
            elif kind == "toml":
                with (tmp_path / "config.toml").open("a", encoding="utf-8") as file:
                    file.write(f"\n{block}")
        assert [one.recipients for one in server.taken] == [["ada@example.org"]]
    assert server.taken[0].raw.startswith(b"DKIM-Signature:")


MOVING = """
[service]
base_url = "https://digest.example.org"
[mail]
from = "Paper digest <digest@example.org>"
[smtp]
host = "127.0.0.1"
[[sources]]
name = "Saved"
kind = "page"
path = "*.page"
"""


def test_the_moving_guide_brings_its_people_along(tmp_path: Path) -> None:
    """Each file is taken as it stands in the page, and who left is nowhere subscribed."""
    (tmp_path / "config.toml").write_text(MOVING, "utf-8")
    (tmp_path / "one.page").write_text(HEADER + PAPER, "utf-8")
    run("digest ingest", tmp_path)
    for name, kind, block in FILE.findall((ROOT / "docs" / "moving.md").read_text("utf-8")):
        if name:
            (tmp_path / name).write_text(block, "utf-8")
        elif kind == "sh":
            run(block, tmp_path)
    with (tmp_path / "config.toml").open("a", encoding="utf-8") as file:
        file.write((tmp_path / "rss2email.toml").read_text("utf-8"))
    run("digest check; digest subscribers list --json > people.json", tmp_path)
    people = json.loads((tmp_path / "people.json").read_text("utf-8"))
    assert {one["email"].partition("@")[0]: [*one["keywords"]] for one in people} == {
        "ada.l": ["flash attention", "speculative decoding"],
        "ann": ["braided river"],
        "carl": ["flash attention", "speculative decoding"],
        "emmy": ["flash attention", "speculative decoding"],
        "mary": ["sediment transport", "survey", "gravel", "braided rivers"],
        "olga": ["flash attention", "speculative decoding"],
    }
    run("digest suppressed list --json > suppressed.json", tmp_path)
    suppressed = json.loads((tmp_path / "suppressed.json").read_text("utf-8"))
    assert [one["reason"] for one in suppressed] == ["left"] * 3
    manifest = json.loads((tmp_path / "everything" / "manifest.json").read_text("utf-8"))
    page = (ROOT / "docs" / "moving.md").read_text("utf-8")
    assert all(f"| `{name}` |" in page for name in manifest["files"])


PROFILES = (ROOT / "docs" / "profiles.md").read_text("utf-8")
SCORES = re.compile(r"^\| (`.+?) \| .* \| (\d\.\d\d) \|$", re.MULTILINE)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[tuple[str, str, str]]]:
    """The profile guide followed from top to bottom.

    The folder where that ends, and of each command the line, what it printed, what the guide shows.
    """
    folder, told = tmp_path_factory.mktemp("guide"), list[tuple[str, str, str]]()
    for kind, block in BLOCK.findall(PROFILES):
        if kind == "toml":
            name = block.partition("\n")[0].removeprefix("# ")
            (folder / name).write_text(block, "utf-8")
            continue
        for said in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            line, _, shown = said.partition("\n")
            if line.startswith("cd "):
                folder /= line.removeprefix("cd ")
            else:
                told.append((line, run(line, folder, len(told)), shown))
    return folder, told


def test_the_profile_guide_shows_what_its_commands_print(
    demo: tuple[Path, list[tuple[str, str, str]]],
) -> None:
    """Line by line; `…` stands for any number of them."""
    assert len(demo[1]) > 10
    for line, printed, shown in demo[1]:
        pattern = "\n".join(".*" if s == "…" else re.escape(s) for s in shown.split("\n"))
        assert re.fullmatch(pattern, printed, re.DOTALL), f"{line}\n{printed}"


def test_the_profile_guides_examples_of_scores_are_true(
    demo: tuple[Path, list[tuple[str, str, str]]],
) -> None:
    """Each row of its table is what the matcher makes of that profile and the paper it names."""
    now = datetime(2026, 11, 20, 14, tzinfo=UTC)
    rows = SCORES.findall(PROFILES)
    assert len(rows) == 6
    with open_app(load_config(demo[0] / "config.toml"), now) as app:
        (paper,) = (p for p in app.store.recent_listings(500) if "Uranium" in p.title)
        for written, score in rows:
            terms = re.findall(r"`(.+?)`(?: = (\d))?", written)
            profile = Profile(tuple(Keyword(term, float(weight or 1)) for term, weight in terms))
            made = app.matcher(now).explain(profile, paper).match
            assert f"{made.score:.2f}" == score, written
