"""Fetching over real HTTP: conditions, redirects, limits and every way a server fails."""

from __future__ import annotations

import asyncio
import gzip
import shutil
import ssl
import subprocess
import time
import tracemalloc
import zlib
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path

import pytest
from aiohttp import web

from digest.errors import SourceError
from digest.fetcher import FetchError, Remembered
from digest.sources import Request
from tests.fetcher.server import SOURCE, Clock, Stub, fetcher_for, serving, speaking
from tests.sources.shared import recording

BODY = b"<rss version='2.0'><channel><title>x</title></channel></rss>"


async def _answer(request: web.Request) -> web.Response:
    """A good answer."""
    return web.Response(body=BODY)


async def _failure(stub: Stub, path: str = "/", total_s: float = 30) -> FetchError:
    """The error that fetching a path ends in."""
    async with fetcher_for(stub, total_s=total_s) as fetcher:
        with pytest.raises(FetchError) as fault:
            await fetcher.fetch(SOURCE, stub.ask(path))
    return fault.value


def test_s9_requests_name_us_and_ask_conditionally() -> None:
    """The second request carries ETag and date and is answered 304: no body, nothing read."""

    async def handler(request: web.Request) -> web.Response:
        if request.headers.get("If-None-Match") == '"v1"':
            return web.Response(status=304)
        stamp = "Fri, 20 Nov 2026 00:00:00 GMT"
        return web.Response(body=BODY, headers={"ETag": '"v1"', "Last-Modified": stamp})

    async def run() -> None:
        async with serving(handler) as stub, fetcher_for(stub) as fetcher:
            first = await fetcher.fetch(SOURCE, stub.ask())
            kept = Remembered.from_json(first.remember.to_json())
            second = await fetcher.fetch(SOURCE, stub.ask(), kept)
            assert (first.body, second.body) == (BODY, None)
            assert second.remember.etag == '"v1"'
            assert "paper-digest-test" in stub.seen[0].headers["User-Agent"]
            assert "Cookie" not in stub.seen[1].headers
            assert "If-Modified-Since" in stub.seen[1].headers

    asyncio.run(run())


@pytest.mark.parametrize(
    ("header", "wait_s"), [("120", 120), ("Fri, 20 Nov 2026 12:10:00 GMT", 600), ("x", 300)]
)
@pytest.mark.parametrize("status", [429, 503])
def test_s9_retry_after_is_obeyed(status: int, header: str, wait_s: int) -> None:
    """A busy server names its wait; nothing is asked before, and the failure is told in words."""

    async def handler(request: web.Request) -> web.Response:
        return web.Response(status=status, headers={"Retry-After": header})

    async def run() -> None:
        clock = Clock()
        async with serving(handler) as stub, fetcher_for(stub, clock) as fetcher:
            with pytest.raises(FetchError, match=str(status)) as fault:
                await fetcher.fetch(SOURCE, stub.ask())
            memory = Remembered.from_json(fault.value.remember.to_json())
            assert memory.retry_at == clock.now + timedelta(seconds=wait_s)
            with pytest.raises(FetchError, match="has not answered since 2026-11-20 12:00 UTC"):
                await fetcher.fetch(SOURCE, stub.ask(), memory)
            assert len(stub.seen) == 1

    asyncio.run(run())


def test_s10_waits_grow_with_each_failure_and_end_with_a_success() -> None:
    """The wait doubles up to six hours; one success forgets it."""

    async def run() -> None:
        answers = [500, 500, 500, 200]

        async def handler(request: web.Request) -> web.Response:
            return web.Response(status=answers.pop(0), body=BODY)

        clock, waits, memory = Clock(), [], Remembered()
        async with serving(handler) as stub, fetcher_for(stub, clock) as fetcher:
            for _ in range(3):
                with pytest.raises(FetchError) as fault:
                    await fetcher.fetch(SOURCE, stub.ask(), memory)
                memory = fault.value.remember
                assert memory.retry_at is not None
                waits.append((memory.retry_at - clock.now).total_seconds())
                clock.now = memory.retry_at
            done = await fetcher.fetch(SOURCE, stub.ask(), memory)
        assert waits == [300, 600, 1200]
        assert (done.remember.failures, done.remember.retry_at) == (0, None)

    asyncio.run(run())


def test_410_is_remembered_and_asked_once_a_week() -> None:
    """A source that is gone is not asked again before a week is over."""

    async def handler(request: web.Request) -> web.Response:
        return web.Response(status=410)

    async def run() -> None:
        clock = Clock()
        async with serving(handler) as stub, fetcher_for(stub, clock) as fetcher:
            with pytest.raises(FetchError, match="gone for good; remove it") as fault:
                await fetcher.fetch(SOURCE, stub.ask())
            clock.now += timedelta(days=6)
            with pytest.raises(FetchError, match="gone for good since"):
                await fetcher.fetch(SOURCE, stub.ask(), fault.value.remember)
            assert len(stub.seen) == 1

    asyncio.run(run())


