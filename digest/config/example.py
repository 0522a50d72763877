"""The example config: every key, commented."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path


def example_config() -> str:
    """The text of `config.example.toml`: from the wheel, or from the top of a checkout."""
    packaged = files("digest") / "config.example.toml"
    if packaged.is_file():
        return packaged.read_text(encoding="utf-8")
    return (Path(__file__).parents[2] / "config.example.toml").read_text(encoding="utf-8")
