"""Python, time zones and the disk, good and bad."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from digest.doctor.finding import Level
from digest.doctor.machine import disk_finding, python_finding, zones_finding, zones_version
from tests.samples import NOW


@pytest.mark.parametrize(
    ("version", "level"),
    [
        ((3, 11, 14), Level.WARNING),
        ((3, 11, 15), Level.OK),
        ((3, 12, 12), Level.WARNING),
        ((3, 13, 12), Level.OK),
        ((3, 14, 2), Level.WARNING),
        ((3, 15, 0), Level.OK),
    ],
)
def test_d5_pythons_patch_level(version: tuple[int, int, int], level: Level) -> None:
    """Below the fixes for header fields it is a warning that names the release to have."""
    found = python_finding(NOW, version)
    assert found.level is level
    assert (".".join(map(str, version)) in found.found) is True


def test_d5_a_python_past_its_end() -> None:
    """Nobody mends it any more."""
    found = python_finding(datetime(2027, 11, 1, tzinfo=UTC), (3, 11, 20))
    assert (found.level, "October 2027" in found.found) == (Level.WARNING, True)


@pytest.mark.parametrize(
    ("version", "level"),
    [("2026b", Level.OK), ("2025a", Level.OK), ("2024b", Level.WARNING), ("", Level.WARNING)],
)
def test_the_age_of_the_zone_rules(version: str, level: Level) -> None:
    """Those of last year will do; older ones miss decrees."""
    assert zones_finding(NOW, version).level is level


def test_the_version_of_the_zone_rules_is_found(tmp_path: Path) -> None:
    """The system's where it has them, else those of the package."""
    (tmp_path / "UTC").touch()
    assert zones_version([str(tmp_path)]) == ""
    (tmp_path / "tzdata.zi").write_text("# version 2023c\n# more", "ascii")
    assert zones_version([str(tmp_path)]) == "2023c"
    assert zones_version([str(tmp_path / "nowhere")])[:2] == "20"


@pytest.mark.parametrize(
    ("free", "needed", "level"),
    [
        (900_000_000, 0, Level.OK),
        (900_000_000, 950_000_000, Level.WARNING),
        (400_000_000, 0, Level.WARNING),
        (40_000_000, 0, Level.ERROR),
    ],
)
def test_q18_room_on_the_disk(tmp_path: Path, free: int, needed: int, level: Level) -> None:
    """Below 50 MB nothing is sent; the database should fit beside itself."""
    assert disk_finding(tmp_path, needed, free).level is level


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    """Named, with the key that says where the data is."""
    found = disk_finding(tmp_path / "gone", 0)
    assert (found.level, "[service] data" in found.do) == (Level.ERROR, True)
    assert disk_finding(tmp_path, 0).found.endswith("beside the database")