@pytest.mark.parametrize(
    ("status", "remembered"), [(301, True), (308, True), (302, False), (307, False)]
)
def test_permanent_redirects_are_remembered(status: int, remembered: bool) -> None:
    """After a move for good the new address is asked at once; after another the old one."""

    async def handler(request: web.Request) -> web.Response:
        if request.path == "/old":
            return web.Response(status=status, headers={"Location": "/new"})
        return web.Response(body=BODY)

    async def run() -> None:
        async with serving(handler) as stub, fetcher_for(stub) as fetcher:
            first = await fetcher.fetch(SOURCE, stub.ask("/old"))
            assert first.body == BODY
            await fetcher.fetch(SOURCE, stub.ask("/old"), first.remember)
            asked = [request.path for request in stub.seen]
            assert asked == (["/old", "/new", "/new"] if remembered else ["/old", "/new"] * 2)

    asyncio.run(run())


def test_s2_redirects_end_after_five() -> None:
    """A loop of redirects is one clean error."""

    async def handler(request: web.Request) -> web.Response:
        return web.Response(status=302, headers={"Location": request.path + "x"})

    async def run() -> None:
        async with serving(handler) as stub:
            assert "more than 5 redirects" in str(await _failure(stub))
            assert len(stub.seen) == 6

    asyncio.run(run())


@pytest.mark.parametrize(
    "target",
    [
        "http://169.254.169.254/latest/meta-data/",
        "http://localhost/",
        "http://[::1]/",
        "http://10.0.0.1/",
        "file:///etc/passwd",
        "http://2130706433/",
        "//192.168.1.1/",
    ],
)
def test_s2_redirects_never_lead_inside(target: str) -> None:
    """A public server cannot send us to an internal address."""

    async def handler(request: web.Request) -> web.Response:
        return web.Response(status=302, headers={"Location": target})

    async def run() -> None:
        async with serving(handler) as stub:
            assert "refused" in str(await _failure(stub))
            assert len(stub.seen) == 1

    asyncio.run(run())


@pytest.mark.parametrize("status", [400, 401, 403, 404, 500, 502, 204])
def test_s10_other_answers_are_failures(status: int) -> None:
    """Whatever is no 200 is named by its number."""

    async def handler(request: web.Request) -> web.Response:
        return web.Response(status=status)

    async def run() -> None:
        async with serving(handler) as stub:
            assert f"answered {status}" in str(await _failure(stub, "/feed?key=secret"))

    asyncio.run(run())


def test_s10_an_empty_200_is_a_failure_and_queries_stay_private() -> None:
    """An empty body is no empty day, and an address is shown without its query."""

    async def handler(request: web.Request) -> web.Response:
        return web.Response(body=b" \n")

    async def run() -> None:
        async with serving(handler) as stub:
            message = str(await _failure(stub, "/feed?key=secret"))
            assert "empty body" in message
            assert "secret" not in message

    asyncio.run(run())


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n"


