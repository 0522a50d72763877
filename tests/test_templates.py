"""Where templates are found."""

from __future__ import annotations

from pathlib import Path

import pytest

from digest.errors import TemplateError
from digest.templates import NAMES, load_templates, packaged_templates


def test_every_name_is_packaged() -> None:
    """The packaged folder holds each template, in a fixed order."""
    assert tuple(name for name, _ in packaged_templates()) == NAMES
    assert load_templates(None) == packaged_templates()


def test_an_operators_template_stands_over_ours(tmp_path: Path) -> None:
    """A file of a known name replaces ours; ours stays reachable, all else is ignored."""
    (tmp_path / "item.txt").write_text("mine", encoding="utf-8")
    (tmp_path / "other.txt").write_text("no", encoding="utf-8")
    made = dict(load_templates(tmp_path))
    assert made["item.txt"] == "mine"
    assert made["packaged/item.txt"] == dict(packaged_templates())["item.txt"]
    assert set(made) == {*NAMES, "packaged/item.txt"}


def test_x7_a_link_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    """A template cannot be a link to a file elsewhere."""
    (tmp_path / "secret").write_text("word", encoding="utf-8")
    folder = tmp_path / "templates"
    folder.mkdir()
    (folder / "item.txt").symlink_to(tmp_path / "secret")
    with pytest.raises(TemplateError, match="leads out of its folder"):
        load_templates(folder)


def test_a_folder_that_is_none_is_named(tmp_path: Path) -> None:
    """A wrong path is one clear line."""
    with pytest.raises(TemplateError, match="is no folder"):
        load_templates(tmp_path / "missing")


@pytest.mark.parametrize("content", [b"\xff\xfe", b"x" * 300_000])
def test_a_file_that_is_no_template_is_named(tmp_path: Path, content: bytes) -> None:
    """Bytes that are no UTF-8, or far too many, are refused by name."""
    (tmp_path / "digest.txt").write_bytes(content)
    with pytest.raises(TemplateError, match=r"digest\.txt"):
        load_templates(tmp_path)
