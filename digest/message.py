"""A finished mail: the bytes that are sent, and what they say."""

from __future__ import annotations

from dataclasses import dataclass
from email import message_from_bytes, policy


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
