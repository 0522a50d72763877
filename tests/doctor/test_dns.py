"""All of DNS for a config, on recorded answers."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from digest.config import Config, parse_config
from digest.dkim import Key
from digest.doctor.dns import dns_findings, sending_hosts
from digest.doctor.finding import Finding, Level
from digest.mailer import Relay, Step, Visit
from tests.dns_server import BROKEN, Zone, lookups

CONFIG = """
[service]
base_url = "https://digest.example.org"
[mail]
from = "digest@Example.org"
{mail}
[smtp]
host = "smtp.example.org"
[dkim]
domain = "example.org"
selector = "d"
key_file = "dkim.pem"
"""
KEY = Key("d", Ed25519PrivateKey.generate())
GOOD = {
    "example.org TXT": ['"v=spf1 a:smtp.example.org -all"'],
    "bounces.example.org TXT": ['"v=spf1 a:smtp.example.org -all"'],
    "_dmarc.example.org TXT": ['"v=DMARC1; p=none"'],
    "d._domainkey.example.org TXT": [f'"{KEY.record}"'],
    "example.org MX": ["10 mx.example.org."],
    "bounces.example.org MX": ["10 mx.example.org."],
    "mx.example.org A": ["192.0.2.10"],
    "smtp.example.org A": ["8.8.8.8"],
    "8.8.8.8.in-addr.arpa PTR": ["smtp.example.org."],
}
RELAY = Relay("smtp.example.org", 587)
SEEN = Visit(Step.READY, address="8.8.8.8", name="smtp.example.org")


def config(mail: str = "", *, signs: bool = True) -> Config:
    """A config with these lines under [mail]."""
    text = CONFIG.format(mail=mail)
    return parse_config(text if signs else text.partition("[dkim]")[0], "config.toml", Path())


def judged(one: Config, zone: Zone, relay: Relay = RELAY, visit: Visit = SEEN) -> list[Finding]:
    """The findings with these records."""

    async def run() -> list[Finding]:
        async with lookups(zone) as names:
            keys = [KEY] if one.dkim else []
            return await dns_findings(one, names, keys, [(relay, visit)])

    return asyncio.run(run())


@pytest.mark.parametrize("mail", ["", 'bounce_domain = "bounces.example.org"'])
def test_a_domain_that_is_set_up_is_good(mail: str) -> None:
    """With bounces at the sender's domain or at one of their own."""
    found = judged(config(mail), GOOD)
    assert {one.level for one in found} == {Level.OK}, found
    assert {one.check for one in found} == {
        "dns.spf", "dns.dkim", "dns.dmarc", "dns.mx", "smtp.reverse_name",
    }  # fmt: skip


def test_a_domain_with_nothing_is_told_all_that_is_missing() -> None:
    """Every record to publish, in one run."""
    found = judged(config('bounce_domain = "bounces.example.org"'), {})
    published = [one.do.split()[1] for one in found if one.do.startswith("publish: ")]
    assert published == [
        "bounces.example.org.", "d._domainkey.example.org.", "_dmarc.example.org.",
        "example.org.", "bounces.example.org.",
    ]  # fmt: skip


def test_spf_is_asked_of_the_domain_that_bounces_go_to() -> None:
    """From's own record counts nothing there (A1)."""
    zone = {key: value for key, value in GOOD.items() if key != "bounces.example.org TXT"}
    found = judged(config('bounce_domain = "bounces.example.org"'), zone)
    assert [one.check for one in found if one.level is Level.ERROR] == ["dns.spf"]


def test_without_a_key_of_ours_the_probe_is_named() -> None:
    """Whether a mail server signs shows in a mail only."""
    found = [one for one in judged(config(signs=False), GOOD) if one.check == "dns.dkim"]
    assert [one.level for one in found] == [Level.WARNING]
    assert "--received" in found[0].do


def test_name_servers_that_do_not_answer() -> None:
    """A warning for each question; nobody is told to publish what may be there."""
    found = judged(config(), dict.fromkeys(GOOD, BROKEN))
    assert {one.level for one in found} == {Level.WARNING}
    assert all("no name server answered" in one.found for one in found)


@pytest.mark.parametrize(
    ("host", "name", "expected"),
    [
        ("smtp.example.org", "x.example.net", ["smtp.example.org"]),
        ("localhost", "mail.example.org", ["mail.example.org"]),
        ("10.0.0.5", "mail.example.org", ["mail.example.org"]),
        ("postfix", "mail.example.org", ["mail.example.org"]),
        ("127.0.0.1", "localhost", []),
        ("::1", "", []),
        ("8.8.8.8", "", ["8.8.8.8"]),
    ],
)
def test_a7_a_server_inside_goes_by_its_own_name(host: str, name: str, expected: list[str]) -> None:
    """As it tells it in EHLO, which others see."""
    assert sending_hosts([(Relay(host, 25), Visit(Step.READY, name=name))]) == expected


def test_a7_a_server_inside_whose_name_leads_nowhere() -> None:
    """Fine behind another server, and named."""
    visit = Visit(Step.READY, address="127.0.0.1", name="box.local")
    found = judged(config(), GOOD, Relay("localhost", 25, "none"), visit)
    named = [one for one in found if one.check == "smtp.reverse_name"]
    assert [one.level for one in named] == [Level.WARNING]
    assert "box.local" in named[0].found
