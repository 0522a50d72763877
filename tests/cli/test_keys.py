"""The command that makes signing keys: the file, the record, and what it refuses."""

from __future__ import annotations

import re
from pathlib import Path

import dkim
import pytest

from digest.config import parse_config
from digest.dkim import Signer, read_key, signing_keys
from tests.cli.desk import CONFIG, Desk
from tests.samples import NOW

RAW = b"From: <digest@example.org>\r\nSubject: x\r\n\r\nHello\r\n"
FOR = ("--domain", "example.org", "--selector", "s1")
KINDS = pytest.mark.parametrize("options", [(), ("--ed25519",)], ids=["rsa", "ed25519"])


@KINDS
def test_the_record_that_is_shown_checks_what_the_key_signs(
    desk: Desk, options: tuple[str, ...]
) -> None:
    """Copied from the screen into DNS, in either of its forms, the record verifies a mail."""
    shown = desk.run("dkim-key", "new.pem", *FOR, *options).stdout
    raw = Signer("example.org", [read_key(Path("new.pem"), "s1")]).sign(RAW, NOW)
    name = re.search(r"^name  (\S+)$", shown, re.MULTILINE)
    text = re.search(r"^text  (.*)$", shown, re.MULTILINE)
    zone = re.search(r"^(\S+)\. IN TXT \( (.*) \)$", shown, re.MULTILINE)
    assert name
    assert text
    assert zone
    strings = re.findall(r'"([^"]*)"', zone[2])
    assert max(map(len, strings)) <= 255
    for place, record in ((name[1], text[1]), (zone[1], "".join(strings))):
        records = {f"{place}.".encode(): record.encode()}
        assert dkim.verify(raw, dnsfunc=lambda asked, timeout: records.get(asked))  # noqa: B023


def test_the_settings_that_are_shown_are_good(desk: Desk) -> None:
    """The lines of both keys, joined in one table, make a config that signs twice."""
    shown = [
        desk.run("dkim-key", f"{name}.pem", *FOR[:3], name, *options).stdout
        for name, options in (("one", ()), ("two", ("--ed25519",)))
    ]
    first, second = (text.partition("[dkim]\n")[2] for text in shown)
    made = parse_config(f"{CONFIG}\n[dkim]\n{first}{second}", "c.toml", desk.folder)
    assert made.dkim
    keys = signing_keys(made.dkim, made.place)
    assert [(key.selector, key.kind) for key in keys] == [("one", "rsa"), ("two", "ed25519")]


@KINDS
def test_d1_the_key_is_for_its_owner_alone_and_never_shown(
    desk: Desk, options: tuple[str, ...]
) -> None:
    """The file has mode 600; nothing of what it holds is printed."""
    said = desk.run("dkim-key", "new.pem", *FOR, *options).output
    path = desk.folder / "new.pem"
    assert path.stat().st_mode & 0o777 == 0o600
    secret = path.read_text().splitlines()[1:-1]
    assert not any(line in said for line in secret)


def test_a_key_that_is_there_is_never_overwritten(desk: Desk) -> None:
    """Another key would make the record in DNS wrong; the refusal says how to see the record."""
    record = desk.run("dkim-key", "new.pem", *FOR).stdout
    before = (desk.folder / "new.pem").read_bytes()
    said = desk.refused("dkim-key", "new.pem", *FOR, "--ed25519", code=1)
    assert said == (
        "Error: new.pem exists already; nothing was changed (--show gives the record of its key)"
    )
    assert desk.run("dkim-key", "new.pem", *FOR, "--show").stdout == record
    assert (desk.folder / "new.pem").read_bytes() == before


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("new.pem", "--domain", "example", "--selector", "s"), 2, "is no full domain"),
        (("new.pem", "--domain", "example.org", "--selector", "s 1"), 2, "is no selector"),
        (("new.pem", "--domain", f"{'a' * 60}." * 3 + "org", "--selector", "s" * 63), 2, "longer"),
        (("new.pem", "--domain", "example.org"), 2, "Missing option '--selector'"),
        (("no/new.pem", *FOR), 1, "no/new.pem: No such file or directory"),
        (("new.pem", *FOR, "--show"), 2, "new.pem does not exist"),
    ],
)
def test_bad_words_make_no_key(desk: Desk, words: tuple[str, ...], code: int, said: str) -> None:
    """One line says what is wrong, and no file is left behind."""
    assert said in desk.refused("dkim-key", *words, code=code)
    assert not (desk.folder / "new.pem").exists()


def test_check_looks_into_the_keys(desk: Desk) -> None:
    """A key that cannot sign is found before the first mail."""
    table = '\n[dkim]\ndomain = "example.org"\nselector = "s1"\nkey_file = "new.pem"\n'
    desk.write_config(table)
    desk.run("dkim-key", "new.pem", *FOR, "--ed25519")
    said = desk.refused("check", code=2)
    assert said.endswith("new.pem holds an Ed25519 key; this one has to be RSA")
    (desk.folder / "new.pem").unlink()
    desk.run("dkim-key", "new.pem", *FOR)
    desk.run("check")
