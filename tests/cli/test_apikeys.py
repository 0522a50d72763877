"""Keys by command: made, listed, revoked."""

from __future__ import annotations

import re

from tests.cli.desk import Desk


def test_a_key_is_made_listed_and_revoked(desk: Desk) -> None:
    """The key alone on standard output, once; the list has its name; a revoked one is gone."""
    made = desk.run("subscribers", "key", "ada@example.org", "--name", "my script")
    assert re.fullmatch(r"digest_[\w-]{32}\n", made.stdout)
    listed = desk.json("subscribers", "key", "ada@example.org", "--list")
    assert listed == [
        {"number": 1, "name": "my script", "made_on": "2026-11-20", "used_on": "never"}
    ]
    assert made.stdout.strip() not in str(listed)
    desk.run("subscribers", "key", "ada@example.org", "--revoke", "1")
    assert desk.json("subscribers", "key", "ada@example.org", "--list") == []


def test_faults_of_keys_are_one_line(desk: Desk) -> None:
    """An unknown person, a number that is none of theirs, too many, a name of two lines."""
    assert "no subscriber" in desk.refused("subscribers", "key", "x@example.org", code=1)
    said = desk.refused("subscribers", "key", "ada@example.org", "--revoke", "7", code=1)
    assert "has no key 7" in said
    desk.refused("subscribers", "key", "ada@example.org", "--name", "a\nb", code=2)
    for _ in range(10):
        desk.run("subscribers", "key", "ada@example.org")
    said = desk.refused("subscribers", "key", "ada@example.org", code=1)
    assert "too many keys" in said
