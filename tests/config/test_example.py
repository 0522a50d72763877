"""The example config: complete, and good as it is and with all of it in use."""

from __future__ import annotations

import re
import tomllib
from collections import defaultdict
from pathlib import Path

import pytest

from digest.config import example_config, parse_config
from digest.config.faults import keys_of
from digest.config.reading import LISTS, TABLES
from tests.config.building import config as shortest

HEAD = re.compile(r"(?:# )?\[+(\w+(?:\.(?:relays|providers|imap))?)\]+")
KEY = re.compile(r"(?:# )?(\w+) = ")
SUBTABLE = re.compile(r"(?:# )?\[subscribers\.(\w+)\]")
COMMENTED = re.compile(r"^# (?=\w+ = |\[)", re.MULTILINE)
ROOT = Path(__file__).parents[2]


def keys_in(text: str) -> dict[str, set[str]]:
    """The keys of each table, in use or commented out."""
    found: dict[str, set[str]] = defaultdict(set)
    table = ""
    for line in text.splitlines():
        if below := SUBTABLE.match(line):
            found["subscribers"].add(below[1])
            table = below[1]
        elif head := HEAD.match(line):
            table = head[1]
        elif key := KEY.match(line):
            found[table].add(key[1])
    return found


@pytest.mark.parametrize(("name", "model"), [*TABLES.items(), *LISTS.items()])
def test_the_example_has_every_key(name: str, model: type) -> None:
    """A key that is added to the code is added to the example, and none is there that is not."""
    assert keys_in(example_config())[name] == set(keys_of(model))


def test_the_example_loads_as_it_is() -> None:
    """Who copies the example has a config that works."""
    config = parse_config(example_config(), "config.toml", Path("/srv"))
    assert config.sources
    assert config.subscribers[0].profile.keywords


@pytest.mark.parametrize("kept", ["password_file", "password_env", "token_file", "token_command"])
def test_what_is_commented_out_is_good_too(kept: str) -> None:
    """Every optional line works once its `# ` is gone; of four ways to log in, any."""
    text = COMMENTED.sub("", example_config())
    others = {"password_file", "password_env", "token_file", "token_command"} - {kept}
    smtp, head, rest = text.partition("[bounces]")
    text = re.sub(rf"^({'|'.join(others)}) = .*\n", "", smtp, flags=re.MULTILINE) + head + rest
    if kept.startswith("token"):
        text = re.sub(r'^auth = "\w+"', 'auth = "xoauth2"', text, flags=re.MULTILINE)
    config = parse_config(text, "config.toml", Path("/srv"))
    assert config.dkim
    assert config.mail.reply_to
    assert config.subscribers[0].profile.per_day
    assert len(config.sources) == example_config().count("[[sources]]\n")


@pytest.mark.parametrize("name", list(TABLES))
def test_what_the_example_says_is_the_default(name: str) -> None:
    """A live line of the example shows the default, where there is one that is not the reader's."""
    live = tomllib.loads(example_config()).get(name, {})
    own = {"base_url", "from", "host", "timezone"}
    config = parse_config(shortest(), "config.toml", Path())
    default = config.effective().get(name) or {}
    shown = {key: value for key, value in live.items() if key not in own}
    assert shown == {key: default[key] for key in shown}


def test_the_example_is_the_file_of_the_checkout() -> None:
    """`digest init` writes what stands at the top of the repository."""
    assert example_config() == (ROOT / "config.example.toml").read_text(encoding="utf-8")
