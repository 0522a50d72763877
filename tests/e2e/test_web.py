"""The web's main path, whole: subscribe, confirm by mail, first digest, leave by one click."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from email import message_from_bytes
from email.policy import SMTP
from pathlib import Path

import httpx

from tests.e2e.pages import write_pages
from tests.e2e.service import Service, mail_server_thread, text_part
from tests.smtp_server import MailServer
from tests.waiting import wait_for
from tests.web.running import fields_of
from tests.web.test_server import address


def wait_for_mail(server: MailServer, count: int) -> bytes:
    """The latest mail once so many have come."""
    wait_for(f"{count} mails", lambda: len(server.taken) >= count, lambda: len(server.taken))
    return server.taken[count - 1].raw


def test_d2_t3_from_the_form_to_the_first_digest_and_out(tmp_path: Path) -> None:
    """One process serves pages, letter, digest and one-click; its log shows no address or token."""
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
                assert "Check your mail" in subscribe(browser).text
                letter = text_part(wait_for_mail(server, 1))
                found = re.search(r"https://digest\.example\.org(/confirm/\S+)", letter)
                assert found
                assert "You are subscribed" in browser.post(found[1]).text
                digest = message_from_bytes(wait_for_mail(server, 2), policy=SMTP)
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
        assert "subscriber.confirmed" in err
        assert "emmy@example.org" not in err
        assert path.rpartition("/")[2] not in err
        people = json.loads(service.run("subscribers", "list", "--json"))
        assert [(one["email"], one["state"]) for one in people] == [
            ("emmy@example.org", "unsubscribed")
        ]


def subscribe(browser: httpx.Client) -> httpx.Response:
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
    return browser.post("/subscribe", data=sent)


def test_a_kill_among_many_sign_ups_loses_nobody(tmp_path: Path) -> None:
    """Who read "Check your mail" before or after a SIGKILL gets a letter, and only that one."""
    with mail_server_thread() as server:
        service = Service(tmp_path, server.port, "", lease_s=2)
        config = tmp_path / "config.toml"
        config.write_text(config.read_text().replace("port = 0", MANY))
        told: set[str] = set()
        for start in (0, SIGNUPS // 2):
            process = service.start("serve")
            url = address(process)
            log = threading.Thread(target=drain, args=[process])
            log.start()
            try:
                told |= sign_up_many(url, start, process.kill)
                if start:
                    wait_until(server, told)
            finally:
                process.kill()
                log.join(60)
    assert len(told) > SIGNUPS // 2
    letters: dict[str, set[str]] = {}
    for mail in server.taken:
        letter = message_from_bytes(mail.raw, policy=SMTP)
        letters.setdefault(str(letter["To"]), set()).add(str(letter["Message-ID"]))
    assert told <= set(letters)
    assert all(len(ids) == 1 for ids in letters.values())


def drain(process: subprocess.Popen[str]) -> None:
    """Read the log of a process to its end: a pipe that is full would hold the service up."""
    assert process.stderr
    for _ in process.stderr:
        pass
    process.communicate(timeout=60)


SIGNUPS = 1_000
MANY = "port = 0\ncheck_domains = false\nsignups_per_network = 10000\nsignups_per_hour = 10000"


def sign_up_many(url: str, start: int, kill: Callable[[], None]) -> set[str]:
    """The addresses that were told to check their mail; the first half's service is killed."""
    told: set[str] = set()
    with httpx.Client(base_url=url, trust_env=False, timeout=10) as browser:
        page = fields_of(browser.get("/subscribe").text)
        sent = {k: v for k, v in page if k not in {"term", "weight"}} | {"term": "attention"}
        time.sleep(3.5)  # the form's shortest time, on the real clock

        def post(number: int) -> None:
            email = f"reader{number}@example.org"
            try:
                answer = browser.post("/subscribe", data=sent | {"email": email})
            except httpx.TransportError:
                return  # killed under way: this visitor saw no answer
            if "Check your mail" in answer.text:
                told.add(email)
            if not start and len(told) == SIGNUPS // 4:
                kill()

        with ThreadPoolExecutor(50) as pool:
            list(pool.map(post, range(start, start + SIGNUPS // 2)))
    return told


def addresses(server: MailServer) -> set[str]:
    """Everybody who got a mail."""
    return {address for mail in server.taken for address in mail.recipients}


def wait_until(server: MailServer, told: set[str]) -> None:
    """Wait for at most five minutes until everybody who was told so got a mail."""
    wait_for("their letters", lambda: told <= addresses(server), within_s=300)
