"""How the service stands, as `digest status` shows it."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from digest.store.operating import ALIVE, WorkerBeat
from digest.store.returned import What
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


def test_a8_status_counts_messages_by_receiver_and_day(desk: Desk) -> None:
    """Today and yesterday, the most first, Google and Microsoft by name; 4,000 are warned of."""
    store = SqliteStore(desk.folder / "digest.db")
    yesterday = AT - timedelta(days=1)
    rows = [("gmail.com", AT, 3_999), ("googlemail.com", AT, 1), ("gmail.com", yesterday, 3_999)]
    rows += [(f"d{n:02}.example", yesterday, 1) for n in range(20)]
    with store.writing() as db:
        for domain, at, count in rows:
            for number in range(count):
                db.execute(
                    "INSERT INTO letters (kind, recipient, address, message_id, state, created_at,"
                    " attempts, unknowns, owner, code, reply, closed_at)"
                    " VALUES ('link', ?, '', ?, 'sent', ?, 1, 0, '', 250, '', ?)",
                    (
                        f"r{number}@{domain}",
                        f"{domain}.{at}.{number}",
                        at.isoformat(timespec="microseconds"),
                        at.isoformat(timespec="microseconds"),
                    ),
                )
    store.close_store()
    told = desk.run("status").stdout
    assert "messages to  today  yesterday\ngoogle       4,000      3,999\n" in told
    assert "11 others        0         11\n" in told
    assert told.count("Google has taken 4,000 of your mails within a day.") == 1
    assert desk.json("status")["receivers"]["today"] == {"google": 4_000}


def test_d8_status_counts_what_came_back_and_what_waits(desk: Desk) -> None:
    """Since midnight; the oldest that waits by the time it was prepared."""
    desk.run("ingest")
    desk.run("send", code=1)  # no mail server answers
    told = desk.run("status").stdout
    assert re.search(r"mails wait since 2026-11-20 14:\d\d UTC; next try: ", told)
    assert "bounces" not in told
    store = SqliteStore(desk.folder / "digest.db")
    mail = store.mailed("d", 1)
    assert mail
    store.take_return(mail, What.SOFT, "full", AT)
    store.close_store()
    assert "bounces since then: 1; complaints: 0\n" in desk.run("status").stdout


def test_status_names_the_workers(desk: Desk) -> None:
    """Who lives and who does not, with what each did last; who has ended in order is left out."""
    assert "worker" not in desk.run("status").stdout
    store = SqliteStore(desk.folder / "digest.db")
    before, soon = AT - timedelta(minutes=5), AT + timedelta(minutes=1)
    for beat in (
        WorkerBeat("mail1:7", ALIVE, soon, soon),  # the command takes its time, too
        WorkerBeat("mail1:7", "deliver", before, before),
        WorkerBeat("mail1:7", "write", before, AT),
        WorkerBeat("mail1:7", "tidy", AT),
        WorkerBeat("mail2:9", ALIVE, before, before),
        WorkerBeat("mail3:9", ALIVE, AT),
    ):
        store.note_beat(beat)
    store.close_store()
    told = " ".join(desk.run("status").stdout.split())
    assert "mail1:7 lives 2026-11-20 14:01 UTC write, deliver" in told
    assert "mail2:9 gives no sign of life 2026-11-20 13:55 UTC" in told
    assert "mail3" not in told
    shown = desk.json("status")["workers"]
    assert {name: one["alive"] for name, one in shown.items()} == {
        "mail1:7": True,
        "mail2:9": False,
    }
    assert set(shown["mail1:7"]["steps"]) == {"write", "deliver"}
