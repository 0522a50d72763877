"""Moving a store, as an operator goes through it."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path

import pytest

from digest.store.inspecting import is_there
from tests.cli.desk import Desk
from tests.postgres.database import new_database


@pytest.fixture
def kind() -> str:
    """One server is enough for what an operator sees."""
    return "wheel"


@pytest.fixture
def address(server: str) -> str:
    """The address of an empty database, with a password."""
    return new_database(server).replace("postgres:@", "postgres:s3cret@")


def with_data(desk: Desk, data: str) -> None:
    """Put the line into the config that names the database."""
    path = desk.folder / "config.toml"
    text = re.sub("(?m)^data = .*\n", "", path.read_text("utf-8"))
    path.write_text(text.replace("[service]\n", f"[service]\ndata = {json.dumps(data)}\n"), "utf-8")


def test_the_whole_way_there_and_back(desk: Desk, address: str) -> None:
    """Copy, compare, go on there, come back; the passwords stay untold."""
    desk.run("ingest")
    desk.run("send", code=1)  # nobody listens: the mail waits
    waits = desk.json("status")["deliveries"]
    result = desk.run("migrate-store", "--from", "digest.db", "--to", address)
    assert re.search(r"(?m)^deliveries +2 +[0-9a-f]{12} +the same$", result.stdout)
    assert re.search(r"\d+ rows of digest.db and postgresql://.* are the same", result.stdout)
    assert "digest.db stays as it was" in result.stderr
    hidden = address.replace("s3cret", "***")
    assert f'  data = "{hidden}"\n  (with the password in the place of ***)' in result.stderr
    assert "s3cret" not in result.output
    same = desk.json("migrate-store", "--check", "--from", "digest.db", "--to", address)
    assert same["same"] is True
    (ledger,) = (one for one in same["tables"] if one["table"] == "deliveries")
    assert ledger["rows"] == [2, 2]
    assert ledger["hashes"][0] == ledger["hashes"][1]
    with_data(desk, address)
    assert desk.json("status")["deliveries"] == waits
    assert not desk.json("held", "list"), "it is no restored copy"
    desk.run("like", "ada@example.org", "Quantized Weights at Four Bits")
    result = desk.run("migrate-store", "--from", address, "--to", "back.db")
    assert '  data = "back.db"\n' in result.stderr
    assert "s3cret" not in result.output
    with_data(desk, "back.db")
    assert desk.json("status")["deliveries"] == waits
    assert not desk.json("held", "list")
    assert "Quantized Weights" in desk.run("profile", "likes", "ada@example.org").stdout
    said = desk.refused(
        "migrate-store", "--check", "--from", "digest.db", "--to", "back.db", code=1
    )
    assert "likes differs: 0 and 1 rows; likes, rowid 1: only in the second" in said
    assert "unfinished" not in said


def test_an_interrupted_copy_is_said_and_gone_on_with(desk: Desk, address: str) -> None:
    """By every command and the doctor; the command that began it finishes it."""
    desk.run("ingest")
    path = desk.folder / "digest.db"
    sound = path.read_bytes()
    path.write_bytes(sound.replace(b"Flash Attention for Long", b"Flash Attention f\x00r Long"))
    said = desk.refused("migrate-store", "--from", "digest.db", "--to", address, code=1)
    assert "listings, id 1: body cannot be moved: it holds a NUL" in said
    with_data(desk, address)
    assert "digest migrate-store" in desk.refused("status", code=1)
    said = desk.run("doctor", code=1).stdout
    assert "is a copy that was begun and not finished" in said
    path.write_bytes(sound)
    desk.run("migrate-store", "--from", "digest.db", "--to", address)
    assert desk.json("status")


def test_what_a_hostile_source_says_is_taken_in_and_moved(desk: Desk, server: str) -> None:
    """Names that PostgreSQL's index cannot hold are passed over by both databases alike."""
    choose = random.Random(3).choices  # noqa: S311 - what nobody can press together
    blob = "".join(choose("abcdefghijkmnopqrstuvwxyz0123456789", k=9000))
    signs = "".join(choose([chr(code) for code in range(0x4E00, 0x9FFF)], k=1900))
    one = {
        "id": blob,
        "title": f"Kernels \x00 {blob}",
        "abstract": f"{blob[::-1]} https://doi.org/10.1000/{blob[:1900]}",
        "doi": f"10.1000/{signs}",
        "url": f"https://example.org/{blob}",
        "authors": [blob],
        "categories": [blob],
        "organization": blob,
    }
    (desk.folder / "papers.jsonl").write_text(json.dumps(one) + "\n", "utf-8")
    here, there = new_database(server), new_database(server)
    desk.run("ingest")
    desk.run("migrate-store", "--from", "digest.db", "--to", here)
    (desk.folder / "digest.sent").unlink(missing_ok=True)
    with_data(desk, there)
    assert desk.json("ingest")[0]["new"] == 1


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--from", "digest.db"), 2, "Missing option '--to'"),
        (("--from", "digest.db", "--to", "postgres://a:s3cret@h/x"), 2, "did you mean postgresql"),
        (("--from", "none.db", "--to", "x.db"), 1, "none.db: there is no such file"),
        (("--from", "digest.db", "--to", "digest.db"), 1, "digest.db: is named as both stores"),
        (("--from", "digest.db", "--to", "x.db", "--check", "--fresh"), 2, "copies nothing"),
        (
            ("--from", "digest.db", "--to", "postgresql://a:s3cret@127.0.0.1:1/x"),
            1,
            "postgresql://127.0.0.1:1/x: connection failed",
        ),
        (("--from", ":memory:", "--to", "x.db"), 2, "must be a file"),
        (
            ("--config", "no.toml", "--from", "digest.db", "--to", "postgresql://h/x"),
            2,
            "no.toml: there is no such file; --config",
        ),
    ],
)
def test_what_is_wrong_is_said(desk: Desk, words: tuple[str, ...], code: int, said: str) -> None:
    """On one line, without a password, and with nothing made."""
    desk.run("status")
    result = desk.refused("migrate-store", *words, code=code)
    assert said in result
    assert "s3cret" not in result
    assert not Path("x.db").exists()


def test_without_the_extra_the_option_says_what_is_missing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before anything is opened."""
    desk.run("status")
    monkeypatch.setattr("digest.app.find_spec", lambda name: None)
    words = ("--from", "digest.db", "--to", "postgresql://db.example.org/digest")
    said = desk.refused("migrate-store", *words, code=2)
    assert "--to: a PostgreSQL needs the extra" in said


def test_nothing_is_made_by_comparing(desk: Desk, address: str) -> None:
    """An empty database stays empty, and a file that is not there is not made."""
    desk.run("status")
    said = desk.refused("migrate-store", "--check", "--from", "digest.db", "--to", address, code=1)
    assert "holds no data of this program" in said
    assert not is_there(address)
    desk.refused("migrate-store", "--check", "--from", "digest.db", "--to", "x.db", code=1)
    assert not Path("x.db").exists()
