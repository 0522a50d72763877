"""Whether a domain takes mail at all, asked of DNS before a stranger's address is written to.

Owns one question. A name server that does not answer proves nothing: then the mail server decides.
Source: RFC 5321 5.1, RFC 7505 (null MX).
"""

from __future__ import annotations

from typing import Protocol

from dns.asyncresolver import Resolver
from dns.exception import DNSException
from dns.resolver import NXDOMAIN, Answer, NoAnswer

LIFETIME_S = 5.0


class Asks(Protocol):
    """A resolver: dnspython's, or one that tests script."""

    async def resolve(self, qname: str, rdtype: str) -> Answer:
        """The records of a name. Raises: DNSException."""


async def takes_mail(domain: str, resolver: Asks | None = None) -> bool:
    """False for a domain that does not exist, has no address or says that it takes no mail."""
    try:
        asks = resolver or _resolver()
        answer = await asks.resolve(domain, "MX")
    except NXDOMAIN:
        return False
    except NoAnswer:
        return await _has_address(asks, domain)
    except DNSException:
        return True
    return any(str(record.exchange) != "." for record in answer)


async def _has_address(asks: Asks, domain: str) -> bool:
    """Whether a domain without MX has a host of its own name."""
    for kind in ("A", "AAAA"):
        try:
            await asks.resolve(domain, kind)
        except (NoAnswer, NXDOMAIN):
            continue
        except DNSException:
            return True
        return True
    return False


def _resolver() -> Asks:
    resolver = Resolver()
    resolver.lifetime = LIFETIME_S
    asks: Asks = resolver
    return asks
