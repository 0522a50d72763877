"""All that DNS should say of us, asked of the domains and servers that the config names."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from ipaddress import ip_address

from digest.config import Config
from digest.dkim import Key
from digest.doctor.dmarc import dmarc_findings
from digest.doctor.finding import Finding, warning
from digest.doctor.hosts import domain_finding, mailbox_finding, reverse_finding
from digest.doctor.keys import key_finding
from digest.doctor.lookups import Lookups, SilentError
from digest.doctor.spf import spf_finding
from digest.mailer import Relay, Visit

Seen = Sequence[tuple[Relay, Visit]]
"""Each mail server with what a visit to it showed."""


async def dns_findings(
    config: Config, names: Lookups, keys: Sequence[Key], seen: Seen
) -> list[Finding]:
    """What DNS says of the domains in From and of bounces, of the keys and the mail servers."""
    sender = domain_of(config.mail.sender[1])
    envelope = config.mail.bounce_domain or sender
    signing = config.dkim.domain if config.dkim else None
    answers = config.mail.reply_to or config.mail.sender[1]
    place = "[mail] reply_to" if config.mail.reply_to else "[mail] from"
    asked: list[tuple[str, Awaitable[list[Finding]]]] = [
        ("dns.spf", _one(spf_finding(names, envelope, sending_hosts(seen)))),
        ("dns.dkim", _keys(names, signing, keys)),
        ("dns.dmarc", dmarc_findings(names, sender, envelope, signing)),
        ("dns.mx", _one(mailbox_finding(names, answers, place))),
    ]
    if config.mail.bounce_domain:
        bounces = domain_finding(names, envelope, "[mail] bounce_domain", needed=True)
        asked.append(("dns.mx", _one(bounces)))
    asked += [("smtp.reverse_name", _reverse(names, relay, visit)) for relay, visit in seen]
    told = await asyncio.gather(*(_spoken(check, answer) for check, answer in asked))
    return [finding for findings in told for finding in findings]


def domain_of(address: str) -> str:
    """The domain of an address, in small letters."""
    return address.rpartition("@")[2].lower()


def sending_hosts(seen: Seen) -> list[str]:
    """The servers that our mail leaves by: as the config names them, or as they call themselves.

    A server on this machine or network hands mail on under its own name.
    """
    return [host for relay, visit in seen if (host := _outside(relay.host, visit))]


def _outside(host: str, visit: Visit) -> str:
    """The name of a mail server that others know; empty where it has none."""
    try:
        inside = not ip_address(host).is_global
    except ValueError:
        inside = "." not in host or host.endswith(".localhost")
    if not inside:
        return host
    return visit.name.lower() if "." in visit.name and not visit.name.startswith("[") else ""


async def _one(finding: Awaitable[Finding]) -> list[Finding]:
    return [await finding]


async def _spoken(check: str, answer: Awaitable[list[Finding]]) -> list[Finding]:
    """The findings, or that no name server spoke."""
    try:
        return await answer
    except SilentError as silence:
        do = "try again, or ask another name server: --nameserver 9.9.9.9"
        return [warning(check, str(silence), do)]


async def _keys(names: Lookups, domain: str | None, keys: Sequence[Key]) -> list[Finding]:
    """Whether each of our keys is in DNS, or that we have none."""
    if domain is None:
        return [
            warning(
                "dns.dkim",
                "this service signs nothing ([dkim] is not set); whether your mail server does"
                " cannot be seen from here",
                "send a probe (`digest doctor --probe YOUR-ADDRESS`) and read it as it arrived"
                " (`--received FILE`), or make a key: `digest dkim-key`",
            )
        ]
    return list(await asyncio.gather(*(key_finding(names, domain, key) for key in keys)))


async def _reverse(names: Lookups, relay: Relay, visit: Visit) -> list[Finding]:
    """What the addresses of a mail server are called (A7)."""
    host = _outside(relay.host, visit)
    found = await reverse_finding(names, host, visit.address) if host else None
    if found is None and visit.address and host != relay.host:
        called = f"calls itself {visit.name or 'nothing'}, which has no address on the internet"
        do = "nothing if it hands our mail to another server; else let it call itself by its name"
        found = warning("smtp.reverse_name", f"the mail server on {relay.host} {called}", do)
    return [found] if found else []
