"""The day by command: read, look, send, ask how it stands."""

from __future__ import annotations

import json
import re
from email import message_from_bytes
from email.policy import SMTP as SMTP_POLICY
from pathlib import Path

import pytest

from tests.cli.desk import ADA, EMMY, PAPERS, Desk, at
from tests.e2e.service import mail_server_thread
from tests.smtp_server import MailServer

LATE = EMMY.replace("[subscribers.k", 'send_at = "23:30"\n[subscribers.k').replace(
    "noetherian ring", "quantiz*"
)
"""A subscriber whose hour has not come at the desk's time."""


def mailing(desk: Desk, server: MailServer, subscribers: str = ADA + EMMY) -> None:
    """Let the desk's mails go to this server."""
    desk.write_config(subscribers, {"port = 1": f"port = {server.port}"})


def recipients(server: MailServer) -> list[str]:
    """Whom the server took a mail for, in its order."""
    return [address for mail in server.taken for address in mail.recipients]


def test_a_day_from_reading_to_sending(desk: Desk) -> None:
    """Each command says what it did, and a second time there is nothing to do."""
    with mail_server_thread() as server:
        mailing(desk, server)
        assert "never read" in desk.run("status").stdout
        assert re.search(r"Papers +5 +5 +0 ", desk.run("ingest").stdout)
        said = desk.run("send").stdout
        assert said == "prepared 1 mail; 1 subscriber without a match\nsent 1 mail\n"
        assert recipients(server) == ["ada@example.org"]
        assert desk.json("status")["deliveries"] == {"sent": 1, "empty": 1}
        assert desk.run("ingest").stdout.splitlines()[1].split()[:4] == ["Papers", "5", "0", "5"]
        assert desk.run("send").stdout.startswith("nobody is due now; `digest send --now`")
        assert desk.run("send", "--now").stdout.startswith("everyone's digest of today")
        assert recipients(server) == ["ada@example.org"]


def test_now_waits_for_nobodys_hour_and_never_sends_twice(desk: Desk) -> None:
    """Who is due at 23:30 gets today's digest at once, and none at 23:30."""
    with mail_server_thread() as server:
        mailing(desk, server, ADA + LATE)
        desk.run("ingest")
        desk.run("send")
        assert recipients(server) == ["ada@example.org"]
        desk.run("send", "--now")
        assert recipients(server) == ["ada@example.org", "emmy@example.org"]


def test_now_takes_other_days_too(desk: Desk) -> None:
    """A subscriber of Mondays is served on this Friday; without --now not."""
    monday = ADA.replace("[subscribers.k", 'days = ["mon"]\n[subscribers.k')
    with mail_server_thread() as server:
        mailing(desk, server, monday)
        desk.run("ingest")
        assert desk.run("send").stdout.startswith("nobody is due")
        desk.run("send", "--now")
        assert recipients(server) == ["ada@example.org"]


