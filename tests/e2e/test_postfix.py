"""Digests through Debian's own Postfix and Dovecot, and back when they bounce."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from email import message_from_bytes
from email.policy import SMTP as SMTP_POLICY
from pathlib import Path

import pytest

from digest.config import load_config
from digest.dkim import make_pem, read_key
from tests.e2e.other_user import NOBODY
from tests.e2e.pages import twenty_subscribers, write_pages
from tests.e2e.post_office import (
    PASSWORD,
    PostOffice,
    post_office,
    skip_where_it_cannot_run,
)
from tests.e2e.service import Service, text_part
from tests.e2e.test_main_job import check_mail, expected
from tests.ports import free_port

ROOT = Path(__file__).parents[2]
READERS = [f"reader{number}@example.org" for number in range(20)]
SENDER = "digest@example.org"
KINDS = ("rsa", "ed25519")
PLACES = ("imap", "maildir", "listen")
LISTENER_PORT = free_port()
LISTENED = """
relay_domains = listen.example.org
transport_maps = inline:{{ {{ listen.example.org = lmtp:inet:127.0.0.1:{port} }} }}
"""

CONFIG = """
[service]
base_url = "https://digest.example.org"

[mail]
from = "Paper digest <digest@example.org>"
bounce_domain = "{domain}"

[smtp]
host = "127.0.0.1"
port = {smtp_port}
username = "digest@example.org"
password_file = "password"
ca_file = "{ca_file}"

[dkim]
domain = "example.org"
selector = "rsa"
key_file = "rsa.pem"
ed25519_selector = "ed25519"
ed25519_key_file = "ed25519.pem"

[web]
port = 0

[bounces]
every_s = 5
{place}

[[sources]]
name = "Saved pages"
kind = "page"
path = "*.txt"
"""

PLACE = {
    "imap": """
[bounces.imap]
host = "127.0.0.1"
port = {imap_port}
username = "bounce@imap.example.org"
password_file = "password"
ca_file = "{ca_file}"
done_folder = "Processed"
""",
    "maildir": 'maildir = "{maildir}"',
    "listen": f'listen = "127.0.0.1:{LISTENER_PORT}"',
    "pipe": "",
}


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The keys of a service and the password of its mail account."""
    folder = tmp_path_factory.mktemp("secrets")
    for kind in KINDS:
        (folder / f"{kind}.pem").write_bytes(make_pem(kind))
    (folder / "password").write_text(PASSWORD)
    for path in folder.iterdir():
        path.chmod(0o600)
    return folder


@pytest.fixture(scope="module")
def office(secrets: Path) -> Iterator[PostOffice]:
    """A mail house with everybody's mailboxes, except for those whom the tests call unknown."""
    skip_where_it_cannot_run()
    boxes = [*READERS, SENDER, *(f"bounce@{place}.example.org" for place in PLACES[:2])]
    with post_office(
        boxes,
        {
            f"{kind}._domainkey.example.org": read_key(secrets / f"{kind}.pem", kind, kind).record
            for kind in KINDS
        },
        full=["full@example.org"],
        main=LISTENED.format(port=LISTENER_PORT),
    ) as running:
        yield running


def served(
    folder: Path, office: PostOffice, secrets: Path, subscribers: str, place: str = "imap"
) -> Service:
    """A service that sends through the mail house and takes what comes back at one place."""
    write_pages("ours", folder)
    for path in secrets.iterdir():
        shutil.copy(path, folder)
    values = {
        "smtp_port": office.smtp_port,
        "imap_port": office.imap_port,
        "ca_file": office.ca_file,
        "maildir": office.maildir("bounce@maildir.example.org"),
        "domain": f"{place}.example.org",
    }
    service = Service(folder, office.smtp_port, "")
    text = CONFIG.format(place=PLACE[place].format(**values), **values)
    (folder / "config.toml").write_text(text + subscribers, "utf-8")
    return service


def person(name: str) -> str:
    """The TOML of somebody whom the saved pages have something for."""
    return f"""
[[subscribers]]
email = "{name}@example.org"
[subscribers.keywords]
"random graph" = 3
"""


def checked(raw: bytes) -> list[str]:
    """What OpenDKIM wrote into a mail about each of its signatures."""
    head = raw.partition(b"\r\n\r\n")[0].decode("ascii")
    fields = re.findall(
        r"(?m)^Authentication-Results: mail\.example\.org;((?:.*\n?)(?:[ \t].*\n?)*)", head
    )
    return re.findall(r"dkim=(\w+)", " ".join(fields))


def test_digests_lie_in_mailboxes_and_their_signatures_hold(
    office: PostOffice, secrets: Path, tmp_path: Path
) -> None:
    """By login, TLS, queue and LMTP: one mail for each reader, whole, both signatures valid."""
    service = served(tmp_path, office, secrets, twenty_subscribers("ours"))
    service.run("ingest")
    service.run("send")
    wanted = expected(load_config(tmp_path / "config.toml"), tmp_path)
    assert len(wanted) >= 15
    office.wait_for("the mailboxes", lambda: all(office.mails(one) for one in wanted))
    for address in READERS:
        mails = office.mails(address)
        assert len(mails) == (address in wanted)
        for raw in mails:
            assert checked(raw) == ["pass", "pass"]
            mail = message_from_bytes(raw, policy=SMTP_POLICY)
            assert mail["To"] == address
            assert re.fullmatch(r"<bounce\+\w+@imap\.example\.org>", mail["Return-Path"])
            check_mail(text_part(raw), wanted[address])


