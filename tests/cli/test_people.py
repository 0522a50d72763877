"""Subscribers by command: what the store keeps, what the file owns, what a person has said."""

from __future__ import annotations

import stat
import tomllib
from pathlib import Path

import pytest

from digest.model import SubscriberState
from digest.store.sqlite import SqliteStore
from tests.cli.desk import Desk
from tests.samples import NOW

MARY = """
[[subscribers]]
email = "mary@example.org"
send_at = "06:15"
[subscribers.keywords]
"flash attention" = 3
"""

BAD = MARY.replace("06:15", "26:15")


def addresses(desk: Desk) -> list[str]:
    """Who is listed."""
    return [one["email"] for one in desk.json("subscribers", "list")]


def set_state(email: str, state: SubscriberState) -> None:
    """What the web pages do when a person says so."""
    store = SqliteStore(Path("digest.db"))
    one = store.subscriber(email)
    assert one
    store.set_state(one.id, state, NOW)
    store.close_store()


def test_a_subscriber_is_added_shown_and_removed(desk: Desk) -> None:
    """From the words of the command line, back as TOML, then gone."""
    words = ("-k", "flash attention=3", "-k", "survey=-0.5", "--send-at", "06:15")
    said = desk.run("subscribers", "add", "mary@example.org", "--timezone", "Asia/Tokyo", *words)
    assert said.stdout == "added mary@example.org\n"
    shown = desk.run("subscribers", "show", "mary@example.org").stdout
    assert shown.startswith("# active, kept in the store\n")
    (table,) = tomllib.loads(shown)["subscribers"]
    assert table["keywords"] == {"flash attention": 3, "survey": -0.5}
    assert (table["send_at"], table["timezone"]) == ("06:15", "Asia/Tokyo")
    assert addresses(desk) == ["ada@example.org", "emmy@example.org", "mary@example.org"]
    desk.run("subscribers", "remove", "mary@example.org")
    assert addresses(desk) == ["ada@example.org", "emmy@example.org"]
    desk.run("subscribers", "add", "mary@example.org", "-k", "rivers")
    assert "mary@example.org" in addresses(desk)


def test_a_subscriber_without_a_keyword_brings_a_hint(desk: Desk) -> None:
    """Nothing could ever match, which is said at once."""
    assert "nothing will match yet" in desk.run("subscribers", "add", "mary@example.org").stderr


def test_nobody_is_added_twice(desk: Desk) -> None:
    """The line says what would change the settings."""
    said = desk.refused("subscribers", "add", "ada@example.org", "-k", "rivers", code=1)
    assert "`digest subscribers edit ada@example.org`" in said


@pytest.mark.parametrize("verb", ["edit", "remove"])
def test_whom_the_file_owns_is_changed_there(desk: Desk, verb: str) -> None:
    """The line names the file."""
    said = desk.refused("subscribers", verb, "ada@example.org", code=1)
    assert "ada@example.org belongs to config.toml; change it there" in said


def test_who_unsubscribed_stays_so(desk: Desk) -> None:
    """No command takes a person's own word back."""
    desk.run("subscribers", "add", "mary@example.org", "-k", "rivers")
    set_state("mary@example.org", SubscriberState.UNSUBSCRIBED)
    assert "has unsubscribed" in desk.refused("subscribers", "remove", "mary@example.org", code=1)
    said = desk.refused("subscribers", "add", "mary@example.org", "-k", "rivers", code=1)
    assert "only they can take that back" in said
    Path("mary.toml").write_text(MARY)
    said = desk.run("subscribers", "import", "mary.toml").stderr
    assert "still gets no mail" in said
    assert "# unsubscribed" in desk.run("subscribers", "show", "mary@example.org").stdout
    exported = desk.run("subscribers", "export")
    assert "mary@example.org" not in exported.stdout
    assert "left out 1" in exported.stderr


def test_settings_come_from_a_file(desk: Desk) -> None:
    """`add --profile` and `edit --profile` read the TOML that `show` prints."""
    Path("mary.toml").write_text(MARY)
    desk.run("subscribers", "add", "mary@example.org", "--profile", "mary.toml")
    Path("mary.toml").write_text(MARY.replace("06:15", "05:00"))
    desk.run("subscribers", "edit", "mary@example.org", "--profile", "mary.toml")
    assert 'send_at = "05:00"' in desk.run("subscribers", "show", "mary@example.org").stdout
    said = desk.refused("subscribers", "add", "ann@example.org", "--profile", "mary.toml", code=2)
    assert "mary.toml: holds the settings of mary@example.org; expected ann@example.org" in said


