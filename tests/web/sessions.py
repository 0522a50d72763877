"""A browser in which somebody's preferences are open, and what its forms hold."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from digest.model import Subscriber
from tests.web.running import Running, fields_of


def link(site: Running, one: Subscriber) -> str:
    """The path of the link to manage in a mail of now."""
    return f"/preferences/{site.app.tokens.manage(one.id, site.now)}"


@contextmanager
def session(site: Running, one: Subscriber) -> Iterator[httpx.Client]:
    """A browser in which the preferences are open."""
    with site.browser() as browser:
        page = browser.post(link(site, one))
        assert page.url.path == "/preferences"
        assert page.status_code == 200
        yield browser
    site.pass_time(seconds=1)  # the next link is another one


def mark(browser: httpx.Client, path: str = "/preferences") -> str:
    """The session's mark as it stands in the forms."""
    return dict(fields_of(browser.get(path).text))["mark"]


def now_of(site: Running, one: Subscriber) -> Subscriber:
    """The subscriber as the store has it now."""
    found = site.app.store.subscriber_by_id(one.id)
    assert found
    return found


def form(browser: httpx.Client, **changed: str | list[str]) -> dict[str, str | list[str]]:
    """The preferences' form as a browser would send it, with some fields changed."""
    gathered: dict[str, str | list[str]] = {}
    for name, value in fields_of(browser.get("/preferences").text):
        kept = gathered.setdefault(name, [])
        assert isinstance(kept, list)
        kept.append(value)
    return gathered | changed
