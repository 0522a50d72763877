"""The service of the year: real store, real jobs, real SMTP and HTTP, and a clock that we move."""

from __future__ import annotations

import asyncio
import hashlib
import mailbox
import os
import quopri
import re
import socket
import subprocess
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from email import message_from_bytes
from pathlib import Path

from digest.app import App, open_app, relays
from digest.config import parse_config, profile_toml
from digest.mailer import SmtpMailer
from digest.model import Subscriber
from digest.ticks import Ticks
from tests.e2e.service import DIGEST
from tests.e2e.year.zones import forget_rules
from tests.fetcher.server import Clock, Rerouted, Stub
from tests.smtp_server import DROP, MailServer, Taken

CONFIG = """
[service]
base_url = "https://digest.example.org"
rollover_days = 2

[mail]
from = "Paper digest <digest@example.org>"
bounce_domain = "bounces.example.org"

[bounces]
maildir = "Maildir"

[smtp]
host = "127.0.0.1"
port = {port}
tls = "none"
connections = 1

[[sources]]
name = "arXiv"
kind = "arxiv"
categories = ["cs.CL"]
every = "6h"
max_age_days = 14

[[sources]]
name = "Daily Papers"
kind = "huggingface"
every = "1d"
"""

TRACED = """
CREATE TABLE IF NOT EXISTS year_moves (delivery_id INTEGER, before TEXT, after TEXT);
CREATE TRIGGER IF NOT EXISTS year_move AFTER UPDATE OF state ON deliveries
WHEN old.state != new.state BEGIN
    INSERT INTO year_moves VALUES (old.id, old.state, new.state);
END;
CREATE TRIGGER IF NOT EXISTS year_birth AFTER INSERT ON deliveries BEGIN
    INSERT INTO year_moves VALUES (new.id, '', new.state);
END;
"""
"""Every single move of a row is written down, also those within one transaction."""

SHOWN = re.compile(r"arxiv\.org/abs/(\d{4}\.\d{5})|huggingface\.co/papers/(\d{4}\.\d{5})")


@dataclass(frozen=True)
class Mail:
    """A message that the mail server took; `reader` is to whom, as we knew them by then."""

    at: datetime
    recipient: str
    sender: str
    message_id: str
    content: bytes
    papers: frozenset[str]
    text: str
    reader: Subscriber
    lost_reply: bool

    @property
    def digest_on(self) -> date:
        """The local day that it is for."""
        return date.fromisoformat(self.message_id.partition(".")[0])


@dataclass
class Office:
    """The mail server: its moods, and an hour in which nobody answers the door."""

    server: MailServer = field(default_factory=MailServer)
    refusing: dict[str, bytes] = field(default_factory=dict)
    loses_replies: bool = False
    _listening: asyncio.Server | None = None
    _place: socket.socket | None = None

    async def open(self) -> None:
        """Answer, at the same port as ever."""
        if self._place:
            self._place.close()
        self.server.script = self._script
        self._listening = await asyncio.start_server(
            self.server.talk, "127.0.0.1", self.server.port
        )
        self.server.port = self._listening.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Refuse connections; the port stays ours."""
        assert self._listening
        self._listening.close()
        await self.server.stop()
        await self._listening.wait_closed()
        self._place = socket.socket()
        self._place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._place.bind(("127.0.0.1", self.server.port))

    async def end(self) -> None:
        """Give the port back."""
        await self.close()
        assert self._place
        self._place.close()

    def _script(self, step: str, before: int) -> bytes | None:
        if step == "dot" and self.loses_replies:
            return DROP
        return self.refusing.get(step.removeprefix("RCPT ").strip("<>"))


class Service:
    """One process after another on one folder; `people` are those whom we know to be subscribed."""

    def __init__(self, folder: Path, stub: Stub, office: Office, clock: Clock) -> None:
        self.folder, self.clock, self.office = folder, clock, office
        self._stub = stub
        self._parts = ExitStack()
        self._ticks: Ticks | None = None
        self._tidied = 0
        self.app: App
        self.maildir = mailbox.Maildir(folder / "Maildir")

    def write_config(self, *listed: Subscriber) -> None:
        """The config file, with the subscribers that belong to it."""
        text = CONFIG.format(port=self.office.server.port)
        text += "".join(f"\n{profile_toml(one)}" for one in listed)
        (self.folder / "config.toml").write_text(text, "utf-8")

    @property
    def database(self) -> Path:
        """The file of the store."""
        return self.folder / "digest.db"

    def start(self) -> None:
        """Begin as a new process does, with what the machine says of zones by now."""
        forget_rules()
        config = parse_config(
            (self.folder / "config.toml").read_text("utf-8"), "config.toml", self.folder
        )
        mailer = SmtpMailer(*relays(config), clock=self._seconds, chance=lambda: 0.5)
        opened = self._parts.enter_context(open_app(config, self.clock.now, mailer=mailer))
        self.app = replace(opened, fetcher=lambda: Rerouted(self._stub, self.clock, 60))
        self._ticks = Ticks(self.app, self.clock, asyncio.Event())
        self.app.store.db.executescript(TRACED)  # type: ignore[attr-defined]  # SQLite's own

    def _seconds(self) -> float:
        return self.clock.now.timestamp()

    def stop(self) -> None:
        """End the process."""
        self._parts.close()
        self._ticks = None

    @property
    def is_up(self) -> bool:
        """Whether there is a process."""
        return self._ticks is not None

    async def tick(self) -> None:
        """One round of the steps that the scheduler calls; tidied four times a day."""
        assert self._ticks
        await self._ticks.collect()
        await self._ticks.prepare()
        await self._ticks.deliver()
        if self.clock.now.hour // 6 != self._tidied:
            self._tidied = self.clock.now.hour // 6
            await self._ticks.tidy()

    def taken(self, people: dict[str, Subscriber]) -> list[Mail]:
        """What the mail server took since it was asked last."""
        taken, self.office.server.taken = self.office.server.taken, []
        self.office.server.commands.clear()
        return [self._read(one, people) for one in taken]

    def _read(self, taken: Taken, people: dict[str, Subscriber]) -> Mail:
        # Taken apart by hand: to parse the HTML as well would take as long as to make the mail.
        head, _, rest = taken.raw.partition(b"Content-Type: text/plain")
        body = rest.partition(b"\r\n\r\n")[2].partition(b"\r\n--=_")[0]
        message_id = message_from_bytes(head)["Message-ID"].strip("<> ")
        text = " ".join(quopri.decodestring(body).decode("utf-8").split())
        (recipient,) = taken.recipients
        return Mail(
            at=self.clock.now,
            recipient=recipient,
            sender=taken.sender,
            message_id=message_id,
            content=hashlib.sha256(taken.raw).digest(),
            papers=frozenset(a or b for a, b in SHOWN.findall(text)),
            text=text,
            reader=people[recipient],
            lost_reply=self.office.loses_replies,
        )

    def command(self, *words: str) -> str:
        """What the real command says; it has to succeed."""
        env = {
            **os.environ,
            "DIGEST_CLOCK": self.clock.now.astimezone(UTC).isoformat(),
            "PYTHONTZPATH": os.pathsep.join([str(self.folder / "zones"), *_zone_paths()]),
        }
        done = subprocess.run(
            [*DIGEST, *words], cwd=self.folder, env=env, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


def _zone_paths() -> tuple[str, ...]:
    return tuple(path for path in os.environ.get("PYTHONTZPATH", "/usr/share/zoneinfo").split(":"))
