"""The guide to the configuration is the code's own."""

from __future__ import annotations

import re

import pytest

from digest.config import parse_config
from digest.config.faults import keys_of
from digest.config.reading import LISTS, TABLES
from digest.errors import ConfigError
from tests.config.building import config
from tests.config.reference import GUIDE, refreshed


def test_the_guide_is_made_from_the_code() -> None:
    """A changed key changes the guide: `python -m tests.config.reference` writes it anew."""
    guide = GUIDE.read_text(encoding="utf-8")
    assert guide == refreshed(guide)
    assert all(f"| `{key}` |" in guide for model in TABLES.values() for key in keys_of(model))


@pytest.mark.parametrize("model", [*TABLES.values(), *LISTS.values()])
def test_every_key_is_described(model: type) -> None:
    """Each key has a meaning in words that end in a full stop."""
    for key, field in keys_of(model).items():
        assert field.description, key
        assert field.description.endswith("."), key


def test_the_faults_of_the_guide_are_real() -> None:
    """The lines that the guide shows are the lines that such a config gives."""
    shown = re.findall(r"^config\.toml: (.*)$", GUIDE.read_text(encoding="utf-8"), re.MULTILINE)
    text = config(
        service='base_url = "https://digest.example.org"\ntimezone = "Europe/Londn"',
        smtp='host = "mail.example.org"\nprot = 25',
        rest='[[subscribers]]\nemail = "b@example.org"\n'
        '[[subscribers]]\nemail = "ada@example.org"\n[subscribers.keywords]\n"x-ray" = 0',
    )
    with pytest.raises(ConfigError) as caught:
        parse_config(text, "config.toml", GUIDE.parent)
    assert sorted(caught.value.faults) == sorted(f"config.toml: {line}" for line in shown)
