"""Digests shown in every form: today's before it is sent, a past one as it was."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from email import message_from_bytes
from pathlib import Path

import pytest

from digest.press import FORMS
from tests.cli.desk import ADA, EMMY, Desk, at
from tests.e2e.service import DIGEST, mail_server_thread
from tests.waiting import wait_for

LATER = "2026-11-20T15:00:00+00:00"
DAY = "2026-11-20"
OTHER = """
[[subscribers]]
email = "other@example.org"
[subscribers.keywords]
"flash attention" = 1
"quantiz*" = 9
"title:survey" = -9
"""


def sent(desk: Desk, monkeypatch: pytest.MonkeyPatch, subscribers: str = ADA + EMMY) -> bytes:
    """The mail of a day that was read and sent, as the mail server took it."""
    with mail_server_thread() as server:
        desk.write_config(subscribers, {"port = 1": f"port = {server.port}"})
        desk.run("ingest")
        at(monkeypatch, LATER)
        desk.run("send")
        (taken,) = server.taken
    return taken.raw


def test_preview_writes_and_names_a_page(desk: Desk) -> None:
    """The page's name is all of standard output; an empty day says why."""
    desk.run("ingest")
    result = desk.run("preview", "ada@example.org")
    assert result.stdout == "preview-ada@example.org.html\n"
    assert "Flash Attention for Long Sequences" in Path(result.stdout.strip()).read_text()
    assert "subject: " in result.stderr
    result = desk.run("preview", "emmy@example.org", "--output", "emmy.html")
    assert result.stdout == "emmy.html\n"
    assert "no mail would be sent: None of the 5 new listings" in result.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="other systems open pages by other commands")
