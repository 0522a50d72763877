"""`digest doctor`: looks at everything, changes nothing, writes to nobody but the operator."""

from __future__ import annotations

from collections.abc import Iterator
from email import message_from_bytes
from pathlib import Path

import pytest

from digest.dkim import make_pem, read_key
from tests.cli.desk import ADA, EMMY, Desk
from tests.dns_server import Zone, name_server
from tests.doctor.test_pages import web
from tests.e2e.service import beside, mail_server_thread
from tests.smtp_server import MailServer, Script

MARKER = "s3cr3t-m4rk3r"
GOOD = {
    "example.org TXT": ['"v=spf1 ip4:192.0.2.1 -all"'],
    "example.org MX": ["10 mx.example.org."],
    "mx.example.org A": ["192.0.2.1"],
    "_dmarc.example.org TXT": ['"v=DMARC1; p=none"'],
    "sink.example.org A": ["192.0.2.1"],
}
"""What DNS holds of example.org, and of the name that the mail server of the tests goes by."""


class Surroundings:
    """What stands around a service: mail server, pages and DNS, on loopback."""

    def __init__(self, desk: Desk, mail: MailServer, page: int, dns: int) -> None:
        self.desk, self.mail, self.page, self.dns = desk, mail, page, dns

    def configure(self, swaps: dict[str, str] | None = None, *, more: str = "") -> None:
        """Write a config that names them; `swaps` replace parts of it, `more` is added."""
        places = {
            "port = 1": f"port = {self.mail.port}",
            "https://digest.example.org": f"http://127.0.0.1:{self.page}",
        }
        self.desk.write_config(ADA + EMMY + more, places | (swaps or {}))

    def doctor(self, *words: str, code: int = 0) -> str:
        """What the command prints."""
        return self.desk.run(
            "doctor", "--nameserver", f"127.0.0.1:{self.dns}", *words, code=code
        ).output


@pytest.fixture
def script() -> Script:
    """How the mail server misbehaves: not at all."""
    return lambda step, before: None


@pytest.fixture
def zone() -> Zone:
    """What DNS holds."""
    return GOOD


@pytest.fixture
def around(desk: Desk, script: Script, zone: Zone) -> Iterator[Surroundings]:
    """A desk whose config names servers that run."""
    with (
        mail_server_thread(script) as mail,
        beside(web()) as (page, _),
        beside(name_server(zone)) as (_, dns),
    ):
        made = Surroundings(desk, mail, page, dns)
        made.configure()
        yield made