def editor(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a shell script the editor; it gets the file as $1."""
    path = folder / "editor.sh"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("EDITOR", str(path))
    monkeypatch.delenv("VISUAL", raising=False)


def test_an_editor_changes_settings(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The edited TOML is what counts; leaving it alone changes nothing."""
    desk.run("subscribers", "add", "mary@example.org", "-k", "rivers")
    editor(desk.folder, "true", monkeypatch)
    assert desk.run("subscribers", "edit", "mary@example.org").stdout == "nothing was changed\n"
    editor(desk.folder, 'sed -i "s/rivers = 1/rivers = 4/" "$1"', monkeypatch)
    assert desk.run("subscribers", "edit", "mary@example.org").stdout.startswith("changed")
    assert "rivers = 4" in desk.run("subscribers", "show", "mary@example.org").stdout


def test_a_slip_in_the_editor_can_be_mended(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The faults are told and the edited text comes again; "no" changes nothing."""
    desk.run("subscribers", "add", "mary@example.org", "-k", "rivers")
    slip = 'if grep -q "rivers = two" "$1"; then sed -i "s/= two/= 2/" "$1";'
    slip += ' else sed -i "s/rivers = 1/rivers = two/" "$1"; fi'
    editor(desk.folder, slip, monkeypatch)
    result = desk.run("subscribers", "edit", "mary@example.org", code=2, answers="n\n")
    assert "edited settings: line" in result.stderr
    assert "rivers = 1" in desk.run("subscribers", "show", "mary@example.org").stdout
    desk.run("subscribers", "edit", "mary@example.org", answers="y\n")
    assert "rivers = 2" in desk.run("subscribers", "show", "mary@example.org").stdout


def test_an_import_is_all_or_nothing(desk: Desk) -> None:
    """One fault in the file, or one who belongs to the config, keeps everyone out."""
    Path("people.toml").write_text(MARY + BAD.replace("mary", "ann"))
    said = desk.refused("subscribers", "import", "people.toml", code=2)
    assert "people.toml: [[subscribers]] #2 (ann@example.org) send_at: " in said
    Path("people.toml").write_text(MARY + MARY.replace("mary", "ada"))
    said = desk.refused("subscribers", "import", "people.toml", code=1)
    assert "ada@example.org belongs to config.toml" in said
    assert addresses(desk) == ["ada@example.org", "emmy@example.org"]
    assert "nothing.toml cannot be read" in desk.refused(
        "subscribers", "import", "nothing.toml", code=2
    )


def test_what_was_exported_here_comes_back_here(desk: Desk) -> None:
    """Who stands in the config as in the file is passed over; the others are taken in again."""
    Path("mary.toml").write_text(MARY)
    desk.run("subscribers", "add", "mary@example.org", "--profile", "mary.toml")
    desk.run("subscribers", "export", "people.toml")
    before = desk.json("subscribers", "list")
    done = desk.run("subscribers", "import", "people.toml")
    assert done.stdout == "imported 1 subscriber\n"
    assert done.stderr == "passed over 2 subscribers as config.toml has them\n"
    counts = desk.json("subscribers", "import", "people.toml")["counts"]
    assert counts == {"added": 0, "changed": 1, "suppressed": 0, "unchanged": 2}
    assert desk.json("subscribers", "list") == before


def test_what_is_exported_is_imported_the_same(desk: Desk) -> None:
    """The file of one service is the file of another."""
    desk.run("subscribers", "export", "people.toml")
    before = desk.json("subscribers", "list")
    desk.write_config("")
    assert desk.json("subscribers", "list") == []
    assert "no subscriber yet" in desk.run("subscribers", "list").stderr
    assert "imported 2 subscribers" in desk.run("subscribers", "import", "people.toml").stdout
    after = desk.json("subscribers", "list")
    assert [{**one, "origin": "file"} for one in after] == before
    assert desk.run("subscribers", "export").stdout == Path("people.toml").read_text()