def test_preview_opens_the_page(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """`--open` hands it to the desktop's own opener."""
    opener = desk.folder / "xdg-open"
    opener.write_text('#!/bin/sh\necho "$1" > opened.part && mv opened.part opened\n')
    opener.chmod(0o700)
    monkeypatch.setenv("PATH", str(desk.folder), prepend=os.pathsep)
    desk.run("ingest")
    subprocess.run([*DIGEST, "preview", "ada@example.org", "--open"], check=True)
    wait_for("the opener", Path("opened").exists)
    assert Path("opened").read_text().strip() == "preview-ada@example.org.html"


@pytest.mark.parametrize(("form", "begins"), [
    ("html", b"<!DOCTYPE html>"), ("text", b"Paper digest"), ("eml", b"From: "), ("atom", b"<?xml"),
    ("json", b"{"), ("bibtex", b"@misc{"), ("ris", b"TY  - "), ("markdown", b"# Paper digest"),
])  # fmt: skip
def test_preview_has_every_form(desk: Desk, form: str, begins: bytes) -> None:
    """Each form is a file with its own ending, or goes to standard output."""
    desk.run("ingest")
    named = Path(desk.run("preview", "ada@example.org", "--format", form).stdout.strip())
    assert named.name == f"preview-ada@example.org{FORMS[form]}"
    assert named.read_bytes().startswith(begins)
    piped = desk.run("preview", "ada@example.org", "--format", form, "--output", "-")
    assert len(piped.stdout_bytes) == len(named.read_bytes())  # the links name the second


def test_the_forms_show_the_same_listings_in_the_same_order(desk: Desk) -> None:
    """What stands first in the mail stands first in all of them."""
    desk.run("ingest")
    titles = ("Flash Attention for", "Medical Imaging with", "A Survey of Attention")
    for form in set(FORMS) - {"eml"}:
        shown = desk.run("preview", "ada@example.org", "--format", form, "--output", "-").stdout
        shown = shown[shown.find("<body") + 1 :]  # a page's title and preheader name them as well
        places = [shown.rindex(title) for title in titles]
        assert places == sorted(places), form


def test_replay_gives_the_bytes_that_were_sent(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the server took is what the ledger gives, also when the config has changed since."""
    taken = sent(desk, monkeypatch)
    desk.write_config(
        ADA, {"Paper digest <": "Another name <", "[smtp]": 'reply_to = "a@example.org"\n[smtp]'}
    )
    result = desk.run("replay", "ada@example.org", DAY)
    assert result.stdout == f"replay-ada@example.org-{DAY}.eml\n"
    assert Path(result.stdout.strip()).read_bytes() == taken
    assert result.stderr == "byte for byte the mail that was sent\n"


def test_replay_gives_every_other_form(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page is the mail's own, and the rest comes from the same digest."""
    mail = message_from_bytes(sent(desk, monkeypatch))
    html = mail.get_payload()[1].get_payload(decode=True).replace(b"\r\n", b"\n")  # type: ignore[union-attr,index]  # a multipart of two
    for form in FORMS:
        desk.run("replay", "ada@example.org", DAY, "--format", form, "--output", f"past.{form}")
    assert Path("past.html").read_bytes() == html
    assert len(json.loads(Path("past.json").read_text("utf-8"))["items"]) == 3


def test_replay_says_when_a_key_is_gone(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key that was kept as the second line still makes the bytes; one that was lost is told."""
    taken = sent(desk, monkeypatch)
    old = Path("secret.key").read_text("ascii")
    Path("secret.key").write_text(f"a-newer-one\n{old}", "ascii")
    assert desk.run("replay", "ada@example.org", DAY, "--output", "-").stdout_bytes == taken
    Path("secret.key").write_text("a-newer-one\n", "ascii")
    said = desk.refused("replay", "ada@example.org", DAY, code=1)
    assert "key that signed the links of this mail is no longer in the secret file" in said
    assert Path(f"replay-ada@example.org-{DAY}.eml").read_bytes() != taken


def test_replay_says_when_a_signature_would_differ(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With another DKIM key all but the signature is the same, and that is said."""
    desk.run("dkim-key", "one.pem", "--domain", "example.org", "--selector", "one")
    desk.run("dkim-key", "two.pem", "--domain", "example.org", "--selector", "two")
    table = '\n[dkim]\ndomain = "example.org"\nselector = "one"\nkey_file = "one.pem"\n'
    taken = sent(desk, monkeypatch, table + ADA)
    assert taken.startswith(b"DKIM-Signature:")
    assert desk.run("replay", "ada@example.org", DAY, "--output", "-").stdout_bytes == taken
    desk.write_config(table.replace("one", "two") + ADA)
    said = desk.refused("replay", "ada@example.org", DAY, "--output", "other.eml", code=1)
    assert "DKIM keys have changed" in said
    rest = taken.partition(b"From: ")[2]
    assert Path("other.eml").read_bytes().endswith(rest)


def test_replay_says_what_there_is_instead(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A day without a digest, a day without a mail, a mail that waits, and retention."""
    assert "no digest of ada@example.org is kept" in desk.refused(
        "replay", "ada@example.org", DAY, code=1
    )
    sent(desk, monkeypatch)
    said = desk.refused("replay", "ada@example.org", "2026-11-19", code=1)
    assert "the oldest that is kept is that of 2026-11-20" in said
    said = desk.refused("replay", "ada@example.org", "2026-11-23", code=1)
    assert "the nearest is that of 2026-11-20" in said
    said = desk.refused("replay", "emmy@example.org", DAY, code=1)
    assert "no mail was made for emmy@example.org on 2026-11-20: None of the 5 new" in said
    assert "did you mean ada@example.org?" in desk.refused("replay", "ada@example", DAY, code=1)
    assert desk.run("replay", "ada@example.org", "20-11-2026", code=2)
    assert desk.run("replay", "ada@example.org", DAY, "--json", code=2)


def test_replay_of_what_still_waits(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mail that no server has taken is made all the same, and told from one that was sent."""
    desk.run("ingest")
    at(monkeypatch, LATER)
    desk.run("send", code=1)
    said = desk.run("replay", "ada@example.org", DAY).stderr
    assert said == "no mail server has taken this mail (deferred)\n"


def test_replay_shows_what_another_profile_would_have_got(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each listing is kept, moved, new or gone, with both places and scores; nothing is written."""
    sent(desk, monkeypatch)
    Path("other.toml").write_text(OTHER, "utf-8")
    at(monkeypatch, "2026-11-25T15:00:00+00:00")
    desk.write_papers("papers.jsonl", (("Quantized News", "Quantized, and of a later day.", 1),))
    desk.run("ingest")
    before = set(desk.folder.iterdir())
    said = desk.run("replay", "ada@example.org", DAY, "--profile", "other.toml").stdout
    assert set(desk.folder.iterdir()) == before
    assert said.startswith(
        "ada@example.org, 2026-11-20: 3 items then, 3 with other.toml;"
        " 2 kept, 0 moved, 1 new, 1 gone"
    )
    assert "Quantized News" not in said
    found = desk.json("replay", "ada@example.org", DAY, "--profile", "other.toml")
    changes = {one["title"]: one for one in found["listings"]}
    assert changes["Quantized Weights at Four Bits"]["was"] is None
    assert changes["A Survey of Attention Kernels"]["would_be"] is None
    kept = changes["Flash Attention for Long Sequences"]
    assert kept["change"] == "kept"
    assert kept["was"]["number"] == 1
    assert kept["would_be"]["number"] == 2


def test_replay_with_the_same_profile_changes_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What they would have got is what they got, however much was shown to them since."""
    sent(desk, monkeypatch)
    Path("same.toml").write_text(desk.run("subscribers", "show", "ada@example.org").stdout, "utf-8")
    found = desk.json("replay", "ada@example.org", DAY, "--profile", "same.toml")["listings"]
    assert [one["change"] for one in found] == ["kept"] * 3
    assert all(one["was"] == one["would_be"] for one in found)
