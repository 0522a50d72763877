"""`digest check`: every fault, what may be a slip, and the settings in force without a secret."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.desk import ADA, Desk, at
from tests.dns_server import name_server
from tests.e2e.service import beside

MARKER = "s3cr3t-m4rk3r-0123456789"
ODD = """
[[subscribers]]
email = "ada@example.org"
[subscribers.keywords]
"time step" = 1
"time-step" = 1
"""


def notes(desk: Desk) -> list[str]:
    """The notes that are printed; they are no fault."""
    said = desk.run("check").stderr.splitlines()
    assert said[-1].startswith("config.toml is good: ")
    return [line.removeprefix("Note: ") for line in said[:-1]]


def test_a_good_config_has_no_note(desk: Desk) -> None:
    """The settings go to standard output, a last word to standard error."""
    assert notes(desk) == []


def test_a_profile_that_may_be_a_slip_is_noted(desk: Desk) -> None:
    """With the number and the address of the subscriber; for programs as a list."""
    desk.write_config(ODD)
    (told,) = notes(desk)
    assert told.startswith("config.toml: [[subscribers]] #1 (ada@example.org): “time-step” and ")
    assert desk.json("check")["notes"] == [told]


def test_what_is_stored_is_weighed_and_nothing_is_changed(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A word that is in every stored listing is told so once there are enough."""
    desk.write_config(ADA.replace("flash attention", "zebrafish"))
    desk.write_papers("papers.jsonl", tuple((f"On fish {n}", "Zebrafish.", 1) for n in range(120)))
    assert notes(desk) == []
    assert not (desk.folder / "digest.db").exists()
    desk.run("ingest")
    before = {one.name: one.read_bytes() for one in desk.folder.iterdir()}
    (told,) = notes(desk)
    assert "“zebrafish” stands in about " in told
    assert {one.name: one.read_bytes() for one in desk.folder.iterdir()} == before
    at(monkeypatch, "2026-12-20T14:00:00+00:00")
    assert len(notes(desk)) == 1


def test_files_that_a_source_does_not_find_are_noted(desk: Desk) -> None:
    """They may come later, so it is no fault."""
    desk.write_config(ADA, {"papers.jsonl": "pages/*.jsonl"})
    (told,) = notes(desk)
    assert told.startswith("config.toml: [[sources]] #1 (Papers) path: no file matches ")


def test_templates_that_nobody_looks_at_are_noted(desk: Desk) -> None:
    """With the name that was meant."""
    (desk.folder / "own").mkdir()
    (desk.folder / "own/digset.txt").touch()
    desk.write_config(ADA, {"[mail]": '[mail]\ntemplates = "own"'})
    (told,) = notes(desk)
    assert told.endswith(
        "digset.txt is no template and is never looked at; did you mean digest.txt?"
    )


def test_a_folder_too_high_up_is_noted_with_the_one_that_was_meant(desk: Desk) -> None:
    """Who copies the packaged folders finds those of mails one further down."""
    (desk.folder / "own/mail").mkdir(parents=True)
    (desk.folder / "own/mail/digest.txt").touch()
    desk.write_config(ADA, {"[mail]": '[mail]\ntemplates = "own"'})
    (told,) = notes(desk)
    assert told.endswith(f"; did you mean {desk.folder / 'own/mail'} for the folder?")


@pytest.mark.parametrize("name", ["digest.html", "item.txt", "letter.txt", "letter.html"])
def test_every_template_is_tried(desk: Desk, name: str) -> None:
    """Those of letters, too; a slip is named with its file."""
    (desk.folder / "own").mkdir()
    (desk.folder / "own" / name).write_text("{{ nothing.of.the.kind }}")
    desk.write_config(ADA, {"[mail]": '[mail]\ntemplates = "own"'})
    assert "own: template " in desk.refused("check", code=2)


def test_every_sources_options_are_read(desk: Desk) -> None:
    """A kind says what it needs."""
    desk.write_config(ADA, {'path = "papers.jsonl"': ""})
    assert "[[sources]] #1 (Papers)" in desk.refused("check", code=2)


@pytest.mark.parametrize("held", ["", "short"])
def test_t10_a_token_that_can_be_guessed_is_a_fault(desk: Desk, held: str) -> None:
    """Found here already, not at the start."""
    (desk.folder / "token").write_text(held)
    (desk.folder / "token").chmod(0o600)
    desk.write_config(ADA, {"[smtp]": '[web]\nadmin_token_file = "token"\n[smtp]'})
    said = desk.refused("check", code=2)
    assert "[web] admin_token_file: " in said
    assert ("fewer than 16" if held else "holds no secret") in said


@pytest.fixture
def asked() -> Iterator[list[str]]:
    """The words that have the doctor look, at a name server that knows nothing."""
    with beside(name_server({})) as (_, dns):
        yield ["doctor", "--nameserver", f"127.0.0.1:{dns}"]


def test_d1_no_secret_is_shown(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, asked: list[str]
) -> None:
    """In no form of the settings and in no fault, wherever a secret may stand."""
    monkeypatch.setenv("SMTP_MARKER", MARKER)
    for name in ("secret.key", "token", "imap", "dkim.pem"):
        Path(name).write_text(MARKER)
        Path(name).chmod(0o600)
    desk.write_config(
        ADA + '[web]\nadmin_token_file = "token"\nmetrics_token_file = "token"\n'
        '[bounces.imap]\nhost = "localhost"\nusername = "b"\npassword_file = "imap"\n',
        {'tls = "none"': 'tls = "none"\nusername = "digest"\npassword_env = "SMTP_MARKER"'},
    )
    data = '[service]\ndata = "postgresql://digest:%s@db.example.org/digest?password=%s"'
    for more in ("", '[dkim]\ndomain = "example.org"\nselector = "d"\nkey_file = "dkim.pem"\n'):
        for swap in ({}, {"[service]": data % (MARKER, MARKER)}):
            text = Path("config.toml").read_text()
            for old, new in swap.items():
                text = text.replace(old, new)
            Path("other.toml").write_text(text + more)
            for words in (["check"], ["check", "--json"], asked):
                code = 1 if words is asked else 2 * bool(more)
                said = desk.run(*words, "--config", "other.toml", code=code).output
                assert "example.org" in said
                assert MARKER not in said
