"""How bad a failure is: from its codes, and never worse than they say."""

from __future__ import annotations

import re
from enum import StrEnum

DEAD = frozenset({"1.1", "1.2", "1.3", "1.6", "1.10"})
"""The address does not exist, or has moved away (Q11). The other x.1.x do not say so: x.1.7 and
x.1.8 speak of the sender. Source: RFC 3463 3.2, RFC 5248, RFC 7505."""

NO_MAILBOX = frozenset({550, 551, 553})
"""Replies that speak of the mailbox where no enhanced code tells more. Source: RFC 5321 4.2.3."""

CODE = re.compile(r"(?<![\d.])([245])\.(\d{1,3}\.\d{1,3})(?![\d.])")
"""An enhanced status code; more digits and dots around it would make it an IP address."""

POLICY = re.compile(
    r"spam|unsolicited|block(ed|ing|list)|black.?list|reputation|dnsbl|\brbl\b|polic(y|ies)"
    r"|dmarc|dkim|\bspf\b|rate.?limit|throttl|too many|virus",
    re.IGNORECASE,
)
"""Words of a receiver that has something against the mail or the sender, not the address."""

FULL = "2.2"
"""The mailbox is full (Q11). Its code tells whose quota is meant; without it, it may be ours."""

READ = 1000
"""Characters of a diagnostic that are looked at."""


class Severity(StrEnum):
    """`hard`: the address is dead. `soft`: it failed this time. `policy`: nobody is to blame."""

    HARD = "hard"
    SOFT = "soft"
    POLICY = "policy"


def of_report(status: str, diagnostic: str) -> Severity:
    """How bad a failed delivery is by its report (N2); without a code it is soft.

    Hard only when every code that says anything says that the address is dead.
    """
    codes = [found.groups() for found in CODE.finditer(f"{status} {diagnostic[:READ]}")]
    details = {detail for _, detail in codes if detail != "0.0"}
    if any(detail.startswith("7.") for detail in details):
        return Severity.POLICY
    words = diagnostic[:READ]
    blamed = bool(POLICY.search(words)) or ("quota" in words.lower() and FULL not in details)
    lasting = all(kind == "5" for kind, _ in codes)
    if details and details <= DEAD and lasting:
        return Severity.SOFT if blamed else Severity.HARD
    return Severity.POLICY if blamed and lasting else Severity.SOFT


def of_refusal(code: int, reply: str) -> Severity:
    """How bad it is that a mail server refused a recipient or the mail for good.

    What is about the message or about us (5.3, 5.5, 5.6, 554 and the like) blames nobody.
    """
    if code < 500:
        return Severity.POLICY
    found = CODE.search(reply[:READ])
    about_mailbox = found[2].startswith(("1.", "2.", "4.")) if found else code in NO_MAILBOX
    return of_report("", reply) if about_mailbox else Severity.POLICY
