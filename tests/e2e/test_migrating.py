"""A service that is moved while mails wait: they go out as they would have, and old links work."""

from __future__ import annotations

import json
import re
import shutil
import signal
from email import message_from_bytes
from email.policy import SMTP
from pathlib import Path

import httpx
import pytest

from tests.e2e.pages import twenty_subscribers, write_pages
from tests.e2e.service import Service, mail_server_thread, message_ids
from tests.smtp_server import MailServer, Taken
from tests.web.test_server import address as address_of

LATER = "2026-11-20T14:10:00+00:00"


@pytest.fixture
def kind() -> str:
    """One server is enough for what a reader sees."""
    return "wheel"


def every_second(step: str, before: int) -> bytes | None:
    """A mail server that has every second mail wait."""
    return b"451 4.3.0 later" if step == "dot" and before % 2 else None


def twin(service: Service, folder: Path) -> Service:
    """The same service in another folder, which goes on beside the first."""
    shutil.copytree(service.folder, folder)
    other = Service.__new__(Service)
    other.folder, other.now = folder, LATER
    return other


def with_data(service: Service, data: str) -> None:
    """Put the line into the config that names the database."""
    config = service.folder / "config.toml"
    text = re.sub("(?m)^data = .*\n", "", config.read_text("utf-8"))
    config.write_text(
        text.replace("[service]", f"[service]\ndata = {json.dumps(data)}", 1), "utf-8"
    )


def sent(service: Service, server: MailServer) -> list[Taken]:
    """What a service sends now, in the order of its readers."""
    before = len(server.taken)
    service.run("send")
    return sorted(server.taken[before:], key=lambda mail: mail.recipients)


def test_what_waits_goes_out_the_same_from_the_new_database(tmp_path: Path, address: str) -> None:
    """Byte for byte what the old one would have sent; who left by a mail from before stays away."""
    (tmp_path / "old").mkdir()
    write_pages("ours", tmp_path / "old")
    with mail_server_thread(every_second) as server:
        service = Service(tmp_path / "old", server.port, twenty_subscribers("ours"))
        service.run("ingest")
        service.run("send", code=1)
        first = sorted(server.taken, key=lambda mail: mail.recipients)
        server.script = lambda step, before: None
        stayed = twin(service, tmp_path / "stayed")
        moved = twin(service, tmp_path / "moved")
        back = twin(service, tmp_path / "back")
        moved.run("migrate-store", "--from", "digest.db", "--to", address)
        back.run("migrate-store", "--from", "digest.db", "--to", "other.db")
        with_data(moved, address)
        with_data(back, "other.db")
        expected = sent(stayed, server)
        assert len(expected) > 5
        assert sent(moved, server) == expected
        assert sent(back, server) == expected
        assert not set(message_ids([one.raw for one in first])) & set(
            message_ids([one.raw for one in expected])
        )
        assert "no digest is held" in moved.run("held", "list") + moved.stderr
        leave_by(moved, first[0])
        moved.run("migrate-store", "--from", address, "--to", "back.db")
        with_data(moved, "back.db")
        people = {one["email"]: one["state"] for one in listed(moved)}
        assert people.pop(first[0].recipients[0]) == "unsubscribed"
        assert set(people.values()) == {"active"}
        assert not sent(moved, server), "everybody has had their mail"


def listed(service: Service) -> list[dict[str, str]]:
    """Who is subscribed, and how they stand."""
    people: list[dict[str, str]] = json.loads(service.run("subscribers", "list", "--json"))
    return people


def leave_by(service: Service, mail: Taken) -> None:
    """Leave by the one-click of a mail, as a mail program does it."""
    url = str(message_from_bytes(mail.raw, policy=SMTP)["List-Unsubscribe"]).strip("<>")
    process = service.start("serve")
    try:
        with httpx.Client(base_url=address_of(process), trust_env=False, timeout=30) as client:
            path = url.removeprefix("https://digest.example.org")
            answer = client.post(path, content="List-Unsubscribe=One-Click")
            assert answer.status_code == 200
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
