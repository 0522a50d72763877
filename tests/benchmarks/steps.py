"""Where the time of a delivery goes: each step by itself, in CPU of one process.

The making processes read, render and sign; the sending one leases, records, asks and sends.
"""

from __future__ import annotations

import asyncio
import logging
import pickle
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from time import process_time
from typing import TypeVar

from digest.app import App, open_app
from digest.mailer import Envelope
from digest.model import Imprint, Sent
from digest.press import Made, key_mark
from digest.sending import BATCH
from digest.store import Lease, Tried
from tests.benchmarks.contenders import AT, config_for

T = TypeVar("T")

MOST = 1000
"""Mails that the steps are measured with."""

GATHERED = 8
"""Rows that the ledger writes in one transaction when the sessions are busy."""

LATER = AT + timedelta(seconds=1)


class Costs:
    """Microseconds of CPU a mail by step, printed as they are found."""

    def __init__(self) -> None:
        self.mails = 1
        self._sum = 0.0

    def of(self, name: str, step: Callable[[], T]) -> T:
        """What a step gives; its cost is printed."""
        begun = process_time()
        given = step()
        took = (process_time() - begun) / self.mails * 1e6
        self._sum += took
        print(f"  {name:44}{took:8.0f} µs")
        return given

    @contextmanager
    def process(self, name: str) -> Iterator[None]:
        """The steps inside are one process's."""
        print(name)
        self._sum = 0.0
        yield
        print(f"  {'together':44}{self._sum:8.0f} µs")


def print_steps(folder: Path, port: int) -> None:
    """Print what each step costs a mail, with the caches warm; the folder's ledger is used up."""
    logging.basicConfig(filename=folder / "steps.log", level=logging.INFO)
    costs = Costs()
    with open_app(config_for(folder, port), AT) as app:
        leases = app.store.lease(AT, MOST, 600, "steps")
        costs.mails = len(leases)
        made = _making(costs, app, leases)
        app.store.give_back("steps")
        _sending(costs, app, made)


def _making(costs: Costs, app: App, leases: Sequence[Lease]) -> list[Made]:
    store, renderer, sign = app.store, app.renderer(app.frame), app.sign
    for lease in leases[: MOST // 5]:  # fills the caches
        one = store.delivery_by_id(lease.delivery_id)
        links = app.tokens.links(one.frame.base_url, one.digest.subscriber.id, one.prepared_at)
        renderer.render(one.digest, one.message_id, one.prepared_at, links)
    with costs.process("CPU a mail in the processes that make mails"):
        rows = costs.of(
            "read the row, thaw the digest",
            lambda: [store.delivery_by_id(one.delivery_id) for one in leases],
        )
        links_of = costs.of(
            "links and their tokens",
            lambda: [
                app.tokens.links(row.frame.base_url, row.digest.subscriber.id, row.prepared_at)
                for row in rows
            ],
        )
        mails = costs.of(
            "render",
            lambda: [
                renderer.render(row.digest, row.message_id, row.prepared_at, links).raw
                for row, links in zip(rows, links_of, strict=True)
            ],
        )
        signed = costs.of(
            "sign (RSA-2048)",
            lambda: [sign(raw, row.prepared_at) for raw, row in zip(mails, rows, strict=True)],
        )
        made = [Made(lease, raw) for lease, raw in zip(leases, signed, strict=True)]
        mark = key_mark(app.tokens)
        costs.of("imprint", lambda: [Imprint.of(one.raw, mark) for one in made])
        costs.of("hand over (pickle)", lambda: _pickled(made))
    return made


def _sending(costs: Costs, app: App, made: Sequence[Made]) -> None:
    with costs.process("CPU a mail in the process that sends"):
        pickled = _pickled(made)
        costs.of("take over (unpickle)", lambda: [pickle.loads(one) for one in pickled])  # noqa: S301 - our own
        begun = costs.of("lease, begin and close in the ledger", lambda: _turned(app, made))
        costs.of("ask whether it is wanted", lambda: [app.store.wanted(x, AT) for x in begun])
        costs.of("SMTP", lambda: asyncio.run(_send(app, made)))


def _pickled(made: Sequence[Made]) -> list[bytes]:
    parts = (made[at : at + BATCH] for at in range(0, len(made), BATCH))
    return [pickle.dumps(list(part)) for part in parts]


def _turned(app: App, made: Sequence[Made]) -> list[Lease]:
    """Begin some rows in the transaction that closes those before; returns the last, still held."""
    begun: list[Lease] = []
    for _ in range(0, len(made), BATCH):
        leased = app.store.lease(AT, BATCH, 600, "steps")
        for at in range(0, len(leased), GATHERED):
            tried = [Tried(lease, Sent("250 OK queued"), LATER) for lease in begun]
            begun = [*leased[at : at + GATHERED]]
            app.store.turn(tried, begun, AT, 600)
    return begun * (len(made) // len(begun))


async def _send(app: App, made: Sequence[Made]) -> None:
    """Send all over as many sessions as a run has."""
    waiting = iter(made)

    async def work() -> None:
        async with app.mailer.session() as session:
            for one in waiting:
                envelope = Envelope(app.envelope_sender, one.lease.recipient, one.raw)
                assert isinstance(await session.send(envelope, lambda: True), Sent)

    await asyncio.gather(*(work() for _ in range(app.mailer.workers)))
