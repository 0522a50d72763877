"""What a mail server's reply means: the table from command and reply to an outcome. Pure.

Which command was refused decides who is to blame: RCPT and the message speak of this recipient,
everything before them of the relay. Within RCPT and the message the codes decide.
Source: RFC 5321 sections 4.2 and 4.3.2, RFC 3463, RFC 5248.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from digest.model import Deferred, Outcome, Refused, Sent, Unknown

CLOSING = 421
GO_ON = 354

NO_RELAYING = re.compile(r"relay(ing)? (access )?(denied|not (permitted|allowed))", re.IGNORECASE)
STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}(?!\S)")
"""An enhanced status code, which stands first in the text. Source: RFC 2034."""

OURS = frozenset({500, 502, 503, 504, 530, 534, 535, 538, 454})
"""Commands, logins and encryption: they speak of how we are set up, never of a recipient.
Source: RFC 5321 4.2.2, RFC 4954 6, RFC 3207 4."""

SYSTEM = frozenset({"3.1", "3.2"})
"""The server's own disk is full, or it takes no mail for now. Source: RFC 3463 3.4."""

FULL = frozenset({"2.2"})
"""A full mailbox, which its owner may clear (Q11). Source: RFC 3463 3.3."""

LENGTH = 500
"""Characters of a reply that are kept: enough for a queue id, too few to flood a log."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply, its lines joined by blanks; code 0 says that the line is gone, and why."""

    code: int
    text: str

    @property
    def good(self) -> bool:
        """Whether the command was carried out."""
        return 200 <= self.code < 300

    @property
    def words(self) -> str:
        """One printable line of what a stranger wrote."""
        return printable(f"{self.code} {self.text}" if self.code else self.text)

    @property
    def status(self) -> str:
        """The enhanced status code, or empty."""
        found = STATUS.match(self.text)
        return found[0] if found else ""


@dataclass(frozen=True, slots=True)
class Trouble:
    """The relay did not do its part; the message was surely not taken, and nobody is blamed.

    `firm` where it would not have gone better with another message (no connection, no login, MAIL
    refused), as opposed to a connection that was cut somewhere in between.
    """

    reply: str
    code: int = 0
    firm: bool = False


class Resting(Trouble):
    """Nothing was tried, as the relay is left alone: it tells nothing new of it."""


def of_mail(reply: Reply) -> Trouble | None:
    """What the reply to MAIL means: a refusal is always the relay's (Q9)."""
    return None if reply.good else Trouble(reply.words, reply.code, firm=reply.code > 0)


def of_recipient(reply: Reply) -> Outcome | Trouble | None:
    """What the reply to RCPT means; None when it was accepted."""
    return None if reply.good else refusal(reply)


def of_data(reply: Reply) -> Outcome | Trouble | None:
    """What the reply to DATA means; None when the server waits for the message."""
    if reply.code == GO_ON:
        return None
    if reply.code < 400:
        return Trouble(f"the server answered DATA with {reply.words}" if reply.code else reply.text)
    return refusal(reply)


def of_message(reply: Reply) -> Outcome | Trouble:
    """What the reply to a whole message means; silence or nonsense means that nobody knows."""
    if reply.good:
        return Sent(reply.words)
    return Unknown(reply.words) if reply.code < 400 else refusal(reply)


def refusal(reply: Reply) -> Outcome | Trouble:
    """Whose fault a refusal of RCPT, DATA or the message is, and whether it is for good."""
    detail = reply.status[2:]
    if reply.code < 400 or reply.code == CLOSING or reply.code in OURS or detail in SYSTEM:
        return Trouble(reply.words, reply.code)
    if NO_RELAYING.search(reply.text):
        return Trouble(reply.words, reply.code, firm=True)
    soft = detail in FULL or (reply.code == 552 and not detail)
    if reply.code < 500 or reply.status.startswith("4") or detail.startswith("7.") or soft:
        return Deferred(reply.words, reply.code)
    return Refused(reply.code, reply.words)


def is_policy(outcome: Outcome) -> bool:
    """Whether a receiver refuses us rather than this message: then more of the same harm us (Q11).

    Source: RFC 3463 3.8 (X.7.X, security and policy).
    """
    found = re.match(r"5\d\d (5\.7\.\d)", outcome.reply)
    return bool(found) and isinstance(outcome, Deferred)


def printable(text: str) -> str:
    """One printable line of hostile text, cut."""
    if not text.isprintable():
        text = "".join(c if c.isprintable() else " " for c in text)
    return text[:LENGTH]
