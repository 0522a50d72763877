"""Fetching over real HTTP: conditions, redirects, limits and every way a server fails."""

from __future__ import annotations

import asyncio
import shutil
import ssl
import subprocess
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path

import pytest
from aiohttp import web

from digest.errors import SourceError
from digest.fetcher import Fetcher, FetchError, Remembered
from digest.sources import Request
from tests.fetcher.server import SOURCE, Clock, Stub, failure, fetcher_for, serving, speaking

BODY = b"<rss version='2.0'><channel><title>x</title></channel></rss>"


async def _answer(request: web.Request) -> web.Response:
    """A good answer."""
    return web.Response(body=BODY)


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
            with pytest.raises(FetchError, match=f"{status} .*; not asked before 2026-11-2"):
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


def test_s9_what_was_said_of_one_address_is_asked_of_no_other() -> None:
    """The ETag belongs to where the body came from; a move for a while in between is none for good.

    Here `/old` leads to `/step` for a while, and that to `/new` for good.
    """

    async def handler(request: web.Request) -> web.Response:
        match request.path:
            case "/old":
                return web.Response(status=302, headers={"Location": "/step"})
            case "/step":
                return web.Response(status=301, headers={"Location": "/new"})
        return web.Response(body=BODY, headers={"ETag": '"new"'})

    async def run() -> None:
        async with serving(handler) as stub, fetcher_for(stub) as fetcher:
            first = await fetcher.fetch(SOURCE, stub.ask("/old"))
            assert first.remember.moved_to == ""
            await fetcher.fetch(SOURCE, stub.ask("/old"), first.remember)
            asked = [(one.path, one.headers.get("If-None-Match")) for one in stub.seen[3:]]
            assert asked == [("/old", None), ("/step", None), ("/new", '"new"')]

    asyncio.run(run())


def test_s5_hops_share_one_time_and_waiting_for_a_turn_costs_none() -> None:
    """Three slow hops are one slow answer; two slow answers in turn are none."""

    async def handler(request: web.Request) -> web.Response:
        await asyncio.sleep(0.25)
        if request.path == "/3":
            return web.Response(body=BODY)
        return web.Response(status=302, headers={"Location": f"/{int(request.path[1:]) + 1}"})

    async def run() -> None:
        async with serving(handler) as stub:
            error = await failure(stub, "/0", total_s=0.6)
            assert "no whole answer within 0.6 s" in error.reason
            async with fetcher_for(stub, total_s=0.6) as fetcher:
                both = (fetcher.fetch(SOURCE, stub.ask("/3")) for _ in range(4))
                assert [one.body for one in await asyncio.gather(*both)] == [BODY] * 4

    asyncio.run(run())


def test_s2_redirects_end_after_five() -> None:
    """A loop of redirects is one clean error."""

    async def handler(request: web.Request) -> web.Response:
        return web.Response(status=302, headers={"Location": request.path + "x"})

    async def run() -> None:
        async with serving(handler) as stub:
            assert "more than 5 redirects" in str(await failure(stub))
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
            assert "refused" in str(await failure(stub))
            assert len(stub.seen) == 1

    asyncio.run(run())


@pytest.mark.parametrize("status", [400, 401, 403, 404, 500, 502, 204])
def test_s10_other_answers_are_failures(status: int) -> None:
    """Whatever is no 200 is named by its number."""

    async def handler(request: web.Request) -> web.Response:
        return web.Response(status=status)

    async def run() -> None:
        async with serving(handler) as stub:
            assert f"answered {status}" in str(await failure(stub, "/feed?key=secret"))

    asyncio.run(run())


def test_s10_an_empty_200_is_a_failure_and_queries_stay_private() -> None:
    """An empty body is no empty day, and an address is shown without its query."""

    async def handler(request: web.Request) -> web.Response:
        return web.Response(body=b" \n")

    async def run() -> None:
        async with serving(handler) as stub:
            message = str(await failure(stub, "/feed?key=secret"))
            assert "empty body" in message
            assert "secret" not in message

    asyncio.run(run())


def test_s4_the_environment_is_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy in the environment is not used, and no cookie is kept between requests."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/")

    async def handler(request: web.Request) -> web.Response:
        return web.Response(body=BODY, headers={"Set-Cookie": "id=1"})

    async def run() -> None:
        # A jar would keep the cookies of a name, and none of an address in digits.
        async with serving(handler) as stub:
            name = f"localhost:{stub.port}"
            async with fetcher_for(stub, allowed=[name]) as fetcher:
                await fetcher.fetch(SOURCE, Request(f"http://{name}/"))
                await fetcher.fetch(SOURCE, Request(f"http://{name}/"))
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
            for stub, reason in (
                (secret, "its TLS certificate is not valid"),
                (plain, "no TLS connection"),
            ):
                async with fetcher_for(stub) as fetcher:
                    with pytest.raises(FetchError, match=reason):
                        await fetcher.fetch(SOURCE, Request(f"https://{stub.host}/"))

    asyncio.run(run())


def test_a_refused_connection_is_one_error() -> None:
    """A port where nobody listens is told in words, as the source's fault."""

    async def run() -> None:
        async with serving(lambda request: asyncio.sleep(0, web.Response())) as stub:
            closed = Stub(stub.port)
        error = await failure(closed)
        assert isinstance(error, SourceError)
        assert error.source == "stub"
        assert f"no connection to {closed.host}" in error.reason

    asyncio.run(run())


def test_a_name_that_nobody_knows_is_told() -> None:
    """A host that is gone, or misspelt, is named without the library's own words."""

    async def run() -> None:
        async with Fetcher("test") as fetcher:
            with pytest.raises(FetchError, match=r"no address is known for nowhere\.invalid"):
                await fetcher.fetch(SOURCE, Request("https://nowhere.invalid/feed"))

    asyncio.run(run())


def test_s10_one_slow_source_never_delays_another() -> None:
    """Two hosts are asked at once: the quick one answers while the slow one waits."""

    async def quick(request: web.Request) -> web.Response:
        return web.Response(body=BODY)

    async def run() -> None:
        async with AsyncExitStack() as stack:
            slow = await stack.enter_async_context(speaking(b"", pause_s=9))
            fast = await stack.enter_async_context(serving(quick))
            client = fetcher_for(slow, total_s=30, allowed=[f"localhost:{fast.port}"])
            fetcher = await stack.enter_async_context(client)
            waiting = asyncio.create_task(fetcher.fetch(SOURCE, slow.ask()))
            request = Request(f"http://localhost:{fast.port}/")
            assert (await fetcher.fetch(SOURCE, request)).body == BODY
            assert not waiting.done()
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)

    asyncio.run(run())
