"""How the service stands, as `digest status` shows it."""

from __future__ import annotations

from datetime import datetime

from digest.store.sqlite import SqliteStore
from tests.cli.desk import NOW, Desk

AT = datetime.fromisoformat(NOW)


def test_status_says_what_the_running_service_says(desk: Desk) -> None:
    """Settings that it does not take up, since when and why; nothing once all is well."""
    store = SqliteStore(desk.folder / "digest.db")
    says = ["the settings in the files have faults", "[mail] templates: item.txt, line 3"]
    assert store.note_state("settings", says, AT)
    assert not store.note_state("settings", says, AT)
    told = desk.run("status").stdout
    assert "the service says since 2026-11-20 14:00 UTC:\n  the settings in the files have" in told
    assert "  [mail] templates: item.txt, line 3\n" in told
    assert desk.json("status")["service"]["settings"]["says"] == says
    assert store.note_state("settings", [], AT)
    store.close_store()
    assert "the service says" not in desk.run("status").stdout