def files(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {str(one): one.read_bytes() for one in folder.rglob("*") if one.is_file()}


def test_a10_a_look_at_a_good_service_changes_nothing(around: Surroundings) -> None:
    """Exit code 0 without an error; no file is touched, no mail begun."""
    around.desk.run("ingest")
    before = files(around.desk.folder)
    said = around.doctor()
    assert files(around.desk.folder) == before
    assert not around.mail.taken
    assert {command.split()[0] for command in around.mail.commands} == {"EHLO", "QUIT"}
    assert said.splitlines()[-1].startswith("0 errors, ")
    for head in (
        "config",
        "mail server",
        "DNS",
        "pages",
        "clock",
        "this machine",
        "data",
        "sources",
    ):
        assert head in said.splitlines()


def test_a10_before_the_first_start_nothing_is_made(around: Surroundings) -> None:
    """Neither a database nor a key."""
    before = files(around.desk.folder)
    around.doctor()
    assert files(around.desk.folder) == before


def test_what_is_wrong_is_told_with_its_reason_and_remedy(desk: Desk) -> None:
    """Exit code 1; below each finding that is not good stand two lines."""
    with beside(name_server({})) as (_, dns):
        said = desk.run("doctor", "--nameserver", f"127.0.0.1:{dns}", code=1).output.splitlines()
    bad = [at for at, line in enumerate(said) if line.startswith(("  error", "  warning"))]
    assert len(bad) > 5
    for at in bad:
        assert said[at + 1].startswith("           why: ")
        assert said[at + 2].startswith("           do:  ")
    assert any('IN TXT "v=DMARC1; p=none;' in line for line in said)


def test_the_report_for_programs(around: Surroundings) -> None:
    """Each finding with its check, level, words, reason and remedy; counts beside them."""
    report = around.desk.json("doctor", "--nameserver", f"127.0.0.1:{around.dns}")
    levels = [one["level"] for one in report["findings"]]
    assert (report["errors"], report["warnings"]) == (0, levels.count("warning"))
    for one in report["findings"]:
        assert set(one) == {"check", "level", "found", "do", "why"}
        assert all(isinstance(text, str) for text in one.values())
        assert one["why"]
        assert bool(one["do"]) is (one["level"] != "ok")


def test_a10_a_probe_goes_to_the_operator_alone(around: Surroundings) -> None:
    """The sink gets one mail, made like a digest; no subscriber gets one and no row is written."""
    around.desk.run("ingest")
    said = around.doctor("--probe", "operator@example.net")
    (taken,) = around.mail.taken
    assert taken.recipients == ["operator@example.net"]
    mail = message_from_bytes(taken.raw)
    assert mail["To"] == "operator@example.net"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert b"This is a probe by" in taken.raw
    assert "250 OK queued as 4F2A" in said
    assert around.desk.json("status")["deliveries"] == {}


@pytest.mark.parametrize("address", ["ada@example.org", "ADA@Example.org", "mary@example.org"])
def test_a10_a_probe_to_a_subscriber_is_refused(around: Surroundings, address: str) -> None:
    """Of the file or of the store, in any case; nothing at all is sent."""
    around.desk.run("ingest")
    around.desk.run("subscribers", "add", "mary@example.org", "-k", "braids")
    said = around.doctor("--probe", address, code=1)
    assert "is a subscriber, and a probe never goes to one" in said
    assert not around.mail.connections


def test_a10_the_operators_own_address_may_subscribe(around: Surroundings) -> None:
    """The address of reply_to is the operator's, whatever it reads."""
    around.configure({"[smtp]": 'reply_to = "ada@example.org"\n[smtp]'})
    around.desk.run("ingest")
    around.doctor("--probe", "ada@example.org")
    assert [one.recipients for one in around.mail.taken] == [["ada@example.org"]]


@pytest.mark.parametrize("email", ["nobody", ""])
def test_a_probe_is_no_address(around: Surroundings, email: str) -> None:
    """Told as every wrong address is, and so is none, as an unset variable gives it."""
    assert "is no mail address" in around.doctor("--probe", email, code=2)


def test_a2_a_signed_probe_comes_back_as_it_should(around: Surroundings) -> None:
    """Signed here, sent, saved as it arrived and read again: everything is covered."""
    key = around.desk.folder / "dkim.pem"
    key.write_bytes(make_pem("ed25519"))
    key.chmod(0o600)
    assert read_key(key, "d")
    key.write_bytes(make_pem("rsa"))
    around.configure(
        more='\n[dkim]\ndomain = "example.org"\nselector = "d"\nkey_file = "dkim.pem"\n'
    )
    around.desk.run("ingest")
    around.doctor("--probe", "operator@example.net", code=1)  # its key is not in DNS
    arrived = around.desk.folder / "arrived.eml"
    arrived.write_bytes(b"Received: from x\r\n" + around.mail.taken[0].raw)
    said = around.desk.run("doctor", "--received", str(arrived)).output
    assert "d._domainkey.example.org signs all that it should" in said


def test_a_file_that_is_no_probe(desk: Desk) -> None:
    """One line, exit code 1."""
    Path("other.eml").write_text("hello")
    assert "no mail of ours" in desk.refused("doctor", "--received", "other.eml", code=1)


@pytest.mark.parametrize("address", ["dns.example.org", "9.9.9.9:x", "9.9.9.9:70000", ""])
def test_a_name_server_is_an_address(desk: Desk, address: str) -> None:
    """A name would have to be asked for first."""
    assert "9.9.9.9:53" in desk.run("doctor", "--nameserver", address, code=2).stderr


def test_d1_no_secret_is_shown(around: Surroundings) -> None:
    """Neither password nor key, whatever goes wrong with them."""
    for name in ("password", "secret.key"):
        (around.desk.folder / name).write_text(MARKER)
        (around.desk.folder / name).chmod(0o600)
    login = '\nusername = "digest"\npassword_file = "password"\n'
    around.configure({'tls = "none"': f'tls = "none"{login}'})
    for words in ([], ["--json"], ["--probe", "operator@example.net"]):
        said = around.doctor(*words, code=1)
        assert "offers no login" in said
        assert MARKER not in said


def test_the_config_has_to_be_one(desk: Desk) -> None:
    """Its faults end the command, as everywhere."""
    desk.write_config("", {"[smtp]": "[smpt]"})
    assert "did you mean [smtp]" in desk.run("doctor", code=2).stderr