@pytest.mark.parametrize(
    ("pieces", "pause_s", "reason"),
    [
        ([HEAD + b"Content-Length: 99\r\n\r\n"] + [b"<"] * 30, 0.1, "no whole answer within 1 s"),
        ([b""], 3, "no whole answer within 1 s"),
        ([HEAD + b"\r\n"] + [b"x" * 65_536] * 200, 0, "more than 5,000,000 bytes"),
        ([HEAD + b"Content-Length: 500\r\n\r\n" + BODY], 0, "cut off"),
        ([HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n"], 0, "no HTTP"),
        ([b"SSH-2.0-OpenSSH_9.6\r\n"], 0, "no HTTP"),
        ([b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000], 0, ""),
        ([HEAD + b"Content-Encoding: gzip\r\n\r\n" + BODY], 0, "wrongly packed"),
        ([], 0, "Server disconnected"),
    ],
    ids="drip silent endless short chunk ssh header plain-gzip close".split(),  # noqa: SIM905
)
def test_s5_misbehaving_servers(pieces: list[bytes], pause_s: float, reason: str) -> None:
    """Each kind of bad answer ends in one clean error within its limits."""

    async def run() -> None:
        async with speaking(*pieces, pause_s=pause_s) as stub:
            started = time.monotonic()
            assert reason in str(await _failure(stub, total_s=1))
            assert time.monotonic() - started < 5

    asyncio.run(run())


def test_s5_a_reset_is_one_error() -> None:
    """A connection reset in the middle of an answer is told as such."""

    async def run() -> None:
        async with speaking(HEAD + b"Content-Length: 99\r\n\r\n<", abort=True) as stub:
            assert "stub" in str(await _failure(stub))

    asyncio.run(run())


def test_s5_a_compressed_bomb_stays_small() -> None:
    """Two hundred megabytes of zeros in one packed piece stop at the limit with little memory."""
    packer = zlib.compressobj(1, wbits=31)
    bomb = b"".join(packer.compress(bytes(1_000_000)) for _ in range(200)) + packer.flush()

    async def handler(request: web.Request) -> web.Response:
        return web.Response(body=bomb, headers={"Content-Encoding": "gzip"})

    async def run() -> None:
        async with serving(handler) as stub:
            tracemalloc.start()
            try:
                assert "more than 5,000,000 bytes" in str(await _failure(stub))
                assert tracemalloc.get_traced_memory()[1] < 40_000_000
            finally:
                tracemalloc.stop()

    asyncio.run(run())


@pytest.mark.parametrize("form", ["gzip", "deflate", "raw deflate"])
def test_compressed_answers_are_unpacked(form: str) -> None:
    """gzip, zlib and the raw deflate that some servers call deflate all read the same."""
    raw = zlib.compressobj(wbits=-15)
    packed = {
        "gzip": gzip.compress(BODY),
        "deflate": zlib.compress(BODY),
        "raw deflate": raw.compress(BODY) + raw.flush(),
    }[form]

    async def handler(request: web.Request) -> web.Response:
        return web.Response(body=packed, headers={"Content-Encoding": form.rsplit(maxsplit=1)[-1]})

    async def run() -> None:
        async with serving(handler) as stub, fetcher_for(stub) as fetcher:
            assert (await fetcher.fetch(SOURCE, stub.ask())).body == BODY

    asyncio.run(run())


@pytest.mark.parametrize(
    ("file", "encoding", "readable"),
    [
        ("gzip.gz", "gzip", True),
        ("deflate-no-headers.z", "deflate", True),
        ("gzip-not-compressed.gz", "gzip", False),
        ("gzip-struct-error.gz", "gzip", False),
    ],
)
def test_s5_recorded_compression(file: str, encoding: str, readable: bool) -> None:
    """The recorded good and broken packings give a body or one clean error."""
    packed = recording(f"payloads/compression/{file}")

    async def handler(request: web.Request) -> web.Response:
        return web.Response(body=packed, headers={"Content-Encoding": encoding})

    async def run() -> None:
        async with serving(handler) as stub, fetcher_for(stub) as fetcher:
            try:
                fetched = await fetcher.fetch(SOURCE, stub.ask())
            except FetchError:
                assert not readable
            else:
                assert readable
                assert fetched.body

    asyncio.run(run())


def test_s4_the_environment_is_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy in the environment is not used, and no cookie is kept between requests."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/")

    async def handler(request: web.Request) -> web.Response:
        return web.Response(body=BODY, headers={"Set-Cookie": "id=1"})

    async def run() -> None:
        async with serving(handler) as stub, fetcher_for(stub) as fetcher:
            await fetcher.fetch(SOURCE, stub.ask())
            await fetcher.fetch(SOURCE, stub.ask())
            assert "Cookie" not in stub.seen[1].headers

    asyncio.run(run())


def test_tls_faults_are_told(tmp_path: Path) -> None:
    """A certificate that nobody vouches for, and a server without TLS, are each one error."""
    if not shutil.which("openssl"):
        pytest.skip("openssl, which makes the certificate, is not installed")
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost"]
    files = ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run([*command, *files], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)

    async def run() -> None:
        async with speaking(tls=context) as secret, serving(_answer) as plain:
            for stub, reason in ((secret, "its TLS certificate is not valid"), (plain, "SSL")):
                async with fetcher_for(stub) as fetcher:
                    with pytest.raises(FetchError, match=reason):
                        await fetcher.fetch(SOURCE, Request(f"https://{stub.host}/"))

    asyncio.run(run())


def test_a_refused_connection_is_one_error() -> None:
    """A port where nobody listens is told in words, as the source's fault."""

    async def run() -> None:
        async with serving(lambda request: asyncio.sleep(0, web.Response())) as stub:
            closed = Stub(stub.port)
        error = await _failure(closed)
        assert isinstance(error, SourceError)
        assert error.source == "stub"

    asyncio.run(run())


def test_s10_one_slow_source_never_delays_another() -> None:
    """Two hosts are asked at once: the quick one answers while the slow one waits."""

    async def quick(request: web.Request) -> web.Response:
        return web.Response(body=BODY)

    async def run() -> None:
        async with AsyncExitStack() as stack:
            slow = await stack.enter_async_context(speaking(b"", pause_s=9))
            fast = await stack.enter_async_context(serving(quick))
            client = fetcher_for(slow, total_s=2, allowed=[f"localhost:{fast.port}"])
            fetcher = await stack.enter_async_context(client)
            waiting = asyncio.create_task(fetcher.fetch(SOURCE, slow.ask()))
            request = Request(f"http://localhost:{fast.port}/")
            started = time.monotonic()
            assert (await fetcher.fetch(SOURCE, request)).body == BODY
            assert time.monotonic() - started < 1
            with pytest.raises(FetchError):
                await waiting

    asyncio.run(run())
