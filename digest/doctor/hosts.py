"""Whether mail comes back to us (MX, M16), and what our mail servers are called (A7)."""

from __future__ import annotations

import re
from ipaddress import ip_address

from digest.doctor.finding import Finding, error, fine, warning
from digest.doctor.lookups import Lookups, SilentError
from digest.doctor.tags import zone_line
from digest.fetcher import is_public

NOBODY = re.compile(r"(no|do-?not|dont|nie|not)[-_.]?(reply|antworten|responder)", re.IGNORECASE)


async def mailbox_finding(names: Lookups, address: str, key: str) -> Finding:
    """Whether answers to an address arrive; `key` is where the config has it (M16).

    Raises: SilentError.
    """
    local, _, domain = address.rpartition("@")
    finding = await domain_finding(names, domain, key)
    if not finding.do and NOBODY.search(local):
        return warning(
            "dns.mx",
            f"{key}: {address} looks as if nobody reads it",
            "name an address that a person reads: [mail] reply_to",
        )
    return finding


async def domain_finding(names: Lookups, domain: str, key: str, *, needed: bool = False) -> Finding:
    """Whether a domain takes mail; where it is `needed` an error if not. Raises: SilentError."""
    exchanges = await names.exchanges(domain)
    if exchanges and exchanges != ["."]:
        for host in exchanges:
            if await names.addresses(host):
                return fine("dns.mx", f"{key}: mail to {domain} goes to {exchanges[0]}")
        found = f"{key}: no mail server of {domain} has an address ({', '.join(exchanges)})"
        return error("dns.mx", found, f"give {exchanges[0]} an address, or name another server")
    line = zone_line(domain, "MX", f"10 mail.{domain}.")
    publish = f"publish: {line}   (with the name of the server that takes its mail)"
    if exchanges:
        return error("dns.mx", f"{key}: {domain} says that it takes no mail (null MX)", publish)
    level = error if needed else warning
    host = "" if await names.addresses(domain) else ", and no address"
    return level("dns.mx", f"{key}: {domain} has no MX record{host}", publish)


async def reverse_finding(names: Lookups, host: str, address: str = "") -> Finding | None:
    """Whether a mail server's addresses have names that lead back to them (A7).

    `address` is the one that was talked to. None where the server is not on the internet, so that
    nobody sees its address. Raises: SilentError.
    """
    seen = [address] if address and is_public(address) else await names.addresses(host)
    public = [one for one in seen if is_public(one)]
    for one in public:
        called = await names.names(one)
        if not called:
            return warning(
                "smtp.reverse_name",
                f"{host} ({one}) has no reverse name",
                f"ask whoever gave you the address for the record: {reverse_line(one, host)}",
            )
        if not await _leads_back(names, called, one):
            return warning(
                "smtp.reverse_name",
                f"{host} ({one}) is called {called[0]}, which does not lead back to it",
                f"let {called[0]} have the address {one}",
            )
    if not public:
        return None
    return fine("smtp.reverse_name", f"{host} ({', '.join(public)}) is called as it should be")


async def _leads_back(names: Lookups, called: list[str], address: str) -> bool:
    for name in called[:3]:
        try:
            if address in await names.addresses(name):
                return True
        except SilentError:
            return True  # silence proves nothing
    return False


def reverse_line(address: str, host: str) -> str:
    """The PTR record of an address as a line of a zone file."""
    return zone_line(ip_address(address).reverse_pointer, "PTR", f"{host}.")
