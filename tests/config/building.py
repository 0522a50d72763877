"""Small configs to bend, and the faults that they have."""

from __future__ import annotations

from pathlib import Path

import pytest

from digest.config import parse_config
from digest.errors import ConfigError

GOOD = {
    "service": 'base_url = "https://digest.example.org"',
    "mail": 'from = "Paper digest <digest@example.org>"',
    "smtp": 'host = "mail.example.org"',
}
ADA = '[[subscribers]]\nemail = "ada@example.org"\n'
PERSON = "[[subscribers]] #1 (ada@example.org)"
ARXIV = '[[sources]]\nname = "arXiv"\nkind = "arxiv"\ncategories = ["cs.CL"]\n'
FEED = '[[sources]]\nname = "feed"\nkind = "feed"\nurl = "https://example.org/feed.xml"\n'
MARKER = "s3cr3t-m4rk3r"


def faults(text: str) -> list[str]:
    """The faults of a config, without the file's name."""
    with pytest.raises(ConfigError) as caught:
        parse_config(text, "c.toml", Path("/srv/digest"))
    assert all(fault.startswith("c.toml: ") for fault in caught.value.faults)
    assert all(fault.isprintable() for fault in caught.value.faults)
    return [fault.removeprefix("c.toml: ") for fault in caught.value.faults]


def config(**tables: str) -> str:
    """A config that is good but for the tables given; `rest` goes to its end."""
    rest = tables.pop("rest", "")
    return "\n".join(f"[{name}]\n{body}" for name, body in {**GOOD, **tables}.items()) + f"\n{rest}"
