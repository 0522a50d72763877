"""What a visit to a mail server finds, against real servers that misbehave."""

from __future__ import annotations

import asyncio
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme

from digest.doctor.finding import Finding, Level
from digest.doctor.servers import findings_of, relay_findings
from digest.mailer import Login, Relay, Step, Visit
from tests.mailer.test_login import PASSWORD, post, server_context
from tests.smtp_server import DROP, HOLD, MailServer, Script, mail_server

NOW = datetime.now(UTC)  # certificates are made now


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """An authority that no machine trusts."""
    return trustme.CA()


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> Path:
    """Its certificate as a file."""
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(path)
    return path


def by_check(findings: list[Finding]) -> dict[str, Finding]:
    """The findings, one for each check."""
    assert len({one.check for one in findings}) == len(findings)
    return {one.check: one for one in findings}


def visited(
    script: Script = lambda step, before: None,
    extensions: tuple[str, ...] = ("SIZE 10000000", "PIPELINING"),
    **settings: object,
) -> tuple[MailServer, dict[str, Finding]]:
    """The findings on a server without TLS."""

    async def run() -> tuple[MailServer, dict[str, Finding]]:
        async with mail_server(script, extensions=extensions) as served:
            relay = Relay("127.0.0.1", served.port, "none", **settings)  # type: ignore[arg-type]
            _, findings = await relay_findings(relay, NOW)
            return served, by_check(findings)

    return asyncio.run(run())


def over_tls(
    context: ssl.SSLContext,
    relay_tls: str,
    now: datetime = NOW,
    *,
    at_once: bool,
    **settings: object,
) -> tuple[Visit, dict[str, Finding]]:
    """The findings on a server with TLS."""

    async def run() -> tuple[Visit, dict[str, Finding]]:
        async with post(context, at_once=at_once) as served:
            relay = Relay("127.0.0.1", served.port, relay_tls, **settings)  # type: ignore[arg-type]
            seen, findings = await relay_findings(relay, now)
            return seen, by_check(findings)

    return asyncio.run(run())


def test_a10_a_visit_begins_no_mail() -> None:
    """It greets and leaves."""
    served, found = visited()
    assert {one.level for one in found.values()} == {Level.OK}
    assert [command.split()[0] for command in served.commands] == ["EHLO", "QUIT"]
    assert not served.taken


@pytest.mark.parametrize("tls", ["tls", "starttls"])
def test_a6_encryption_certificate_and_login_are_told(
    authority: trustme.CA, ca_file: Path, tls: str
) -> None:
    """With the version of TLS and the day on which the certificate ends."""
    login = Login("digest", PASSWORD)
    seen, found = over_tls(
        server_context(authority), tls, at_once=tls == "tls", ca_file=ca_file, login=login
    )
    assert seen.step is Step.READY
    assert {one.level for one in found.values()} == {Level.OK}
    assert "TLS 1.3" in found["smtp.encryption"].found
    assert "logged in as digest" in found["smtp.login"].found
    assert f"{seen.until:%Y-%m-%d}" in found["smtp.certificate"].found


@pytest.mark.parametrize("tls", ["tls", "starttls"])
def test_a6_a_certificate_that_nobody_trusts(authority: trustme.CA, tls: str) -> None:
    """An error of its own, and no login."""
    _, found = over_tls(server_context(authority), tls, at_once=tls == "tls")
    assert set(found) == {"smtp.certificate"}
    assert found["smtp.certificate"].level is Level.ERROR
    assert "ca_file" in found["smtp.certificate"].do


def test_a6_a_certificate_for_another_name(authority: trustme.CA, ca_file: Path) -> None:
    """Nor does one that was made for somebody else do."""
    context = server_context(authority, "mail.example.org")
    _, found = over_tls(context, "tls", at_once=True, ca_file=ca_file)
    assert found["smtp.certificate"].level is Level.ERROR
    assert "127.0.0.1" in found["smtp.certificate"].found


