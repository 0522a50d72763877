"""The rules of signing up: how fast is too fast, what a client's network is, what is kept of it.

Pure. The counts of the limits are the store's.
"""

from __future__ import annotations

import ipaddress
from datetime import datetime, timedelta

FORM_VERSION = "2026-11"
"""Kept with each sign-up: what the person saw when they agreed. Change it with the form's words."""

INVITATION = f"invitation {FORM_VERSION}"
"""The same of who came from another system and was asked by a letter whether they want to."""

CONFIRM_WITHIN = timedelta(hours=48)
MANAGE_WITHIN = timedelta(days=7)
SESSION_FOR = timedelta(hours=2)
LINKS_PER_DAY = 5
"""Letters a day to the holder of an old link, who asks for a fresh one."""

FASTEST = timedelta(seconds=3)
"""Nobody reads and fills in the form in less; programs do."""
FORM_LASTS = timedelta(hours=24)


def is_within(issued_at: datetime, now: datetime, span: timedelta) -> bool:
    """Whether something issued then may still be used; a second's rounding is forgiven."""
    return issued_at - timedelta(seconds=1) <= now <= issued_at + span


def network_of(client: str) -> str:
    """The network that counts as one visitor: an IPv4 address, an IPv6 /64; `client` if neither."""
    return _network(client, 32, 64)


def masked(client: str) -> str:
    """What is kept of a client as proof: IPv4 without its last number, IPv6 /48; empty if neither.

    Source: the usual anonymisation of addresses in logs; it names a town, not a person.
    """
    found = _network(client, 24, 48)
    return found if "/" in found else ""


def _network(client: str, v4_bits: int, v6_bits: int) -> str:
    try:
        address = ipaddress.ip_address(client.partition("%")[0])
    except ValueError:
        return client
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    address = mapped or address
    bits = v4_bits if address.version == 4 else v6_bits
    return str(ipaddress.ip_network(f"{address}/{bits}", strict=False))
