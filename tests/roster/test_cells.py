"""Cells of a table: what no spreadsheet runs, and settings that come back as they were."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.roster import neutral, row_of, term_and_weight
from digest.roster.cells import LIVE, READERS, plain_cell, write_cell
from tests.samples import profile, subscriber

FORMULAS = (
    "=HYPERLINK(\"http://example.org\")", "+1+1", "-2+3", "@SUM(A1)", "\t=1+1", "\r=1+1", "＝1+1",
)  # fmt: skip


@pytest.mark.parametrize("cell", FORMULAS)
def test_x11_no_cell_begins_like_a_formula(cell: str) -> None:
    """A spreadsheet takes it for text, and it is read back as it was."""
    assert not neutral(cell).startswith(LIVE)
    assert plain_cell(neutral(cell)) == cell


def test_x11_holds_for_each_cell_of_a_subscriber() -> None:
    """Name, address, keywords and every other cell, as the file has them."""
    one = subscriber(
        "=cmd@example.org",
        name="=1+1",
        profile=profile(keywords={"=x y": 1.0}, authors=("@who ever",), exclude=("+plus",)),
    )
    file = io.StringIO()
    csv.writer(file).writerow(row_of(one, {"form": "-form"}))
    (cells,) = csv.reader(io.StringIO(file.getvalue()))
    assert not [cell for cell in cells if cell.startswith(LIVE)]
    assert sum(cell.startswith("'") for cell in cells) == 6


@given(st.text(st.sampled_from("'=+-@\t\rab \"")))
def test_what_was_made_neutral_comes_back(cell: str) -> None:
    """Whatever apostrophes stand there already."""
    assert plain_cell(neutral(cell)) == cell


@pytest.mark.parametrize(
    ("name", "value", "cell"),
    [
        ("keywords", {"flash attention": 3, "survey": -0.5}, "flash attention=3; survey=-0.5"),
        ("keywords", {"a; b": 1}, '{"a; b": 1}'),
        ("keywords", {"a=b": 1}, "a=b=1"),
        ("keywords", {"{x": 1}, "{x=1"),
        ("authors", ["Emmy Noether", "Ada"], "Emmy Noether; Ada"),
        ("exclude", ["a;b"], '["a;b"]'),
        ("days", ["mon", "tue"], "mon tue"),
        ("learn", True, "true"),
        ("min_score", 0.25, "0.25"),
        ("max_items", 12, "12"),
        ("send_at", "07:30", "07:30"),
    ],
)
def test_a_setting_comes_back_from_its_cell(name: str, value: Any, cell: str) -> None:
    """In the plain form where that is enough, else as JSON."""
    assert write_cell(name, value) == cell
    assert READERS[name](cell) == value


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("rivers", ("rivers", 1)),
        ("rivers=2", ("rivers", 2)),
        ("rivers=0.5", ("rivers", 0.5)),
        ("rivers=two", ("rivers", "two")),
    ],
)
def test_a_keyword_may_have_a_weight(text: str, said: tuple[str, object]) -> None:
    """What is no number is left for the config to blame."""
    assert term_and_weight(text) == said


def test_lists_of_terms_may_be_written_as_people_do() -> None:
    """By lines, with stray semicolons, or as a JSON list."""
    for cell in ("rivers; bed load ;", "rivers\nbed load", '["rivers", "bed load"]'):
        assert READERS["keywords"](cell) == {"rivers": 1, "bed load": 1}
