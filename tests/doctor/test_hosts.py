"""Where answers go, and what mail servers are called, on recorded answers."""

from __future__ import annotations

import asyncio

import pytest

from digest.doctor.finding import Finding, Level
from digest.doctor.hosts import domain_finding, mailbox_finding, reverse_finding
from tests.dns_server import Zone, lookups

MAIL = {
    "example.org MX": ["20 b.example.org.", "10 mail.example.org."],
    "mail.example.org A": ["8.8.4.4"],
}
HERE = {"example.org A": ["8.8.4.4"]}


def answers(zone: Zone, address: str = "library@example.org") -> Finding:
    """The finding on a mailbox."""

    async def run() -> Finding:
        async with lookups(zone) as names:
            return await mailbox_finding(names, address, "[mail] from")

    return asyncio.run(run())


def bounces(zone: Zone) -> Finding:
    """The finding on the domain that bounces go to."""

    async def run() -> Finding:
        async with lookups(zone) as names:
            return await domain_finding(names, "example.org", "[mail] bounce_domain", needed=True)

    return asyncio.run(run())


def reverse(zone: Zone, address: str = "") -> Finding | None:
    """The finding on the mail server smtp.example.org."""

    async def run() -> Finding | None:
        async with lookups(zone) as names:
            return await reverse_finding(names, "smtp.example.org", address)

    return asyncio.run(run())


def test_m16_a_domain_with_mail_servers_is_good() -> None:
    """The preferred one is named."""
    found = answers(MAIL)
    assert (found.level, "goes to mail.example.org" in found.found) == (Level.OK, True)


@pytest.mark.parametrize(
    ("zone", "level"),
    [
        ({}, Level.WARNING),
        (HERE, Level.WARNING),
        ({"example.org MX": ["0 ."]}, Level.ERROR),
        ({"example.org MX": ["10 gone.example.org."]}, Level.ERROR),
    ],
)
def test_m16_answers_that_get_lost(zone: Zone, level: Level) -> None:
    """No MX, a null MX, an MX without an address; each with what to publish."""
    found = answers(zone)
    assert found.level is level
    assert found.do


def test_m16_the_record_to_publish() -> None:
    """Word for word."""
    assert answers({}).do.startswith("publish: example.org. IN MX 10 mail.example.org.")


@pytest.mark.parametrize(
    ("local", "level"),
    [
        ("noreply", Level.WARNING),
        ("no-reply", Level.WARNING),
        ("DoNotReply+x", Level.WARNING),
        ("nora", Level.OK),
        ("notes", Level.OK),
    ],
)
def test_m16_an_address_that_nobody_reads(local: str, level: Level) -> None:
    """A noreply is named, whatever its domain."""
    assert answers(MAIL, f"{local}@example.org").level is level


def test_n1_bounces_need_an_mx() -> None:
    """A domain of their own without one loses every bounce."""
    assert bounces(MAIL).level is Level.OK
    assert bounces({}).level is Level.ERROR


SMTP = {"smtp.example.org A": ["8.8.8.8"]}


def test_a7_a_name_that_leads_back_is_good() -> None:
    """Address, name and address again."""
    zone = SMTP | {"8.8.8.8.in-addr.arpa PTR": ["smtp.example.org."]}
    found = reverse(zone)
    assert found
    assert found.level is Level.OK


def test_a7_an_address_without_a_name() -> None:
    """The record to ask for is told."""
    found = reverse(SMTP)
    assert found
    assert found.level is Level.WARNING
    assert found.do.endswith("8.8.8.8.in-addr.arpa. IN PTR smtp.example.org.")


def test_a7_a_name_that_leads_elsewhere() -> None:
    """Forward and reverse have to agree."""
    zone = SMTP | {"8.8.8.8.in-addr.arpa PTR": ["x.example.net."], "x.example.net A": ["8.8.4.4"]}
    found = reverse(zone)
    assert found
    assert (found.level, "does not lead back" in found.found) == (Level.WARNING, True)


def test_a7_the_address_that_was_talked_to_counts() -> None:
    """Also in the newer form of addresses."""
    zone = {
        "0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.6.2.ip6.arpa PTR": [
            "v6.example.org."
        ],
        "v6.example.org AAAA": ["2600::"],
    }
    found = reverse(zone, "2600::")
    assert found
    assert found.level is Level.OK


def test_a7_nobody_sees_a_server_inside() -> None:
    """An address of the own network has no name to be asked for."""
    assert reverse({"smtp.example.org A": ["10.0.0.7"]}) is None
