"""A real HTTP server on loopback that misbehaves on demand, and a clock that only we move."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import web

from digest.fetcher import Fetched, Fetcher, FetchError, Limits, LocalTurns, Pace, Remembered
from digest.model import Source
from digest.sources import Request

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
SOURCE = Source("stub", "feed")


class Clock:
    """A clock that moves when someone sleeps by it, and when it is told to."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 20, 12, tzinfo=UTC)
        self.slept: list[float] = []

    def __call__(self) -> datetime:
        """The moment."""
        return self.now

    async def sleep(self, seconds: float) -> None:
        """Move on at once; others get their turn."""
        self.slept.append(seconds)
        self.now += timedelta(seconds=seconds)
        await asyncio.sleep(0)


class Stub:
    """A running server: `url(path)` is asked, `seen` holds the requests that came."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.seen: list[web.Request] = []

    @property
    def host(self) -> str:
        """The host and port, as an allow-list names it."""
        return f"127.0.0.1:{self.port}"

    def url(self, path: str = "/") -> str:
        """The address of a path."""
        return f"http://{self.host}{path}"

    def ask(self, path: str = "/") -> Request:
        """The request for a path."""
        return Request(self.url(path))


@asynccontextmanager
async def serving(handler: Handler) -> AsyncIterator[Stub]:
    """A server that answers every path by one handler."""
    stub = Stub(0)

    async def record(request: web.Request) -> web.StreamResponse:
        stub.seen.append(request)
        return await handler(request)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", record)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    stub.port = runner.addresses[0][1]
    try:
        yield stub
    finally:
        await runner.cleanup()


@asynccontextmanager
async def speaking(
    *pieces: bytes, pause_s: float = 0, abort: bool = False, tls: ssl.SSLContext | None = None
) -> AsyncIterator[Stub]:
    """A server that says these very bytes to every request, then closes, or resets."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(pause_s)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client has had enough, which is what some tests are about
        finally:
            if abort:
                writer.transport.abort()
            writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0, ssl=tls)
    try:
        yield Stub(server.sockets[0].getsockname()[1])
    finally:
        server.close()


def fetcher_for(
    stub: Stub, clock: Clock | None = None, total_s: float = 30, allowed: Collection[str] = ()
) -> Fetcher:
    """A fetcher that may ask the stub and these hosts, by this clock and within this time."""
    clock = clock or Clock()
    return Fetcher(
        "paper-digest-test (+mailto:ops@example.org)",
        allowed_hosts=[stub.host, *allowed],
        limits=Limits(total_s=total_s),
        clock=clock,
        pace=Pace(LocalTurns(clock), sleep=clock.sleep, pause_s=0),
    )


class Rerouted(Fetcher):
    """A fetcher that asks the stub for every address: `https://h/p` as `/h/p` of the stub."""

    def __init__(self, stub: Stub, clock: Clock | None = None, total_s: float = 5) -> None:
        self._stub = stub
        clock = clock or Clock()
        super().__init__(
            "paper-digest-test (+mailto:ops@example.org)",
            allowed_hosts=[stub.host],
            limits=Limits(total_s=total_s),
            clock=clock,
            pace=Pace(LocalTurns(clock), sleep=clock.sleep, pause_s=0),
        )

    async def fetch(
        self, source: Source, request: Request, remembered: Remembered | None = None
    ) -> Fetched:
        """What the stub has under the address."""
        host_and_path = request.url.partition("://")[2]
        asked = request.url.startswith(self._stub.url())
        url = request.url if asked else self._stub.url(f"/{host_and_path}")
        if remembered and remembered.seen_url:
            remembered = replace(remembered, seen_url=url)  # the stub's port is another each time
        fetched = await super().fetch(source, replace(request, url=url), remembered)
        return replace(fetched, url=request.url) if fetched.url == url else fetched


async def failure(stub: Stub, path: str = "/", total_s: float = 30) -> FetchError:
    """The error that fetching a path ends in."""
    async with fetcher_for(stub, total_s=total_s) as fetcher:
        with pytest.raises(FetchError) as fault:
            await fetcher.fetch(SOURCE, stub.ask(path))
    return fault.value
