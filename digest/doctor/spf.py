"""Which servers may send for a domain (A1): its SPF record, with all that it includes.

The whole tree is walked, as a receiver walks it for a mail that none of it lets through. What
depends on the single mail (`exists`, `ptr`, macros) is not evaluated.
Source: RFC 7208, sections 3.2, 4.5, 4.6.4 and 5.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from digest.doctor.finding import Finding, error, fine, warning
from digest.doctor.lookups import Lookups, is_address
from digest.doctor.tags import zone_line

MOST_LOOKUPS = 10
MOST_EMPTY = 2
MOST_EXCHANGES = 10
STOP = 30
"""Lookups after which a tree is left, which may be a loop; three times what counts."""

MODIFIER = re.compile(r"([A-Za-z][A-Za-z0-9._-]*)=(.*)")
MECHANISM = re.compile(
    r"([-+~?]?)([A-Za-z0-9]+)(?::([^/]*(?:/[^/0-9][^/]*)*))?((?:/\d+)?(?://\d+)?)"
)

PROVIDERS = {
    "gmail.com": "_spf.google.com",
    "google.com": "_spf.google.com",
    "office365.com": "spf.protection.outlook.com",
    "amazonaws.com": "amazonses.com",
    "sendgrid.net": "sendgrid.net",
    "mailgun.org": "mailgun.org",
    "mailjet.com": "spf.mailjet.com",
    "postmarkapp.com": "spf.mtasv.net",
    "brevo.com": "spf.brevo.com",
    "fastmail.com": "spf.messagingengine.com",
}
"""The domains of well-known mail servers and what they ask their customers to include."""


@dataclass(slots=True)
class Tree:
    """What a record says, together with all that it includes."""

    networks: list[IPv4Network | IPv6Network] = field(default_factory=list)
    includes: set[str] = field(default_factory=set)
    lookups: int = 0
    empty: int = 0
    faults: list[str] = field(default_factory=list)
    undecided: bool = False
    end: str = ""

    def passes(self, address: str) -> bool:
        """Whether mail from that address is let through."""
        return any(ip_address(address) in network for network in self.networks)


async def spf_records(names: Lookups, domain: str) -> list[str]:
    """The SPF records of a domain; one is right. Raises: SilentError."""
    return [text for text in await names.texts(domain) if re.match(r"v=spf1( |$)", text.lower())]


async def read_tree(names: Lookups, domain: str, record: str) -> Tree:
    """What a record says with all that it includes. Raises: SilentError."""
    tree = Tree()
    await _walk(tree, names, domain, record, top=True)
    return tree


async def _walk(tree: Tree, names: Lookups, domain: str, record: str, *, top: bool) -> None:
    """Add one record; `end` is what the outermost one does with everybody else."""
    onward = end = ""
    for word in record.split()[1:]:
        if modifier := MODIFIER.fullmatch(word):
            onward = modifier[2] if modifier[1].lower() == "redirect" else onward
            continue
        found = MECHANISM.fullmatch(word)
        if not found:
            tree.faults.append(f"{domain}: {word} is no mechanism of SPF")
            continue
        sign, name, value, size = found[1] or "+", found[2].lower(), found[3] or "", found[4]
        if name == "all":
            end = sign
            break  # what stands behind it never counts. Source: RFC 7208 5.1
        await _mechanism(tree, names, domain, (sign, name, value, size))
    if onward and not end:
        end = await _onward(tree, names, onward, top=top)
    tree.end = end if top else tree.end


async def _mechanism(
    tree: Tree, names: Lookups, domain: str, parts: tuple[str, str, str, str]
) -> None:
    sign, name, value, size = parts
    if name in {"ip4", "ip6"}:
        try:
            network = ip_network(value + size, strict=False)
        except ValueError:
            tree.faults.append(f"{domain}: {name}:{value}{size} is no network")
        else:
            tree.networks += [network] if sign == "+" else []
        return
    if name not in {"a", "mx", "include", "exists", "ptr"}:
        tree.faults.append(f"{domain}: there is no mechanism {name!r}")
        return
    tree.lookups += 1
    if tree.lookups > STOP:
        return
    if name in {"exists", "ptr"} or "%" in value:
        tree.undecided = True
    elif name == "include":
        await _include(tree, names, domain, value.lower())
    else:
        found = await _hosts(tree, names, name, value or domain)
        tree.networks += [_network(one, size) for one in found if sign == "+"]


async def _include(tree: Tree, names: Lookups, domain: str, target: str) -> None:
    records = await spf_records(names, target) if target else []
    tree.includes.add(target)
    if len(records) != 1:
        what = "has no SPF record" if not records else f"has {len(records)} SPF records"
        tree.faults.append(f"{domain}: include:{target} {what}")
        tree.empty += not records
        return
    await _walk(tree, names, target, records[0], top=False)


async def _onward(tree: Tree, names: Lookups, target: str, *, top: bool) -> str:
    """Follow redirect=; its end is the end."""
    tree.lookups += 1
    records = await spf_records(names, target) if tree.lookups <= STOP else []
    if len(records) != 1:
        tree.faults.append(f"redirect={target} leads to {len(records)} SPF records")
        return "?"
    tree.includes.add(target.lower())
    await _walk(tree, names, target, records[0], top=top)
    return tree.end


async def _hosts(tree: Tree, names: Lookups, name: str, target: str) -> list[str]:
    """The addresses that `a` or `mx` stand for."""
    hosts = [target]
    if name == "mx":
        hosts = [host for host in await names.exchanges(target) if host != "."]
        if len(hosts) > MOST_EXCHANGES:
            tree.faults.append(f"mx:{target} has {len(hosts)} hosts; {MOST_EXCHANGES} are allowed")
    found = [one for host in hosts[:MOST_EXCHANGES] for one in await names.addresses(host)]
    tree.empty += not found
    return found


def _network(address: str, size: str) -> IPv4Network | IPv6Network:
    """An address with the sizes of `a:host/24//64`; those that are none count as one address."""
    four, _, six = size.partition("//")
    bits = six if ":" in address else four.removeprefix("/")
    try:
        return ip_network(f"{address}/{bits}" if bits else address, strict=False)
    except ValueError:
        return ip_network(address)


# --- the finding ------------------------------------------------------------------------------


def provider_of(host: str) -> str:
    """What customers of a well-known mail server include; empty for others."""
    known = (told for suffix, told in PROVIDERS.items() if f".{host}".endswith(f".{suffix}"))
    return next(known, "")


async def spf_finding(names: Lookups, domain: str, hosts: Sequence[str]) -> Finding:
    """Whether mail with bounces to `domain` may leave by the servers `hosts` (A1).

    Raises: SilentError.
    """
    records = await spf_records(names, domain)
    terms = " ".join(dict.fromkeys(_term(host) for host in hosts)) or "mx"
    if not records:
        line = zone_line(domain, "TXT", f"v=spf1 {terms} ~all")
        return error("dns.spf", f"{domain} has no SPF record", f"publish: {line}")
    if len(records) > 1:
        return error(
            "dns.spf",
            f"{domain} has {len(records)} SPF records, so none of them counts",
            "join them into one: v=spf1 once, then the terms of all, one `all` at the end",
        )
    tree = await read_tree(names, domain, records[0])
    return _fault(domain, tree) or await _coverage(names, domain, records[0], tree, hosts)


def _term(host: str) -> str:
    """The mechanism that names a server."""
    if provider := provider_of(host):
        return f"include:{provider}"
    if is_address(host):
        return f"ip{6 if ':' in host else 4}:{host}"
    return f"a:{host}"


def _fault(domain: str, tree: Tree) -> Finding | None:
    """What makes a record count for nothing, or let everybody through."""
    if tree.lookups > MOST_LOOKUPS:
        many = f"more than {STOP}" if tree.lookups > STOP else str(tree.lookups)
        return error(
            "dns.spf",
            f"the SPF record of {domain} takes {many} DNS lookups; receivers stop at"
            f" {MOST_LOOKUPS} and count it for nothing",
            "leave out an include that is of no use any more, put ip4: and ip6: in the place of"
            " a: and mx, or send from a subdomain with a record of its own ([mail] bounce_domain)",
        )
    if tree.faults:
        more = f" (and {len(tree.faults) - 1} more)" if len(tree.faults) > 1 else ""
        return error(
            "dns.spf",
            f"the SPF record of {domain} has a fault: {tree.faults[0]}{more}",
            "mend it; a record with a fault counts for nothing",
        )
    if tree.empty > MOST_EMPTY:
        return error(
            "dns.spf",
            f"{tree.empty} names in the SPF record of {domain} lead nowhere; receivers stop at"
            f" {MOST_EMPTY} and count it for nothing",
            "leave out the names that no longer exist",
        )
    if tree.end == "+":
        return error(
            "dns.spf",
            f"the SPF record of {domain} ends in +all: everybody may send for it",
            "end it in ~all",
        )
    return None


async def _coverage(
    names: Lookups, domain: str, record: str, tree: Tree, hosts: Sequence[str]
) -> Finding:
    """Whether the servers that our mail leaves by are among those that may send."""
    missing = [host for host in hosts if not await _covered(names, tree, host)]
    if missing and not tree.undecided:
        wanted = " ".join(dict.fromkeys(_term(host) for host in missing))
        body = re.sub(r"\s+([-~?]?all|redirect=\S+)\b.*$", "", record, flags=re.IGNORECASE)
        ending = record[len(body) :].strip() or "~all"
        line = zone_line(domain, "TXT", f"{body} {wanted} {ending}")
        return warning(
            "dns.spf",
            f"the SPF record of {domain} does not name {', '.join(missing)}",
            f"publish: {line}   (not needed if your provider's mail leaves by other servers, which"
            " the record names: `digest doctor --probe` shows it)",
        )
    if tree.end in {"", "?"}:
        return warning(
            "dns.spf",
            f"the SPF record of {domain} says nothing of everybody else",
            "end it in ~all",
        )
    told = f"SPF of {domain}: one record, {tree.lookups} of {MOST_LOOKUPS} lookups"
    if hosts and not missing:
        told += f", {' and '.join(hosts)} may send"
    return fine("dns.spf", told)


async def _covered(names: Lookups, tree: Tree, host: str) -> bool:
    provider = provider_of(host)
    if provider:
        return provider in tree.includes
    return any(tree.passes(one) for one in await names.addresses(host))
