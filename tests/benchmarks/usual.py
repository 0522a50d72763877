"""The usual Python stack: Jinja, css-inline, EmailMessage, dkimpy and aiosmtplib, a call each.

`python -m tests.benchmarks.usual PORT FOLDER COUNT` sends and prints what `contenders` prints.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Sequence
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from pathlib import Path
from typing import Any

import css_inline
import dkim
from aiosmtplib import SMTP
from jinja2 import DictLoader, Environment

from tests.benchmarks.contenders import KEY, MAILS, Lap

CONNECTIONS = 4
"""Of each process."""

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
    print(usual(int(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])))
