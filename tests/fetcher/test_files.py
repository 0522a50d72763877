"""Files that the operator chose."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from digest.errors import SourceError
from digest.fetcher import files, read_files
from digest.model import Source


def _source(path: str) -> Source:
    return Source("pages", "page", path=path)


def test_a_glob_reads_every_file_by_name(tmp_path: Path) -> None:
    """Files come sorted by name; folders among them are passed over."""
    for name in ("b.txt", "a.txt", "c.html"):
        (tmp_path / name).write_text(name)
    (tmp_path / "d.txt").mkdir()
    assert read_files(_source("*.txt"), tmp_path) == [("a.txt", b"a.txt"), ("b.txt", b"b.txt")]


def test_a_glob_without_a_file_names_itself(tmp_path: Path) -> None:
    """An empty folder is no empty day: the pattern is named."""
    with pytest.raises(SourceError, match=r"source 'pages': no file matches 'saved/\*\.txt'"):
        read_files(_source("saved/*.txt"), tmp_path)


@pytest.mark.parametrize("path", ["../secret.txt", "link.txt", "inner/../../secret.txt"])
def test_s8_files_stay_inside(tmp_path: Path, path: str) -> None:
    """Neither `..` nor a symbolic link leads out of the folder."""
    base = tmp_path / "base"
    (base / "inner").mkdir(parents=True)
    (tmp_path / "secret.txt").write_text("secret")
    (base / "link.txt").symlink_to(tmp_path / "secret.txt")
    with pytest.raises(SourceError, match="outside"):
        read_files(_source(path), base)
    assert read_files(_source(path), base, [tmp_path])


def test_s8_an_absolute_path_inside_is_fine(tmp_path: Path) -> None:
    """A whole path under the folder is read; one elsewhere is not."""
    (tmp_path / "a.txt").write_text("a")
    assert read_files(_source(str(tmp_path / "a.txt")), tmp_path)
    with pytest.raises(SourceError, match="outside"):
        read_files(_source("/etc/hostname"), tmp_path)


def test_s8_pipes_and_devices_are_refused_at_once(tmp_path: Path) -> None:
    """A pipe without a writer does not hold us."""
    os.mkfifo(tmp_path / "pipe.txt")
    with pytest.raises(SourceError, match="no regular file"):
        read_files(_source("pipe.txt"), tmp_path)


def test_s8_large_files_are_refused(tmp_path: Path) -> None:
    """A file beyond the limit is named with the limit; it costs no disk here, it is sparse."""
    with (tmp_path / "large.txt").open("wb") as file:
        file.truncate(files.MAX_FILE + 1)
    with pytest.raises(SourceError, match="more than 64,000,000 bytes"):
        read_files(_source("large.txt"), tmp_path)
