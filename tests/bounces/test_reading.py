"""Reports written for the test, and bytes that are none."""

from __future__ import annotations

import base64
import time
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.bounces import AutoReply, Bounce, Complaint, Other, Severity, read_return
from digest.bounces.reading import MAX_FAILURES
from tests.bounces.mails import delivery_report, feedback, group, returned, vacation


def test_n1_the_traces_of_our_mail_are_kept() -> None:
    """Where the report was sent to, what the mail came from, and the id that it had."""
    raw = delivery_report(
        to="bounce+abc@example.org",
        head="Delivered-To: bounce+def@example.org\n",
        back=returned("bounce+ghi@example.org", message_id="id@example.org"),
    )
    found = read_return(raw).traces
    for token in ("abc", "def", "ghi"):
        assert any(f"bounce+{token}@" in address for address in found.addresses)
    assert found.message_ids == ("id@example.org",)


@pytest.mark.parametrize(
    ("fields", "severity"),
    [
        ({"status": "5.1.1"}, Severity.HARD),
        ({"status": "5.1.2"}, Severity.HARD),
        ({"status": "5.1.3"}, Severity.HARD),
        ({"status": "5.1.6"}, Severity.HARD),
        ({"status": "5.1.10"}, Severity.HARD),
        ({"status": "5.0.0", "diagnostic": "550 5.1.1 no such user"}, Severity.HARD),
        ({"status": "5.1.1 (bad destination mailbox)"}, Severity.HARD),
        ({"status": "5.1.0"}, Severity.SOFT),
        ({"status": "5.1.8"}, Severity.SOFT),
        ({"status": "5.2.2"}, Severity.SOFT),
        ({"status": "5.2.2", "diagnostic": "552 5.2.2 Quota exceeded (full)"}, Severity.SOFT),
        ({"status": "5.2.2", "diagnostic": "552 5.2.2 full; blocked as spam"}, Severity.POLICY),
        ({"status": "5.0.0", "diagnostic": "550 sending quota exceeded"}, Severity.POLICY),
        ({"status": "5.0.0", "diagnostic": "550 unknown"}, Severity.SOFT),
        ({"status": "4.4.7"}, Severity.SOFT),
        ({"status": "5.1.1", "diagnostic": "452 4.2.2 mailbox full"}, Severity.SOFT),
        ({"status": "5.1.1", "diagnostic": "550 5.1.1 blocked as spam"}, Severity.SOFT),
        ({"status": "5.7.1"}, Severity.POLICY),
        ({"status": "5.0.0", "diagnostic": "550 5.7.26 not signed"}, Severity.POLICY),
        ({"status": "5.0.0", "diagnostic": "554 listed at a dnsbl"}, Severity.POLICY),
        ({"status": "5.1.1", "diagnostic": "550 from 192.5.7.1: unknown"}, Severity.HARD),
    ],
)
def test_n2_the_codes_say_how_bad_it_is(fields: dict[str, str], severity: Severity) -> None:
    """Hard for a dead address, soft for what may pass, policy where nobody is to blame (Q11)."""
    found = read_return(delivery_report(group(**fields)))
    assert isinstance(found, Bounce)
    assert [one.severity for one in found.failures] == [severity]


@pytest.mark.parametrize("action", ["delivered", "relayed", "expanded", "deliverable"])
def test_n2_what_arrived_is_no_bounce(action: str) -> None:
    """A report of success ends there, whatever its text looks like."""
    assert isinstance(read_return(delivery_report(group(action=action, status="2.1.5"))), Other)


def test_n2_a_delay_is_not_final() -> None:
    """The mail may still arrive."""
    found = read_return(delivery_report(group(action="delayed", status="4.4.1")))
    assert isinstance(found, Bounce)
    assert not found.failures[0].final


def test_n2_reports_in_utf_8_and_encoded_ones_are_read() -> None:
    """RFC 6533 has a type of its own; some encode what must not be encoded."""
    both = group() + "\n" + group("mary@example.org")
    found = read_return(delivery_report(both, kind="message/global-delivery-status"))
    assert isinstance(found, Bounce)
    assert [one.recipient for one in found.failures] == ["ada@example.org", "mary@example.org"]
    text = base64.encodebytes(f"Reporting-MTA: dns; x\n\n{group()}".encode()).decode()
    kind = "message/delivery-status\nContent-Transfer-Encoding: base64"
    raw = delivery_report("x", kind=kind)
    found = read_return(raw.replace(b"Reporting-MTA: dns; mx.example.org\n\nx", text.encode()))
    assert isinstance(found, Bounce)
    assert found.failures[0].severity is Severity.HARD


def test_n2_the_address_that_failed_and_the_one_that_was_mailed() -> None:
    """An alias leads elsewhere: both are told."""
    found = read_return(delivery_report(group("dead@example.net", original="team@example.org")))
    assert isinstance(found, Bounce)
    assert found.failures[0].recipient == "team@example.org"
    assert found.failures[0].mailbox == "dead@example.net"


def test_n4_a_report_inside_a_returned_mail_says_nothing() -> None:
    """Somebody passes on a bounce that somebody else once got."""
    inner = delivery_report().decode()
    raw = (
        "From: ada@example.org\nTo: digest@example.org\nSubject: Fwd\n"
        'Content-Type: multipart/mixed; boundary="o"\n\n--o\nContent-Type: text/plain\n\nLook.\n'
        f"--o\nContent-Type: message/rfc822\n\n{inner}\n--o--\n"
    )
    assert isinstance(read_return(raw.encode()), Other)


