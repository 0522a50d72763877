"""A finished mail: the bytes that are sent, what they say, and what tells them from others."""

from __future__ import annotations

import re
from dataclasses import dataclass
from email import message_from_bytes, policy
from hashlib import sha256

_SIGNATURES = re.compile(rb"(?:DKIM-Signature:[^\r\n]*\r\n(?:[ \t][^\r\n]*\r\n)*)*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Message:
    """A finished mail: `raw` holds the very bytes for the wire (7-bit, CRLF)."""

    subject: str
    raw: bytes

    @property
    def text(self) -> str:
        """The plain text as a mail program reads it."""
        return self._part("plain")

    @property
    def html(self) -> str:
        """The HTML as a mail program reads it."""
        return self._part("html")

    def _part(self, kind: str) -> str:
        read = message_from_bytes(self.raw, policy=policy.default)
        body = next(one for one in read.walk() if one.get_content_subtype() == kind)
        return bytes(body.get_payload(decode=True)).decode("utf-8").replace("\r\n", "\n")


@dataclass(frozen=True, slots=True)
class Imprint:
    """What tells a mail's bytes from all others: SHA-256 of its signatures, and of all the rest.

    `key` marks the secret that signed its links, without giving it away.
    """

    mail: str
    signatures: str
    key: str

    @classmethod
    def of(cls, raw: bytes, key: str) -> Imprint:
        """The imprint of finished bytes."""
        found = _SIGNATURES.match(raw)
        end = found.end() if found else 0
        return cls(sha256(raw[end:]).hexdigest(), sha256(raw[:end]).hexdigest(), key)

    @classmethod
    def read(cls, text: str) -> Imprint | None:
        """What `str` wrote, or None where nothing was kept."""
        parts = text.split()
        return cls(*parts) if len(parts) == 3 else None

    def __str__(self) -> str:
        return f"{self.mail} {self.signatures} {self.key}"