def test_a_certificate_that_ends_soon(authority: trustme.CA, ca_file: Path) -> None:
    """Renewal has failed by then."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", not_after=NOW + timedelta(days=9, hours=1)).configure_cert(
        context
    )
    _, found = over_tls(context, "tls", at_once=True, ca_file=ca_file)
    assert found["smtp.certificate"].level is Level.WARNING
    assert "in 9 days" in found["smtp.certificate"].found


@pytest.mark.parametrize(("tls", "other"), [("starttls", "tls"), ("tls", "starttls")])
def test_a6_the_other_mode_is_named(
    authority: trustme.CA, ca_file: Path, tls: str, other: str
) -> None:
    """TLS from the first byte and STARTTLS are taken for each other often."""
    _, found = over_tls(
        server_context(authority), tls, at_once=other == "tls", ca_file=ca_file, timeout_s=1
    )
    (only,) = found.values()
    assert only.level is Level.ERROR
    assert only.check in {"smtp.encryption", "smtp.connection"}  # silence, where both wait
    if only.check == "smtp.encryption":
        assert f'tls = "{other}"' in only.do


def test_a6_a_server_without_starttls() -> None:
    """No mail goes there in the clear."""

    async def run() -> list[Finding]:
        async with mail_server() as served:
            return (await relay_findings(Relay("127.0.0.1", served.port, "starttls"), NOW))[1]

    (found,) = asyncio.run(run())
    assert (found.check, found.level) == ("smtp.encryption", Level.ERROR)


def test_a6_a_wrong_password_is_told_and_never_shown(authority: trustme.CA, ca_file: Path) -> None:
    """The server's words stand there, the password does not (D1)."""
    login = Login("digest", "wr0ng-m4rk3r")
    seen, found = over_tls(
        server_context(authority), "tls", at_once=True, ca_file=ca_file, login=login
    )
    assert seen.step is Step.LOGIN
    assert found["smtp.login"].level is Level.ERROR
    assert "535" in found["smtp.login"].found
    assert "wr0ng-m4rk3r" not in repr(found) + repr(seen)


def test_nothing_listens() -> None:
    """In the system's own words."""
    (found,) = asyncio.run(relay_findings(Relay("127.0.0.1", 1, "none"), NOW))[1]
    assert (found.check, found.level) == ("smtp.connection", Level.ERROR)
    assert "Connection refused" in found.found
    assert "Errno" not in found.found


@pytest.mark.parametrize(
    ("answer", "said"),
    [(b"554 5.7.1 not from here", "sends us away"), (DROP, "sends us away"), (HOLD, "not answer")],
)
def test_a_server_that_does_not_greet(answer: bytes, said: str) -> None:
    """Refused, hung up on, or left waiting."""
    _, found = visited(lambda step, before: answer if step == "connect" else None, timeout_s=1)
    (only,) = found.values()
    assert (only.check, only.level) == ("smtp.connection", Level.ERROR)
    assert said in only.found or answer == DROP


@pytest.mark.parametrize(
    ("extensions", "level", "said"),
    [
        (("SIZE 10000000",), Level.OK, "at most 10,000,000 octets"),
        (("SIZE 0", "8BITMIME"), Level.OK, "no limit"),
        (("SIZE 100000",), Level.WARNING, "at most 100,000 octets"),
        (("SIZE x",), Level.OK, "no limit"),
        (("LIMITS MAILMAX=5 RCPTMAX=1",), Level.WARNING, "takes 5 mails"),
        (("LIMITS MAILMAX=500",), Level.OK, "no limit"),
        ((), Level.OK, "offers nothing more"),
    ],
)
def test_q19_the_limits_of_ehlo(extensions: tuple[str, ...], level: Level, said: str) -> None:
    """What is too small for our mail, or for how we send it, is a warning with the setting."""
    limits = visited(extensions=(*extensions, "HELP"))[1]["smtp.limits"]
    assert (limits.level, said in limits.found) == (level, True), limits


def test_a_login_on_offer_that_the_config_does_not_use() -> None:
    """Only on the ports that are for those who log in."""
    relay = Relay("smtp.example.org", 587, "none")
    seen = Visit(Step.READY, address="192.0.2.1", extensions={"auth": "PLAIN"})
    found = by_check(list(findings_of(relay, seen, NOW)))
    assert found["smtp.login"].level is Level.WARNING
    assert found["smtp.encryption"].level is Level.WARNING
