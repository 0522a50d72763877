"""What `pip install` gets: a wheel that carries everything the commands need."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import digest
from digest.templates import NAMES

ROOT = Path(digest.__file__).parents[1]


def test_the_wheel_carries_templates_example_and_demo(tmp_path: Path) -> None:
    """Every file that the code reads from its own package stands in the wheel."""
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    data = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "digest").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert data <= names
    assert {f"digest/_templates/mail/{name}" for name in NAMES} <= names
    assert "digest/config.example.toml" in names
    assert not [name for name in names if name.startswith(("tests/", "docs/"))]
