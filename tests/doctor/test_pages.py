"""Whether the pages answer, and what time the web says it is, against real servers."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
import trustme

from digest.doctor.finding import Finding, Level
from digest.doctor.pages import clock_finding, pages_finding

HEALTHY = '{"status": "ok", "reasons": []}'


@asynccontextmanager
async def web(
    status: str = "200 OK", body: str = HEALTHY, head: str = "", tls: ssl.SSLContext | None = None
) -> AsyncIterator[tuple[int, list[str]]]:
    """A server that gives one answer to everything: its port, and what it was asked."""
    asked: list[str] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        lines = (await reader.readuntil(b"\r\n\r\n")).decode().splitlines()
        asked.append(" ".join(lines[0].split()[:2]))
        told = (
            f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n{head}\r\n"
        )
        writer.write((told + ("" if lines[0].startswith("HEAD") else body)).encode())
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1], asked
    finally:
        server.close()
        await server.wait_closed()


def pages(scheme: str = "http", trusted: ssl.SSLContext | None = None, **answer: object) -> Finding:
    """The finding on pages with that answer."""

    async def run() -> Finding:
        async with web(**answer) as (port, asked):  # type: ignore[arg-type]  # the tests' own
            found = await pages_finding(f"{scheme}://127.0.0.1:{port}", trusted)
            assert set(asked) <= {"GET /healthz"}  # which changes nothing (A10)
            return found

    return asyncio.run(run())


def test_pages_over_https_are_good() -> None:
    """With a certificate that is trusted; one that is not is an error."""
    authority = trustme.CA()
    ours = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(ours)
    trusted = ssl.create_default_context()
    authority.configure_trust(trusted)
    assert pages("https", trusted, tls=ours).level is Level.OK
    refused = pages("https", tls=ours)
    assert (refused.level, "certificate is not valid" in refused.found) == (Level.ERROR, True)


@pytest.mark.parametrize(
    ("answer", "level", "said"),
    [
        ({}, Level.WARNING, "for this machine alone"),
        ({"status": "404 Not Found", "body": "no"}, Level.ERROR, "not by this service"),
        ({"body": "<h1>It works!</h1>"}, Level.ERROR, "not by this service"),
        ({"status": "502 Bad Gateway", "body": ""}, Level.ERROR, "answers 502"),
        (
            {"status": "503 Busy", "body": '{"status": "failing", "reasons": ["the disk"]}'},
            Level.WARNING,
            "the disk",
        ),
    ],
)
def test_pages_that_are_not_as_they_should_be(
    answer: dict[str, str], level: Level, said: str
) -> None:
    """Plain http, another program, a proxy without us, a service in trouble."""
    found = pages(**answer)  # type: ignore[arg-type]  # every key is named above
    assert (found.level, said in found.found) == (level, True), found


def test_pages_that_lead_elsewhere() -> None:
    """A one-click unsubscribe follows no redirect."""

    async def run() -> Finding:
        async with web() as (port, _):
            head = f"Location: http://localhost:{port}/healthz\r\n"
            async with web("301 Moved", head=head) as (first, _):
                return await pages_finding(f"http://127.0.0.1:{first}")

    found = asyncio.run(run())
    assert (found.level, "leads on to localhost" in found.found) == (Level.ERROR, True)


def test_pages_that_nobody_serves() -> None:
    """Told in plain words."""
    found = asyncio.run(pages_finding("http://127.0.0.1:1"))
    assert (found.level, "no connection to 127.0.0.1:1" in found.found) == (Level.ERROR, True)


def compared(*offsets_s: float | None) -> Finding:
    """The finding on a clock that is ahead of each server by so many seconds."""

    async def run() -> Finding:
        now = datetime.now(UTC)
        urls = []
        async with AsyncExitStack() as stack:
            for offset in offsets_s:
                told = now - timedelta(seconds=offset or 0)
                head = "" if offset is None else f"Date: {format_datetime(told, usegmt=True)}\r\n"
                server = web("302 Found", head=head + "Location: http://127.0.0.1:1/\r\n")
                port, asked = await stack.enter_async_context(server)
                urls += [f"http://127.0.0.1:{port}/feed?key=s3cret"] * 2
            found = await clock_finding(urls, now)
            assert asked == ["HEAD /"]  # once each, and nothing of the address
        return found

    return asyncio.run(run())


@pytest.mark.parametrize(
    ("offsets", "level", "said"),
    [
        ([0], Level.OK, "the clock is right"),
        ([150], Level.WARNING, "ahead"),
        ([-150], Level.WARNING, "behind"),
        ([7200], Level.ERROR, "ahead"),
        ([7200, 0], Level.OK, "the clock is right"),
        ([None], Level.WARNING, "no server of a source told"),
    ],
)
def test_the_clock_against_the_sources(
    offsets: list[float | None], level: Level, said: str
) -> None:
    """The server that agrees most counts, as one of them may be wrong itself."""
    found = compared(*offsets)
    assert (found.level, said in found.found) == (level, True), found


def test_no_source_on_the_web() -> None:
    """Nobody is asked then."""
    found = asyncio.run(clock_finding([], datetime.now(UTC)))
    assert (found.level, "no source is on the web" in found.found) == (Level.WARNING, True)
