"""A site on loopback in a thread, with its store, a clock that tests set, and a browser."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from html import unescape
from pathlib import Path

import httpx

from digest.app import App, open_app
from digest.config import parse_config
from digest.mailer import EmlFolder
from digest.web import Site, listen, serve_site
from tests.samples import NOW

CONFIG = """
[service]
base_url = "{base_url}"
[mail]
from = "Paper digest <digest@example.org>"
[smtp]
host = "127.0.0.1"
tls = "none"
[web]
port = 0
check_domains = false
{web}
[[sources]]
name = "Saved pages"
kind = "page"
path = "*.txt"
"""


@dataclass
class Running:
    """A running site: where it is, its parts, and the time that it takes for now."""

    url: str
    app: App
    site: Site = field(init=False)
    now: datetime = NOW
    woken: list[datetime] = field(default_factory=list)

    def pass_time(self, **span: float) -> None:
        """Let time go by."""
        self.now += timedelta(**span)

    def browser(self, **headers: str) -> httpx.Client:
        """A browser without scripts that keeps its cookies and follows redirects."""
        return httpx.Client(
            base_url=self.url,
            headers={"sec-fetch-site": "same-origin", **headers},
            follow_redirects=True,
            trust_env=False,
            timeout=30,
        )

    def client(self, **headers: str) -> httpx.Client:
        """A bare client: no cookie, no header of a browser, no redirect."""
        return httpx.Client(base_url=self.url, headers=headers, trust_env=False, timeout=30)


@contextmanager
def running_site(
    folder: Path, *, base_url: str = "http://localhost", web: str = "", people: str = ""
) -> Iterator[Running]:
    """A site with an empty store; the config's `[web]` gets the lines of `web`."""
    text = CONFIG.format(base_url=base_url, web=web) + people
    config = parse_config(text, "config.toml", folder)
    sock = listen(config.web)
    url = f"http://127.0.0.1:{sock.getsockname()[1]}"
    with open_app(config, NOW, mailer=EmlFolder(folder / "mails")) as app:
        running = Running(url, app)
        site = Site(app, lambda: running.now, lambda: running.woken.append(running.now))
        running.site = site
        loop, stop = asyncio.new_event_loop(), asyncio.Event()
        thread = threading.Thread(
            target=lambda: loop.run_until_complete(serve_site(site, sock, stop))
        )
        thread.start()
        try:
            yield running
        finally:
            loop.call_soon_threadsafe(stop.set)
            thread.join()
            loop.close()


def fields_of(page: str) -> list[tuple[str, str]]:
    """What a browser would send for the first form of a page: its fields as they stand."""
    form = page.partition("<form")[2].partition("</form>")[0]
    found: list[tuple[str, str]] = []
    for tag in re.finditer(
        r"<(input|select|textarea)\b([^>]*)>(.*?)(?=<(?:input|select|textarea|button)\b|$)",
        form,
        re.DOTALL,
    ):
        kind, marks, inside = tag.groups()
        name = re.search(r'\bname="([^"]*)"', marks)
        if not name:
            continue
        value = re.search(r'\bvalue="([^"]*)"', marks)
        text = unescape(value[1]) if value else ""
        if kind == "select":
            chosen = re.search(r'<option value="([^"]*)"[^>]*\bselected', inside)
            text = unescape(chosen[1]) if chosen else ""
        elif kind == "textarea":
            text = unescape(inside.partition("</textarea>")[0]).removeprefix("\n")
        elif 'type="file"' in marks:
            continue
        elif re.search(r'type="(?:checkbox|radio)"', marks):
            if not re.search(r"\bchecked\b", marks):
                continue
            text = text or "on"
        found.append((unescape(name[1]), text))
    return found
