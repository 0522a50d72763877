"""A transfer that is killed: in every stage and direction, nothing is lost or doubled."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from digest.store.inspecting import Place
from digest.store.sqlite import SqliteStore
from tests.store.transfer.moves import compared, dump, move

HOUSE = Path(__file__).parents[3]


def died(source: Place, target: Place, folder: Path, where: str, when: str) -> int:
    """Move by processes that die; returns how many did before one came through."""
    done = subprocess.run(
        [
            sys.executable,
            *("-m", "tests.store.transfer.killed"),
            *(str(source), str(target), str(folder), where, when),
        ],
        cwd=HOUSE,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("direction", ["to the server", "from the server", "to a file"])
def test_a_kill_every_few_transactions(
    file: Path, address: str, tmp_path: Path, *, direction: str, when: str
) -> None:
    """Each process dies a little further on, until one is through; then all is there, once."""
    source: Place = file
    target: Place = address if direction == "to the server" else tmp_path / "new.db"
    if direction == "from the server":
        move(file, address, tmp_path)
        source = address
    assert died(source, target, tmp_path, "11", when) > 3
    assert not compared(source, target, tmp_path)
    if isinstance(target, Path):
        assert dump(target) == dump(file)


@pytest.mark.parametrize(
    ("step", "when"),
    [
        ("make_schema", "before"),
        ("make_schema", "after"),
        ("check_beside", "before"),
        ("_copy_beside", "before"),
        ("_copy_beside", "after"),
        ("settle", "after"),
        ("finish", "before"),
    ],
)
def test_a_kill_at_each_other_step(
    file: Path, address: str, tmp_path: Path, *, step: str, when: str
) -> None:
    """Of the beginning and of the end."""
    for target in (address, tmp_path / "new.db"):
        assert died(file, target, tmp_path, step, when) == 1
        assert not compared(file, target, tmp_path)
    assert dump(tmp_path / "new.db") == dump(file)


def test_a_kill_while_the_schema_is_made(file: Path, tmp_path: Path) -> None:
    """An empty file, and one with the first steps, are made whole."""
    empty, half = tmp_path / "empty.db", tmp_path / "half.db"
    empty.touch()
    SqliteStore(half).close_store()
    with closing(sqlite3.connect(half)) as db, db:
        db.execute("DROP TABLE notes")
        db.execute("ALTER TABLE letters DROP COLUMN body")
        db.execute("DELETE FROM _sqlite_migrations WHERE name LIKE 'm014%'")
    for target in (empty, half):
        move(file, target, tmp_path)
        assert dump(target) == dump(file)
