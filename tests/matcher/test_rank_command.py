"""`digest rank`: files in, a table of scores out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from digest.cli.rank import rank
from tests.matcher.listings import archive


def lines(path: Path, *records: object) -> Path:
    """A JSONL file of these records."""
    path.write_text("".join(json.dumps(each) + "\n" for each in records), encoding="utf-8")
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two profiles, three listings, an archive and likes."""
    lines(
        tmp_path / "profiles.jsonl",
        {"id": "heat", "keywords": [{"term": "heat transfer", "weight": 2}, {"term": "plate"}]},
        {"id": "codes", "keywords": {"parity": 1}, "exclude": ["plate"]},
    )
    lines(
        tmp_path / "listings.jsonl",
        {"id": "d1", "title": "Heat transfer on a plate", "abstract": "", "authors": []},
        {"id": "d2", "title": "Parity codes", "abstract": "A plate."},
        {"id": "d3", "title": "Parity", "categories": ["cs.IT"]},
    )
    told = [{"id": e.key, "title": e.title, "abstract": e.abstract} for e in archive(300)]
    lines(tmp_path / "older.jsonl", *told)
    (tmp_path / "likes.tsv").write_text("heat\tcodes:4\nheat\tcodes:9\nheat\tcodes:14\n")
    return tmp_path


def run(folder: Path, *options: str) -> Result:
    """The command on the folder's files."""
    named = {"--profiles": "profiles.jsonl", "--listings": "listings.jsonl"}
    given = [word for option, name in named.items() for word in (option, str(folder / name))]
    return CliRunner().invoke(rank, [*given, *options])


def table(result: Result) -> list[list[str]]:
    """The cells of what was printed."""
    assert result.exit_code == 0, (result.output, result.exception)
    return [line.split("\t") for line in result.stdout.splitlines()]


def test_each_profile_gets_its_listings_best_first(folder: Path) -> None:
    """Every listing with a score stands under its profile, the excluded ones do not."""
    rows = table(run(folder))
    assert [row[:2] for row in rows] == [["heat", "d1"], ["heat", "d2"], ["codes", "d3"]]
    assert all(0 < float(row[2]) <= 1 for row in rows)


def test_top_explain_and_output(folder: Path) -> None:
    """The best of each profile with its reasons, in a file."""
    out = folder / "run.tsv"
    table(run(folder, "--top", "1", "--explain", "--output", str(out)))
    rows = [line.split("\t") for line in out.read_text(encoding="utf-8").splitlines()]
    assert [row[:2] for row in rows] == [["heat", "d1"], ["codes", "d3"]]
    assert "heat transfer (title ×1)" in rows[0][3]


def test_likes_bring_what_is_like_them(folder: Path) -> None:
    """A liked topic outranks what only the keywords name."""
    more = run(
        folder, "--history", str(folder / "older.jsonl"), "--likes", str(folder / "likes.tsv")
    )
    scores = {row[1]: float(row[2]) for row in table(more) if row[0] == "heat"}
    assert scores["d2"] > 0
    assert scores["d3"] > 0


def test_profiles_may_be_toml(folder: Path) -> None:
    """The tables of a config name profiles as well."""
    toml = folder / "profiles.toml"
    toml.write_text(
        '[[subscribers]]\nemail = "a@example.org"\n[subscribers.keywords]\nparity = 2\n'
    )
    rows = table(run(folder, "--profiles", str(toml)))
    assert {row[0] for row in rows} == {"a@example.org"}


def test_a_bad_keyword_is_said_and_passed_over(folder: Path) -> None:
    """One keyword that cannot be one does not stop the others."""
    lines(folder / "profiles.jsonl", {"id": "p", "keywords": [{"term": "a*"}, {"term": "parity"}]})
    result = run(folder)
    assert "profiles.jsonl:1: passed over: 'a*'" in result.stderr
    assert {row[1] for row in table(result)} == {"d2", "d3"}


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("profiles.jsonl", "{", "profiles.jsonl:1: not a JSON object"),
        ("profiles.jsonl", "[]", "expected an object with an id"),
        ("profiles.jsonl", '{"id": "p", "keywords": [7]}', "expected keywords such as"),
        ("profiles.jsonl", '{"id": 1}\n{"id": "1"}', "profiles.jsonl:2: the id '1' stands twice"),
        ("listings.jsonl", '{"id": "d", "title": 7}', "listings.jsonl:1: title must be a text"),
        ("listings.jsonl", '{"id": "d", "authors": "A"}', "authors must be a list of texts"),
        ("likes.tsv", "nobody\td1\n", "likes.tsv:1: there is no profile 'nobody'"),
        ("likes.tsv", "heat d1\n", "there is no profile"),
    ],
)
def test_a_fault_names_its_file_and_line(folder: Path, name: str, text: str, said: str) -> None:
    """Whatever is wrong with a file is one line that says where."""
    (folder / name).write_text(text)
    result = run(folder, "--likes", str(folder / "likes.tsv"))
    assert result.exit_code != 0
    assert said in str(result.exception)
