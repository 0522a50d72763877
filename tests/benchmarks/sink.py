"""A mail server that takes everything and keeps nothing, in a process of its own.

Ours, or Postfix's `smtp-sink` where it is installed. It offers no TLS, and PIPELINING unless told
otherwise; what it measures is the sender.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
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
        self._held = bytearray()
        self._looked = 0
        self._in_message = False
        transport.write(GREETING)

    def data_received(self, data: bytes) -> None:
        """Answer each whole command, or the message once its end is there."""
        self._held += data
        answers = []
        while self._held:
            end = FINAL_DOT if self._in_message else b"\r\n"
            found = self._held.find(end, self._looked)
            if found < 0:
                self._looked = max(0, len(self._held) - len(end))  # a message is looked at once
                break
            if self._in_message:
                self._in_message = False
                answers.append(b"250 OK queued\r\n")
            else:
                verb = bytes(self._held[:4]).upper()
                self._in_message = verb == b"DATA"
                usual = self.hello if verb == b"EHLO" else b"250 OK\r\n"
                answers.append(ANSWERS.get(verb, usual))
            del self._held[: found + len(end)]
            self._looked = 0
        if answers:
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
def sink(*, pipelining: bool = True) -> Iterator[int]:
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


@contextmanager
def postfix_sink() -> Iterator[int]:
    """The port of a running `smtp-sink`. Raises: LookupError where it is not installed."""
    path = shutil.which("smtp-sink")
    if not path:
        raise LookupError("smtp-sink is not there: Debian's package postfix has it")
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    words = ["-u", "nobody", "-h", "sink.example.org", f"127.0.0.1:{port}", "200"]
    process = subprocess.Popen([path, *words])
    try:
        _wait_for(port)
        yield port
    finally:
        process.terminate()
        process.wait()


def _wait_for(port: int) -> None:
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise TimeoutError(f"nobody listens on port {port}")
