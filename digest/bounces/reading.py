"""The bytes of a mail that came back -> what it says.

Source: RFC 3464 and RFC 6533 (delivery reports), RFC 5965 (complaints), RFC 3834 (auto-replies).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import Message
from email.parser import BytesParser

from digest.bounces.blocks import blocks_of, field_of, ids_in, own_parts, text_of
from digest.bounces.heuristics import addresses_in
from digest.bounces.severity import Severity, of_report

MAX_BYTES, MAX_LINES = 256 * 1024, 8000
"""What is read of a mail: a report says its piece first and returns the mail last. The time that
reading takes grows with the lines."""

MAX_FAILURES = 1000

STATUS_TYPES = frozenset({"message/delivery-status", "message/global-delivery-status"})
FEEDBACK_TYPES = frozenset({"message/feedback-report"})
RETURNED_TYPES = frozenset(
    {"message/rfc822", "message/global", "text/rfc822-headers", "message/global-headers",
     "text/rfc822-header", "message/rfc822-headers"}
)  # fmt: skip

ENVELOPE = ("Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To", "X-Delivered-To", "To")
"""Fields in which a mail server leaves the address that a mail was sent to."""

DAEMON = re.compile(r"daemon|postmaster|mail.?(delivery|system|admin)|delivery.?sub", re.IGNORECASE)
ABSENT = re.compile(
    r"^\W*((auto(mat\w+)?[ -]?(reply|response|antwort|svar))|out of (the )?office|vacation|away"
    r"|abwesen|automatische? a|r(é|e)ponse automatique|absen(t|ce)|fuori sede|risposta automatica"
    r"|respuesta autom|ausente|不在|自動)",
    re.IGNORECASE,
)
"""How subjects of vacation replies begin; only read where no field of RFC 3834 tells."""

AUTOMATIC = ("X-Autoreply", "X-Autorespond", "X-Autoresponder", "X-Auto-Reply-From")


@dataclass(frozen=True, slots=True)
class Traces:
    """What may tell which mail a report is about; all of it hostile until found to be ours.

    `addresses` the report was sent to, or the mail came from; `message_ids` of the returned mail.
    """

    addresses: tuple[str, ...] = ()
    message_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Failure:
    """One address that a mail did not reach: for good (`final`), or not yet.

    `recipient` is the address as it was given to the reporter, `mailbox` the one that failed in the
    end; `status` is the code of RFC 3463, or empty.
    """

    recipient: str
    mailbox: str
    final: bool
    severity: Severity = Severity.SOFT
    status: str = ""
    diagnostic: str = ""


@dataclass(frozen=True, slots=True)
class Bounce:
    """A mail did not arrive, or not yet."""

    traces: Traces
    failures: tuple[Failure, ...]


@dataclass(frozen=True, slots=True)
class Complaint:
    """A receiver passes on what a reader said: `kind` is abuse, fraud, opt-out or another."""

    traces: Traces
    kind: str
    recipients: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AutoReply:
    """A program answers for somebody; nothing follows from it."""

    traces: Traces = field(default=Traces())


@dataclass(frozen=True, slots=True)
class Other:
    """Anything else, and why nothing follows from it."""

    traces: Traces
    why: str


Return = Bounce | Complaint | AutoReply | Other
"""What came back; match it exhaustively."""


def read_return(raw: bytes) -> Return:
    """What a mail says that came back. Never raises, whatever the bytes."""
    cut = b"\n".join(raw[:MAX_BYTES].split(b"\n", MAX_LINES)[:MAX_LINES])
    try:
        return _read(BytesParser().parsebytes(cut), cut)
    except RecursionError:
        return Other(Traces(), "its parts are nested too deep")
    except Exception as error:  # the email package fails in many ways on broken MIME
        return Other(Traces(), f"it cannot be read ({type(error).__name__})")


def _read(mail: Message, raw: bytes) -> Return:
    parts = list(own_parts(mail))
    if DAEMON.search(field_of(mail, "From")):
        parts += _wrapped(parts)
    traces = _traces(mail, parts)
    for part in parts:
        if part.get_content_type() in FEEDBACK_TYPES:
            return _complaint(part, traces)
    if recipient := _junked(parts):
        return Complaint(traces, "abuse", (recipient,))
    reported, failures = _reported(parts)
    if failures:
        return Bounce(traces, failures)
    if reported:
        return Other(traces, "a report without a failure")
    if _is_automatic(mail):
        return AutoReply(traces)
    failures = tuple(Failure(address, address, final) for address, final in addresses_in(raw))
    return Bounce(traces, failures) if failures else Other(traces, "no report")


def _wrapped(parts: list[Message]) -> list[Message]:
    """The parts of a report that a mail system has passed on as a whole, as some gateways do."""
    reports = (
        inner
        for part in parts
        if part.get_content_type() == "message/rfc822"
        for inner in blocks_of(part)[:1]
        if inner.get_content_type() == "multipart/report"
    )
    return [part for report in reports for part in own_parts(report)]


def _traces(mail: Message, parts: list[Message]) -> Traces:
    """Where a token or an id of ours may stand."""
    addresses = [text_of(value) for name in ENVELOPE for value in mail.get_all(name, [])]
    message_ids: list[str] = []
    for part in parts:
        if part.get_content_type() in RETURNED_TYPES:
            for head in blocks_of(part)[:1]:
                addresses += [field_of(head, "Return-Path"), field_of(head, "X-Return-Path")]
                message_ids += ids_in(field_of(head, "Message-ID"))
        elif part.get_content_type() in STATUS_TYPES:
            for block in blocks_of(part)[:1]:
                message_ids += ids_in(field_of(block, "X-Original-Message-ID"))
        elif part.get_content_type() in FEEDBACK_TYPES:
            for block in blocks_of(part):
                addresses.append(field_of(block, "Original-Mail-From"))
    return Traces(tuple(dict.fromkeys(filter(None, addresses))), tuple(dict.fromkeys(message_ids)))


def _complaint(part: Message, traces: Traces) -> Return:
    """What a feedback report says. Source: RFC 5965 3, RFC 6591, RFC 6430."""
    kind, recipients = "", list[str]()
    for block in blocks_of(part):
        kind = kind or field_of(block, "Feedback-Type").lower()
        for name in ("Original-Rcpt-To", "Removal-Recipient"):
            recipients += [_bare(text_of(value)) for value in block.get_all(name, [])]
    if kind == "auth-failure":
        return Other(traces, "a report on authentication")
    return Complaint(traces, kind, tuple(dict.fromkeys(filter(None, recipients)))[:MAX_FAILURES])


def _junked(parts: list[Message]) -> str:
    """The reader whose mail Microsoft's programme returns, which knows no feedback report."""
    for part in parts:
        if part.get_content_type() == "message/rfc822":
            for head in blocks_of(part)[:1]:
                if found := field_of(head, "X-HmXmrOriginalRecipient"):
                    return _bare(found)
    return ""


