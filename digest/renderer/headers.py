"""The header of a mail as finished bytes, field by field.

Owns every field name and its form. Fields that hold addresses or URLs are written as they are: an
encoded word in one of them would disable one-click unsubscribing (RFC 2047 5, RFC 8058).
"""

from __future__ import annotations

import base64
import hashlib
import re
from datetime import date, datetime, timedelta
from email.utils import format_datetime
from functools import lru_cache

from digest.addresses import check_address, check_domain
from digest.errors import DigestError
from digest.model import Digest, Frame
from digest.renderer.clean import header_text

_FOLD = 78  # columns. Source: RFC 5322 2.1.1
_LONGEST_URL = 900  # octets; with the field's name it stays under the 998 of RFC 5322 2.1.1
_PLAIN_PHRASE = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]+")
_TOKEN = re.compile(r"[^a-z0-9]+")
_MESSAGE_ID = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+@[A-Za-z0-9.-]+")


class Letterhead:
    """The fields that all mails of a frame share, made once."""

    def __init__(self, frame: Frame) -> None:
        name, address = frame.sender
        sender = check_address(address)
        reader = check_address(frame.reply_to) if frame.reply_to else sender
        self.sender_domain = sender.rpartition("@")[2]
        self.list_id = _list_id(frame.list_id, self.sender_domain)
        self._feedback = lru_cache(maxsize=8)(self._make_feedback)
        self._from = f"From: {mailbox(name, sender)}"
        self._rest = [
            f"Reply-To: {mailbox('', reader)}",
            f"List-Id: {mailbox(frame.service_name, self.list_id)}",
            "List-Post: NO",
            f"List-Owner: <mailto:{reader}>",
            f"List-Help: <mailto:{reader}?subject=help>",
            "Auto-Submitted: auto-generated",
            "X-Auto-Response-Suppress: All",
        ]

    def fields(
        self, digest: Digest, subject: str, message_id: str, sent_at: datetime, unsubscribe: str
    ) -> list[str]:
        """The field lines of one mail, folded, without the MIME fields. Raises: AddressError."""
        if not _MESSAGE_ID.fullmatch(message_id):
            raise DigestError("the Message-ID is not of the form id@domain")
        return [
            self._from,
            f"To: {mailbox('', check_address(digest.subscriber.email))}",
            unstructured("Subject", subject),
            f"Date: {_date(sent_at, sent_at.utcoffset())}",
            f"Message-ID: <{message_id}>",
            *self._rest,
            *_unsubscribe(unsubscribe),
            self._feedback(digest.digest_on),
        ]

    def _make_feedback(self, day: date) -> str:
        """`campaign:list:type:sender`: no person in it, and the last part never changes."""
        list_name = _TOKEN.sub("-", self.list_id.lower()).strip("-")[:40]
        sender = hashlib.sha256(self.sender_domain.encode()).hexdigest()[:12]
        return f"Feedback-ID: {day:%Y%m%d}:{list_name}:digest:{sender}"


@lru_cache(maxsize=64)  # a batch is frozen at one moment
def _date(moment: datetime, offset: timedelta | None) -> str:
    """The moment with its own offset; equal moments may have different ones."""
    return format_datetime(moment)


def mailbox(name: str, address: str) -> str:
    """`Name <address>`, or the bare `<address>`; the name quoted or encoded as it needs."""
    shown = header_text(name, 70)
    if not shown:
        return f"<{address}>" if "@" not in address else address
    if _PLAIN_PHRASE.fullmatch(shown):
        return f"{shown} <{address}>"
    if shown.isascii():
        escaped = shown.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}" <{address}>'
    return f"{_encoded(shown, len('Reply-To: '))}\r\n <{address}>"


def unstructured(name: str, text: str) -> str:
    """A field of free text: ASCII folded at its blanks, anything else in encoded words."""
    if not text.isascii():
        return f"{name}: {_encoded(text, len(name) + 2)}"
    lines, line = [], f"{name}:"
    for word in text.split(" "):
        if len(line) + 1 + len(word) > _FOLD and line != f"{name}:":
            lines.append(line)
            line = ""
        line += f" {word}"
    return "\r\n".join([*lines, line])


def _encoded(text: str, column: int) -> str:
    """The text in encoded words. Source: RFC 2047 2."""
    octets, words, room = text.encode("utf-8"), [], _octets(column)
    while octets:
        end = min(room, len(octets))
        while end < len(octets) and octets[end] & 0xC0 == 0x80:  # no letter is parted
            end -= 1
        words.append(base64.b64encode(octets[:end]).decode("ascii"))
        octets, room = octets[end:], _octets(1)
    return "\r\n ".join(f"=?utf-8?B?{word}?=" for word in words)


def _octets(column: int) -> int:
    """How many octets of text fit into an encoded word that begins at this column."""
    return (_FOLD - 3 - column - len("=?utf-8?B??=")) // 4 * 3


def _unsubscribe(url: str) -> list[str]:
    """One-click unsubscribing, where there is a link. Source: RFC 8058 3.1."""
    if not url or len(url) > _LONGEST_URL:
        return []
    return [f"List-Unsubscribe: <{url}>", "List-Unsubscribe-Post: List-Unsubscribe=One-Click"]


def _list_id(list_id: str, domain: str) -> str:
    """The list's name as a domain name. Source: RFC 2919 2."""
    bare = list_id.strip().strip("<>").lower() or f"digest.{domain}"
    return check_domain(bare)
