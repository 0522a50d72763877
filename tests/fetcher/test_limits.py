"""Bounds on time, size and packing, against servers that keep to none."""

from __future__ import annotations

import asyncio
import gzip
import tracemalloc
import zlib

import pytest
from aiohttp import web

from digest.fetcher import FetchError
from tests.fetcher.server import SOURCE, failure, fetcher_for, serving, speaking
from tests.sources.shared import recording
from tests.waiting import WAIT_S

BODY = b"<rss version='2.0'><channel><title>x</title></channel></rss>"


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
            async with asyncio.timeout(WAIT_S):
                assert reason in str(await failure(stub, total_s=1))

    asyncio.run(run())


def test_s5_a_reset_is_one_error() -> None:
    """A connection reset in the middle of an answer is told as such."""

    async def run() -> None:
        async with speaking(HEAD + b"Content-Length: 99\r\n\r\n<", abort=True) as stub:
            assert "stub" in str(await failure(stub))

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
                assert "more than 5,000,000 bytes" in str(await failure(stub))
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
