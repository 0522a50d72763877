"""Whether the mail servers take our mail: each is visited, logged in to and left again."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from digest.doctor.finding import Finding, error, fine, warning
from digest.mailer import Relay, Step, Visit, visit

PATIENCE_S = 20.0
"""Seconds to wait for each answer: a person waits for the report, not a mail."""

SOON = timedelta(days=14)
"""Certificates of 90 days are renewed 30 days before their end; by now that has failed."""

LARGEST = 250_000
"""Octets of the largest mail: 90,000 of HTML, the text beside it, headers and signatures."""

USUAL = {"starttls": {587, 25, 2525, 1587}, "tls": {465, 1465, 2465}}
"""The ports that TLS modes are used on; 465 begins with TLS. Source: RFC 8314 3.3."""

OTHER_MODE = {"starttls": "tls", "tls": "starttls"}
ERRNO = re.compile(r"^.*\[Errno (-?\d+)\] ?(.*)$")


async def relay_findings(relay: Relay, now: datetime) -> tuple[Visit, list[Finding]]:
    """What a visit to a mail server showed, and what that means for our mail."""
    quick = replace(relay, timeout_s=min(relay.timeout_s, PATIENCE_S))
    seen = await visit(quick)
    return seen, list(findings_of(relay, seen, now))


def findings_of(relay: Relay, seen: Visit, now: datetime) -> Iterator[Finding]:
    """What a visit means, in the order in which a mail would meet it."""
    where = f"{relay.host}:{relay.port}"
    if seen.step not in {Step.READY, Step.LOGIN}:
        yield _unreached(relay, seen, where)
        return
    yield fine("smtp.connection", f"{where} answers ({seen.name or seen.address})")
    yield _encryption(relay, seen, where)
    if seen.until:
        yield _certificate(seen.until, now, where)
    yield from _login(relay, seen, where)
    yield from _limits(relay, seen, where)


def _unreached(relay: Relay, seen: Visit, where: str) -> Finding:
    """Why there was no greeting, and what would mend it."""
    other = OTHER_MODE.get(relay.tls, "")
    by_port = other and relay.port in USUAL[other]
    switch = f'port {relay.port} is for tls = "{other}" ([smtp] tls)'
    reason = _plain(seen.fault)
    match seen.step:
        case Step.CERTIFICATE:
            do = "connect by the name that its certificate has ([smtp] host), let it be renewed,"
            do += " or name the authority that it comes from ([smtp] ca_file)"
            found = f"{where}: its certificate is not valid: {reason}"
            return error("smtp.certificate", found, do)
        case Step.ENCRYPTION:
            do = switch if by_port else f'try tls = "{other}" ([smtp] tls), or ask your provider'
            found = f'{where} does not speak tls = "{relay.tls}": {reason}'
            return error("smtp.encryption", found, do)
        case Step.SILENCE:
            do = "is the port right, and does a firewall let it out? Many hosts block port 25:"
            do += " take 587 or 465"
            return error("smtp.connection", f"{where} does not answer", switch if by_port else do)
        case Step.GREETING:
            do = "read what it says; an own name that it likes goes under [smtp] ehlo_name"
            return error("smtp.connection", f"{where} sends us away: {reason}", do)
    do = switch if by_port else "check [smtp] host and port, and that the server runs"
    return error("smtp.connection", f"{where}: no connection: {reason}", do)


def _plain(fault: str) -> str:
    """The system's own words for a failed connection, without what libraries put around them."""
    found = ERRNO.match(fault)
    if not found:
        return fault
    return os.strerror(int(found[1])) if int(found[1]) > 0 else found[2]


def _encryption(relay: Relay, seen: Visit, where: str) -> Finding:
    if seen.tls:
        how = "from the first byte" if relay.tls == "tls" else "by STARTTLS"
        return fine("smtp.encryption", f"{where}: {seen.tls.replace('TLSv', 'TLS ')} {how}")
    if seen.address.startswith("127.") or seen.address == "::1":
        return fine("smtp.encryption", f"{where}: none, on this machine")
    return warning(
        "smtp.encryption",
        f"{where}: mail goes unencrypted to another machine",
        'use tls = "starttls" or "tls" ([smtp] tls)',
    )


def _certificate(until: datetime, now: datetime, where: str) -> Finding:
    day = f"{until:%Y-%m-%d}"
    if until - now > SOON:
        return fine("smtp.certificate", f"{where}: valid until {day}")
    found = f"{where}: its certificate ends on {day}, in {max(0, (until - now).days)} days"
    return warning("smtp.certificate", found, "have it renewed before")


def _login(relay: Relay, seen: Visit, where: str) -> Iterator[Finding]:
    name = relay.login.username
    if seen.step is Step.LOGIN:
        do = "check [smtp] username and the password; some providers want one made for programs"
        yield error("smtp.login", f"{where} does not let {name} in: {seen.fault}", do)
    elif name:
        yield fine("smtp.login", f"{where}: logged in as {name}")
    elif "auth" in seen.extensions and relay.port in {587, 465}:
        yield warning(
            "smtp.login",
            f"{where} offers a login, and the config has none",
            "if it refuses our mail, add username and password_file ([smtp])",
        )


def _limits(relay: Relay, seen: Visit, where: str) -> Iterator[Finding]:
    """What EHLO says of sizes and numbers. Source: RFC 1870 (SIZE), RFC 9422 (LIMITS)."""
    size = seen.extensions.get("size", "")
    limit = int(size) if size.isdigit() and len(size) < 16 else 0
    if 0 < limit < LARGEST:
        found = f"{where} takes mails of at most {limit:,} octets; ours have up to {LARGEST:,}"
        yield warning("smtp.limits", found, "let its administrator raise the limit")
        return
    told = re.search(r"\bMAILMAX=(\d{1,9})\b", seen.extensions.get("limits", "").upper())
    if told and 0 < int(told[1]) < relay.messages_per_connection:
        found = f"{where} takes {told[1]} mails over one connection; we send up to"
        found += f" {relay.messages_per_connection}"
        yield warning("smtp.limits", found, f"set messages_per_connection = {told[1]} ([smtp])")
        return
    largest = f"mails of at most {limit:,} octets" if limit else "no limit to a mail's size"
    names = ("pipelining", "8bitmime", "smtputf8", "chunking")
    offers = ", ".join(name.upper() for name in names if name in seen.extensions) or "nothing more"
    yield fine("smtp.limits", f"{where}: {largest}; offers {offers}")
