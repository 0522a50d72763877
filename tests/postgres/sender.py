"""A process that sends by the limits of a service: `python -m tests.postgres.sender DATABASE TASK`.

TASK is JSON: the port of the relay, its connections, the providers, and the recipients. It says
`sending` when it begins, and ends when every mail has gone out.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from digest.mailer import Envelope, Provider, Relay, SmtpMailer
from digest.model import Sent
from digest.store.postgres.commons import PostgresCommons
from digest.store.postgres.store import PostgresStore

RAW = b"Subject: papers\r\n\r\n" + 200 * b"A line of a mail.\r\n"


async def send(mailer: SmtpMailer, people: list[str]) -> None:
    """Send to each; who is sent away comes back when told to, as the ledger would have it."""
    room = asyncio.Semaphore(mailer.workers)

    async def one(who: str) -> None:
        wait_s = 0.0
        while True:
            await asyncio.sleep(wait_s)
            async with room:
                got = await session.send(Envelope("from@example.org", who, RAW), lambda: True)
            if isinstance(got, Sent):
                return
            wait_s = getattr(got, "wait_s", 0.0) or 1.0

    async with mailer.session() as session:
        print("sending", flush=True)  # noqa: T201 - for the test that waits for it
        await asyncio.gather(*map(one, people))


def main() -> None:
    """Do the task."""
    address, task = sys.argv[1], json.loads(sys.argv[2])
    providers: list[dict[str, Any]] = task["providers"]
    with tempfile.TemporaryDirectory() as folder:
        store = PostgresStore(address, Path(folder) / "digest")
        mailer = SmtpMailer(
            Relay("127.0.0.1", task["port"], "none", connections=task["connections"]),
            providers=[Provider(**provider) for provider in providers],
            commons=PostgresCommons(store, lease_s=task["lease_s"]),
        )
        asyncio.run(send(mailer, task["people"]))
        store.close_store()


if __name__ == "__main__":
    main()
