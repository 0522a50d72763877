"""The doctor: looks at everything around the service that mail depends on, and changes nothing.

Every check is a finding with its reason and its remedy. It writes to no subscriber and to no file,
and may be run at any hour, beside a running service. What cannot be reached is a finding as well.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterator
from datetime import datetime

from digest.app import data_folder, database_of, faults_of, relays
from digest.config import Config
from digest.dkim import Key, signing_keys
from digest.doctor.data import data_findings, secret_finding, source_findings
from digest.doctor.dns import dns_findings
from digest.doctor.finding import WHY, Finding, Level, error, fine
from digest.doctor.lookups import Lookups, asking
from digest.doctor.machine import disk_finding, python_finding, zones_finding
from digest.doctor.pages import clock_finding, pages_finding
from digest.doctor.probe import check_recipient, send_probe
from digest.doctor.received import received_findings
from digest.doctor.servers import relay_findings
from digest.domains import Asks
from digest.errors import ConfigError
from digest.mailer import Relay
from digest.sources import kind_of

__all__ = [
    "WHY",
    "Finding",
    "Level",
    "asking",
    "check_recipient",
    "examine",
    "received_findings",
    "send_probe",
]


async def examine(
    config: Config,
    now: datetime,
    resolver: Asks | None = None,
    tls: ssl.SSLContext | None = None,
) -> list[Finding]:
    """Everything that was looked at, mail first, then this machine.

    `resolver` asks DNS, `tls` trusts web servers, where the system's own do not suit.
    """
    files, here = await asyncio.gather(
        asyncio.to_thread(_files, config), asyncio.to_thread(lambda: list(_here(config, now)))
    )
    post = list(_usable_relays(config))
    visits = await asyncio.gather(*(relay_findings(relay, now) for relay in post))
    seen = [(relay, visit) for relay, (visit, _) in zip(post, visits, strict=True)]
    names, pages, clock = await asyncio.gather(
        dns_findings(config, Lookups(resolver), _usable_keys(config), seen),
        pages_finding(config.service.base_url, tls),
        clock_finding(list(_addresses(config, now)), now, tls),
    )
    found = [one for _, findings in visits for one in findings]
    return sorted([*files, *found, *names, pages, clock, *here], key=_place)


def _place(finding: Finding) -> int:
    return list(WHY).index(finding.check)


def _files(config: Config) -> list[Finding]:
    """What `digest check` finds wrong."""
    faults = faults_of(config)
    if not faults:
        return [fine("config.files", f"{config.place} and the files that it names are good")]
    return [error("config.files", fault, "mend it; `digest check` shows all") for fault in faults]


def _here(config: Config, now: datetime) -> Iterator[Finding]:
    """What this machine is like, its database, and what the sources brought to it."""
    yield python_finding(now)
    yield zones_finding(now)
    yield secret_finding(config.service.secret_file)
    try:
        place, folder = database_of(config), data_folder(config)
    except ConfigError:  # told by then
        return
    inspection, findings = data_findings(place)
    yield disk_finding(folder, inspection.size if inspection else 0)
    yield from findings
    runs = inspection.runs if inspection else {}
    yield from source_findings(config.sources, runs, now, config.service.timezone)


def _usable_relays(config: Config) -> list[Relay]:
    """The mail servers; none where a password cannot be read, which is told by then."""
    try:
        return relays(config)
    except ConfigError:
        return []


def _usable_keys(config: Config) -> list[Key]:
    """The keys that sign; none where one cannot be read, which is told by then."""
    try:
        return signing_keys(config.dkim, config.place) if config.dkim else []
    except ConfigError:
        return []


def _addresses(config: Config, now: datetime) -> Iterator[str]:
    """The first address of each source that is on the web."""
    for source in config.sources:
        if not source.path:
            yield from (request.url for request in kind_of(source).requests(source, now)[:1])
