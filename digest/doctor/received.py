"""What a probe says that has arrived: who signed which fields (A2), and the receiver's verdict.

The mail's own words are believed: it comes from the operator's own mailbox, and only the verdict
at its top is that of the receiver, which takes out those that others wrote. Source: RFC 8601 5.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from email.message import Message
from email.parser import BytesHeaderParser

from digest.doctor.finding import Finding, error, fine, warning
from digest.doctor.tags import read_tags
from digest.errors import DigestError
from digest.text import printable

NEEDED = (
    "From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type",
    "List-Unsubscribe", "List-Unsubscribe-Post", "List-Id", "Feedback-ID", "Auto-Submitted",
)  # fmt: skip
"""Fields that a signature of ours should cover (A2); one-click asks for the two of List-Unsub…."""

ONE_CLICK = {"list-unsubscribe", "list-unsubscribe-post"}
DOMAIN = re.compile(r"@([A-Za-z0-9.-]+)")
LARGEST = 2_000_000


def received_findings(raw: bytes) -> list[Finding]:
    """What a mail of ours says that was saved as it arrived. Raises: DigestError if it is none."""
    head = BytesHeaderParser().parsebytes(raw[:LARGEST])
    sender = DOMAIN.search(str(head.get("From", "")))
    if not sender or not head.get("List-Unsubscribe"):
        raise DigestError(
            "this is no mail of ours as it arrived: From or List-Unsubscribe is missing; save it by"
            " “show original” or “view source”, from its first line on"
        )
    return [*_signatures(head, sender[1].lower()), *_verdicts(head)]


def _signatures(head: Message, sender: str) -> Iterator[Finding]:
    """Whether a signature of the sender's domain covers what it should."""
    all_tags = [read_tags(_flat(value)) for value in head.get_all("DKIM-Signature", [])]
    ours = [tags for tags in all_tags if _aligned(tags.get("d", "").lower(), sender)]
    if not ours:
        others = ", ".join(sorted({printable(tags.get("d", "?"), 253) for tags in all_tags}))
        found = f"no signature of {sender}" + (f", only of {others}" if others else " or anyone")
        yield error("probe.signed", found, "let the mail server sign for it, or set up [dkim]")
        return
    for tags in ours:
        yield _signature(tags)


def _signature(tags: dict[str, str]) -> Finding:
    name = printable(f"{tags.get('s', '?')}._domainkey.{tags.get('d', '?')}", 253)
    covered = {field.strip().lower() for field in tags.get("h", "").split(":")}
    missing = [field for field in NEEDED if field.lower() not in covered]
    if "l" in tags:
        do = "turn the body length limit off where the mail is signed"
        return error("probe.signed", f"{name} signs only the start of the body (l=)", do)
    if missing:
        level = error if ONE_CLICK - covered or "from" not in covered else warning
        do = "add them to the fields that your mail server signs, or sign here ([dkim])"
        return level("probe.signed", f"{name} does not sign {', '.join(missing)}", do)
    return fine("probe.signed", f"{name} signs all that it should")


def _verdicts(head: Message) -> Iterator[Finding]:
    """What the receiver found of SPF, DKIM and DMARC."""
    told = head.get_all("Authentication-Results", [])
    if not told:
        do = "nothing; a large receiver tells more"
        yield warning("probe.verdict", "the receiver has written down no verdict", do)
        return
    verdict = _flat(told[0])
    for method in ("spf", "dkim", "dmarc"):
        results = re.findall(rf"\b{method}=([a-z]+)", verdict.lower())
        if "pass" in results:
            yield fine("probe.verdict", f"{method.upper()}: pass")
        elif results:
            found = f"{method.upper()}: {results[0]}"
            yield error("probe.verdict", found, "`digest doctor` says what DNS should hold")


def _flat(value: object) -> str:
    return " ".join(str(value).split())


def _aligned(domain: str, sender: str) -> bool:
    """Whether one is the other or lies below it; which is all that can be told without DNS."""
    return bool(domain) and (f".{sender}".endswith(f".{domain}") or domain.endswith(f".{sender}"))