@contextmanager
def serving(service: Service) -> Iterator[None]:
    """`digest serve`, which must end with 0 when it is told to."""
    process = service.start("serve")
    try:
        yield
    finally:
        process.terminate()
        _, err = process.communicate(timeout=60)
    assert process.returncode == 0, err


def come_back(folder: Path) -> list[tuple[str, str]]:
    """(address, what came back for its mail), as recorded."""
    asked = """
        SELECT email, what FROM returns JOIN subscribers ON subscribers.id = subscriber_id
        ORDER BY email
    """
    with closing(sqlite3.connect(folder / "digest.db")) as db:
        return list(db.execute(asked))


@pytest.fixture
def bounced(
    request: pytest.FixtureRequest, office: PostOffice, secrets: Path, tmp_path: Path
) -> Service:
    """A service that mailed three people and has read what came back at the place of the test."""
    place = str(request.param)
    people = person("unknown") + person("full") + person(f"reader{PLACES.index(place)}")
    service = served(tmp_path, office, secrets, people, place)
    service.run("ingest")
    service.run("send", "--now")
    with serving(service):
        office.wait_for("both reports", lambda: len(come_back(tmp_path)) == 2)
    return service


@pytest.mark.parametrize("bounced", ["maildir", "listen"], indirect=True)
def test_n2_what_postfix_reports_is_read(bounced: Service) -> None:
    """Whom Dovecot does not know is a dead address, a full mailbox is not.

    Postfix keeps what comes back while nobody listens.
    """
    found = come_back(bounced.folder)
    assert found == [("full@example.org", "soft"), ("unknown@example.org", "hard")]


@pytest.mark.parametrize("bounced", ["imap"], indirect=True)
def test_n3_mail_to_an_unknown_user_is_the_last(bounced: Service) -> None:
    """The report suppresses them; the next mails go to the other two, the full mailbox as well."""
    listed = json.loads(bounced.run("suppressed", "list", "--json"))
    assert [one["address"] for one in listed] == ["unknown@example.org"]
    bounced.now = "2026-11-22T14:00:00+00:00"
    with (bounced.folder / "0.txt").open("a", encoding="utf-8") as page:
        page.write("The Giant Component of a Random Graph\n\nA random graph is studied.\n\n")
    bounced.run("ingest")
    assert "sent 2 mails" in bounced.run("send", "--now")


def piped(folder: Path) -> tuple[str, str]:
    """The guide's lines for main.cf and master.cf, for a service in this folder, run as nobody."""
    guide = (ROOT / "docs" / "bounces.md").read_text("utf-8")
    master, main = re.findall(r"```\n((?:digest unix|relay_domains) .*?)```", guide, re.DOTALL)
    for theirs, ours in (
        ("user=digest", f"user={NOBODY}"),
        ("/usr/local/bin/digest", str(Path(sys.executable).with_name("digest"))),
        ("/etc/paper-digest/config.toml", str(folder / "config.toml")),
    ):
        assert theirs in master
        master = master.replace(theirs, ours)
    return main.replace("bounces.example.org", "pipe.example.org"), master


def sent(log: str) -> str:
    """The lines on mails that have left Postfix's queue."""
    return "\n".join(line for line in log.splitlines() if "status=sent" in line)


def test_n3_n6_postfix_hands_a_report_to_the_pipe_and_keeps_it_while_we_are_busy(
    secrets: Path,
) -> None:
    """As the guide has it: kept while it may not read and while others write; then it counts."""
    skip_where_it_cannot_run()
    folder = Path(tempfile.mkdtemp(prefix="piped-"))  # the folders of pytest are root's alone
    try:
        main, master = piped(folder)
        with post_office([SENDER], {}, main=main, pipe=master) as office:
            service = served(folder, office, secrets, person("unknown"), "pipe")
            service.run("ingest")
            service.run("send", "--now")
            office.wait_for("a closed folder", lambda: "Permission denied" in office.logs())
            with closing(sqlite3.connect(folder / "digest.db", isolation_level=None)) as db:
                db.execute("BEGIN IMMEDIATE")
                for path in (folder, *folder.iterdir()):
                    shutil.chown(path, NOBODY)
                office.wait_for(
                    "a busy database", lambda: "locked by another process" in office.logs()
                )
                db.execute("ROLLBACK")
            office.wait_for("the report", lambda: "relay=digest, " in sent(office.logs()))
            assert come_back(folder) == [("unknown@example.org", "hard")]
            listed = json.loads(service.run("suppressed", "list", "--json"))
            assert [one["address"] for one in listed] == ["unknown@example.org"]
    finally:
        shutil.rmtree(folder)
