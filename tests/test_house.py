"""The house as drawn and as told: the rooms are those of the code, in their layers."""

from __future__ import annotations

import re
from collections import defaultdict
from itertools import pairwise
from xml.etree import ElementTree

from tests.test_layers import HEIGHT, HOUSE, LAYERS

DOCS = HOUSE.parent / "docs"
PAGE = (DOCS / "architecture.md").read_text("utf-8")
PICTURE = (DOCS / "images" / "house.svg").read_text("utf-8")
SVG = "{http://www.w3.org/2000/svg}"


def drawing() -> ElementTree.Element:
    """The picture, as XML."""
    return ElementTree.fromstring(PICTURE)  # noqa: S314 - a file of ours


def texts(kind: str) -> list[ElementTree.Element]:
    """The text elements of a class."""
    return [one for one in drawing().iter(f"{SVG}text") if kind in one.get("class", "").split()]


def test_each_layer_is_a_row_of_the_picture() -> None:
    """Every room is drawn once, in the row of its layer, and the ground lies at the bottom."""
    rows = defaultdict[int, list[str]](list)
    for room in texts("room"):
        rows[int(room.get("y", ""))].append(str(room.text))
    drawn = [sorted(rooms) for _, rooms in sorted(rows.items(), reverse=True)]
    assert drawn == [sorted(layer) for layer in LAYERS]


def test_no_room_is_drawn_over_another_or_out_of_the_picture() -> None:
    """Letters are 8 wide, so the next room of a row begins after the last one's end."""
    ends: dict[str, int] = {}
    for room in texts("room"):
        x, y, name = int(room.get("x", "")), room.get("y", ""), str(room.text)
        assert x >= ends.get(y, 0), name
        ends[y] = x + 8 * len(name) + 8
    bottom = max(int(text.get("y", "")) for text in drawing().iter(f"{SVG}text"))
    assert max(ends.values()) < int(drawing().get("width", "0")) - 40
    assert bottom < int(drawing().get("height", "0"))


def test_the_walk_goes_through_the_marked_rooms() -> None:
    """Each step of the walk is a room, marked in the house; beside them only the story is."""
    steps = {str(step.text) for step in texts("step")}
    assert steps | {"jobs"} == {str(room.text) for room in texts("walked")} <= set(HEIGHT)


def test_the_picture_needs_nothing_from_elsewhere() -> None:
    """No font, picture, script or link is fetched to show it."""
    ours = PICTURE.replace(SVG.strip("{}"), "")
    assert not re.search(r"https?:|@import|@font-face|<image|<script|href", ours)


def test_the_page_names_every_room_once() -> None:
    """The table of the page has the rooms of the code, folders with a slash."""
    table = [line for line in PAGE.splitlines() if line.startswith("| ")][2:]
    named = re.findall(r"`([a-z_]+)(/|\.py)`", "".join(row.split("|")[2] for row in table[:6]))
    assert sorted(room for room, _ in named) == sorted(HEIGHT)
    for room, kind in named:
        assert (HOUSE / room).is_dir() == (kind == "/"), room


def test_the_page_puts_the_rooms_of_a_layer_together() -> None:
    """A row of the table is a band of the picture: whole layers, and the lower rows below."""
    table = [line for line in PAGE.splitlines() if line.startswith("| ")][2:8]
    heights = [
        {HEIGHT[room] for room in re.findall(r"`([a-z_]+)(?:/|\.py)`", row.split("|")[2])}
        for row in table
    ]
    for above, below in pairwise(heights):
        assert min(above) > max(below)
