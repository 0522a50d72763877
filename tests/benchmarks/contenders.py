"""What is common to those who send the same mails to the same sink, and ours among them.

`python -m tests.benchmarks.contenders PORT FOLDER COUNT` sends and prints
`{"mails": …, "seconds": …}`, the first fifth left out: processes start there, and caches fill. With
a fourth word, `composed`, each mail is the same one, made before: it is signed, handed over, sent
and recorded, and nothing is read or composed for it. With `sign` for the port nothing is sent, and
so many signatures are made alone: no mail that is signed by RSA-2048 here can take less.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from time import perf_counter

from digest.config import Config, parse_config
from digest.model import DeliveryState, Outcome
from digest.store import Lease
from tests.e2e.service import CONFIG
from tests.samples import NOW

AT = NOW + timedelta(hours=6)
MAILS, KEY = "mails.jsonl", "dkim.pem"
COMPOSED = "composed.eml"
"""A mail of middling size, not signed."""

WARM = 5
"""One part in so many of a run is left out."""

SETTINGS = """
[dkim]
domain = "example.org"
selector = "s1"
key_file = "dkim.pem"
"""


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


def config_for(folder: Path, port: int, service: str = "") -> Config:
    """A service in that folder that signs and sends to the sink; `service` are more settings."""
    text = CONFIG.format(port=port, lease_s=600) + SETTINGS
    text = text.replace("[service]", "[service]\n" + service)
    # As the others do: a connection is kept.
    text = text.replace("[smtp]", "[smtp]\nmessages_per_connection = 10_000\nconnections = 8")
    return parse_config(text, "benchmark", folder)


def ours(port: int, folder: Path, count: int) -> str:
    """Send what waits in the folder's ledger, everything on, as `digest send` does."""
    # As the command does: processes that only make mails read this file again, and need none of it.
    from digest import jobs  # noqa: PLC0415
    from digest.app import open_app  # noqa: PLC0415

    logging.basicConfig(filename=folder / "digest.log", level=logging.INFO)
    lap = Lap(count)

    def told(lease: Lease, outcome: Outcome, state: DeliveryState) -> None:
        assert state is DeliveryState.SENT, outcome
        lap.one()

    with open_app(config_for(folder, port), AT) as app:
        asyncio.run(jobs.deliver(app, lambda: AT, told=told))
    return lap.told()


def compose_nothing(folder: Path) -> None:
    """Let this process make every mail of bytes that are there."""
    from digest import press  # noqa: PLC0415
    from digest.app import App  # noqa: PLC0415
    from digest.model import Delivery, Imprint  # noqa: PLC0415

    composed = (folder / COMPOSED).read_bytes()

    def make(app: App, lease: Lease, _: Mapping[int, Delivery]) -> press.Made:
        raw = app.sign(composed, AT)
        sender = app.return_path("d", lease.delivery_id, "composed")
        return press.Made(lease, raw, sender, Imprint.of(raw, press.key_mark(app.tokens)))

    vars(press).update(make=make, _read=lambda *_: {})


def signatures(folder: Path, count: int) -> str:
    """Sign so many hashes with the folder's key, and do nothing else."""
    from digest.dkim.keys import read_key  # noqa: PLC0415

    key = read_key(folder / KEY, "s1")
    lap = Lap(count)
    for number in range(count):
        key.sign(sha256(b"%d" % number).digest())
        lap.one()
    return lap.told()


if sys.argv[4:] == ["composed"]:  # also in the processes that make mails, which read this file
    compose_nothing(Path(sys.argv[2]))

if __name__ == "__main__":
    where, count = Path(sys.argv[2]), int(sys.argv[3])
    print(
        signatures(where, count) if sys.argv[1] == "sign" else ours(int(sys.argv[1]), where, count)
    )
