"""DNS as the checks ask it: each question once, silence told from absence.

What comes back is a stranger's text: one printable line a record.
"""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any

from dns.asyncresolver import Resolver
from dns.exception import DNSException, Timeout
from dns.resolver import NoNameservers, NoResolverConfiguration
from dns.reversename import from_address

from digest.domains import LIFETIME_S, Asks
from digest.text import printable

LONGEST = 4096
"""Characters of a record that are read; a DKIM key of 4096 bits takes 750."""


class SilentError(Exception):
    """No name server answered: nothing is known of the name that the message says."""


class Lookups:
    """What DNS holds. Every method raises SilentError where no name server answers."""

    def __init__(self, resolver: Asks | None = None) -> None:
        self._resolver = resolver or asking()
        self._known: dict[tuple[str, str], list[Any]] = {}

    async def texts(self, name: str) -> list[str]:
        """The TXT records of a name, the strings of each joined."""
        found = await self._ask(name, "TXT")
        return [_line(b"".join(one.strings).decode("utf-8", "replace")) for one in found]

    async def exchanges(self, name: str) -> list[str]:
        """The mail servers of a domain, the preferred first; `.` stands for none at all."""
        found = sorted(await self._ask(name, "MX"), key=lambda one: one.preference)
        return [_host(one.exchange) for one in found]

    async def addresses(self, name: str) -> list[str]:
        """The IPv4 and IPv6 addresses of a host, which may be one itself."""
        if is_address(name):
            return [name]
        found = [*await self._ask(name, "A"), *await self._ask(name, "AAAA")]
        return [str(one.address) for one in found]

    async def names(self, address: str) -> list[str]:
        """What an IP address is called."""
        return [_host(one.target) for one in await self._ask(str(from_address(address)), "PTR")]

    async def _ask(self, name: str, kind: str) -> list[Any]:
        key = name.lower().rstrip("."), kind
        if key not in self._known:
            try:
                self._known[key] = list(await self._resolver.resolve(f"{key[0]}.", kind))
            except (Timeout, NoNameservers):
                raise SilentError(f"no name server answered for {_line(key[0])}") from None
            except DNSException:  # there is no such name, no such record, or no name at all
                self._known[key] = []
        return self._known[key]


def is_address(host: str) -> bool:
    """Whether a host is written as an IP address."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def asking(server: tuple[str, int] | None = None) -> Asks:
    """A resolver of this machine's name servers, or of one that is named: (address, port)."""
    if server is None:
        try:
            resolver = Resolver()
        except NoResolverConfiguration:
            resolver = Resolver(configure=False)
    else:
        resolver = Resolver(configure=False)
        resolver.nameservers, resolver.port = [server[0]], server[1]
    resolver.lifetime = LIFETIME_S
    asks: Asks = resolver
    return asks


def _line(text: str) -> str:
    return printable(text, LONGEST)


def _host(name: object) -> str:
    return _line(str(name)).rstrip(".").lower() or "."
