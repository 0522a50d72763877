"""A reader's whole way in a real browser, from the form to leaving, with scripts and without."""

from __future__ import annotations

import json
import re
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.policy import SMTP
from html import unescape
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.e2e.pages import write_pages
from tests.e2e.service import Service, mail_server_thread, text_part
from tests.e2e.test_web import wait_for_mail
from tests.ports import free_port
from tests.smtp_server import MailServer
from tests.web.test_server import address

if TYPE_CHECKING:
    from playwright.sync_api import Page

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")

pytestmark = pytest.mark.skipif(not CHROMIUM, reason="no Chromium (Debian package chromium)")


@contextmanager
def served(folder: Path) -> Iterator[tuple[str, MailServer, Service]]:
    """The real command in a folder, with a mail server; its links lead to where it listens."""
    write_pages("ours", folder)
    port = free_port()
    with mail_server_thread() as server:
        service = Service(folder, server.port, "")
        config = folder / "config.toml"
        text = config.read_text().replace("https://digest.example.org", f"http://127.0.0.1:{port}")
        config.write_text(text.replace("port = 0", f"port = {port}\ncheck_domains = false"))
        process = service.start("serve")
        try:
            yield address(process), server, service
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=60)


@contextmanager
def browsing(url: str, *, scripts: bool) -> Iterator[Page]:
    """A page of a phone's width in a Chromium that takes nothing from elsewhere."""
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--disable-quic"])
        context = browser.new_context(
            base_url=url,
            java_script_enabled=scripts,
            viewport={"width": 360, "height": 800},
        )
        page = context.new_page()
        page.set_default_timeout(30_000)
        yield page
        browser.close()


def press(page: Page, name: str) -> None:
    """Press the button of that name."""
    page.get_by_role("button", name=name, exact=True).click()


def says(page: Page, words: str) -> None:
    """Wait until the page says so."""
    playwright.expect(page.locator("main")).to_contain_text(words)


def link(raw: bytes, path: str) -> str:
    """The first address in a mail's HTML below a path."""
    body = message_from_bytes(raw, policy=SMTP).get_body(("html",))
    assert body
    found = re.search(rf'href="([^"]*/{path}[^"]*)"', body.get_content())
    assert found, path
    return unescape(found[1])


def subscribe(page: Page) -> None:
    """Fill in the form, look at the forecast, and ask to be subscribed."""
    page.goto("/subscribe")
    page.get_by_label("Your address").fill("emmy@example.org")
    for number, term in enumerate(("attention", "model", "learning"), 1):
        page.get_by_label(f"Keyword {number}", exact=True).fill(term)
    page.get_by_text("Finer points").click()
    page.locator("#min_score").fill("0")
    page.locator("#trending").fill("3")
    press(page, "What would it bring?")
    playwright.expect(page.locator("#forecast")).to_be_visible()
    page.wait_for_timeout(3_500)  # the form's shortest time, on the real clock
    press(page, "Subscribe")
    says(page, "A mail with a link is on its way")


def tune(page: Page, digest: bytes) -> None:
    """Follow "Less like this", do it, take it back, and do it again."""
    for taken_back in (True, False):
        page.goto(link(digest, r"tune/[^/\"]+/less/"))
        says(page, "Nothing has changed yet")
        press(page, "Less like this")
        says(page, "Less like this: “")
        if taken_back:
            press(page, "Undo")
            says(page, "It is as it was before")


def change(page: Page, digest: bytes) -> None:
    """Open the preferences, edit the TOML, look at the history and the digests, pause."""
    page.goto(link(digest, "preferences/"))
    press(page, "Open my preferences")
    says(page, "emmy@example.org is subscribed")
    page.get_by_text("Edit, download or upload as TOML").click()
    area = page.get_by_label("Profile", exact=True)
    area.fill(area.input_value().replace("max_items = 12", "max_items = 7"))
    press(page, "Save this profile")
    says(page, "Saved.")
    playwright.expect(page.get_by_label("At most so many a mail")).to_have_value("7")
    page.get_by_role("link", name="What changed in the last week, and undo").click()
    says(page, "The most a mail: 7 instead of 12.")
    says(page, "from a mail")
    page.get_by_role("link", name="Back to your preferences").click()
    page.get_by_role("link", name="My digests").click()
    page.get_by_role("link", name=re.compile("November 2026")).click()
    assert page.locator("h2").count() > 1
    page.goto("/preferences")
    page.get_by_label("Send nothing until").fill("2026-12-24")
    press(page, "Pause")
    says(page, "is paused until 24 December 2026")


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
def test_a_reader_comes_tunes_changes_pauses_and_leaves(tmp_path: Path, scripts: bool) -> None:
    """Subscribe, confirm, first digest, less like this, TOML, pause, unsubscribe."""
    with served(tmp_path) as (url, server, service), browsing(url, scripts=scripts) as page:
        subscribe(page)
        letter = text_part(wait_for_mail(server, 1))
        page.goto(re.findall(r"http://\S+/confirm/\S+", letter)[0])
        press(page, "Yes, subscribe me")
        says(page, "Welcome.")
        digest = wait_for_mail(server, 2)
        tune(page, digest)
        change(page, digest)
        page.goto(link(digest, "unsubscribe/"))
        press(page, "Unsubscribe")
        says(page, "No more mail comes to you")
        (one,) = json.loads(service.run("subscribers", "list", "--json"))
        assert (one["email"], one["state"]) == ("emmy@example.org", "unsubscribed")
        assert len(server.taken) == 2
