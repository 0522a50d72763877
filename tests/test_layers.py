"""The house: each room imports only from rooms below it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import digest

HOUSE = Path(digest.__file__).parent

LAYERS = (
    ("states", "message", "reason", "share"),
    ("model", "errors"),
    ("text", "tex", "markup", "language", "schedule", "allowance", "addresses", "bounces"),
    ("sources",),
    ("join", "backlog", "matcher", "standing", "drafts"),
    ("config", "composer", "forecast", "tuning", "bibliography", "query", "revisions"),
    ("offers", "hints", "sizes", "choices", "lint", "roster"),
    ("renderer",),
    ("formats", "letters", "signup"),
    ("notes",),
    (
        "fetcher",
        "store",
        "mailer",
        "dkim",
        "tokens",
        "postbox",
        "templates",
        "domains",
        "semantic",
        "clock",
    ),
    ("reader", "learning", "frames", "crew", "machines"),
    ("app",),
    (
        "planner",
        "intake",
        "press",
        "clerk",
        "returns",
        "doctor",
        "oversight",
        "moving",
        "exporting",
    ),
    ("sending", "replay", "preparing"),
    ("jobs", "mailroom", "collecting"),
    ("web",),
    ("reloading",),
    ("ticks",),
    ("scheduler",),
    ("cluster",),
    ("serving", "demo"),
    ("cli",),
)
"""From the ground up; rooms of one layer do not know each other but for `BESIDE`."""

BESIDE = {
    ("text", "markup"): "markup is what text is taken out of",
    ("errors", "model"): "an error may name a noun",
}
"""(importer, imported) in one layer, with the reason."""

PURE = {room for layer in LAYERS[:10] for room in layer}
"""Rooms without I/O and without a clock; the config reads the files that it is given by name."""

FORBIDDEN = {
    "asyncio", "aiohttp", "aiosmtplib", "socket", "sqlite3", "sqlite_utils", "smtplib",
    "subprocess", "urllib.request", "requests",
}  # fmt: skip

CLOCKS = {"now", "utcnow", "today", "time", "monotonic"}


def modules() -> Iterator[tuple[str, Path, ast.Module]]:
    """(room, file, tree) of every module of the package."""
    for path in sorted(HOUSE.rglob("*.py")):
        inside = path.relative_to(HOUSE).with_suffix("").parts
        if inside[0] not in {"__init__", "demo_data"}:
            yield inside[0], path, ast.parse(path.read_text("utf-8"))


def imports(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """(dotted name, line) of everything that a module imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module, node.lineno
            yield from ((f"{node.module}.{alias.name}", node.lineno) for alias in node.names)


MODULES = list(modules())
HEIGHT = {room: height for height, layer in enumerate(LAYERS) for room in layer}


def test_every_room_has_its_place() -> None:
    """A new room is put into the list of layers before it is used."""
    assert {room for room, _, _ in MODULES} == set(HEIGHT)


@pytest.mark.parametrize(("room", "path", "tree"), MODULES, ids=[str(m[1].name) for m in MODULES])
def test_rooms_import_downward_only(room: str, path: Path, tree: ast.Module) -> None:
    """An arrow that goes up, or across without a reason, is named with its line."""
    for name, line in imports(tree):
        parts = name.split(".")
        if parts[0] != "digest" or len(parts) < 2 or parts[1] not in HEIGHT or parts[1] == room:
            continue
        below = HEIGHT[parts[1]] < HEIGHT[room] or (room, parts[1]) in BESIDE
        assert below, f"{path.name}:{line}: {room} imports {parts[1]}"


@pytest.mark.parametrize(
    ("path", "tree"),
    [(path, tree) for room, path, tree in MODULES if room in PURE],
    ids=[str(path.name) for room, path, _ in MODULES if room in PURE],
)
def test_pure_rooms_touch_no_network_and_no_clock(path: Path, tree: ast.Module) -> None:
    """Neither a library for I/O nor a look at the clock stands in the lower layers."""
    for name, line in imports(tree):
        assert name not in FORBIDDEN, f"{path.name}:{line}: {name}"
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            owner = node.func.value
            clock = node.func.attr in CLOCKS and isinstance(owner, ast.Name)
            named = isinstance(owner, ast.Name) and owner.id in {"datetime", "date", "time"}
            assert not (clock and named), f"{path.name}:{node.lineno}: reads the clock"


@pytest.mark.parametrize("path", [path for _, path, _ in MODULES], ids=lambda path: str(path.name))
def test_no_file_is_longer_than_a_person_reads(path: Path) -> None:
    """Files have at most 400 lines, functions at most 60."""
    text = path.read_text("utf-8")
    assert len(text.splitlines()) <= 400
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert (node.end_lineno or 0) - node.lineno < 60, f"{path.name}: {node.name}"
