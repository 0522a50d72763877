"""A service in a folder of its own: its config, its command, and a mail server in a thread."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager, contextmanager
from email import message_from_bytes
from email.policy import SMTP as SMTP_POLICY
from pathlib import Path
from typing import TypeVar

from tests.smtp_server import MailServer, Script, mail_server

T = TypeVar("T")

DIGEST = (sys.executable, "-c", "from digest.cli import main; main()")

CONFIG = """
[service]
base_url = "https://digest.example.org"

[mail]
from = "Paper digest <digest@example.org>"

[smtp]
host = "127.0.0.1"
port = {port}
tls = "none"
lease_s = {lease_s}

[web]
port = 0

[[sources]]
name = "Saved pages"
kind = "page"
path = "*.txt"
"""


class Service:
    """A folder with a config; `now` is what the command takes for the time."""

    def __init__(self, folder: Path, port: int, subscribers: str, *, lease_s: int = 120) -> None:
        self.folder = folder
        self.now = "2026-11-20T14:00:00+00:00"
        text = CONFIG.format(port=port, lease_s=lease_s) + subscribers
        (folder / "config.toml").write_text(text, "utf-8")

    def start(
        self, *words: str, log: int = subprocess.PIPE, command: Sequence[str] = DIGEST
    ) -> subprocess.Popen[str]:
        """The command as a process that runs on; `log` is where its standard error goes."""
        return subprocess.Popen(
            [*command, *words],
            cwd=self.folder,
            env={**os.environ, "DIGEST_CLOCK": self.now, "COLUMNS": "200"},
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )

    def run(self, *words: str, code: int = 0) -> str:
        """What the command printed to standard output; it must end with that code."""
        process = self.start(*words)
        out, err = process.communicate(timeout=120)
        assert process.returncode == code, f"{words} ended with {process.returncode}: {err}"
        assert "Traceback" not in err
        self.stderr = err
        return out


@contextmanager
def beside(server: AbstractAsyncContextManager[T]) -> Iterator[T]:
    """A server that runs beside the test in a thread of its own, for commands that block."""
    ready, box = threading.Event(), list[T]()
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()

    async def serve() -> None:
        async with server as served:
            box.append(served)
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    try:
        assert ready.wait(10)
        yield box[0]
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()


def mail_server_thread(
    script: Script = lambda step, before: None,
) -> AbstractContextManager[MailServer]:
    """A mail server that runs beside the test."""
    return beside(mail_server(script))


def text_part(raw: bytes) -> str:
    """The text part of a mail, each run of blanks and line ends as one blank."""
    body = message_from_bytes(raw, policy=SMTP_POLICY).get_body(("plain",))
    assert body
    return " ".join(body.get_content().split())


def message_ids(raws: Sequence[bytes]) -> list[str]:
    """The Message-ID of each mail."""
    return [str(message_from_bytes(raw)["Message-ID"]) for raw in raws]
