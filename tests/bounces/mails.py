"""Reports as mail systems write them, each with what the test names and quiet defaults."""

from __future__ import annotations

RETURNED = """\
Return-Path: <{sender}>
From: Paper digest <digest@example.org>
To: {to}
Subject: 3 papers
Message-ID: <{message_id}>
"""


def returned(
    sender: str = "digest@example.org",
    to: str = "ada@example.org",
    message_id: str = "2026-11-20.abc@example.org",
) -> str:
    """The header of the mail that comes back."""
    return RETURNED.format(sender=sender, to=to, message_id=message_id)


def group(recipient: str = "ada@example.org", **fields: str) -> str:
    """The fields of one recipient; `action`, `status`, `diagnostic` and `original` as named."""
    lines = [f"Original-Recipient: rfc822;{fields['original']}"] if "original" in fields else []
    lines += [
        f"Final-Recipient: rfc822; {recipient}",
        f"Action: {fields.get('action', 'failed')}",
        f"Status: {fields.get('status', '5.1.1')}",
    ]
    if "diagnostic" in fields:
        lines.append(f"Diagnostic-Code: smtp; {fields['diagnostic']}")
    return "\n".join(lines) + "\n"


def delivery_report(
    *groups: str,
    to: str = "bounce@example.org",
    back: str = "",
    kind: str = "message/delivery-status",
    head: str = "",
) -> bytes:
    """A delivery report of RFC 3464 on these recipients."""
    status = "\n".join(["Reporting-MTA: dns; mx.example.org\n", *(groups or (group(),))])
    return _report(
        "delivery-status", to, "Undelivered Mail", kind, status, back or returned(), head
    )


def feedback(
    kind: str = "abuse", *fields: str, to: str = "fbl@example.org", back: str = ""
) -> bytes:
    """A complaint of RFC 5965."""
    said = "\n".join([f"Feedback-Type: {kind}", "User-Agent: Test/1", "Version: 1", *fields])
    return _report(
        "feedback-report", to, "Abuse report", "message/feedback-report", said, back or returned()
    )


def _report(  # noqa: PLR0917 - the parts of one mail, in their order
    of: str, to: str, subject: str, kind: str, said: str, back: str, head: str = ""
) -> bytes:
    return (
        f"{head}From: MAILER-DAEMON@mx.example.org\nTo: {to}\nSubject: {subject}\n"
        f'MIME-Version: 1.0\nContent-Type: multipart/report; report-type={of}; boundary="b"\n\n'
        f"--b\nContent-Type: text/plain\n\nWords for people.\n\n--b\nContent-Type: {kind}\n\n"
        f"{said}\n--b\nContent-Type: text/rfc822-headers\n\n{back}\n--b--\n"
    ).encode()


def vacation(to: str = "bounce@example.org", **fields: str) -> bytes:
    """Somebody is away, and quotes a word or two that look like a bounce."""
    head = "".join(f"{name.replace('_', '-')}: {value}\n" for name, value in fields.items())
    return (
        f"From: Ada <ada@example.org>\nTo: {to}\n{head}\n"
        "I am away. The following addresses had permanent fatal errors:\n"
        "<ada@example.org>\n   ----- Transcript of session follows -----\n"
    ).encode()
