"""What `docs/deploy` says of the container, read for tests."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import yaml

DEPLOY = Path(__file__).parents[1] / "docs" / "deploy"


def instructions() -> list[tuple[str, str]]:
    """Each (instruction, its words) of the Dockerfile, lines that go on joined."""
    text = re.sub(r"(?m)^#.*\n", "", (DEPLOY / "Dockerfile").read_text("utf-8"))
    lines = text.replace("\\\n", "").splitlines()
    return [(name, words.strip()) for name, _, words in (x.partition(" ") for x in lines) if name]


def last(name: str) -> str:
    """The words of the last instruction of that name, which is the one in force."""
    return [words for found, words in instructions() if found == name][-1]


def command() -> list[str]:
    """What the container runs."""
    return [str(word) for word in json.loads(last("CMD"))]


def health_check() -> list[str]:
    """What tells whether the container is well."""
    return [str(word) for word in json.loads(last("HEALTHCHECK").partition("CMD ")[2])]


def compose() -> dict[str, Any]:
    """The service of the compose file."""
    read = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))
    service: dict[str, Any] = read["services"]["digest"]
    return service
