"""A mail server that takes everything and keeps nothing, in a process of its own.

It offers no TLS, and PIPELINING where told to; what it measures is the sender.
"""

from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection

GREETING = b"220 sink.example.org ready\r\n"
HELLO = b"250-sink.example.org\r\n%b250 SIZE 10000000\r\n"
FINAL_DOT = b"\r\n.\r\n"
ANSWERS = {b"DATA": b"354 go\r\n", b"QUIT": b"221 bye\r\n"}


class Sink(asyncio.Protocol):
    """One conversation; only the shape of the dialogue is looked at."""

    hello = HELLO % b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._held = b""
        self._in_message = False
        transport.write(GREETING)

    def data_received(self, data: bytes) -> None:
        """Answer each whole command, or the message once its end is there."""
        self._held += data
        answers = []
        while self._held:
            end = self._held.find(FINAL_DOT if self._in_message else b"\r\n")
            if end < 0:
                break
            if self._in_message:
                self._held, self._in_message = self._held[end + len(FINAL_DOT) :], False
                answers.append(b"250 OK queued\r\n")
            else:
                verb, self._held = self._held[:4].upper(), self._held[end + 2 :]
                self._in_message = verb == b"DATA"
                usual = self.hello if verb == b"EHLO" else b"250 OK\r\n"
                answers.append(ANSWERS.get(verb, usual))
        self._transport.write(b"".join(answers))


class PipeliningSink(Sink):
    """The same, for senders that do not wait for each answer."""

    hello = HELLO % b"250-PIPELINING\r\n"


def _serve(port: Connection, kind: type[Sink]) -> None:
    async def run() -> None:
        server = await asyncio.get_running_loop().create_server(kind, "127.0.0.1", 0)
        port.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(run())


@contextmanager
def sink(*, pipelining: bool = False) -> Iterator[int]:
    """The port of a running sink."""
    context = multiprocessing.get_context("spawn")
    mine, theirs = context.Pipe()
    kind = PipeliningSink if pipelining else Sink
    process = context.Process(target=_serve, args=(theirs, kind), daemon=True)
    process.start()
    try:
        yield mine.recv()
    finally:
        process.terminate()
        process.join()