def test_d6_a_dry_run_reaches_nobody_and_records_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files are named and hold the mail; the server saw no connection; the day is still due."""
    with mail_server_thread() as server:
        mailing(desk, server, ADA + LATE)
        desk.run("ingest")
        result = desk.run("send", "--dry-run", "--output", "try")
        (path,) = map(Path, result.stdout.splitlines())
        mail = message_from_bytes(path.read_bytes(), policy=SMTP_POLICY)
        assert mail["To"] == "ada@example.org"
        assert "wrote 1 mail" in result.stderr
        everyone = desk.run("send", "--dry-run", "--now").stdout.splitlines()
        assert everyone == ["mails/ada@example.org.eml", "mails/emmy@example.org.eml"]
        desk.run("preview", "ada@example.org")
        assert server.connections == 0
        assert desk.json("status")["deliveries"] == {}
        at(monkeypatch, "2026-11-20T06:00:00+00:00")
        assert "nobody is due now" in desk.run("send", "--dry-run").stderr
        at(monkeypatch, "2026-11-20T14:00:00+00:00")
        desk.run("send")
        assert recipients(server) == ["ada@example.org"]


def test_a_server_that_refuses_connections_costs_nothing(desk: Desk) -> None:
    """Exit 1 and one line why; the rows stay, and the very next run sends them."""
    desk.run("ingest")
    result = desk.run("send", code=1)
    assert "Error: the mail server 127.0.0.1:1 takes no mail: Connection refused" in result.stderr
    assert "1 mail waits" in result.stderr
    assert "mails wait" in desk.run("status").stdout
    with mail_server_thread() as server:
        mailing(desk, server)
        assert "sent 1 mail" in desk.run("send").stdout
        assert recipients(server) == ["ada@example.org"]


def test_a_refused_and_a_deferred_mail_are_told_apart(desk: Desk) -> None:
    """Who is at fault, for good or for now, and when it is tried again; the others get theirs."""

    def script(step: str, before: int) -> bytes | None:
        replies = {
            "RCPT <gone@example.org>": b"550 5.1.1 no such user",
            "RCPT <grey@example.org>": b"451 4.7.1 come back later",
        }
        return replies.get(step)

    people = ADA + ADA.replace("ada", "gone") + ADA.replace("ada", "grey")
    with mail_server_thread(script) as server:
        mailing(desk, server, people)
        desk.run("ingest")
        result = desk.run("send", code=1)
        assert "Error: gone@example.org: refused for good: 550 5.1.1 no such" in result.stderr
        assert "Error: grey@example.org: deferred: 451 4.7.1 come back" in result.stderr
        assert re.search(r"1 mail waits; .* try again from 2026-11-20 14:0[5-9]", result.stderr)
        assert recipients(server) == ["ada@example.org"]


def test_explain_says_what_counted_and_what_did_not(desk: Desk) -> None:
    """Score, floor, reasons, the terms without a hit; an exclusion overrules them."""
    excluding = ADA.replace("[subscribers.k", 'exclude = ["medical imaging"]\n[subscribers.k')
    desk.write_config(excluding + '"turbulence" = 1\n')
    desk.run("ingest")
    said = desk.run("explain", "ada@example.org", "for Long").stdout
    assert re.search(r"score 0\.\d\d, passes the floor of 0\.25", said)
    assert re.search(r"\+0\.\d\d\d +flash attention +title", said)
    assert "did not match: turbulence" in said
    assert (
        "excluded by 'medical imaging'" in desk.run("explain", "ada@example.org", "Medical").stdout
    )
    (one,) = desk.json("explain", "ada@example.org", "for Long")
    assert one["match"]["score"] == pytest.approx(sum(r["points"] for r in one["match"]["reasons"]))
    many = desk.run("explain", "ada@example.org", "e")
    assert "more listings have 'e' in their title" in many.stderr


def test_explain_says_who_is_followed(desk: Desk) -> None:
    """What is shown for its author is not called too low without a word on that."""
    desk.write_config(
        ADA.replace("[subscribers.k", 'organizations = ["Example Lab"]\n[subscribers.k')
    )
    line = {"title": "On Rivers", "abstract": "Water.", "organization": "example-lab"}
    Path("papers.jsonl").write_text(json.dumps(line) + "\n", "utf-8")
    desk.run("ingest")
    said = desk.run("explain", "ada@example.org", "On Rivers").stdout
    assert "shown whatever its score: Example Lab is followed" in said
    assert desk.json("explain", "ada@example.org", "On Rivers")[0]["followed"] == ["Example Lab"]


def test_status_speaks_to_people_and_to_programs(desk: Desk) -> None:
    """The same facts in both; times in JSON are ISO 8601."""
    desk.run("ingest")
    report = desk.json("status")
    assert report["sources"][0]["last_success_at"].startswith("2026-11-20T14:0")
    assert report["subscribers"] == {"active": 2}
    said = desk.run("status").stdout
    assert re.search(r"Papers +jsonl +5 +5 +2026-11-20 14:0\d UTC +ok", said)
    assert "subscribers: 2 active" in said
    assert "digests since 2026-11-20 00:00 UTC: none" in said


def test_a_broken_template_is_told_and_nobody_is_left_without_mail(desk: Desk) -> None:
    """`check` ends with 2 and names template, line and variable; `send` warns and sends."""
    Path("own").mkdir()
    Path("own/item.txt").write_text("{{ entry.title }}\n{{ entry.colour }}\n")
    with mail_server_thread() as server:
        template = {"[mail]": '[mail]\ntemplates = "own"', "port = 1": f"port = {server.port}"}
        desk.write_config(ADA, template)
        said = desk.refused("check", code=2)
        assert "own: template item.txt, line" in said
        desk.run("ingest")
        result = desk.run("send")
        assert "Warning: templates.broken" in result.stderr
        assert "item.txt, line" in result.stderr
        (mail,) = server.taken
        assert b"Flash Attention for Long Sequences" in mail.raw.replace(b"=\r\n", b"")


def test_d1_a_secret_is_shown_nowhere(desk: Desk) -> None:
    """Neither the password nor the signing key stands in what any command prints."""
    Path("password").write_text("marker-of-a-secret\n")
    Path("password").chmod(0o600)
    login = 'tls = "none"\nallow_plaintext = false'
    with_password = 'tls = "tls"\nusername = "digest"\npassword_file = "password"'
    desk.write_config(ADA, {'tls = "none"': login})
    desk.write_config(ADA, {'tls = "none"': with_password})
    runs = [
        desk.run("check"),
        desk.run("check", "--json"),
        desk.run("ingest"),
        desk.run("send", code=1),
        desk.run("status", "--json"),
        desk.run("preview", "ada@example.org"),
    ]
    key = Path("secret.key").read_text().strip()
    for result in runs:
        assert "marker-of-a-secret" not in result.output
        assert key not in result.output
        assert key not in repr(result)


def test_x10_what_comes_from_outside_cannot_steer_a_terminal(desk: Desk) -> None:
    """Escape codes and line ends in a title, a file's name and a reply are blanks."""

    def script(step: str, before: int) -> bytes | None:
        return b"550 no\x1b[2Juser\x07" if step.startswith("RCPT") else None

    hostile = ("Flash Attention \x1b[31m in red\nError: forged", "Flash attention.", 1)
    desk.write_papers("papers.jsonl", (hostile, *PAPERS))
    with mail_server_thread(script) as server:
        mailing(desk, server, ADA)
        outputs = [
            desk.run("ingest").output,
            desk.run("explain", "ada@example.org", "in red").output,
            desk.run("send", code=1).output,
        ]
    for output in outputs:
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", output)
        assert "\nError: forged" not in output