def _reported(parts: list[Message]) -> tuple[bool, tuple[Failure, ...]]:
    """Whether there is a delivery report that says anything, and the failures in it.

    Where no part is one, its fields may stand in the text, as some forward them.
    """
    reports = [part for part in parts if part.get_content_type() in STATUS_TYPES]
    blocks = [block for part in reports for block in blocks_of(part)]
    if not reports:
        texts = [part for part in parts if part.get_content_type() == "text/plain"]
        inside = [block for part in texts for block in blocks_of(part)]
        blocks = [block for block in inside if "Final-Recipient" in block and "Action" in block]
    found = list(_failures(blocks[:MAX_FAILURES]))
    said = any("action" in block or "status" in block for block in blocks)
    return said, tuple(dict.fromkeys(found))


def _failures(blocks: list[Message]) -> Iterator[Failure]:
    """One for each recipient that failed or waits. Source: RFC 3464 2.3."""
    for block in blocks:
        action, status = field_of(block, "Action").lower(), field_of(block, "Status")
        failed = action.startswith(("fail", "error")) or (not action and status.startswith("5"))
        delayed = action.startswith("delay") or (not action and status.startswith("4"))
        final = _address(field_of(block, "Final-Recipient"))
        original = _address(field_of(block, "Original-Recipient")) or final
        if (failed or delayed) and original:
            code, why = status.split(" ")[0][:20], field_of(block, "Diagnostic-Code")
            severity = of_report(code, why) if failed else Severity.SOFT
            yield Failure(original, final or original, failed, severity, code, why)


def _address(text: str) -> str:
    """The address of `rfc822; somebody@example.org`, also where the type is missing."""
    kind, semicolon, rest = text.partition(";")
    return _bare(rest if semicolon else kind)


def _bare(text: str) -> str:
    """An address without angles, comments and quotes around it; empty where there is none."""
    found = re.search(r"<([^<>]*)>", text)
    bare = (found[1] if found else text.partition(" (")[0]).strip().strip("'\"")
    return bare if "@" in bare and not re.search(r"\s", bare) else ""


def _is_automatic(mail: Message) -> bool:
    """Whether a program answers for a person, as opposed to a mail system. Source: RFC 3834 5."""
    if DAEMON.search(field_of(mail, "From")):
        return False
    submitted = field_of(mail, "Auto-Submitted").lower()
    return (
        (bool(submitted) and not submitted.startswith("no"))
        or any(name in mail for name in AUTOMATIC)
        or field_of(mail, "Precedence").lower() in {"auto_reply", "auto-reply"}
        or bool(ABSENT.match(field_of(mail, "Subject")))
    )
