"""A mail server that takes everything and keeps nothing, in a process of its own.

It offers no PIPELINING and no TLS; what it measures is the sender.
"""

from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection

GREETING = b"220 sink.example.org ready\r\n"
HELLO = b"250-sink.example.org\r\n250 SIZE 10000000\r\n"
FINAL_DOT = b"\r\n.\r\n"


class Sink(asyncio.Protocol):
    """One conversation; only the shape of the dialogue is looked at."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._held = b""
        self._in_message = False
        transport.write(GREETING)

    def data_received(self, data: bytes) -> None:
        """Answer a command, or wait for the end of the message."""
        self._held += data
        if self._in_message:
            if self._held.endswith(FINAL_DOT):
                self._held, self._in_message = b"", False
                self._transport.write(b"250 OK queued\r\n")
        elif self._held.endswith(b"\r\n"):
            verb, self._held = self._held[:4].upper(), b""
            self._in_message = verb == b"DATA"
            self._transport.write(
                {b"EHLO": HELLO, b"DATA": b"354 go\r\n", b"QUIT": b"221 bye\r\n"}.get(
                    verb, b"250 OK\r\n"
                )
            )


def _serve(port: Connection) -> None:
    async def run() -> None:
        server = await asyncio.get_running_loop().create_server(Sink, "127.0.0.1", 0)
        port.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(run())


@contextmanager
def sink() -> Iterator[int]:
    """The port of a running sink."""
    context = multiprocessing.get_context("spawn")
    mine, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs,), daemon=True)
    process.start()
    try:
        yield mine.recv()
    finally:
        process.terminate()
        process.join()
