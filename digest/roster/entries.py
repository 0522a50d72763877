"""What a row of a list says of a person, and the words in which other systems say it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from digest.text import printable

MAX_NAME = 200
MAX_MAILBOX = 1000
"""Characters of a cell with an address, its name included; longer ones are not looked at."""


class There(StrEnum):
    """How a person stands in the other system; where a row says several, the last of these counts.

    `unconfirmed` never said yes. From `failing` on they are to get no mail: it did not arrive on
    several days, the address does not exist, the operator turned them off, they left, they
    complained.
    """

    SUBSCRIBED = "subscribed"
    PAUSED = "paused"
    UNCONFIRMED = "unconfirmed"
    FAILING = "failing"
    BOUNCED = "bounced"
    BLOCKED = "blocked"
    LEFT = "left"
    COMPLAINED = "complained"

    @property
    def gets_no_mail(self) -> bool:
        """Whether such a person is to be mailed nowhere."""
        return STRENGTH[self] >= STRENGTH[There.FAILING]


STRENGTH = {there: place for place, there in enumerate(There)}

WORDS: Mapping[str, There] = MappingProxyType(
    {
        "": There.SUBSCRIBED,
        "active": There.SUBSCRIBED,
        "confirmed": There.SUBSCRIBED,
        "enabled": There.SUBSCRIBED,
        "subscribed": There.SUBSCRIBED,
        "paused": There.PAUSED,
        "nonsubscribed": There.UNCONFIRMED,
        "pending": There.UNCONFIRMED,
        "unconfirmed": There.UNCONFIRMED,
        "failing": There.FAILING,
        "suppressed": There.FAILING,
        "bounced": There.BOUNCED,
        "cleaned": There.BOUNCED,
        "hardbounced": There.BOUNCED,
        "blocked": There.BLOCKED,
        "disabled": There.BLOCKED,
        "inactive": There.BLOCKED,
        # Who put them there is not told: it may have been their own word.
        "blacklisted": There.LEFT,
        "blocklisted": There.LEFT,
        "left": There.LEFT,
        "optedout": There.LEFT,
        "removed": There.LEFT,
        "unsubscribed": There.LEFT,
        "complained": There.COMPLAINED,
        "complaint": There.COMPLAINED,
        "spam": There.COMPLAINED,
        "spamcomplaint": There.COMPLAINED,
    }
)
"""Words for a state, without blanks and signs -> what they mean.

Source: listmonk's exports (enabled, disabled, blocklisted; unconfirmed, confirmed, unsubscribed),
the usual words of mailing services, and our own.
"""

NOMAIL: Mapping[str, There] = MappingProxyType(
    {
        "": There.SUBSCRIBED,
        "off": There.SUBSCRIBED,
        "[a]": There.BLOCKED,
        "[b]": There.FAILING,
        "[u]": There.LEFT,
        "[?]": There.BLOCKED,
    }
)
"""Why Mailman sends a member nothing: by the admin, by bounces, by the member, unknown.

Source: the `nomail` column of Mailman 2.1's membership list.
"""


def worst(*said: There) -> There:
    """The strongest of several words about one person."""
    return max(said, key=STRENGTH.__getitem__)


@dataclass(frozen=True, slots=True)
class Entry:
    """A person of a list. `line` is where the row begins, from 1; `email` is checked.

    `settings` has keys of a `[[subscribers]]` table. `consent` is what the row itself says of
    where they agreed, with its times where it has them; `joined_at` is when they came.
    """

    line: int
    email: str
    there: There = There.SUBSCRIBED
    name: str = ""
    settings: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    joined_at: datetime | None = None
    consent: str = ""
    confirmed_at: datetime | None = None
    paused_until: datetime | None = None

    @property
    def key(self) -> str:
        """What two spellings of one address have in common: nobody keeps `Ada@` beside `ada@`."""
        return self.email.lower()


@dataclass(frozen=True, slots=True)
class Fault:
    """A row that is not used: where it begins, and why, in words."""

    line: int
    why: str


_ANGLED = re.compile(r"([^<>]*)<([^<>]*)>")
_BRACKETED = re.compile(r"([^\s()]+)\s*\(([^()]*)\)")
_MOMENT = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[ T](\d\d:\d\d(?::\d\d)?)(?:\.(\d{1,6})\d*)?\s*(Z|[+-]\d\d:?\d\d)?)?"
)


def mailbox(text: str) -> tuple[str, str]:
    """(name, address) of `Name <address>`, `address (Name)` or a bare address, unchecked.

    Source: RFC 5322 3.4, and what Mailman writes; quotes and encoded words in names are undone.
    """
    text = text.strip()
    if angled := _ANGLED.fullmatch(text):
        return name_of(angled[1]), angled[2].strip()
    if bracketed := _BRACKETED.fullmatch(text):
        return name_of(bracketed[2]), bracketed[1]
    return "", text.removeprefix("mailto:")


def name_of(text: str) -> str:
    """A person's name as it reads: one line that can be shown."""
    text = text.strip()[:MAX_MAILBOX]
    if len(text) > 1 and text[0] == text[-1] == '"':
        text = re.sub(r"\\(.)", r"\1", text[1:-1])
    if "=?" in text:
        with suppress(HeaderParseError, LookupError, ValueError):  # else it stays as written
            text = str(make_header(decode_header(text)))
    return printable(text, MAX_NAME)


def moment_of(text: str) -> datetime | None:
    """The aware time at the beginning of a text, UTC where it names no zone; None without one."""
    found = _MOMENT.match(text.strip()) if text else None
    if not found:
        return None
    day, clock, fraction, zone = found.groups(default="")
    try:
        made = datetime.fromisoformat(
            f"{day}T{clock or '00:00'}{f'.{fraction:0<6}' if fraction else ''}{zone or 'Z'}"
        )
    except ValueError:
        return None
    return made.astimezone(UTC) if made.year >= 1970 else None
