"""Signing up as a person does it, and the letters that come of it."""

from __future__ import annotations

import asyncio
import re
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP

import httpx

from digest import mailroom
from digest.mailer import EmlFolder
from digest.tokens import FORM
from tests.web.running import Running

CHECK = "Check your mail"
LINK = re.compile(r"http://localhost(/(?:confirm|preferences)/\S+)")


def fields(site: Running, email: str = "ada@example.org", **changed: str) -> dict[str, str]:
    """A form as a person fills it in, some seconds after it was opened."""
    opened = site.now.replace(microsecond=0)
    site.pass_time(seconds=5)
    return {
        "stamp": site.app.tokens.issue(FORM, 0, opened),
        "email": email,
        "term": "flash attention",
        "weight": "2",
        "timezone": "Europe/London",
        "send_at": "07:30",
        "day": "mon",
        "min_score": "0.25",
        "max_items": "12",
        "trending": "0",
        "when_empty": "skip",
        **changed,
    }


def ask(site: Running, email: str = "ada@example.org", **changed: str) -> httpx.Response:
    """Send a form."""
    with site.browser() as browser:
        return browser.post("/subscribe", data=fields(site, email, **changed))


def letters(site: Running) -> list[EmailMessage]:
    """The letters that have gone out since the last look."""
    assert isinstance(site.app.mailer, EmlFolder)
    site.app.mailer.written.clear()
    asyncio.run(mailroom.send_letters(site.app, lambda: site.now))
    raws = [path.read_bytes() for path in site.app.mailer.written]
    return [message_from_bytes(raw, policy=SMTP) for raw in raws]


def text_of(letter: EmailMessage) -> str:
    """The text part of a letter."""
    body = letter.get_body(("plain",))
    assert body
    return str(body.get_content())


def link_of(letter: EmailMessage) -> str:
    """The path of the link in a letter."""
    found = LINK.search(text_of(letter))
    assert found
    return found[1]


def gathered(pairs: list[tuple[str, str]]) -> dict[str, str | list[str]]:
    """Pairs as the mapping of lists that httpx takes."""
    gathered: dict[str, str | list[str]] = {}
    for name, value in pairs:
        kept = gathered.setdefault(name, [])
        assert isinstance(kept, list)
        kept.append(value)
    return gathered
