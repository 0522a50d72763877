"""Which addresses may be asked."""

from __future__ import annotations

import asyncio
import socket

import pytest
from aiohttp import ThreadedResolver
from aiohttp.abc import AbstractResolver, ResolveResult

from digest.fetcher import Fetcher, FetchError
from digest.fetcher.guard import Guard, RefusedError, is_public
from digest.sources import Request
from tests.fetcher.server import SOURCE

_INSIDE = """
0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.127.255.254 127.0.0.1 127.8.8.8 169.254.0.1
169.254.169.254 172.16.0.1 172.31.255.255 192.0.0.1 192.0.2.1 192.88.99.1 192.168.0.1 198.18.0.1
198.51.100.7 203.0.113.9 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255 :: ::1 ::7f00:1
::ffff:8.8.8.8 ::ffff:127.0.0.1 64:ff9b::a9fe:a9fe 64:ff9b:1::1 100::1 2001::1 2001:db8::1
2001:20::1 2002:7f00:1:: 2002:808:808:: fc00::1 fd12:3456::1 fe80::1 fe80::1%eth0 fec0::1 ff02::1
3fff::1 5f00::1
"""


@pytest.mark.parametrize("address", _INSIDE.split())
def test_s3_inner_addresses_are_denied(address: str) -> None:
    """Loopback, private, link-local, shared, multicast, reserved, and IPv4 inside IPv6."""
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "151.101.1.42", "1.1.1.1", "2606:4700::6810:84e5", "2a00:1450:4001::"]
)
def test_s3_public_addresses_pass(address: str) -> None:
    """Addresses of the public internet may be asked."""
    assert is_public(address)


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "gopher://example.org/",
        "ftp://example.org/",
        "http://a@example.org/",
        "http://a:b@example.org/",
        "http://127.1/",
        "http://127.0.0.1/",
        "http://2130706433/",
        "http://0x7f000001/",
        "http://0177.0.0.1/",
        "http://[::ffff:127.0.0.1]/",
        "http://[::1]:80/",
        "http://example.org:22/",
        "http://example.org:8080/",
        "http:///nohost",
        "//example.org/",
        "example.org",
        "http://[::1",
        "http://example.org:99999/",
        "http://example.org\\@127.0.0.1/",
    ],
)
def test_s1_other_addresses_are_refused(url: str) -> None:
    """Only http(s), ports 80 and 443, no user name, no address of the inside in any spelling."""
    guard = Guard(_Names({}), ())
    with pytest.raises(RefusedError):
        guard.checked(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/",
        "https://example.org:443/x?y",
        "http://8.8.8.8/",
        "https://bücher.example/",
    ],
)
def test_s1_web_addresses_pass(url: str) -> None:
    """Public web addresses are asked as they stand."""
    assert Guard(_Names({}), ()).checked(url).host


def test_s3_an_allow_list_opens_named_hosts() -> None:
    """A named host opens, its named port opens, and nothing beside them."""
    guard = Guard(_Names({"wiki.example.org": ["10.0.0.7"]}), ["wiki.example.org:8080", "10.0.0.9"])
    guard.checked("http://wiki.example.org:8080/")
    guard.checked("http://10.0.0.9/")
    assert asyncio.run(guard.resolve("wiki.example.org"))
    for url in ("http://wiki.example.org:9090/", "http://10.0.0.8/", "http://10.0.0.9:22/"):
        with pytest.raises(RefusedError):
            guard.checked(url)


class _Names(AbstractResolver):
    """A resolver of made-up names; each answer is taken off its list until one is left."""

    def __init__(self, names: dict[str, list[str]]) -> None:
        self._names = names
        self.asked: list[str] = []

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """The next answer for the name."""
        self.asked.append(host)
        answers = self._names[host]
        address = answers.pop(0) if len(answers) > 1 else answers[0]
        v4 = socket.AF_INET
        return [
            ResolveResult(hostname=host, host=one, port=port, family=v4, proto=0, flags=0)
            for one in address.split("+")
        ]

    async def close(self) -> None:
        """Nothing is open."""


def test_s2_one_inner_address_among_several_refuses_the_name() -> None:
    """A name is taken only if each of its addresses is public."""
    guard = Guard(_Names({"mixed.example.org": ["8.8.8.8+127.0.0.1"]}), ())
    with pytest.raises(RefusedError, match=r"127\.0\.0\.1"):
        asyncio.run(guard.resolve("mixed.example.org"))


def test_s2_a_name_that_turns_inside_is_refused_at_connect() -> None:
    """A resolver that says public first and loopback then opens nothing: each connect asks."""
    names = _Names({"turning.example.org": ["127.0.0.1"]})

    async def run() -> str:
        async with Fetcher("test", resolver=names) as fetcher:
            with pytest.raises(FetchError) as fault:
                await fetcher.fetch(SOURCE, Request("http://turning.example.org/"))
            return str(fault.value)

    assert "turning.example.org is at 127.0.0.1, which is not on the internet" in asyncio.run(run())
    assert names.asked == ["turning.example.org"]


def test_the_real_resolver_is_guarded_as_well() -> None:
    """localhost, asked of the system, is refused."""

    async def run() -> None:
        guard = Guard(ThreadedResolver(), ())
        with pytest.raises(RefusedError):
            await guard.resolve("localhost")
        await guard.close()

    asyncio.run(run())
