"""Those who send the same mails to the same sink, each in processes of its own.

`python -m tests.benchmarks.contenders ours PORT FOLDER COUNT` (or `usual …`) sends and prints
`{"mails": …, "seconds": …}`, the first fifth left out: processes start there, and caches fill.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from pathlib import Path
from time import perf_counter
from typing import Any

import css_inline
import dkim
from aiosmtplib import SMTP
from jinja2 import DictLoader, Environment

from digest import jobs
from digest.app import open_app
from digest.config import Config, parse_config
from digest.model import DeliveryState, Outcome
from digest.store import Lease
from tests.e2e.service import CONFIG
from tests.samples import NOW

AT = NOW + timedelta(hours=6)
MAILS, KEY = "mails.jsonl", "dkim.pem"
WARM = 5
"""One part in so many of a run is left out."""

SETTINGS = """
[dkim]
domain = "example.org"
selector = "s1"
key_file = "dkim.pem"
"""

CONNECTIONS = 4
"""Of each process of the usual stack."""


@dataclass(slots=True)
class Lap:
    """How many of `count` mails went out after the first fifth, and in what time."""

    count: int
    done: int = 0
    since: float = 0.0

    def one(self) -> None:
        """One more is out."""
        self.done += 1
        if self.done == self.count // WARM:
            self.since = perf_counter()

    def told(self) -> str:
        """What came of it, for the process that measures."""
        took = perf_counter() - self.since
        return json.dumps({"mails": self.done - self.count // WARM, "seconds": took})


def config_for(folder: Path, port: int) -> Config:
    """A service in that folder that signs and sends to the sink."""
    text = CONFIG.format(port=port, lease_s=600) + SETTINGS
    # As the others do: a connection is kept.
    text = text.replace("[smtp]", "[smtp]\nmessages_per_connection = 10_000\nconnections = 8")
    return parse_config(text, "benchmark", folder)


def ours(port: int, folder: Path, count: int) -> str:
    """Send what waits in the folder's ledger, everything on, as `digest send` does."""
    logging.basicConfig(filename=folder / "digest.log", level=logging.INFO)
    lap = Lap(count)

    def told(lease: Lease, outcome: Outcome, state: DeliveryState) -> None:
        assert state is DeliveryState.SENT, outcome
        lap.one()

    with open_app(config_for(folder, port), AT) as app:
        asyncio.run(jobs.deliver(app, lambda: AT, told=told))
    return lap.told()


# --- the usual stack --------------------------------------------------------------------------

STYLE = (
    "body{margin:0;background:#f4f4f2;font:16px/1.5 Georgia,serif;color:#1a1a1a}"
    ".sheet{max-width:640px;margin:0 auto;padding:24px;background:#fff}"
    "h1{font-size:22px;margin:0 0 16px}h2{font-size:18px;line-height:1.3;margin:24px 0 4px}"
    "a{color:#0b4f8a;text-decoration:none}p{margin:0 0 8px}"
    ".meta{font-size:13px;color:#5a5a5a}.why{font-size:13px;color:#3b5a2a}"
    ".foot{font-size:12px;color:#6a6a6a;border-top:1px solid #ddd;padding-top:12px}"
)
TEMPLATES = {
    "mail.html": """<!doctype html><html lang="en"><head><meta charset="utf-8">
<title>{{ subject }}</title><style>{{ style }}</style></head><body><div class="sheet">
<h1>{{ subject }}</h1>
{% for item in items %}<div class="item"><h2><a href="{{ item.url }}">{{ item.title }}</a></h2>
<p class="meta">{{ item.meta }}</p><p class="abstract">{{ item.abstract }}</p>
<p class="why">{{ item.why }}</p>
<p class="meta"><a href="{{ item.url }}">Read</a>
<a href="{{ base }}/more/{{ loop.index }}">More</a>
<a href="{{ base }}/less/{{ loop.index }}">Less</a></p></div>{% endfor %}
<p class="foot">{{ foot }} <a href="{{ base }}/unsubscribe/{{ number }}">Unsubscribe</a></p>
</div></body></html>""",
    "mail.txt": """{{ subject }}
{% for item in items %}
{{ loop.index }}. {{ item.title }}
{{ item.url }}
{{ item.meta }}
{{ item.abstract | wordwrap(72) }}
{{ item.why | wordwrap(72) }}
{% endfor %}
{{ foot }}
{{ base }}/unsubscribe/{{ number }}
""",
}


class UsualStack:
    """Render, inline, compose, sign and send with a library for each."""

    def __init__(self, folder: Path) -> None:
        self._templates = Environment(loader=DictLoader(TEMPLATES), autoescape=True)
        self._key = (folder / KEY).read_bytes()
        self._mails = [json.loads(line) for line in (folder / MAILS).read_text().splitlines()]

    def mail(self, number: int) -> bytes:
        """The finished bytes of a mail."""
        values = self._mails[number % len(self._mails)]
        values = {**values, "number": number, "style": STYLE, "base": "https://digest.example.org"}
        made = EmailMessage(SMTP_POLICY)
        made["From"], made["To"] = "Paper digest <digest@example.org>", f"r{number}@example.org"
        made["Subject"] = values["subject"]
        made["Message-ID"] = f"<{number}@example.org>"
        made["List-Unsubscribe"] = f"<https://digest.example.org/unsubscribe/{number}>"
        made["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        made.set_content(self._templates.get_template("mail.txt").render(values))
        html = css_inline.inline(self._templates.get_template("mail.html").render(values))
        made.add_alternative(html, subtype="html")
        raw = made.as_bytes()
        signature: bytes = dkim.sign(
            raw, b"s1", b"example.org", self._key, canonicalize=(b"relaxed", b"relaxed")
        )
        return signature + raw


def usual(port: int, folder: Path, count: int) -> str:
    """Send so many mails of the usual stack over a few connections."""
    stack, lap = UsualStack(folder), Lap(count)
    numbers = iter(range(count))

    async def work() -> None:
        async with SMTP(hostname="127.0.0.1", port=port, start_tls=False) as smtp:
            for number in numbers:
                raw = stack.mail(number)
                await smtp.sendmail("digest@example.org", [f"r{number}@example.org"], raw)
                lap.one()

    async def run() -> None:
        await asyncio.gather(*(work() for _ in range(CONNECTIONS)))

    asyncio.run(run())
    return lap.told()


def items_of(listed: Sequence[Any]) -> list[dict[str, str]]:
    """What the usual stack shows of a digest's matches."""
    return [
        {
            "title": match.listing.title,
            "url": match.listing.url,
            "meta": ", ".join(match.listing.authors[:5]),
            "abstract": match.listing.abstract,
            "why": ", ".join(f"{r.term} in the {r.field} ({r.points:.2f})" for r in match.reasons),
        }
        for match in listed
    ]


if __name__ == "__main__":
    chosen = {"ours": ours, "usual": usual}[sys.argv[1]]
    print(chosen(int(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4])))
