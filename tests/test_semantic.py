"""The optional model: found, read, used and absent, each with a word about what to do."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from digest.cli.rank import rank
from digest.errors import ConfigError
from digest.semantic import INSTALL, find_model

WORDS = ("river", "lake", "rain", "water", "star", "planet", "orbit", "telescope")
"""The words of the model: the first half points one way, the second another."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of eight words in two dimensions, as its library writes it."""
    pytest.importorskip("model2vec", reason="the extra `semantic` is not installed")
    from model2vec import StaticModel  # noqa: PLC0415 - the extra
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers  # noqa: PLC0415

    tokens = {word: number for number, word in enumerate(("[UNK]", *WORDS))}
    tokenizer = Tokenizer(models.WordLevel(tokens, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    halves = [[0.0, 0.0], *([[1.0, 0.1]] * 4), *([[0.1, 1.0]] * 4)]
    made = tmp_path_factory.mktemp("model")
    StaticModel(np.array(halves, dtype=np.float32), tokenizer).save_pretrained(made)
    return made


def test_a_model_says_what_texts_mean(folder: Path) -> None:
    """Texts of one topic are near, those of two are not, and unknown words say nothing."""
    rows = find_model(folder.name, folder.parent, "here").embed(
        ["the river", "Rain on a lake", "a telescope", "unheard of", ""]
    )
    assert rows.shape == (5, 2)
    assert rows[0] @ rows[1] > rows[0] @ rows[2] > 0
    assert not rows[3:].any()


def test_a_package_can_carry_the_model(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The name of an installed package is as good as a folder."""
    monkeypatch.syspath_prepend(str(folder.parent))
    (folder.parent / "some_model").mkdir()
    (folder.parent / "some_model" / "__init__.py").write_text("")
    shutil.copytree(folder, folder.parent / "some_model" / "inside")
    found = find_model("some_model", Path("/"), "here")
    assert found.embed(["river"]).shape == (1, 2)


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ((), "has no config.json"),
        (("config.json", "tokenizer.json"), "has no model.safetensors"),
        (("config.json", "model.safetensors", "tokenizer.json"), "cannot be read as a model"),
    ],
)
def test_what_is_no_model_is_said_in_one_line(
    tmp_path: Path, files: tuple[str, ...], said: str
) -> None:
    """A folder without the files, or with broken ones, is named with its place."""
    pytest.importorskip("model2vec", reason="the extra `semantic` is not installed")
    for name in files:
        (tmp_path / name).write_text("{")
    with pytest.raises(ConfigError, match=said) as fault:
        find_model(str(tmp_path), Path(), "config.toml: [service] semantic").embed(["river"])
    assert str(fault.value).startswith("config.toml: [service] semantic: ")
    assert "\n" not in str(fault.value)


def test_a_name_of_nothing_is_never_looked_for_elsewhere(tmp_path: Path) -> None:
    """No folder and no package: a fault at once, and no download."""
    with pytest.raises(ConfigError, match=r"'nobody/model' is no folder and no installed package"):
        find_model("nobody/model", tmp_path, "here")


ABSENT = """
import sys
sys.modules.update(dict.fromkeys(("model2vec", "tokenizers", "safetensors")))
"""
"""What makes an interpreter believe that the extra is not installed."""


def run(code: str, *given: str) -> str:
    """What a program prints in an interpreter of its own."""
    command = [sys.executable, "-c", code, *given]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_core_runs_without_the_extra() -> None:
    """Every command can be imported where the extra is not installed, and never asks for it."""
    modules = "digest.cli, digest.cli.rank, digest.app, digest.jobs, digest.semantic"
    assert run(f"{ABSENT}\nimport {modules}\nprint(sys.modules['model2vec'])") == "None"


def test_a_missing_extra_is_said_with_what_installs_it(tmp_path: Path) -> None:
    """Who names a model without the extra is told the line that installs it."""
    for name in ("config.json", "model.safetensors", "tokenizer.json"):
        (tmp_path / name).write_text("{}")
    code = f"""{ABSENT}
from pathlib import Path
from digest.errors import ConfigError
from digest.semantic import find_model
try:
    find_model(sys.argv[1], Path(), "[service] semantic")
except ConfigError as fault:
    print(fault)
"""
    assert run(code, str(tmp_path)).endswith(f"needs the extra: {INSTALL}")


def test_rank_takes_a_model(folder: Path, tmp_path: Path) -> None:
    """A listing without any keyword is found by its meaning, and the reason says so."""
    profiles, listings = tmp_path / "p.jsonl", tmp_path / "l.jsonl"
    profiles.write_text(json.dumps({"id": "p", "keywords": [{"term": "river"}]}))
    texts = {"near": "Rain on a lake", "far": "Planet in orbit"}
    listings.write_text("\n".join(json.dumps({"id": k, "title": v}) for k, v in texts.items()))
    given = ["--profiles", str(profiles), "--listings", str(listings), "--explain"]
    assert not CliRunner().invoke(rank, given).output
    lines = CliRunner().invoke(rank, [*given, "--semantic", str(folder)]).output.splitlines()
    assert [line.split("\t")[1] for line in lines] == ["near", "far"]
    assert "likeness in meaning" in lines[0]
