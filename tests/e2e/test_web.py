"""The web's main path, whole: subscribe, confirm by mail, first digest, leave by one click."""

from __future__ import annotations

import json
import re
import signal
import time
from email import message_from_bytes
from email.policy import SMTP
from pathlib import Path

import httpx

from tests.e2e.pages import write_pages
from tests.e2e.service import Service, mail_server_thread, text_part
from tests.smtp_server import MailServer
from tests.web.running import fields_of
from tests.web.test_server import address


def wait_for(server: MailServer, count: int) -> bytes:
    """The latest mail once so many have come."""
    for _ in range(1200):
        if len(server.taken) >= count:
            return server.taken[count - 1].raw
        time.sleep(0.05)
    raise AssertionError(f"only {len(server.taken)} mails came")


def test_from_the_form_to_the_first_digest_and_out(tmp_path: Path) -> None:
    """One process serves the pages, sends the letter and the digest, and takes the one-click."""
    write_pages("ours", tmp_path)
    with mail_server_thread() as server:
        service = Service(tmp_path, server.port, "")
        config = tmp_path / "config.toml"
        config.write_text(config.read_text().replace("port = 0", "port = 0\ncheck_domains = false"))
        process = service.start("serve")
        try:
            browser = httpx.Client(
                base_url=address(process), headers={"sec-fetch-site": "same-origin"},
                trust_env=False, follow_redirects=True, timeout=30,
            )  # fmt: skip
            with browser:
                subscribe(browser)
                letter = text_part(wait_for(server, 1))
                found = re.search(r"https://digest\.example\.org(/confirm/\S+)", letter)
                assert found
                assert "You are subscribed" in browser.post(found[1]).text
                digest = message_from_bytes(wait_for(server, 2), policy=SMTP)
                assert digest["To"] == "emmy@example.org"
                url = str(digest["List-Unsubscribe"]).strip("<>")
                path = url.removeprefix("https://digest.example.org")
                one_click = httpx.post(
                    browser.base_url.join(path), content="List-Unsubscribe=One-Click",
                    trust_env=False,
                )  # fmt: skip
                assert one_click.status_code == 200
        finally:
            process.send_signal(signal.SIGTERM)
            _, err = process.communicate(timeout=60)
        assert process.returncode == 0
        assert "emmy@example.org" not in err  # D2
        assert path.rpartition("/")[2] not in err  # T3
        people = json.loads(service.run("subscribers", "list", "--json"))
        assert [(one["email"], one["state"]) for one in people] == [
            ("emmy@example.org", "unsubscribed")
        ]


def subscribe(browser: httpx.Client) -> None:
    """Fill in the form as a person would, and a little later press the button."""
    page = browser.get("/subscribe").text
    fields = fields_of(page)
    sent: dict[str, str | list[str]] = {k: v for k, v in fields if k not in {"term", "weight"}}
    sent |= {
        "email": "emmy@example.org",
        "day": [v for k, v in fields if k == "day"],
        "term": ["attention", "model", "learning"],
        "weight": ["1", "1", "1"],
        "min_score": "0",
        "trending": "3",
    }
    time.sleep(3.5)  # the form's shortest time, on the real clock
    assert "Check your mail" in browser.post("/subscribe", data=sent).text
