"""The guide to the sources holds what it shows."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from digest.model import Source
from digest.sources import KINDS

_GUIDE = Path(__file__).parents[2] / "docs" / "sources.md"


def test_every_example_of_the_guide_is_right() -> None:
    """Each kind has one example at least, and no example has a fault."""
    examples = re.findall(r"```toml\n(.*?)```", _GUIDE.read_text(), re.DOTALL)
    tables = [table for example in examples for table in tomllib.loads(example)["sources"]]
    for table in tables:
        options = {name: value for name, value in table.items() if name != "every"}
        options["categories"] = tuple(options.get("categories", ()))
        assert KINDS[table["kind"]].fault(Source(**options)) == ""
    assert {table["kind"] for table in tables} == set(KINDS)
