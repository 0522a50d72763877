"""Every way a server fails, through the whole ingest: soon, small, alone, and nothing stored."""

from __future__ import annotations

import asyncio
import re
import shutil
import ssl
import subprocess
import time
import zlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp import web

from digest import jobs
from digest.app import App
from digest.fetcher import Fetcher, Limits, LocalTurns, Pace
from digest.model import Source, SourceRun
from tests.fetcher.server import Clock, Stub, serving, speaking
from tests.running import running
from tests.samples import NOW

LONGEST_S, MOST_MB = 5, 100
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n"
FEED = "<rss><channel><item><title>On Héat and {n}</title></item></channel></rss>"
STATUS = Path("/proc/self/status")

Fault = Callable[[], AbstractAsyncContextManager[Stub]]


def answering(status: int, body: bytes = b"", **headers: str) -> Fault:
    """A server with one answer; a header's `_` stands for `-`."""

    async def handler(request: web.Request) -> web.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.Response(status=status, body=body, headers=named)

    return lambda: serving(handler)


def saying(*pieces: bytes, pause_s: float = 0, abort: bool = False) -> Fault:
    """A server that says these very bytes."""
    return lambda: speaking(*pieces, pause_s=pause_s, abort=abort)


@asynccontextmanager
async def endless() -> AsyncIterator[Stub]:
    """A server whose body never ends, a megabyte at a time."""

    async def handler(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse()
        await answer.prepare(request)
        while True:
            await answer.write(b"<item>" * 170_000)

    async with serving(handler) as stub:
        yield stub


def bomb() -> bytes:
    """Three hundred megabytes of blanks in little more than one of gzip."""
    packer = zlib.compressobj(1, wbits=31)
    piece = b" " * 1_000_000
    return b"".join(packer.compress(piece) for _ in range(300)) + packer.flush()


FAULTS: dict[str, tuple[Fault, str]] = {
    "429 with Retry-After": (answering(429, Retry_After="120"), "answered 429"),
    "429 without": (answering(429), "answered 429"),
    "503": (answering(503, Retry_After="Fri, 20 Nov 2026 12:10:00 GMT"), "answered 503"),
    "drip": (
        saying(HEAD + b"Content-Length: 99\r\n\r\n", *[b"<"] * 60, pause_s=0.1),
        "no whole answer within 2 s",
    ),
    "silence": (saying(b"", pause_s=4), "no whole answer within 2 s"),
    "endless": (endless, "more than 5,000,000 bytes"),
    "redirect loop": (answering(302, Location="/again"), "more than 5 redirects"),
    "redirect to a private address": (answering(302, Location="http://10.0.0.1/"), "refused"),
    "redirect to metadata": (answering(301, Location="http://169.254.169.254/x"), "refused"),
    "redirect to a file": (answering(302, Location="file:///etc/passwd"), "refused"),
    "body too short": (
        saying(HEAD + b"Content-Length: 9999\r\n\r\n" + FEED.encode()),
        "cut off",
    ),
    "body longer than said": (
        saying(HEAD + b"Content-Length: 20\r\n\r\n" + FEED.encode()),
        "no HTTP",
    ),
    "no gzip": (saying(HEAD + b"Content-Encoding: gzip\r\n\r\n" + FEED.encode()), "wrongly packed"),
    "reset": (
        saying(HEAD + b"Content-Length: 99\r\n\r\n<rss>", abort=True),
        "reset|cut off|closed",
    ),
    "no HTTP": (saying(b"SSH-2.0-OpenSSH_9.6\r\n"), "no HTTP"),
    "empty": (answering(200), "empty body"),
    "a page": (answering(200, b"<!doctype html><title>Login</title>"), "names no feed"),
    "an entity attack": (
        answering(200, b'<!DOCTYPE r [<!ENTITY a "' + b"x" * 99_000 + b'">]><rss>&a;&a;</rss>'),
        "declares XML entities",
    ),
}


NO_ANSWER = {"429 with Retry-After", "429 without", "503", "drip", "silence"}
EITHER = {"reset"}  # it may come before or after the first bytes are seen


@pytest.mark.parametrize("fault", FAULTS)
def test_s5_a_failing_server_costs_little_and_keeps_no_other_out(
    fault: str, tmp_path: Path
) -> None:
    """One error that names the source; the other source goes in; five seconds, 100 MB."""
    server, reason = FAULTS[fault]
    broken, good = _beside_a_good_one(tmp_path, server)
    assert re.search(reason, broken.error), broken.error
    assert broken.error.startswith("source 'broken': ")
    assert (broken.read, broken.new) == (0, 0)
    assert fault in EITHER or broken.unreadable is (fault not in NO_ANSWER)
    assert (good.error, good.new) == ("", 1)


def test_s5_a_bomb_stays_small(tmp_path: Path) -> None:
    """A packed body is bounded while it is unpacked."""
    broken, good = _beside_a_good_one(tmp_path, answering(200, bomb(), Content_Encoding="gzip"))
    assert "more than 5,000,000 bytes" in broken.error
    assert good.new == 1


@pytest.mark.parametrize("said", ["utf-16", "us-ascii", "klingon", "iso-8859-1"])
def test_a_wrong_charset_is_seen_through(said: str, tmp_path: Path) -> None:
    """The body decides how it is read, whatever the header says."""
    body = ('<?xml version="1.0" encoding="utf-8"?>' + FEED).format(n=1).encode()
    kind = f"text/xml; charset={said}"
    titles: list[str] = []
    odd, _ = _beside_a_good_one(
        tmp_path,
        answering(200, body, Content_Type=kind),
        lambda app: titles.extend(one.title for one in app.store.recent_listings(9)),
    )
    assert (odd.error, odd.new) == ("", 1)
    assert "On Héat and 1" in titles


@pytest.mark.parametrize(
    ("scheme", "reason"), [("https", "its TLS certificate is not valid"), ("plain", "SSL")]
)
def test_tls_faults_cost_little(scheme: str, reason: str, tmp_path: Path) -> None:
    """A certificate that nobody vouches for, and a server that speaks no TLS."""
    if not shutil.which("openssl"):
        pytest.skip("openssl, which makes the certificate, is not installed")
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost"]
    subprocess.run([*made, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server = (lambda: speaking(tls=context)) if scheme == "https" else answering(200, FEED.encode())
    broken, good = _beside_a_good_one(tmp_path, server, scheme="https")
    assert reason in broken.error
    assert broken.unreadable
    assert (good.error, good.new) == ("", 1)


def _beside_a_good_one(
    folder: Path,
    server: Fault,
    act: Callable[[App], object] = lambda app: None,
    scheme: str = "http",
) -> tuple[SourceRun, SourceRun]:
    """The runs of a source on that server and of a good one, within their time and memory."""

    async def good(request: web.Request) -> web.Response:
        return web.Response(text=FEED.format(n=2))

    async def go(app: App) -> list[SourceRun]:
        async with server() as bad, serving(good) as fine:
            sources = [
                Source("broken", "feed", url=f"{scheme}://{bad.host}/feed"),
                Source("good", "feed", url=f"http://localhost:{fine.port}/feed"),
            ]
            local = replace(app, fetcher=lambda: _fetcher(bad, fine))
            return await jobs.ingest(local, NOW, sources)

    with running(folder) as app:
        before_mb, started = _peak_mb(reset=True), time.monotonic()
        broken, fine = asyncio.run(go(app))
        took_s, more_mb = time.monotonic() - started, _peak_mb() - before_mb
        act(app)
    assert took_s < LONGEST_S
    assert more_mb < MOST_MB
    return broken, fine


def _fetcher(bad: Stub, fine: Stub) -> Fetcher:
    clock = Clock()
    return Fetcher(
        "paper-digest-test",
        allowed_hosts=[bad.host, f"localhost:{fine.port}"],
        limits=Limits(total_s=2),
        clock=clock,
        pace=Pace(LocalTurns(clock), sleep=clock.sleep, pause_s=0),
    )


def _peak_mb(*, reset: bool = False) -> float:
    """The most memory that the process had so far, or since the last reset (Linux; else 0)."""
    if not STATUS.exists():
        return 0.0
    if reset:
        Path("/proc/self/clear_refs").write_text("5")  # man 5 proc: the peak begins anew
    found = re.search(r"VmHWM:\s+(\d+) kB", STATUS.read_text())
    return int(found[1]) / 1e3 if found else 0.0
