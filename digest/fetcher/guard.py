"""Which addresses may be asked: public ones, and the internal hosts that the operator names.

Names are resolved once and the connection goes to the very addresses that were checked, so a name
that answers differently a moment later changes nothing. Source: OWASP, SSRF prevention.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Collection
from urllib.parse import urlsplit

from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

_PORTS = frozenset({80, 443})
# Python calls some of these global; and what lies inside the last four is some IPv4 address.
_DENIED = tuple(
    ipaddress.ip_network(network)
    for network in (
        "0.0.0.0/8",
        "100.64.0.0/10",
        "192.0.0.0/24",
        "192.88.99.0/24",
        "198.18.0.0/15",
        "224.0.0.0/3",
        "2001:2::/48",
        "2001:10::/28",
        "2001:20::/28",
        "2001:db8::/32",
        "3fff::/20",
        "::ffff:0:0/96",
        "64:ff9b::/96",
        "2002::/16",
        "2001::/32",
    )
)
_UNICAST = ipaddress.ip_network("2000::/3")  # all of IPv6 that is given out


class RefusedError(OSError):
    """An address that is never asked; the message says why."""


def is_public(address: str) -> bool:
    """True for an address of the public internet."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if ip.version == 6 and ip not in _UNICAST:
        return False
    denied = any(ip in network for network in _DENIED if network.version == ip.version)
    return ip.is_global and not ip.is_multicast and not ip.is_reserved and not denied


class Guard(AbstractResolver):
    """The resolver of every connection, and the check of every address before one.

    `allowed` names internal hosts, as `wiki.example.org` or `localhost:8080`; a port opens only
    with its host.
    """

    def __init__(self, resolver: AbstractResolver, allowed: Collection[str] = ()) -> None:
        self._resolver = resolver
        self._allowed = {name.lower() for name in allowed}
        self._hosts = {_host_of(name) for name in self._allowed}

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """The addresses of a name, all of them public. Raises: RefusedError."""
        found = await self._resolver.resolve(host, port, family)
        if host.lower() not in self._hosts:
            for one in found:
                if not is_public(one["host"]):
                    raise RefusedError(f"{host} is at {one['host']}, which is not on the internet")
        return found

    async def close(self) -> None:
        """Close the resolver inside."""
        await self._resolver.close()

    def checked(self, address: str) -> URL:
        """The address as it will be asked, if it may be. Raises: RefusedError.

        What is checked is the very value that the connection is made from, so that two readers
        of one text cannot disagree on its host.
        """
        try:
            url = URL(address, encoded=address.isascii() and " " not in address).with_fragment(None)
            host, port = (url.host or "").lower(), url.port
        except ValueError as fault:
            raise RefusedError(f"no web address: {fault}") from None
        if url.scheme not in {"http", "https"} or not host:
            raise RefusedError(f"{url.scheme or 'an address without scheme'} is no http(s) address")
        if url.raw_user is not None or url.raw_password is not None:
            raise RefusedError("a user name in an address")
        if port not in _PORTS and f"{host}:{port}" not in self._allowed:
            raise RefusedError(f"port {port} is not open; 80 and 443 are, and hosts you allow")
        if _is_literal(host) and host not in self._hosts and not is_public(host):
            raise RefusedError(f"{host} is not on the internet; allow the host to open it")
        return url


def _host_of(name: str) -> str:
    """The host of `host`, `host:port` or `[::1]:port`."""
    return (urlsplit(f"//{name}").hostname or name).lower()


def _is_literal(host: str) -> bool:
    """True for an address in digits, in whatever form an operating system would take."""
    return ":" in host or (not host.strip("0123456789abcdefx.") and _is_number(host))


def _is_number(host: str) -> bool:
    """True for `127.0.0.1`, and for `127.1`, `2130706433` and `0x7f000001` as well."""
    try:
        socket.inet_aton(host)
    except OSError:
        return False
    return True
