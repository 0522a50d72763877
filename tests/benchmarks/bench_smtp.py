"""The SMTP layer alone: one finished message to a sink on loopback, again and again.

`python -m tests.benchmarks.bench_smtp [MESSAGES]` prints messages a second of one process for
aiosmtplib itself and for our lines with and without PIPELINING, in interleaved rounds.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
from collections.abc import Awaitable, Callable
from time import perf_counter, process_time

from aiosmtplib import SMTP

from digest.mailer import Envelope, Relay, SmtpMailer
from digest.model import Sent
from tests.benchmarks.sink import sink

ROUNDS = 5
SENDER, RECIPIENT = "digest@example.org", "ada@example.org"
LINE = b"x" * 70 + b"\r\n"

Send = Callable[[int, int, bytes], Awaitable[None]]
"""(port, how many, the message) -> when all are sent."""


async def plain_library(port: int, count: int, raw: bytes) -> None:
    """Two connections of aiosmtplib, as its guide has it."""

    async def work() -> None:
        async with SMTP(hostname="127.0.0.1", port=port, start_tls=False) as smtp:
            for _ in range(count // 2):
                await smtp.sendmail(SENDER, [RECIPIENT], raw)

    await asyncio.gather(work(), work())


async def ours(port: int, count: int, raw: bytes) -> None:
    """Our mailer, with as many messages under way as it asks for."""
    mailer = SmtpMailer(Relay("127.0.0.1", port, "none", messages_per_connection=10_000))
    envelope = Envelope(SENDER, RECIPIENT, raw)

    async def work() -> None:
        async with mailer.session() as session:
            for _ in range(count // mailer.workers):
                assert isinstance(await session.send(envelope, lambda: True), Sent)

    await asyncio.gather(*(work() for _ in range(mailer.workers)))


def measure(send: Send, port: int, count: int, raw: bytes) -> tuple[float, float]:
    """(messages a second, microseconds of our own processor a message)."""
    begun, used = perf_counter(), process_time()
    asyncio.run(_run(send, port, count, raw))
    return count / (perf_counter() - begun), (process_time() - used) / count * 1e6


async def _run(send: Send, port: int, count: int, raw: bytes) -> None:
    await send(port, count, raw)


def main() -> None:
    """Measure with so many messages a round (4,000)."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 4000
    for size in (1_000, 40_000):
        raw = b"Subject: x\r\n\r\n" + LINE * (size // len(LINE))
        with sink(pipelining=False) as waiting, sink() as pipelining:
            ways: dict[str, tuple[Send, int]] = {
                "aiosmtplib": (plain_library, waiting),
                "ours, no PIPELINING": (ours, waiting),
                "ours, PIPELINING": (ours, pipelining),
            }
            found: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
            for _ in range(ROUNDS):
                for name, (send, port) in ways.items():
                    found[name].append(measure(send, port, count, raw))
        print(f"\n{size:,} bytes{'':20}{'median/s':>12}{'best/s':>12}{'CPU µs each':>14}")
        for name, rounds in found.items():
            speeds, used = zip(*rounds, strict=True)
            middle = statistics.median(speeds)
            cost = statistics.median(used)
            print(f"{name:32}{middle:10.0f}{max(speeds):12.0f}{cost:14.0f}")


if __name__ == "__main__":
    main()
