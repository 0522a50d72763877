"""What DNS says of a domain, by a resolver that tests script."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from dns.exception import DNSException, Timeout
from dns.resolver import NXDOMAIN, NoAnswer, NoNameservers

from digest.domains import takes_mail


class Scripted:
    """A resolver that answers each type of record with a list of hosts, or fails."""

    def __init__(self, **answers: list[str] | type[DNSException]) -> None:
        self.answers = answers

    async def resolve(self, qname: str, rdtype: str) -> Any:
        """The scripted records."""
        answer = self.answers.get(rdtype, NoAnswer)
        if not isinstance(answer, list):
            raise answer
        return [SimpleNamespace(exchange=host) for host in answer]


@pytest.mark.parametrize(
    ("answers", "takes"),
    [
        ({"MX": ["mail.example.org."]}, True),
        ({"MX": ["."]}, False),
        ({"MX": NXDOMAIN}, False),
        ({"MX": NoAnswer, "A": ["192.0.2.1"]}, True),
        ({"MX": NoAnswer, "AAAA": ["2001:db8::1"]}, True),
        ({"MX": NoAnswer}, False),
        ({"MX": Timeout}, True),
        ({"MX": NoNameservers}, True),
        ({"MX": NoAnswer, "A": Timeout}, True),
    ],
)
def test_o9_which_domains_are_written_to(answers: dict[str, Any], takes: bool) -> None:
    """A null MX and a domain without any host take no mail; silence proves nothing."""
    assert asyncio.run(takes_mail("example.org", Scripted(**answers))) is takes
