"""DMARC by its newest rules (RFC 9989), on recorded answers."""

from __future__ import annotations

import asyncio

import pytest

from digest.doctor.dmarc import dmarc_findings
from digest.doctor.finding import Finding, Level
from tests.dns_server import Zone, lookups

GOOD = {"_dmarc.example.org TXT": ['"v=DMARC1; p=none; rua=mailto:dmarc@example.org"']}


def judged(
    zone: Zone, sender: str = "example.org", envelope: str = "", signing: str | None = "example.org"
) -> list[Finding]:
    """The findings on mail from a domain."""

    async def run() -> list[Finding]:
        async with lookups(zone) as names:
            return await dmarc_findings(names, sender, envelope or sender, signing)

    return asyncio.run(run())


def levels(found: list[Finding]) -> list[str]:
    """How bad each is."""
    return [one.level.value for one in found]


def test_a3_p_none_is_enough_to_start() -> None:
    """A record and both alignments are good."""
    assert levels(judged(GOOD)) == ["ok", "ok"]


def test_a3_no_record_brings_the_one_to_publish() -> None:
    """Word for word; one of a stranger's text counts for nothing."""
    (found,) = judged({"_dmarc.example.org TXT": ['"hello"']})
    assert found.level is Level.ERROR
    assert found.do == (
        'publish: _dmarc.example.org. IN TXT "v=DMARC1; p=none; rua=mailto:postmaster@example.org"'
    )


def test_a3_the_record_of_a_domain_above_counts() -> None:
    """By the walk up the tree."""
    assert levels(judged(GOOD, "mail.lab.example.org", signing="lab.example.org")) == ["ok", "ok"]


def test_a3_two_records_are_none() -> None:
    """Receivers take neither."""
    (found,) = judged({"_dmarc.example.org TXT": ['"v=DMARC1; p=none"', '"v=DMARC1; p=reject"']})
    assert found.level is Level.ERROR


@pytest.mark.parametrize(
    ("record", "level", "said"),
    [
        ("v=DMARC1; p=reject; pct=50; ri=86400", "warning", "has pct, ri"),
        ("v=DMARC1; p=none; rf=afrf", "warning", "has rf"),
        ("v=DMARC1; p=never", "error", "p=never"),
        ("v=DMARC1; rua=mailto:x@example.org", "error", "no p="),
        ("v=DMARC1;p=quarantine", "ok", "p=quarantine"),
    ],
)
def test_a3_a_records_tags(record: str, level: str, said: str) -> None:
    """Tags that are gone are named, and a policy has to be one."""
    found = judged({"_dmarc.example.org TXT": [f'"{record}"']})[0]
    assert (found.level.value, said in found.found) == (level, True), found


@pytest.mark.parametrize(
    ("envelope", "signing", "level"),
    [
        ("bounces.example.org", "example.org", "ok"),
        ("bounces.example.org", "example.net", "warning"),
        ("bounces.example.net", "example.org", "warning"),
        ("bounces.example.net", "example.net", "error"),
        ("example.org", None, "ok"),
        ("example.net", None, "error"),
    ],
)
def test_a3_from_fits_spf_or_dkim_better_both(
    envelope: str, signing: str | None, level: str
) -> None:
    """A domain below or above is the same organization; another is not."""
    assert judged(GOOD, envelope=envelope, signing=signing)[1].level.value == level


def test_a3_strict_alignment_wants_the_very_domain() -> None:
    """As the record asks for it, for each of the two."""
    zone = {"_dmarc.example.org TXT": ['"v=DMARC1; p=none; aspf=s; adkim=s"']}
    assert levels(judged(zone, envelope="b.example.org", signing="b.example.org")) == [
        "ok",
        "error",
    ]
    assert levels(judged(zone)) == ["ok", "ok"]


def test_a3_domains_below_a_public_suffix_are_strangers() -> None:
    """A record with psd=y says that what lies below it are organizations of their own."""
    zone = {
        "_dmarc.uni.example TXT": ['"v=DMARC1; p=reject; psd=y"'],
        "_dmarc.a.uni.example TXT": ['"v=DMARC1; p=none"'],
    }
    assert levels(judged(zone, "a.uni.example", "b.uni.example", "a.uni.example")) == [
        "ok",
        "warning",
    ]
    assert levels(judged(zone, "x.a.uni.example", "y.a.uni.example", "a.uni.example")) == [
        "ok",
        "ok",
    ]
