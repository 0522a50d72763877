"""SPF as receivers count it, on recorded answers."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.doctor.finding import WHY, Finding, Level
from digest.doctor.lookups import SilentError
from digest.doctor.spf import spf_finding
from tests.dns_server import BROKEN, Zone, lookups

RELAY = {"smtp.example.org A": ["192.0.2.25"], "smtp.example.org AAAA": ["2001:db8::25"]}


def judged(zone: Zone, hosts: Sequence[str] = ("smtp.example.org",)) -> Finding:
    """The finding on example.org with these records."""

    async def run() -> Finding:
        async with lookups(RELAY | dict(zone)) as names:
            return await spf_finding(names, "example.org", hosts)

    return asyncio.run(run())


def record(*terms: str) -> dict[str, list[str]]:
    """An SPF record of example.org."""
    return {"example.org TXT": ['"other=1"', f'"v=spf1 {" ".join(terms)}"']}


def below(*terms: str) -> dict[str, list[str]]:
    """An SPF record of a domain that others include."""
    return {"_s.example.net TXT": [f'"v=spf1 {" ".join(terms)}"']}


@pytest.mark.parametrize(
    ("zone", "lookups_taken"),
    [
        (record("a:smtp.example.org", "~all"), 1),
        (record("ip4:192.0.2.0/24", "ip6:2001:db8::/32", "-all"), 0),
        (record("ip4:192.0.2.25", "-all"), 0),
        (record("A:smtp.example.org/28//64", "-ALL"), 1),
        (record("mx", "-all") | {"example.org MX": ["10 smtp.example.org."]}, 1),
        (record("redirect=_s.example.net") | below("+a:smtp.example.org", "~all"), 2),
        (record("include:_s.example.net", "~all") | below("ip4:192.0.2.25", "-all"), 1),
        (record("exp=why.example.org", "ip4:192.0.2.25", "~all", "include:nowhere.example.org"), 0),
        ({"example.org TXT": ['"v=spf1 a:smtp.exa" "mple.org ~all"']}, 1),
    ],
)  # fmt: skip
def test_a1_a_record_that_names_our_server_is_good(zone: Zone, lookups_taken: int) -> None:
    """By address, host, MX, include or redirect; what stands behind `all` does not count."""
    found = judged(zone)
    assert found.level is Level.OK, found
    assert f"{lookups_taken} of 10 lookups" in found.found


def test_a1_no_record_brings_the_one_to_publish() -> None:
    """Word for word, with the server that mail leaves by."""
    found = judged({"example.org TXT": ['"site-verification=x"', '"v=spf10 -all"']})
    assert found.level is Level.ERROR
    assert found.do == 'publish: example.org. IN TXT "v=spf1 a:smtp.example.org ~all"'


@pytest.mark.parametrize(
    ("host", "term"),
    [
        ("email-smtp.eu-west-1.amazonaws.com", "include:amazonses.com"),
        ("smtp-relay.gmail.com", "include:_spf.google.com"),
        ("192.0.2.7", "ip4:192.0.2.7"),
        ("2001:db8::7", "ip6:2001:db8::7"),
        ("notgmail.com", "a:notgmail.com"),
    ],
)
def test_a1_the_record_to_publish_fits_the_server(host: str, term: str) -> None:
    """Well-known providers are included; an address is written as one."""
    assert f'"v=spf1 {term} ~all"' in judged({}, [host]).do


def test_a1_a_provider_passes_by_its_include() -> None:
    """The addresses that its mail leaves by are its own business."""
    zone = record("include:amazonses.com", "-all") | {
        "amazonses.com TXT": ['"v=spf1 ip4:198.51.100.0/24 -all"']
    }
    assert judged(zone, ["email-smtp.eu-west-1.amazonaws.com"]).level is Level.OK


def test_a1_a_record_without_our_server_brings_the_longer_one() -> None:
    """The term goes before the end of the record that is there."""
    found = judged(record("ip4:203.0.113.4", "-all"))
    assert found.level is Level.WARNING
    assert '"v=spf1 ip4:203.0.113.4 a:smtp.example.org -all"' in found.do


def test_a1_two_records_are_none() -> None:
    """Receivers take neither."""
    found = judged({"example.org TXT": ['"v=spf1 -all"', '"v=spf1 mx -all"']})
    assert (found.level, "2 SPF records" in found.found) == (Level.ERROR, True)


def nested(depth: int) -> dict[str, list[str]]:
    """A chain of so many includes, one lookup each."""
    chain = {
        f"s{at}.example.net TXT": [f'"v=spf1 include:s{at + 1}.example.net -all"']
        for at in range(1, depth)
    }
    last = {f"s{depth}.example.net TXT": ['"v=spf1 ip4:192.0.2.25 -all"']}
    return record("include:s1.example.net", "-all") | chain | last


def test_a1_ten_lookups_are_allowed_and_eleven_are_not() -> None:
    """Counted through all includes."""
    good, bad = judged(nested(10)), judged(nested(11))
    assert good.level is Level.OK
    assert "10 of 10 lookups" in good.found
    assert bad.level is Level.ERROR
    assert "takes 11 DNS lookups" in bad.found


def test_a1_a_loop_ends() -> None:
    """A record that includes itself is left at some point, and is at fault."""
    found = judged(record("include:example.org", "-all"))
    assert found.level is Level.ERROR
    assert "more than 30 DNS lookups" in found.found


@pytest.mark.parametrize(
    ("terms", "said"),
    [
        (("include:nowhere.example.net", "-all"), "has no SPF record"),
        (("ipv4:192.0.2.25", "-all"), "no mechanism 'ipv4'"),
        (("ip4:192.0.2.256", "-all"), "is no network"),
        (("ip4:", "-all"), "is no network"),
        (("include:", "-all"), "has no SPF record"),
        (("smtp.example.org", "-all"), "no mechanism of SPF"),
        (("redirect=nowhere.example.net",), "redirect=nowhere.example.net leads to 0"),
        (("a:x.example.net", "a:y.example.net", "a:z.example.net", "-all"), "3 names"),
        (("a:smtp.example.org", "+all"), "everybody may send"),
        (("a:smtp.example.org", "all"), "everybody may send"),
    ],
)
def test_a1_faults_that_void_a_record(terms: tuple[str, ...], said: str) -> None:
    """Each is an error, in words that name the term."""
    found = judged(record(*terms))
    assert found.level is Level.ERROR
    assert said in found.found


@pytest.mark.parametrize("end", ["", "?all"])
def test_a1_a_record_without_an_end_is_weak(end: str) -> None:
    """Receivers learn nothing of servers that are not ours."""
    found = judged(record("a:smtp.example.org", end))
    assert (found.level, found.do) == (Level.WARNING, "end it in ~all")


def test_a1_what_depends_on_the_mail_is_not_held_against_it() -> None:
    """With `exists` and macros nobody can say here which server passes."""
    assert judged(record("exists:%{i}._spf.example.net", "-all")).level is Level.OK


def test_silence_is_told_from_absence() -> None:
    """A name server that cannot say leads to no advice to publish anything."""
    with pytest.raises(SilentError, match=r"no name server answered for example\.org"):
        judged({"example.org TXT": BROKEN})


WORDS = st.text(st.characters(codec="ascii", exclude_characters='"\\\n\r\x00'), max_size=30)


@settings(max_examples=40, deadline=None)
@given(st.lists(WORDS, max_size=6))
def test_a_strangers_record_never_stops_the_doctor(words: list[str]) -> None:
    """Whatever stands in it, there is a finding in words that a terminal bears."""
    found = judged(record(*words))
    assert found.check in WHY
    assert found.found.isprintable()
    assert found.do.isprintable()
