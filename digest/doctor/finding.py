"""What a check found: how bad it is, why that matters and what would mend it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How bad a finding is; only an error is sure to cost mail."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: `check` is a key of `WHY`, `do` empty where all is well."""

    check: str
    level: Level
    found: str
    do: str = ""

    @property
    def why(self) -> str:
        """Why it matters."""
        return WHY[self.check]


def fine(check: str, found: str) -> Finding:
    """A finding that asks for nothing."""
    return Finding(check, Level.OK, found)


def warning(check: str, found: str, do: str) -> Finding:
    """Something that may cost mail, or will."""
    return Finding(check, Level.WARNING, found, do)


def error(check: str, found: str, do: str) -> Finding:
    """Something that costs mail now."""
    return Finding(check, Level.ERROR, found, do)


WHY = {
    "config.files": "A file that is missing or open to other people stops the service or gives a "
    "secret away.",
    "smtp.connection": "Mail leaves by this server and by no other way.",
    "smtp.encryption": "Unencrypted mail and passwords can be read and changed on the way.",
    "smtp.certificate": "A server whose certificate is no good may be anyone; it gets no mail.",
    "smtp.login": "The server takes mail for others from those who have logged in.",
    "smtp.limits": "A mail over the server's limits is refused, whoever it is for.",
    "smtp.reverse_name": "Large receivers refuse mail from an address without a name that leads "
    "back to it.",
    "dns.spf": "Receivers ask the domain that bounces go to which servers may send for it.",
    "dns.dkim": "Large receivers refuse bulk mail without a signature, and show the one-click "
    "unsubscribe only where it is signed.",
    "dns.dmarc": "Large receivers refuse bulk mail from a domain without a DMARC record, or whose "
    "From fits neither SPF nor DKIM.",
    "dns.mx": "Replies and bounces have to arrive, and receivers mistrust senders that cannot be "
    "answered.",
    "web.pages": "The links in every mail begin here, unsubscribe among them.",
    "clock.time": "Digests leave at their hour by this clock, and receivers mistrust a mail from "
    "another time.",
    "clock.zones": "Countries change their clocks by decree; with old rules digests leave an hour "
    "early or late.",
    "machine.python": "Older patch levels let text from outside add header fields to a mail.",
    "machine.disk": "On a full disk nothing can be recorded, so nothing is sent.",
    "data.secret": "This key signs the links in mails; with another one all older links are dead.",
    "data.database": "It holds the subscribers, and who has got which digest.",
    "sources.fresh": "Readers get nothing from a source that is not read.",
    "probe.sent": "What a receiver makes of our mail shows in a mail that it has received.",
    "probe.signed": "One-click unsubscribe counts only where a signature of our domain covers it.",
    "probe.verdict": "By this verdict the receiver sorts our mail.",
}
"""Every check and why it matters."""