def test_n2_a_report_that_a_gateway_wraps_is_read() -> None:
    """The same parcel from a mail system: its report is about our mail."""
    raw = (
        "From: postmaster@mx.example.org\nTo: bounce@example.org\nSubject: Failure\n"
        'Content-Type: multipart/mixed; boundary="o"\n\n--o\nContent-Type: message/rfc822\n\n'
        f"{delivery_report().decode()}\n--o--\n"
    )
    found = read_return(raw.encode())
    assert isinstance(found, Bounce)
    assert found.failures[0].severity is Severity.HARD


@pytest.mark.parametrize(
    "fields",
    [
        {"Auto_Submitted": "auto-replied"},
        {"Auto_Submitted": "auto-replied (vacation)", "Return_Path": "<>"},
        {"X_Autoreply": "yes"},
        {"Precedence": "auto_reply"},
        {"Subject": "Out of Office: back on Monday"},
        {"Subject": "=?utf-8?B?QWJ3ZXNlbmhlaXQ=?="},
        {"Subject": "Automatic reply: 3 papers"},
    ],
)
def test_n5_vacation_replies_change_nothing(fields: dict[str, str]) -> None:
    """Even one whose words look like a bounce."""
    assert isinstance(read_return(vacation(**fields)), AutoReply)


def test_n5_the_same_words_from_a_mail_system_are_a_bounce() -> None:
    """The test above can fail: it is who writes that makes the difference."""
    raw = vacation(Auto_Submitted="auto-replied").replace(
        b"Ada <ada@example.org>", b"MAILER-DAEMON@example.org"
    )
    assert isinstance(read_return(raw), Bounce)


@pytest.mark.parametrize("kind", ["abuse", "fraud", "opt-out", "not-spam", "virus"])
def test_f1_the_kind_of_a_complaint(kind: str) -> None:
    """It is told as it stands; what follows from it is decided elsewhere."""
    found = read_return(feedback(kind, "Original-Rcpt-To: <ada@example.org>"))
    assert isinstance(found, Complaint)
    assert (found.kind, found.recipients) == (kind, ("ada@example.org",))


def test_f2_a_complaint_without_a_reader_has_the_traces() -> None:
    """Masked as they often are, they name our mail all the same."""
    raw = feedback("abuse", "Original-Mail-From: <bounce+abc@example.org>")
    found = read_return(raw)
    assert isinstance(found, Complaint)
    assert not found.recipients
    assert "<bounce+abc@example.org>" in found.traces.addresses
    assert found.traces.message_ids == ("2026-11-20.abc@example.org",)


def test_n7_a_report_on_thousands_of_recipients_is_cut() -> None:
    """It is read up to a limit and in little time."""
    groups = [group(f"a{number}@example.org") for number in range(5000)]
    found = read_return(delivery_report(*groups))
    assert isinstance(found, Bounce)
    assert 500 < len(found.failures) <= MAX_FAILURES


def nested(depth: int) -> bytes:
    """Multiparts inside each other."""
    one = "Content-Type: multipart/mixed; boundary=b{0}\n\n--b{0}\n"
    return "".join(one.format(number) for number in range(depth)).encode()


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\0" * 10_000_000,
        b"\n" * 10_000_000,
        b"a@b.c " * 2_000_000,
        b"To: a\n" * 200_000,
        b"Subject: " + b"=?utf-8?b?" * 200_000,
        b"Subject: =?nonsense?b?4?=\n\n",
        b"From: \xff\xfe\nContent-Type: multipart/report; boundary\n\n\xff",
        b"Content-Type: multipart/report; boundary=x\n\n" + b"--x\n\n" * 100_000,
        b"Content-Type: message/rfc822\n\n" * 9000,
        nested(5000),
    ],
    ids=lambda raw: f"{len(raw)}-{raw[:12]!r}",
)
def test_n7_hostile_bytes_take_little_time(raw: bytes) -> None:
    """Ten megabytes, a hundred thousand parts, a depth of thousands: no report, and no wait."""
    started = time.process_time()
    assert isinstance(read_return(raw), Other)
    assert time.process_time() - started < 10  # 1.3 s at most was measured


SAMPLES = (delivery_report(), feedback(), vacation(), delivery_report(group(action="delayed")))


@settings(deadline=None, max_examples=150)
@given(st.data())
def test_n7_mutated_reports_never_raise(data: st.DataObject) -> None:
    """Bytes put in, cut out and repeated anywhere: something is always said."""
    raw = bytearray(data.draw(st.sampled_from(SAMPLES)))
    for _ in range(data.draw(st.integers(0, 6))):
        start = data.draw(st.integers(0, len(raw)))
        end = data.draw(st.integers(start, min(len(raw), start + 80)))
        raw[start:end] = data.draw(st.binary(max_size=40)) + raw[start:end] * data.draw(
            st.integers(0, 3)
        )
    assert isinstance(read_return(bytes(raw)), Bounce | Complaint | AutoReply | Other)


@settings(deadline=None, max_examples=100)
@given(st.binary(max_size=2000))
def test_n7_any_bytes_never_raise(raw: bytes) -> None:
    """There is no bytes that cannot be answered with a value."""
    read_return(raw)


@pytest.mark.parametrize("seed", range(6))
def test_n7_garbage_is_no_bounce(seed: int) -> None:
    """Noise that comes to the address of a mail names nobody whose mail has failed."""
    noise = Random(seed).randbytes(600_000)  # noqa: S311  # the same at every run
    assert isinstance(read_return(noise), Other)
